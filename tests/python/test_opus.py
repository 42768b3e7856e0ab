"""Opus without FFmpeg: by the built-in decoder, in every container, as libopus decodes it."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import mapwave
import mapwave.numpy as mw
import numpy as np
import pytest

soundfile = pytest.importorskip("soundfile")

RATE = 48_000
FRAMES = 100_001

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def tones(channels: int, frames: int = FRAMES) -> np.ndarray:
    """Notes with attacks, and a little noise."""
    time = np.arange(frames)[:, None] / RATE
    beat = time * 3 % 1
    notes = np.sin(2 * np.pi * time * 220 * 1.25 ** (time * 3 // 1 % 7)) * (1 - beat)
    noise = np.random.default_rng(5).standard_normal((frames, channels))
    return (0.3 * notes / (1 + 0.2 * np.arange(channels)) + 0.003 * noise).astype(np.float32)


def encoded(path: Path, audio: np.ndarray, *options: str) -> Path:
    """A file that FFmpeg wrote by libopus."""
    wav = path.with_suffix(".wav")
    soundfile.write(wav, audio, RATE, subtype="FLOAT")
    command = ["ffmpeg", "-v", "error", "-y", "-i", wav, "-c:a", "libopus", *options, path]
    subprocess.run(command, check=True)
    return path


def by_libopus(path: Path) -> np.ndarray:
    """The samples by FFmpeg's decoder over libopus."""
    command = ["ffmpeg", "-v", "error", "-request_sample_fmt", "flt", "-c:a", "libopus", "-i", path, "-f", "f32le", "-"]
    return np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, np.float32)


def ratio(expected: np.ndarray, found: np.ndarray) -> float:
    noise = np.sum((expected.astype(np.float64) - found) ** 2)
    return 10 * np.log10(np.sum(expected.astype(np.float64) ** 2) / max(noise, 1e-30))


@needs_ffmpeg
@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("extension", ["opus", "webm", "mka", "mp4"])
def test_every_container_is_read_without_ffmpeg(extension: str, channels: int, tmp_path: Path) -> None:
    path = encoded(tmp_path / f"a.{extension}", tones(channels), "-b:a", f"{64 * channels}k")
    info = mapwave.info(path)
    assert (info.plugin, info.codec, info.frames) == ("builtin", "opus", FRAMES)
    assert (info.sample_rate, info.channels) == (RATE, channels)
    audio, rate = mw.load(path)
    assert (audio.shape, rate) == ((FRAMES, channels), RATE)
    expected = by_libopus(path).reshape(-1, channels)[:FRAMES]
    assert ratio(expected, audio) > 120
    for source in (path.read_bytes(), io.BytesIO(path.read_bytes())):
        assert np.array_equal(mw.load(source)[0], audio)


@needs_ffmpeg
@pytest.mark.parametrize("bit_rate", ["12k", "24k", "64k"])
def test_a_window_is_a_slice_on_any_number_of_threads(bit_rate: str, tmp_path: Path) -> None:
    path = encoded(tmp_path / "long.opus", tones(1, 130 * RATE), "-b:a", bit_rate, "-application", "voip")
    whole = mw.load(path, threads=1)[0]
    for threads in (2, 8):
        assert np.array_equal(mw.load(path, threads=threads)[0], whole)
    numbers = np.random.default_rng(9)
    for start in numbers.integers(0, len(whole) - 5000, 25):
        window = mw.load(path, offset=start / RATE, duration=5000 / RATE)[0]
        assert np.array_equal(window, whole[start : start + len(window)])
        assert abs(len(window) - 5000) < 2


@needs_ffmpeg
@pytest.mark.parametrize("rate", ["16000", "48000"])
def test_voice_messages_are_read(rate: str, tmp_path: Path) -> None:
    # As messengers record them: mono, SILK, with the pre-skip of libopus.
    path = encoded(tmp_path / "voice.ogg", tones(1), "-ar", rate, "-b:a", "16k", "-application", "voip")
    assert path.read_bytes()[38:40] == (312).to_bytes(2, "little")
    info = mapwave.info(path)
    assert (info.plugin, info.priming_frames) == ("builtin", 312)
    assert abs(info.frames - FRAMES) < 3, "a multiple of three from 16 kHz"
    audio = mw.load(path)[0]
    assert ratio(by_libopus(path).reshape(-1, 1), audio) > 120
    assert mw.load(path, sr=16_000)[0].shape == (-(-len(audio) // 3), 1)
    assert sum(len(chunk) for chunk, _ in mw.stream(path, 4096)) == len(audio)


@needs_ffmpeg
def test_the_gain_of_the_header_is_applied(tmp_path: Path) -> None:
    path = encoded(tmp_path / "a.opus", tones(2))
    data = bytearray(path.read_bytes())
    assert data[28:36] == b"OpusHead"
    plain = mw.load(bytes(data))[0]
    data[44:46] = (-6 * 256).to_bytes(2, "little", signed=True)
    body = bytes(data[:22]) + bytes(4) + bytes(data[26:47])
    data[22:26] = checksum(body).to_bytes(4, "little")
    quiet = mw.load(bytes(data))[0]
    np.testing.assert_allclose(quiet, plain * 10 ** (-6 / 20), rtol=1e-5, atol=1e-12)


def checksum(page: bytes) -> int:
    """The checksum of an Ogg page (RFC 3533, section 6)."""
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value >> 31 else 0)) & 0xFFFFFFFF
    return value


@needs_ffmpeg
def test_a_file_cut_off_says_so(tmp_path: Path) -> None:
    for extension in ("opus", "webm"):
        data = encoded(tmp_path / f"a.{extension}", tones(2, 10 * RATE)).read_bytes()
        whole = mw.load(data)[0]
        assert not mapwave.info(data).is_truncated
        cut = data[: len(data) * 3 // 5]
        info = mapwave.info(cut)
        assert (info.plugin, info.is_truncated) == ("builtin", True)
        audio = mw.load(cut)[0]
        assert len(audio) == info.frames > len(whole) // 3
        assert np.array_equal(audio, whole[: len(audio)])


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("frames", [700, 960, 50_001])
@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_caf_has_the_sound_of_ogg(rate: int, frames: int, channels: int, tmp_path: Path) -> None:
    path, ogg, audio = tmp_path / "a.caf", tmp_path / "a.ogg", tones(channels, frames)
    options = {"encoding": "opus", "bitrate": 64_000 * channels}
    mapwave.save(path, audio, rate, tags={"title": "notes"}, **options)
    mapwave.save(ogg, audio, rate, **options)
    info = mapwave.info(path)
    assert (info.plugin, info.container, info.codec) == ("builtin", "caf", "opus")
    assert (info.frames, info.sample_rate, info.channels) == (frames * RATE // rate, RATE, channels)
    found, _ = mw.load(path)
    np.testing.assert_array_equal(found, mw.load(ogg)[0])
    np.testing.assert_array_equal(mw.load(path, start=300, stop=650)[0], found[300:650])

    class Pipe:
        """A target that can only be written to."""

        written = b""

        def write(self, data: bytes) -> int:
            self.written += bytes(data)
            return len(data)

    pipe = Pipe()
    mapwave.save(pipe, audio, rate, format="caf", tags={"title": "notes"}, **options)
    assert pipe.written == path.read_bytes()
    if shutil.which("ffmpeg"):
        # FFmpeg 5.1 returns what precedes the first frame, too.
        by_ffmpeg = by_libopus(path).reshape(-1, channels)
        lags = range(min(1000, len(by_ffmpeg) - len(found)) + 1)
        assert max(ratio(by_ffmpeg[lag : lag + len(found)], found) for lag in lags) > 100


def test_surround_in_caf_is_refused(tmp_path: Path) -> None:
    with pytest.raises(mapwave.UnsupportedFormat, match="mono and stereo only: write Ogg"):
        mapwave.save(tmp_path / "a.caf", tones(6), RATE, encoding="opus")
    assert list(tmp_path.iterdir()) == []

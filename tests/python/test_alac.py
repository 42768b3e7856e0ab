"""ALAC in M4A and CAF, written without FFmpeg: by its decoder, by libsndfile and by ffprobe's account."""

from __future__ import annotations

import io
import json
import shutil
import struct
import subprocess
from pathlib import Path

import mapwave
import mapwave.numpy as mw
import numpy as np
import pytest
import signals
import soundfile

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "compressed"
CONTAINERS = ["m4a", "caf"]

# ALACMagicCookieDescription, "Channel Layout Info": the WAVE masks of 1 to 8 channels.
MASKS = [0x4, 0x3, 0x7, 0x107, 0x37, 0x3F, 0x13F, 0xFF]


def integers(frames: int, channels: int, bits: int) -> np.ndarray:
    """Music and, in its last quarter, noise of all bits; the samples fill 32 bits from the top."""
    music = signals.plucked(frames, channels, 44_100).astype(np.float64)
    noise = np.random.default_rng(bits).uniform(-1, 1, (frames, channels))
    music[3 * frames // 4 :] = noise[3 * frames // 4 :]
    steps = np.round(np.clip(music, -1, 1) * (2 ** (bits - 1) - 1)).astype(np.int64)
    return (steps << (32 - bits)).astype(np.int32)


def save(path: Path | io.BytesIO, audio: np.ndarray, **options: object) -> None:
    mapwave.save(
        path, audio, 44_100, encoding="alac", layout="channels_last", plugin="builtin", durable=False, **options
    )


def by_ffmpeg(path: Path) -> np.ndarray:
    words = ["ffmpeg", "-v", "error", "-i", path, "-f", "s32le", "-c:a", "pcm_s32le", "-"]
    raw = subprocess.run(words, capture_output=True, check=True)
    assert raw.stderr == b""
    return np.frombuffer(raw.stdout, "<i4")


def ffprobe(path: Path) -> dict:
    words = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", path]
    answer = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    return {**answer["streams"][0], "format": answer["format"]}


@needs_ffmpeg
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("bits", [16, 24, 32])
@pytest.mark.parametrize("frames", [1, 4095, 4096, 4097, 100_000])
def test_every_bit_comes_back(tmp_path: Path, container: str, bits: int, frames: int) -> None:
    path = tmp_path / f"a.{container}"
    audio = integers(frames, 2, bits)
    save(path, audio, bit_depth=bits)
    assert np.array_equal(by_ffmpeg(path).reshape(-1, 2), audio)
    info = mapwave.info(path)
    assert (info.codec, info.plugin, info.frames, info.bit_depth, info.container) == (
        "alac", "builtin", frames, bits, container,
    )  # fmt: skip
    loaded, rate = mw.load(path, dtype="int32", layout="channels_last")
    assert rate == 44_100 and np.array_equal(loaded, audio)
    if frames > 4097:
        window, _ = mw.load(path, dtype="int32", layout="channels_last", start=5000, stop=60_001)
        assert np.array_equal(window, audio[5000:60_001])


@needs_ffmpeg
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("channels", range(1, 9))
def test_channels_are_in_their_places(tmp_path: Path, container: str, channels: int) -> None:
    path = tmp_path / f"a.{container}"
    audio = integers(9000, channels, 16) >> 16
    save(path, audio.astype(np.int16), channel_mask=MASKS[channels - 1])
    loaded, _ = mw.load(path, dtype="int16", layout="channels_last")
    assert np.array_equal(loaded, audio)
    found = ffprobe(path)
    assert (found["codec_name"], found["channels"], int(found["sample_rate"])) == ("alac", channels, 44_100)
    # FFmpeg 5.1 has other orders for 3, 4 and 7 channels of CAF and M4A; every channel is there all the same.
    decoded = by_ffmpeg(path).reshape(-1, channels) >> 16
    assert sorted(map(bytes, decoded.astype("<i2").T.copy())) == sorted(map(bytes, audio.astype("<i2").T.copy()))
    with pytest.raises(mapwave.UnsupportedFormat, match="expected that mask or 0, got 0x"):
        save(tmp_path / f"b.{container}", audio.astype(np.int16), channel_mask=(1 << channels) - 1 << 9)


@pytest.mark.skipif("ALAC_24" not in soundfile.available_subtypes("CAF"), reason="libsndfile without ALAC")
def test_libsndfile_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.caf"
    # Without noise, of which libsndfile 1.2 loses bits, also where it has written it.
    audio = integers(40_000, 2, 24)[:30_000]
    save(path, audio, bit_depth=24)
    assert soundfile.info(path).subtype == "ALAC_24"
    assert np.array_equal(soundfile.read(path, dtype="int32")[0], audio)


@needs_ffmpeg
def test_tags_and_pictures_are_there(tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    tags = {"title": "Grün", "artist": "A", "date": "2026", "tracknumber": "3/12", "discnumber": "1", "mood": "calm"}
    picture = b"\x89PNG\r\n\x1a\n" + bytes(64)
    save(path, integers(9000, 2, 16), tags=tags, pictures=[mapwave.Picture(picture, mime="image/png")])
    found = ffprobe(path)["format"]["tags"]
    assert {"title": "Grün", "artist": "A", "date": "2026", "track": "3/12", "disc": "1", "mood": "calm"}.items() <= (
        found.items()
    )
    info = mapwave.info(path)
    assert {"title": "Grün", "tracknumber": "3", "tracktotal": "12", "mood": "calm"}.items() <= info.tags.items()
    assert [one.data for one in info.pictures] == [picture]
    assert np.array_equal(mw.load(path, dtype="int32", layout="channels_last")[0], integers(9000, 2, 16))


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_pipe_gets_the_same_bytes(tmp_path: Path, container: str) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.bytes = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.bytes += memoryview(data)
            return memoryview(data).nbytes

    path, pipe, audio = tmp_path / f"a.{container}", Pipe(), integers(30_000, 2, 16)
    save(path, audio)
    save(pipe, audio, format=container)
    assert bytes(pipe.bytes) == path.read_bytes()


def test_what_it_cannot_do_is_refused(tmp_path: Path) -> None:
    audio = integers(100, 2, 16)
    for options, words in [
        ({"bitrate": 128_000}, "lossless"),
        ({"quality": 50}, "lossless"),
        ({"bit_depth": 8}, "16, 20, 24 or 32"),
    ]:
        with pytest.raises((ValueError, mapwave.UnsupportedFormat), match=words):
            save(tmp_path / "a.m4a", audio, **options)
    with pytest.raises(mapwave.UnsupportedFormat, match="without a frame"):
        save(tmp_path / "a.m4a", audio[:0])
    assert list(tmp_path.iterdir()) == []


def with_table(entries: list[tuple[int, int]], has_durations: bool) -> bytes:
    """A CAF file of three packets of 4096 frames, with another table: of sizes, or of sizes and durations."""
    data = (FIXTURES / "alac16.caf").read_bytes()
    frames_at, table_at = data.index(b"alac") + 12, data.index(b"pakt")
    assert struct.unpack_from(">I", data, frames_at) == (4096,)
    numbers = [number for entry in entries for number in (entry if has_durations else entry[:1])]
    table = b"".join(bytes([number >> 7 | 0x80, number & 0x7F]) for number in numbers)
    facts = struct.pack(">qqqii", 24 + len(table), len(entries), sum(frames for _, frames in entries), 0, 0)
    frames = struct.pack(">I", 0 if has_durations else 4096)
    return data[:frames_at] + frames + data[frames_at + 4 : table_at] + b"pakt" + facts + table


@pytest.mark.parametrize("durations", [(4096, 4096, 3808), (4096, 4096, 3000), (4096, 4000, 4096)])
def test_a_table_may_state_durations(durations: tuple[int, ...]) -> None:
    whole = mw.load(FIXTURES / "alac16.caf", dtype="int16")[0]
    sizes = (8586, 9263, 8644)
    audio = mw.load(with_table(list(zip(sizes, durations, strict=True)), has_durations=True), dtype="int16")[0]
    parts = [whole[4096 * n :][: min(frames, 4096)] for n, frames in enumerate(durations)]
    np.testing.assert_array_equal(audio, np.concatenate(parts))


@pytest.mark.parametrize("has_durations", [False, True])
def test_a_table_of_empty_packets_is_refused_at_once(has_durations: bool) -> None:
    with pytest.raises(mapwave.MalformedFile, match="all packets of the table are empty"):
        mw.info(with_table([(0, 4096)] * 1000, has_durations), plugin="builtin")
    # Some may be empty.
    entries = [(0, 4096), (8586, 4096), (9263, 4096), (8644, 4096)]
    assert mw.info(with_table(entries, has_durations), plugin="builtin").codec == "alac"

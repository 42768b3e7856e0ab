"""Vorbis as libsndfile decodes it."""

from __future__ import annotations

from pathlib import Path

import corpus
import mapwave
import mapwave.numpy as mw
import numpy as np
import peers
import pytest

soundfile = pytest.importorskip("soundfile")

# The channels and rate of streams that libvorbis encodes uncoupled, with residue classes to spare, at a low quality:
# decoders were seen to mix them up.
UNCOUPLED = [(3, 48_000), (4, 44_100), (5, 48_000), (6, 96_000), (7, 44_100), (8, 48_000)]
COUPLED = [(1, 48_000), (2, 44_100), (6, 48_000), (8, 16_000)]

# WAVE's order of channels by their order in Vorbis.
ORDERS = {
    3: [0, 2, 1],
    5: [0, 2, 1, 3, 4],
    6: [0, 2, 1, 4, 5, 3],
    7: [0, 2, 1, 5, 6, 4, 3],
    8: [0, 2, 1, 6, 7, 4, 5, 3],
}


def has_libav() -> bool:
    return any(plugin.id == "libav" and plugin.loaded for plugin in mapwave.plugins())


def encoded(path: Path, channels: int, rate: int, quality: float = 0.1) -> Path:
    """A third of a second of tones and noise by libvorbis."""
    moments = np.arange(rate // 3)[:, None] / rate
    tones = 0.3 * np.sin(2 * np.pi * moments * (200 + 137 * np.arange(channels)))
    noise = 0.1 * np.random.default_rng(3).standard_normal(tones.shape)
    soundfile.write(path, tones + noise, rate, format="OGG", subtype="VORBIS", compression_level=1 - quality)
    return path


def assert_like_libsndfile(path: Path, samples: np.ndarray) -> None:
    expected = soundfile.read(path, dtype="float32", always_2d=True)[0]
    channels = samples.shape[1]
    in_file_order = samples[:, ORDERS.get(channels, range(channels))]
    assert samples.shape == expected.shape
    np.testing.assert_allclose(in_file_order, expected, atol=1e-6)


@pytest.mark.parametrize(("channels", "rate"), UNCOUPLED + COUPLED)
def test_streams_are_read_as_by_libsndfile(channels: int, rate: int, tmp_path: Path) -> None:
    path = encoded(tmp_path / "stream.ogg", channels, rate)
    for source in (path, path.read_bytes()):
        assert mapwave.info(source).plugin == "builtin"
        assert_like_libsndfile(path, mw.load(source)[0])


@pytest.mark.parametrize("quality", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6, 7, 8])
def test_every_quality_is_read_as_by_libsndfile(channels: int, quality: float, tmp_path: Path) -> None:
    path = encoded(tmp_path / "stream.ogg", channels, 44_100, quality)
    assert_like_libsndfile(path, mw.load(path)[0])


@pytest.mark.parametrize("name", ["uncoupled.webm", "uncoupled.mka"])
def test_the_same_holds_in_matroska(name: str, tmp_path: Path) -> None:
    ogg, path = encoded(tmp_path / "uncoupled.ogg", 3, 48_000), tmp_path / name
    peers.remux(ogg, path)
    expected, found = mw.load(ogg)[0], mw.load(path)[0]
    assert mapwave.info(path).plugin == "builtin"
    assert abs(len(found) - len(expected)) <= 2048
    shared = min(len(found), len(expected))
    np.testing.assert_allclose(found[:shared], expected[:shared], atol=1e-4)


@pytest.mark.skipif(not has_libav(), reason="the plugin over FFmpeg is not installed")
@pytest.mark.parametrize("num_frames", [100, 1025, 6617, 40_000, 150_000])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_libav_trims_a_stream_of_one_page_by_its_granule(channels: int, num_frames: int, tmp_path: Path) -> None:
    path = tmp_path / "short.ogg"
    tones = 0.3 * np.sin(np.arange(num_frames)[:, None] * (1 + np.arange(channels)) / 50)
    soundfile.write(path, tones, 48_000, format="OGG", subtype="VORBIS")
    samples, _ = mw.load(path, plugin="libav")
    assert len(samples) == num_frames == mapwave.info(path, plugin="libav").frames
    assert_like_libsndfile(path, samples)
    assert not mapwave.info(path, plugin="libav").is_truncated


def with_codec_delay(webm: bytes, nanoseconds: int) -> bytes:
    """The file with a CodecDelay at the end of its only track, as FFmpeg 9 writes it (RFC 9559, section 5.1.4.1.25)."""
    delay = bytes.fromhex("56aa84") + nanoseconds.to_bytes(4, "big")
    data = bytearray(webm)
    tracks = data.index(bytes.fromhex("1654ae6b"), data.index(bytes.fromhex("1654ae6b")) + 1)
    entry = tracks + 6
    assert data[entry : entry + 2] == b"\xae\x01", "a size of eight bytes"
    end = entry + 9 + int.from_bytes(data[entry + 2 : entry + 9], "big")
    for start, stop in ((tracks + 4, tracks + 6), (entry + 2, entry + 9), (41, 48)):
        data[start:stop] = (int.from_bytes(data[start:stop], "big") + len(delay)).to_bytes(stop - start, "big")
    return bytes(data[:end] + delay + data[end:])


def test_the_delay_of_vorbis_in_webm_is_its_first_packet() -> None:
    webm = (corpus.FIXTURES / "compressed" / "vorbis.webm").read_bytes()
    delayed = with_codec_delay(webm, 128 * 10**9 // 44_100)
    samples, _ = mw.load(webm, plugin="builtin")
    np.testing.assert_array_equal(mw.load(delayed, plugin="builtin")[0], samples)
    assert mapwave.info(delayed).priming_frames == 0

"""`stream`: a file in chunks."""

from __future__ import annotations

import threading
from pathlib import Path

import corpus
import mapwave
import mapwave.numpy
import numpy as np
import pytest


@pytest.mark.parametrize("chunk_frames", [1, 7, 100, 301, 302, 10**12])
def test_the_chunks_are_the_file(library, chunk_frames: int) -> None:
    chunks = [np.array(chunk) for chunk, _ in library.stream(corpus.PCM16, chunk_frames=chunk_frames)]
    assert [len(chunk) for chunk in chunks[:-1]] == [chunk_frames] * (len(chunks) - 1)
    assert 0 < len(chunks[-1]) <= chunk_frames
    np.testing.assert_array_equal(np.concatenate(chunks), np.array(library.load(corpus.PCM16)[0]))


@pytest.mark.parametrize(
    "options",
    [
        {"mono": True}, {"mono": True, "mono_mode": "equal_power"}, {"dtype": "int16"},
        {"layout": "channels_first"},
        {"channels": [1, 0]}, {"channels": 1, "squeeze_mono": True}, {"offset": 0.5, "duration": 0.25},
        {"start": 1000, "stop": -1000}, {"start": -100}, {"sr": 48_000},
    ],
    ids=str,
)  # fmt: skip
def test_options_mean_what_they_mean_for_load(library, options: dict) -> None:
    chunks = [np.array(chunk) for chunk, _ in library.stream(corpus.RECORDING, chunk_frames=4096, **options)]
    axis = 1 if "layout" in options else 0
    np.testing.assert_array_equal(
        np.concatenate(chunks, axis), np.array(library.load(corpus.RECORDING, **options)[0]), strict=True
    )


def test_every_chunk_comes_with_the_rate() -> None:
    assert {rate for _, rate in mapwave.stream(corpus.PCM16, chunk_frames=100)} == {48_000}


@pytest.mark.parametrize(("seconds", "frames"), [(0.001, 48), (0.00101, 48), (1 / 48_000, 1), (0.1, 4800)])
def test_chunk_duration_is_floored_to_frames(seconds: float, frames: int) -> None:
    assert mapwave.stream(corpus.PCM16, chunk_duration=seconds).chunk_frames == frames


def test_a_stream_knows_where_it_is() -> None:
    stream = mapwave.numpy.stream(corpus.PCM16, chunk_frames=200)
    assert (stream.chunk_frames, stream.sample_rate, stream.channels) == (200, 48_000, 2)
    assert (stream.frames_read, stream.at_eof()) == (0, False)
    chunk, rate = stream.read_chunk()
    assert (chunk.shape, rate) == ((200, 2), 48_000)
    assert (stream.frames_read, stream.at_eof()) == (200, False)
    assert stream.read_chunk()[0].shape == (101, 2)
    assert (stream.frames_read, stream.at_eof()) == (301, True)
    assert stream.read_chunk()[0].shape == (0, 2)
    assert stream.frames_read == 301
    assert list(stream) == []


def test_frames_read_counts_from_the_start_of_the_window() -> None:
    stream = mapwave.stream(corpus.PCM16, chunk_frames=50, start=100, stop=180)
    assert stream.frames_read == 0
    assert [len(chunk) for chunk, _ in stream] == [50, 30]
    assert stream.frames_read == 80


def test_channels_are_those_of_a_chunk() -> None:
    assert mapwave.stream(corpus.PCM16, chunk_frames=1, mono=True).channels == 1
    assert mapwave.stream(corpus.PCM16, chunk_frames=1, channels=[0, 1, 0]).channels == 3


def test_an_empty_window_has_no_chunks() -> None:
    stream = mapwave.stream(corpus.PCM16, chunk_frames=10, start=301)
    assert stream.at_eof()
    assert list(stream) == []


def test_iter_and_read_chunk_can_be_mixed(ramp: Path, ramp_samples: np.ndarray) -> None:
    stream = mapwave.numpy.stream(ramp, chunk_frames=1000, dtype="int32")
    pieces = [next(stream)[0], stream.read_chunk()[0], *(chunk for chunk, _ in stream)]
    np.testing.assert_array_equal(np.concatenate(pieces), ramp_samples)


@pytest.mark.parametrize("options", [{}, {"chunk_frames": 1, "chunk_duration": 1.0}])
def test_exactly_one_size_must_be_given(options: dict) -> None:
    with pytest.raises(ValueError, match="exactly one of chunk_frames and chunk_duration"):
        mapwave.stream(corpus.PCM16, **options)


@pytest.mark.parametrize("chunk_frames", [0, -1])
def test_chunk_frames_must_be_positive(chunk_frames: int) -> None:
    with pytest.raises(ValueError, match=f"chunk_frames must be > 0 or None, got {chunk_frames}"):
        mapwave.stream(corpus.PCM16, chunk_frames=chunk_frames)


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e-6, float("nan"), float("inf")])
def test_chunk_duration_must_hold_a_frame(seconds: float) -> None:
    with pytest.raises(ValueError, match="chunk_duration"):
        mapwave.stream(corpus.PCM16, chunk_duration=seconds)


@pytest.mark.parametrize("options", [{"dtype": "f4"}, {"mono_mode": "loud"}, {"offset": 9.0}, {"channels": 5}])
def test_options_are_checked_when_the_stream_is_made(options: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        mapwave.stream(corpus.PCM16, chunk_frames=1, **options)


def test_a_stream_keeps_a_file_that_is_deleted(tmp_path: Path) -> None:
    path = tmp_path / "gone.wav"
    path.write_bytes(corpus.PCM16.read_bytes())
    stream = mapwave.numpy.stream(path, chunk_frames=100)
    path.unlink()
    chunks = [chunk for chunk, _ in stream]
    np.testing.assert_array_equal(np.concatenate(chunks), mapwave.numpy.load(corpus.PCM16)[0])


def test_threads_sharing_a_stream_see_every_frame_once(library, ramp: Path, ramp_samples: np.ndarray) -> None:
    stream = library.stream(ramp, chunk_frames=13, dtype="int32")
    together, seen = threading.Barrier(2), ([], [])

    def read(chunks: list[np.ndarray]) -> None:
        together.wait()
        chunks.extend(np.array(chunk) for chunk, _ in stream)

    threads = [threading.Thread(target=read, args=(chunks,)) for chunks in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for chunks in seen:
        firsts = [int(chunk[0, 0]) for chunk in chunks if len(chunk)]
        assert firsts == sorted(firsts)
    # A chunk's first sample is its place in the ramp.
    chunks = sorted((chunk for chunk in [*seen[0], *seen[1]] if len(chunk)), key=lambda chunk: int(chunk[0, 0]))
    np.testing.assert_array_equal(np.concatenate(chunks), ramp_samples)


def _resident_bytes(path: Path) -> int:
    """How much of the maps of a file is in memory."""
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    return sum(int(next(line for line in lines if line.startswith("Rss:")).split()[1]) << 10
               for line in lines if line.endswith(str(path)))  # fmt: skip


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux tells what is in memory")
@pytest.mark.parametrize("name", ["mp3-no-xing.mp3", "aac.aac"])
def test_a_long_file_takes_up_little_memory(library, tmp_path: Path, name: str) -> None:
    """Its headers are gone through when it is opened, and then it is decoded from one end to the other."""
    piece = (corpus.FIXTURES / "compressed" / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(piece * (40_000_000 // len(piece)))
    chunks = library.stream(path, chunk_duration=30.0, mono=True)
    resident, num_frames = [_resident_bytes(path)], 0
    for (chunk, _), _ in zip(chunks, range(4), strict=False):
        num_frames += len(chunk)
        resident.append(_resident_bytes(path))
    assert num_frames == 4 * 30 * library.info(path).sample_rate
    assert max(resident) < 10_000_000, resident

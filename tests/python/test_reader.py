"""`open`: a file that is read from anywhere, many times."""

from __future__ import annotations

import gc
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import corpus
import mapwave
import mapwave.numpy
import numpy as np
import pytest
import wavefile

SLICES = [
    slice(None), slice(0, 0), slice(5), slice(5, None), slice(5, 9), slice(-5, None), slice(None, -5),
    slice(-9, -5), slice(9, 5), slice(-5, -9), slice(301), slice(300, 302), slice(301, None),
    slice(10**15, None), slice(None, 10**15), slice(-(10**15), 3), slice(-(10**15), 10**15), slice(5, 9, 1),
    slice(-302, -300),
]  # fmt: skip


@pytest.fixture
def reader() -> Iterator[mapwave.Reader]:
    with mapwave.numpy.open(corpus.PCM16, dtype="int16") as opened:
        yield opened


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    return (corpus.exact(corpus.PCM16) * 32768).astype(np.int16)


def test_a_reader_says_what_it_reads(reader: mapwave.Reader) -> None:
    assert (reader.frames, reader.sample_rate, reader.channels, len(reader)) == (301, 48_000, 2, 301)
    assert reader.closed is False
    assert corpus.PCM16.name in repr(reader)


def test_read_goes_on_from_the_position(reader: mapwave.Reader, samples: np.ndarray) -> None:
    np.testing.assert_array_equal(reader.read(100), samples[:100])
    assert reader.tell() == 100
    np.testing.assert_array_equal(reader.read(100), samples[100:200])
    np.testing.assert_array_equal(reader.read(500), samples[200:])
    assert reader.tell() == 301
    assert reader.read(1).shape == (0, 2)


def test_read_without_a_number_reads_the_rest(reader: mapwave.Reader, samples: np.ndarray) -> None:
    reader.read(300)
    np.testing.assert_array_equal(reader.read(), samples[300:])
    reader.seek(0)
    np.testing.assert_array_equal(reader.read(-1), samples)
    reader.seek(0)
    assert reader.read(0).shape == (0, 2)
    assert reader.tell() == 0


@pytest.mark.parametrize(
    ("frame", "whence", "expected"),
    [(7, 0, 7), (0, 0, 0), (301, 0, 301), (-10, 2, 291), (0, 2, 301), (5, 1, 25)],
)
def test_seek_from_the_start_the_position_and_the_end(
    reader: mapwave.Reader, samples: np.ndarray, frame: int, whence: int, expected: int
) -> None:
    reader.seek(20)
    assert reader.seek(frame, whence) == expected == reader.tell()
    np.testing.assert_array_equal(reader.read(3), samples[expected : expected + 3])


@pytest.mark.parametrize(("frame", "whence"), [(-1, 0), (302, 0), (-302, 2), (1, 2), (-21, 1), (282, 1)])
def test_a_seek_outside_the_file_is_refused_and_stays(reader: mapwave.Reader, frame: int, whence: int) -> None:
    reader.seek(20)
    with pytest.raises(ValueError, match=f"got {frame}"):
        reader.seek(frame, whence)
    assert reader.tell() == 20


def test_an_unknown_whence_is_refused(reader: mapwave.Reader) -> None:
    with pytest.raises(ValueError, match="whence must be 0, 1 or 2, got 3"):
        reader.seek(0, 3)


@pytest.mark.parametrize("key", SLICES, ids=str)
def test_slices_are_those_of_an_array(reader: mapwave.Reader, samples: np.ndarray, key: slice) -> None:
    reader.seek(11)
    np.testing.assert_array_equal(reader[key], samples[key])
    assert reader.tell() == 11


@pytest.mark.parametrize("step", [2, -1, 0])
def test_a_step_is_refused(reader: mapwave.Reader, step: int) -> None:
    with pytest.raises(ValueError, match="step"):
        reader[::step]


@pytest.mark.parametrize("key", [0, -1, "a", 1.5, (slice(1), 0), None], ids=repr)
def test_only_slices_are_keys(reader: mapwave.Reader, key: object) -> None:
    with pytest.raises(TypeError, match=r"reader\[a:b\]"):
        reader[key]


def naive_blocks(samples: np.ndarray, size: int, overlap: int) -> list[np.ndarray]:
    """Blocks until one reaches the end."""
    blocks, start = [], 0
    while start < len(samples):
        blocks.append(samples[start : start + size])
        if start + size >= len(samples):
            break
        start += size - overlap
    return blocks


@pytest.mark.parametrize(
    ("size", "overlap"),
    [
        (1, 0),
        (7, 0),
        (100, 0),
        (301, 0),
        (302, 0),
        (10**12, 0),
        (7, 3),
        (7, 6),
        (100, 50),
        (201, 101),
        (301, 300),
        (151, 1),
    ],
)
def test_blocks_overlap(reader: mapwave.Reader, samples: np.ndarray, size: int, overlap: int) -> None:
    blocks, expected = list(reader.blocks(size, overlap)), naive_blocks(samples, size, overlap)
    assert len(blocks) == len(expected)
    for block, other in zip(blocks, expected, strict=True):
        np.testing.assert_array_equal(block, other)


@pytest.mark.parametrize(("size", "overlap"), [(0, 0), (-1, 0), (5, 5), (5, 6), (5, -1)])
def test_blocks_that_would_not_go_on_are_refused(reader: mapwave.Reader, size: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="size|overlap"):
        reader.blocks(size, overlap)


def test_blocks_of_no_frames_are_none(tmp_path: Path) -> None:
    path = wavefile.write(tmp_path / "empty.wav", np.zeros((0, 2), np.int16))
    with mapwave.numpy.open(path) as reader:
        assert list(reader.blocks(10)) == []
        assert reader[:].shape == (0, 2)
        assert len(reader) == 0


@pytest.mark.parametrize(
    "options",
    [
        {"mono": True}, {"layout": "channels_first"}, {"dtype": "float16"},
        {"channels": 1, "squeeze_mono": True},
        {"mono": True, "mono_mode": "equal_power"},
    ],
    ids=str,
)  # fmt: skip
def test_options_mean_what_they_mean_for_load(library, options: dict) -> None:
    with library.open(corpus.RECORDING, **options) as reader:
        window = np.array(reader[1000:200_000])
    expected = np.array(library.load(corpus.RECORDING, start=1000, stop=200_000, **options)[0])
    np.testing.assert_array_equal(window, expected, strict=True)


@pytest.mark.parametrize("mode", ["a", "rb", "wb", "r+", ""])
def test_only_reading_and_writing_are_modes(mode: str) -> None:
    with pytest.raises(ValueError, match=f"mode must be 'r' or 'w', got '{re.escape(mode)}'"):
        mapwave.open(corpus.PCM16, mode)


def test_channels_are_checked_when_it_is_opened() -> None:
    with pytest.raises(ValueError, match="channels"):
        mapwave.open(corpus.PCM16, channels=2)


@pytest.mark.parametrize(
    "use",
    [
        lambda r: r.read(1), lambda r: r.seek(0), lambda r: r.tell(), lambda r: r[:1], lambda r: r.blocks(1),
        lambda r: r.view(), lambda r: r.info(), lambda r: r.frames, lambda r: r.sample_rate,
        lambda r: r.channels, len,
    ],
)  # fmt: skip
def test_a_closed_reader_reads_nothing(use) -> None:
    with mapwave.numpy.open(corpus.PCM16) as reader:
        pass
    assert reader.closed is True
    assert "closed" in repr(reader)
    reader.close()
    with pytest.raises(ValueError, match="the reader is closed"):
        use(reader)


def test_an_error_inside_with_closes_and_goes_on() -> None:
    with pytest.raises(ZeroDivisionError), mapwave.open(corpus.PCM16) as reader:
        raise ZeroDivisionError
    assert reader.closed


def test_blocks_outlive_their_reader(samples: np.ndarray) -> None:
    with mapwave.numpy.open(corpus.PCM16, dtype="int16") as reader:
        blocks = reader.blocks(100)
    np.testing.assert_array_equal(np.concatenate(list(blocks)), samples)


def test_bytes_can_be_opened(samples: np.ndarray) -> None:
    with mapwave.numpy.open(corpus.PCM16.read_bytes(), dtype="int16") as reader:
        np.testing.assert_array_equal(reader[-7:], samples[-7:])
        assert "<bytes>" in repr(reader)


# Views


def mapped_ranges(path: Path) -> list[range]:
    """Where this process has a file mapped."""
    ranges = []
    for line in Path("/proc/self/maps").read_text().splitlines():
        if line.endswith(str(path)):
            start, _, end = line.split()[0].partition("-")
            ranges.append(range(int(start, 16), int(end, 16)))
    return ranges


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("wav-pcm16.wav", "int16"), ("wav-pcm32.wav", "int32"), ("caf-le-float32.caf", "float32")],
)
def test_a_view_is_the_file_in_place(name: str, dtype: str) -> None:
    path = corpus.FIXTURES / "valid" / name
    with mapwave.open(path) as reader:
        view = reader.view()
        assert (view.dtype, view.shape, view.readonly) == (dtype, (301, 2), True)
        assert view.nbytes == 602 * np.dtype(dtype).itemsize
        assert len(view) == 301
        array = np.asarray(view)
    np.testing.assert_array_equal(array, mapwave.numpy.load(path, dtype=dtype)[0], strict=True)


def test_float64_samples_have_a_view_too(tmp_path: Path) -> None:
    path = wavefile.write_sparse(tmp_path / "aligned.wav", 10, 3, "float64")
    with path.open("r+b") as file:
        file.seek(-30 * 8, 2)
        file.write(np.arange(30.0).tobytes())
    with mapwave.open(path) as reader:
        np.testing.assert_array_equal(np.asarray(reader.view()), np.arange(30.0).reshape(10, 3), strict=True)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
def test_a_view_does_not_copy() -> None:
    with mapwave.open(corpus.RECORDING) as reader:
        array = np.asarray(reader.view())
        address = array.ctypes.data
        assert any(
            address in mapped and address + array.nbytes - 1 in mapped for mapped in mapped_ranges(corpus.RECORDING)
        )
        assert np.shares_memory(array, np.asarray(reader.view()))
    assert array.base is not None
    assert not array.flags.owndata


def test_a_view_cannot_be_written() -> None:
    with mapwave.open(corpus.PCM16) as reader:
        view = reader.view()
    array = np.asarray(view)
    assert array.flags.writeable is False
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        array.setflags(write=True)
    assert memoryview(view).readonly
    with pytest.raises(TypeError, match="read-write"), corpus.PCM16.open("rb") as file:
        file.readinto(view)


def test_a_view_outlives_its_reader(samples: np.ndarray) -> None:
    reader = mapwave.open(corpus.PCM16)
    array = np.asarray(reader.view())
    reader.close()
    del reader
    gc.collect()
    np.testing.assert_array_equal(array, samples)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
def test_the_map_goes_with_the_last_view(tmp_path: Path) -> None:
    path = tmp_path / "mapped.wav"
    path.write_bytes(corpus.PCM16.read_bytes())
    with mapwave.open(path) as reader:
        array = np.asarray(reader.view())
    assert mapped_ranges(path)
    del array
    gc.collect()
    assert not mapped_ranges(path)


def test_a_view_of_bytes_is_the_bytes(samples: np.ndarray) -> None:
    contents = corpus.PCM16.read_bytes()
    with mapwave.open(contents) as reader:
        array = np.asarray(reader.view())
    assert np.shares_memory(array, np.frombuffer(contents, np.uint8))
    np.testing.assert_array_equal(array, samples)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("aiff-pcm16.aiff", "pcm_s16be"), ("rifx-pcm16.wav", "pcm_s16be"),
        ("wav-pcm24.wav", "pcm_s24le"), ("wav-alaw.wav", "pcm_alaw"), ("wav-u8-mono.wav", "pcm_u8"),
        ("wav-float32.wav", "not 4-byte aligned"),
    ],
)  # fmt: skip
def test_a_view_that_cannot_be_is_refused_with_the_reason(name: str, why: str) -> None:
    with mapwave.open(corpus.FIXTURES / "valid" / name) as reader:
        with pytest.raises(mapwave.UnsupportedFormat, match=f"view.*{why}.*read them instead") as caught:
            reader.view()
        assert np.array(reader[:]).shape[0] == 301
    assert caught.value.path.endswith(name)


def test_a_view_of_no_frames_is_empty(tmp_path: Path) -> None:
    path = wavefile.write(tmp_path / "empty.wav", np.zeros((0, 2), np.int16))
    with mapwave.open(path) as reader:
        assert np.asarray(reader.view()).shape == (0, 2)


def test_threads_share_a_reader(library, ramp: Path, ramp_samples: np.ndarray) -> None:
    windows = [(start, start + 997) for start in range(0, 9000, 31)]
    together, wrong = threading.Barrier(8), []
    with library.open(ramp, dtype="int32") as reader:

        def read() -> None:
            together.wait()
            for start, stop in windows:
                if not np.array_equal(np.array(reader[start:stop]), ramp_samples[start:stop]):
                    wrong.append((start, stop))

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_threads_that_read_on_claim_every_frame_once(ramp: Path, ramp_samples: np.ndarray) -> None:
    pieces = []
    with mapwave.numpy.open(ramp, dtype="int32") as reader:

        def read() -> None:
            while len(piece := reader.read(11)):
                pieces.append(piece)

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    whole = np.concatenate(sorted(pieces, key=lambda piece: int(piece[0, 0])))
    np.testing.assert_array_equal(whole, ramp_samples)

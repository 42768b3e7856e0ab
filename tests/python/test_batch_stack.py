"""`batch_load` into one array, its errors and windows for each file; `iter_load`; readers that pickle."""

from __future__ import annotations

import copy
import itertools
import multiprocessing
import os
import pickle
import threading
from pathlib import Path

import corpus
import mapwave
import mapwave.numpy
import numpy as np
import pytest
import soundfile
import wavefile

BAD = corpus.FIXTURES / "malformed" / "wav-no-data.wav"
LENGTHS = [0, 700, 44_000, 1, 300, 44_100, 9_000, 2]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Stereo noise in WAV and FLAC, of very different lengths."""
    folder = tmp_path_factory.mktemp("clips")
    paths = []
    for number, length in enumerate(LENGTHS):
        noise = np.random.default_rng(number).integers(-32_768, 32_768, (length, 2), np.int16)
        path = folder / f"{number}.{'flac' if number % 3 == 1 else 'wav'}"
        soundfile.write(path, noise, wavefile.RATE, subtype="PCM_16")
        paths.append(path)
    return paths


def padded(paths: list[Path], dtype: str = "float32", pad: float = 0.0) -> np.ndarray:
    """What soundfile reads, in rows as long as the longest."""
    clips = [soundfile.read(path, dtype=dtype, always_2d=True)[0] for path in paths]
    rows = np.full((len(clips), max(map(len, clips)), clips[0].shape[1]), pad, dtype)
    for row, clip in zip(rows, clips, strict=True):
        row[: len(clip)] = clip
    return rows


def loads(paths: list[Path], **options: object) -> list[np.ndarray]:
    return [mapwave.numpy.load(path, **options)[0] for path in paths]


@pytest.mark.parametrize("num_workers", [1, 3, 20])
def test_stacked_files_are_the_rows_of_one_array(library, clips: list[Path], num_workers: int) -> None:
    audio, lengths, rate = library.batch_load(clips, stack=True, num_workers=num_workers)
    assert rate == wavefile.RATE
    assert np.array(lengths).dtype == np.int32
    assert np.array(lengths).tolist() == LENGTHS
    np.testing.assert_array_equal(np.array(audio), padded(clips), strict=True)


@pytest.mark.parametrize("dtype", ["float32", "int16", "int32", "float64", "float16"])
@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_rows_are_what_load_returns_in_every_type_and_layout(clips: list[Path], dtype: str, layout: str) -> None:
    audio, lengths, _ = mapwave.numpy.batch_load(clips, stack=True, dtype=dtype, layout=layout, pad=-0.5)
    assert audio.dtype == dtype
    axis = 1 if layout == "channels_last" else 2
    assert audio.shape[axis] == max(LENGTHS)
    full_scale = {"int16": 2**15, "int32": 2**31}.get(dtype, 1)
    for row, length, expected in zip(audio, lengths, loads(clips, dtype=dtype, layout=layout), strict=True):
        row = np.moveaxis(row, axis - 1, 0)
        expected = np.moveaxis(expected, axis - 1, 0)
        np.testing.assert_array_equal(row[:length], expected, strict=True)
        assert (row[length:] == -0.5 * full_scale).all()


def test_the_axes_of_a_stack_are_those_of_load_behind_one_of_files(library, clips: list[Path]) -> None:
    def shape(**options: object) -> tuple[int, ...]:
        return tuple(library.batch_load(clips, stack=True, **options)[0].shape)

    longest = max(LENGTHS)
    assert shape() == (8, longest, 2)
    assert shape(layout="channels_first") == (8, 2, longest)
    assert shape(mono=True) == (8, longest, 1)
    assert shape(mono=True, layout="channels_first") == (8, 1, longest)
    assert shape(mono=True, squeeze_mono=True) == (8, longest)
    assert shape(channels=[1, 0, 1], layout="channels_first") == (8, 3, longest)
    assert shape(stop=1, on_error="skip") == (8, 1, 2)


def test_stacks_are_resampled_and_mixed(library, clips: list[Path]) -> None:
    options = {"sr": 16_000, "mono": True, "layout": "channels_first"}
    audio, lengths, rate = library.batch_load(clips, stack=True, num_workers=2, **options)
    assert rate == 16_000
    audio = np.array(audio)
    for row, length, expected in zip(audio, np.array(lengths), loads(clips, **options), strict=True):
        np.testing.assert_array_equal(row[:, :length], expected, strict=True)
        assert not row[:, length:].any()


def test_more_stacked_files_than_may_stay_open(clips: list[Path]) -> None:
    before = len(os.listdir("/dev/fd"))
    audio, lengths, _ = mapwave.numpy.batch_load(clips[3:5] * 400, stack=True, dtype="int16", num_workers=4)
    assert len(os.listdir("/dev/fd")) == before
    assert lengths.tolist() == [1, 300] * 400
    np.testing.assert_array_equal(audio, np.tile(padded(clips[3:5], "int16"), (400, 1, 1)), strict=True)


def test_bytes_can_be_stacked(clips: list[Path]) -> None:
    audio, _, _ = mapwave.numpy.batch_load([path.read_bytes() for path in clips * 20], stack=True)
    np.testing.assert_array_equal(audio, padded(clips * 20), strict=True)


def test_a_stack_of_nothing_is_empty(library) -> None:
    audio, lengths, rate = library.batch_load([], stack=True)
    assert (tuple(audio.shape), tuple(lengths.shape), rate) == ((0, 0, 1), (0,), 0)


def test_files_that_do_not_fit_are_not_stacked(clips: list[Path], tmp_path: Path) -> None:
    slow = wavefile.write(tmp_path / "slow.wav", np.zeros((9, 2), np.int16), rate=8000)
    with pytest.raises(ValueError, match=r"sr must be given .* paths\[0\] has 48000 Hz and paths\[8\] 8000 Hz"):
        mapwave.batch_load([*clips, slow], stack=True)
    assert mapwave.batch_load([*clips, slow], stack=True, sr=8000)[2] == 8000
    mono = wavefile.write(tmp_path / "mono.wav", np.zeros((9, 1), np.int16))
    with pytest.raises(ValueError, match=r"mono=True or channels .* paths\[0\] has 1 and paths\[1\] 2"):
        mapwave.batch_load([mono, *clips], stack=True)
    assert len(mapwave.batch_load([mono, *clips], stack=True, mono=True)[0]) == 9
    with pytest.raises(ValueError, match="pad is for stack=True"):
        mapwave.batch_load(clips, pad=1.0)


def test_windows_of_each_file(library, clips: list[Path]) -> None:
    starts, stops = [0, 5, 40_000, 0, -7, 100, 50, 1], [None, 90, 41_000, 1, None, 44_000, -9, None]
    expected = [
        mapwave.numpy.load(path, start=start, stop=stop)[0]
        for path, start, stop in zip(clips, starts, stops, strict=True)
    ]
    listed = library.batch_load(clips, start=starts, stop=stops)
    audio, lengths, _ = library.batch_load(clips, start=starts, stop=stops, stack=True)
    for row, length, (one, _), clip in zip(np.array(audio), np.array(lengths), listed, expected, strict=True):
        assert length == len(clip)
        np.testing.assert_array_equal(np.array(one), clip, strict=True)
        np.testing.assert_array_equal(row[:length], clip, strict=True)
    seconds = np.array([0, 0.001, 0.9, 0, 0, 0.5, 0.1, 0])
    for (one, _), path, offset in zip(
        library.batch_load(clips, offset=seconds, duration=0.002), clips, seconds, strict=True
    ):
        np.testing.assert_array_equal(
            np.array(one), mapwave.numpy.load(path, offset=offset, duration=0.002)[0], strict=True
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"offset": [0.0, 0.5]}, "must be single values or have one for each of the 8 paths, got 2"),
        ({"start": [0] * 8, "stop": [1] * 7}, "start and stop must have as many values, got 8 and 7"),
        ({"start": [0, "a"]}, r"start\[1\] must be a whole number or None, got 'a'"),
        ({"offset": [0.5] * 8, "stop": 1}, "not both"),
        ({"on_error": "ignore"}, "on_error must be 'raise', 'skip' or a function of the error, got 'ignore'"),
        ({"on_error": 3}, "on_error must be 'raise', 'skip' or a function of the error, got 3"),
    ],
)
def test_wrong_arguments_are_named(clips: list[Path], options: dict, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        mapwave.batch_load(clips, **options)


@pytest.mark.parametrize("num_workers", [1, 4])
def test_what_was_read_before_an_error_is_not_lost(library, clips: list[Path], num_workers: int) -> None:
    paths = [*clips[:6], BAD, *clips[6:]]
    with pytest.raises(mapwave.MalformedFile) as caught:
        library.batch_load(paths, num_workers=num_workers)
    error = caught.value
    assert (error.index, error.path) == (6, str(BAD))
    assert len(error.results) == 9 and error.results[6] is None
    read = [index for index, result in enumerate(error.results) if result is not None]
    # Files are begun in order, a few of them ahead.
    assert set(range(7 - 3 * num_workers)) <= set(read)
    for index in read:
        np.testing.assert_array_equal(np.array(error.results[index][0]), mapwave.numpy.load(paths[index])[0])
    again = pickle.loads(pickle.dumps(error))
    assert (again.index, again.path, again.results) == (6, str(BAD), None)


def test_files_that_fail_are_skipped(library, clips: list[Path]) -> None:
    paths = ["gone.wav", *clips, BAD]
    results = library.batch_load(paths, on_error="skip", num_workers=3)
    assert [result is None for result in results] == [True, *[False] * 8, True]
    for (audio, rate), expected in zip(results[1:-1], loads(clips), strict=True):
        assert rate == wavefile.RATE
        np.testing.assert_array_equal(np.array(audio), expected, strict=True)
    audio, lengths, _ = library.batch_load(paths, on_error="skip", stack=True, pad=0.25)
    assert np.array(lengths).tolist() == [0, *LENGTHS, 0]
    audio = np.array(audio)
    assert (audio[[0, -1]] == 0.25).all()
    np.testing.assert_array_equal(audio[1:-1], padded(clips, pad=0.25), strict=True)


@pytest.mark.parametrize("stack", [False, True])
def test_a_function_is_told_of_each_error(clips: list[Path], stack: bool) -> None:
    told = []

    def on_error(error: mapwave.AudioError) -> None:
        told.append((error.index, error.path, type(error), threading.get_ident()))

    mapwave.numpy.batch_load([BAD, *clips, "gone.wav"], on_error=on_error, stack=stack, num_workers=2)
    here = threading.get_ident()
    assert sorted(told) == [
        (0, str(BAD), mapwave.MalformedFile, here),
        (9, "gone.wav", mapwave.errors.AudioFileNotFound, here),
    ]

    def stop(error: mapwave.AudioError) -> None:
        raise KeyError("enough") from error

    with pytest.raises(KeyError, match="enough"):
        mapwave.numpy.batch_load([BAD, *clips], on_error=stop, stack=stack)


def test_a_damaged_file_in_a_stack_leaves_padding(tmp_path: Path, clips: list[Path]) -> None:
    whole = clips[4].read_bytes() if clips[4].suffix == ".flac" else clips[1].read_bytes()
    damaged = bytearray(whole)
    damaged[-200:-100] = bytes(100)
    bad = tmp_path / "damaged.flac"
    bad.write_bytes(damaged)
    with pytest.raises(mapwave.AudioError) as caught:
        mapwave.numpy.batch_load([clips[3], bad], stack=True)
    assert (caught.value.index, caught.value.path) == (1, str(bad))
    audio, lengths, _ = mapwave.numpy.batch_load([clips[3], bad], stack=True, on_error="skip", pad=0.5)
    assert lengths.tolist() == [1, 0]
    assert (audio[1] == 0.5).all() and (audio[0, 1:] == 0.5).all()


@pytest.mark.parametrize("num_workers", [1, 4])
def test_files_come_one_after_the_other_in_order(library, clips: list[Path], num_workers: int) -> None:
    found = list(library.iter_load(clips * 5, num_workers=num_workers))
    assert [index for index, _, _ in found] == list(range(40))
    for (_, audio, rate), expected in zip(found, loads(clips) * 5, strict=True):
        assert rate == wavefile.RATE
        np.testing.assert_array_equal(np.array(audio), expected, strict=True)


def test_files_come_as_they_are_read(clips: list[Path]) -> None:
    found = {index: audio for index, audio, _ in mapwave.numpy.iter_load(clips * 5, num_workers=4, ordered=False)}
    assert sorted(found) == list(range(40))
    for index, audio in found.items():
        np.testing.assert_array_equal(audio, mapwave.numpy.load(clips[index % 8])[0], strict=True)


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("prefetch", [1, 3, None])
def test_paths_are_taken_only_so_far_ahead(clips: list[Path], ordered: bool, prefetch: int | None) -> None:
    taken = []

    def endless():
        for path in itertools.cycle(clips):
            taken.append(path)
            yield path

    most = prefetch or 4
    iterator = mapwave.numpy.iter_load(endless(), num_workers=2, prefetch=prefetch, ordered=ordered)
    assert taken == []
    for count, _ in enumerate(itertools.islice(iterator, 50), 1):
        assert len(taken) <= count - 1 + most
    iterator.close()
    assert list(iterator) == []


def test_errors_come_when_it_is_their_turn(clips: list[Path]) -> None:
    iterator = mapwave.numpy.iter_load([*clips[:3], BAD, *clips[3:]], num_workers=4)
    assert [next(iterator)[0] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(mapwave.MalformedFile) as caught:
        next(iterator)
    assert (caught.value.index, caught.value.path) == (3, str(BAD))
    assert list(iterator) == []
    told = []
    rest = mapwave.numpy.iter_load([BAD, *clips, BAD], on_error=told.append, offset=[0.0] * 10)
    assert [index for index, _, _ in rest] == list(range(1, 9))
    assert [error.index for error in told] == [0, 9]
    few = mapwave.numpy.iter_load(clips, start=[0, 0], on_error="skip")
    assert [index for index, _, _ in few] == [0, 1]


def test_an_error_of_the_paths_ends_the_iterator(clips: list[Path]) -> None:
    def broken():
        yield clips[0]
        raise LookupError("no more")

    iterator = mapwave.numpy.iter_load(broken(), num_workers=1, prefetch=1)
    assert next(iterator)[0] == 0
    with pytest.raises(LookupError, match="no more"):
        next(iterator)
    assert list(iterator) == []


def _next_in_child(iterator, queue) -> None:
    try:
        next(iterator)
    except RuntimeError as error:
        queue.put(str(error))


def test_a_forked_child_is_told_to_make_its_own(clips: list[Path]) -> None:
    iterator = mapwave.numpy.iter_load(clips, num_workers=2)
    next(iterator)
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=_next_in_child, args=(iterator, queue))
    child.start()
    assert "forked" in queue.get()
    child.join(30)
    assert child.exitcode == 0
    assert len(list(iterator)) == 7


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sr": 16_000, "mono": True, "resample_quality": "low"},
        {"dtype": np.int16, "layout": "channels_first", "threads": 1},
        {"channels": [1], "squeeze_mono": True, "dtype": "float64"},
    ],
    ids=str,
)
def test_a_reader_pickles_by_path_options_and_position(
    clips: list[Path], options: dict, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(clips[5].parent)
    with mapwave.numpy.open(clips[5].name, **options) as reader:
        reader.seek(700)
        pickled = pickle.dumps(reader)
        monkeypatch.chdir(tmp_path)
        for other in (pickle.loads(pickled), copy.copy(reader)):
            assert other.tell() == 700
            assert (other.sample_rate, other.channels, other.frames) == (
                reader.sample_rate,
                reader.channels,
                reader.frames,
            )
            np.testing.assert_array_equal(other.read(), reader[700:], strict=True)
            other.close()


def test_a_reader_goes_to_a_spawned_process(clips: list[Path]) -> None:
    with (
        mapwave.numpy.open(clips[5]) as reader,
        multiprocessing.get_context("spawn").Pool(1) as pool,
    ):
        reader.read(100)
        np.testing.assert_array_equal(pool.apply(_read_ten, (reader,)), reader[100:110], strict=True)


def _read_ten(reader) -> np.ndarray:
    return reader.read(10)


def test_bytes_travel_with_their_reader(clips: list[Path]) -> None:
    with mapwave.numpy.open(clips[5].read_bytes(), mono=True) as reader:
        reader.seek(700)
        with pickle.loads(pickle.dumps(reader)) as other:
            np.testing.assert_array_equal(other.read(), reader[700:], strict=True)


def test_readers_that_cannot_be_opened_again_do_not_pickle(clips: list[Path]) -> None:
    with (
        clips[5].open("rb") as file,
        mapwave.numpy.open(file) as reader,
        pytest.raises(TypeError, match="a reader of a file object cannot be pickled"),
    ):
        pickle.dumps(reader)
    with pytest.raises(ValueError, match="closed"):
        pickle.dumps(reader)
    gone = mapwave.numpy.open(clips[5])
    pickled = pickle.dumps(gone)
    moved = clips[5].rename(clips[5].with_suffix(".moved"))
    try:
        with pytest.raises(FileNotFoundError):
            pickle.loads(pickled)
    finally:
        moved.rename(clips[5])

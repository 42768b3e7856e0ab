"""`Loader`: batches of windows in padded arrays, the same on any number of threads and after a stop."""

from __future__ import annotations

import importlib
import io
import itertools
import json
import math
import multiprocessing
import os
import pickle
import sys
import tarfile
import time
import types
from pathlib import Path

import corpus
import mapwave.numpy as mapwave
import numpy as np
import pytest
import soundfile

RATE = 16_000
BAD = corpus.FIXTURES / "malformed" / "wav-no-data.wav"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty mono clips of 10 to 700 ms in WAV and FLAC, and an archive of ten more."""
    folder = tmp_path_factory.mktemp("loader")
    random = np.random.default_rng(3)
    for number in range(50):
        noise = random.integers(-32_768, 32_768, int(random.integers(160, 11_200)), np.int16)
        soundfile.write(folder / f"{number:02}.{'flac' if number % 3 else 'wav'}", noise, RATE)
    with tarfile.open(folder / "shard.tar", "w") as tar:
        for path in sorted(folder.glob("4?.*")):
            tar.add(path, path.name)
            path.unlink()
    return folder


@pytest.fixture(scope="module")
def index(folder: Path) -> mapwave.Index:
    index = mapwave.index(folder)
    assert len(index) == 50 and not index.errors
    return index


def read(window: mapwave.Window, dtype: str = "float32") -> np.ndarray:
    """What soundfile reads of a window."""
    file: object = window.path
    archive, is_member, name = window.path.rpartition("::")
    if is_member:
        with tarfile.open(archive) as tar:
            file = io.BytesIO(tar.extractfile(name).read())
    audio, _ = soundfile.read(file, frames=window.frames, start=window.start, dtype=dtype, always_2d=True)
    return audio


def batches_of(loader) -> list[tuple[np.ndarray, np.ndarray, list[mapwave.Window]]]:
    return [(np.array(audio), np.array(lengths), rows) for audio, lengths, rows in loader]


def assert_same(some: list, others: list) -> None:
    assert len(some) == len(others)
    for (audio, lengths, rows), (other, other_lengths, other_rows) in zip(some, others, strict=True):
        np.testing.assert_array_equal(np.array(audio), np.array(other), strict=True)
        np.testing.assert_array_equal(np.array(lengths), np.array(other_lengths), strict=True)
        assert rows == other_rows


@pytest.fixture(params=["mlx", "numpy", "jax", "torch"])
def module(request: pytest.FixtureRequest) -> types.ModuleType:
    """mapwave for each array library."""
    pytest.importorskip({"mlx": "mlx.core"}.get(request.param, request.param))
    return importlib.import_module({"mlx": "mapwave"}.get(request.param, f"mapwave.{request.param}"))


@pytest.mark.parametrize("options", [{}, {"bucket_by_length": False}, {"prefetch": 1, "read_ahead": False}], ids=str)
def test_batches_hold_what_their_rows_say(module, index: mapwave.Index, options: dict) -> None:
    windows = index.windows(0.25, 0.2, seed=5)
    loader = module.Loader(windows, batch_size=7, **options)
    assert len(loader) == math.ceil(len(windows) / 7)
    seen = []
    for audio, lengths, rows in loader:
        audio, lengths = np.array(audio), np.array(lengths)
        assert (audio.dtype, lengths.dtype) == (np.float32, np.int32)
        assert lengths.tolist() == [row.frames for row in rows]
        assert audio.shape == (len(rows), max(lengths), 1)
        for row, samples, length in zip(rows, audio, lengths, strict=True):
            np.testing.assert_array_equal(samples[:length], read(row), strict=True)
            assert not samples[length:].any()
        seen += rows
    assert sorted(seen) == sorted(windows)
    assert seen != list(windows) if options.get("bucket_by_length", True) else seen == list(windows)


@pytest.mark.parametrize("dtype", ["int16", "float64", np.float16, np.dtype("int32")])
@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_types_layouts_and_padding(index: mapwave.Index, dtype: object, layout: str) -> None:
    loader = mapwave.Loader(index.windows(seed=1), 9, dtype=dtype, layout=layout, pad=-0.25, num_workers=2)
    options = {"dtype": dtype, "layout": layout}
    for audio, lengths, rows in loader:
        assert audio.dtype == dtype
        for samples, length, row in zip(audio, lengths, rows, strict=True):
            expected = mapwave.load(row.path, **options)[0].reshape(-1)
            samples = samples.reshape(-1)
            np.testing.assert_array_equal(samples[:length], expected, strict=True)
            scale = {"int16": 2**15, "int32": 2**31}.get(np.dtype(dtype).name, 1)
            assert (samples[length:] == -0.25 * scale).all()


def test_windows_are_resampled(index: mapwave.Index) -> None:
    windows = index.windows(0.1, seed=2)
    for audio, lengths, rows in mapwave.Loader(windows, 16, sr=22_050):
        for samples, length, row in zip(audio, lengths, rows, strict=True):
            whole, _ = mapwave.load(row.path, sr=22_050)
            if row.frames == index[row.row].frames:
                assert length == len(whole)
                start = 0
            else:
                start = row.start * 22_050 // RATE
                assert length == min(row.frames * 22_050 // RATE, len(whole) - start)
            np.testing.assert_array_equal(samples[:length], whole[start : start + length], strict=True)


@pytest.mark.parametrize("library", ["numpy", "mlx"])
def test_batches_are_the_same_on_any_number_of_workers(index: mapwave.Index, library: str) -> None:
    pytest.importorskip({"mlx": "mlx.core"}.get(library, library))
    module = importlib.import_module({"mlx": "mapwave"}.get(library, f"mapwave.{library}"))
    windows = index.windows(0.3, seed=9)
    expected = batches_of(module.Loader(windows, 8, num_workers=1, prefetch=1))
    for num_workers, prefetch in [(2, 4), (4, 1), (7, 50)]:
        assert_same(batches_of(module.Loader(windows, 8, num_workers=num_workers, prefetch=prefetch)), expected)


@pytest.mark.parametrize("stop", [0, 1, 4, 6])
def test_a_loader_goes_on_where_another_stopped(index: mapwave.Index, stop: int) -> None:
    def make(num_workers: int = 2) -> mapwave.Loader:
        return mapwave.Loader(index.windows(seed=4, epoch=3), 8, num_workers=num_workers)

    expected = batches_of(make())
    assert len(expected) == 7
    loader = make()
    assert loader.state_dict()["batch"] == 0
    iterator = iter(loader)
    for _ in range(stop):
        next(iterator)
    state = json.loads(json.dumps(loader.state_dict()))
    assert (state["epoch"], state["batch"]) == (3, stop)
    other = make(num_workers=4)
    other.load_state_dict(state)
    assert other.state_dict() == state
    assert_same(batches_of(other), expected[stop:])
    # After the end of the epoch comes the next from its beginning.
    assert (other.epoch, other.state_dict()["batch"]) == (4, 0)
    following = mapwave.Loader(index.windows(seed=4, epoch=4), 8)
    assert_same(batches_of(other), batches_of(following))


def test_a_state_of_another_loader_is_refused(index: mapwave.Index) -> None:
    state = mapwave.Loader(index.windows(seed=4), 8).state_dict()
    with pytest.raises(ValueError, match="of a loader with batch_size 8, and this one has 9"):
        mapwave.Loader(index.windows(seed=4), 9).load_state_dict(state)
    with pytest.raises(ValueError, match="of a loader with seed 4, and this one has 5"):
        mapwave.Loader(index.windows(seed=5), 8).load_state_dict(state)
    with pytest.raises(ValueError, match="version 1, got None"):
        mapwave.Loader(index.windows(seed=5), 8).load_state_dict({})


def test_every_epoch_is_another(index: mapwave.Index) -> None:
    loader = mapwave.Loader(index.windows(seed=4), 8)
    first, second = ([rows for _, _, rows in loader] for _ in range(2))
    assert first != second
    assert sorted(itertools.chain(*first)) == sorted(itertools.chain(*second))
    loader.set_epoch(0)
    assert [rows for _, _, rows in loader] == first
    # An iteration that is left begins again.
    next(iter(loader))
    assert loader.epoch == 1
    assert [rows for _, _, rows in loader] == second


def test_buckets_hold_windows_of_similar_length(index: mapwave.Index) -> None:
    def padding(**options: object) -> int:
        return sum(
            audio.size - lengths.sum() for audio, lengths, _ in mapwave.Loader(index.windows(seed=1), 5, **options)
        )

    assert padding() < 0.4 * padding(bucket_by_length=False)
    by_length = [row.frames for _, _, rows in mapwave.Loader(index.windows(sort="length"), 5) for row in rows]
    assert by_length == sorted(by_length)


def test_a_last_batch_of_fewer_windows(index: mapwave.Index) -> None:
    sizes = [len(rows) for _, _, rows in mapwave.Loader(index.windows(), 8)]
    assert sizes == [8] * 6 + [2]
    loader = mapwave.Loader(index.windows(), 8, drop_last=True)
    assert len(loader) == 6 and [len(rows) for _, _, rows in loader] == [8] * 6
    assert len(mapwave.Loader(index.windows(), 5)) == 10
    assert list(mapwave.Loader(mapwave.Index().windows(), 8)) == []


def test_ranks_load_different_windows(index: mapwave.Index) -> None:
    loaders = [mapwave.Loader(index.windows(seed=1, rank=rank, world=3), 4) for rank in range(3)]
    rows = [[row for _, _, rows in loader for row in rows] for loader in loaders]
    assert [len(each) for each in rows] == [16] * 3
    assert len({*rows[0], *rows[1], *rows[2]}) == 48


@pytest.fixture
def damaged(folder: Path, tmp_path: Path) -> mapwave.Index:
    """An index of ten files, of which three are damaged, missing or longer afterwards."""
    for number in range(10):
        soundfile.write(tmp_path / f"{number}.flac", np.full(500 + number, 1000, np.int16), RATE)
    index = mapwave.index(tmp_path)
    (tmp_path / "3.flac").write_bytes(b"nothing")
    (tmp_path / "5.flac").unlink()
    soundfile.write(tmp_path / "8.flac", np.zeros(9, np.int16), RATE)
    return index


@pytest.mark.parametrize("num_workers", [1, 4])
def test_an_error_is_that_of_the_first_row(damaged: mapwave.Index, num_workers: int) -> None:
    loader = mapwave.Loader(damaged.windows(sort="path"), 4, num_workers=num_workers)
    with pytest.raises(ValueError, match="not") as caught:
        list(loader)
    assert (caught.value.index, Path(caught.value.path).name) == (3, "3.flac")
    assert loader.state_dict()["batch"] == 0


def test_a_file_that_has_changed_is_an_error(damaged: mapwave.Index) -> None:
    loader = mapwave.Loader(damaged[8:9].windows(), 4)
    with pytest.raises(OSError, match="changed since it was indexed: it has 9 frames, .* not 508"):
        list(loader)


@pytest.mark.parametrize("library", ["numpy", "mlx"])
def test_windows_that_fail_are_left_out(damaged: mapwave.Index, library: str) -> None:
    pytest.importorskip({"mlx": "mlx.core"}.get(library, library))
    module = importlib.import_module({"mlx": "mapwave"}.get(library, f"mapwave.{library}"))
    (first, second) = batches_of(module.Loader(damaged.windows(sort="path"), 6, on_error="skip"))
    assert [Path(row.path).stem for row in first[2] + second[2]] == ["0", "1", "2", "4", "6", "7", "9"]
    for audio, lengths, rows in (first, second):
        assert len(audio) == len(lengths) == len(rows)
        for samples, length, row in zip(audio, lengths, rows, strict=True):
            assert length == row.frames
            assert (samples[:length] == 1000 / 2**15).all() and not samples[length:].any()
    assert list(module.Loader(damaged[3:4].windows(), 6, on_error="skip")) == []


def test_windows_that_fail_are_padding(damaged: mapwave.Index) -> None:
    loader = mapwave.Loader(damaged.windows(sort="path"), 10, on_error="zeros", pad=0.5)
    ((audio, lengths, rows),) = loader
    assert lengths.tolist() == [500, 501, 502, 0, 504, 0, 506, 507, 0, 509]
    assert len(rows) == 10
    assert (audio[[3, 5, 8]] == 0.5).all()


def test_large_batches_into_mlx(tmp_path: Path) -> None:
    mlx = pytest.importorskip("mapwave.mlx", exc_type=ImportError)
    mapwave_mlx = importlib.import_module("mapwave")
    assert mlx
    for number in range(8):
        noise = np.random.default_rng(number).integers(-32_768, 32_768, 200_000 + number, np.int16)
        soundfile.write(tmp_path / f"{number}.wav", noise, RATE)
    index = mapwave_mlx.index(tmp_path)
    for size, dtype in [(2, "float32"), (8, "float32"), (8, "bfloat16"), (3, "float16")]:
        loader = mapwave_mlx.Loader(index.windows(seed=size), size, dtype=dtype)
        for audio, lengths, rows in loader:
            assert str(audio.dtype).endswith(dtype)
            for samples, length, row in zip(audio, lengths.tolist(), rows, strict=True):
                expected = mapwave_mlx.load(row.path, dtype=dtype)[0]
                assert (samples[:length] == expected).all().item() and not samples[length:].any().item()


def test_memory_is_bounded(index: mapwave.Index, monkeypatch: pytest.MonkeyPatch) -> None:
    loader = mapwave.Loader(index.windows(sort="length"), 4, prefetch=100, max_bytes=400_000)
    open_ = loader._open
    held, most = [], []

    class Spy:
        def __init__(self, batches: object) -> None:
            self.batches = batches

        def submit(self, rows: list) -> None:
            held.append(max(row[-2] for row in rows) * len(rows) * 4)
            most.append(sum(held))
            self.batches.submit(rows)

        def take(self) -> tuple:
            held.pop(0)
            return self.batches.take()

        def close(self) -> None:
            self.batches.close()

    monkeypatch.setattr(loader, "_open", lambda num_workers: Spy(open_(num_workers)))
    assert len(list(loader)) == 13
    assert 250_000 < max(most) <= 400_000
    small = mapwave.Loader(index.windows(sort="length"), 4, max_bytes=1)
    assert len(list(small)) == 13, "one batch is always read"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size must be > 0, got 0"),
        ({"batch_size": 1, "prefetch": 0}, "prefetch must be > 0, got 0"),
        ({"batch_size": 1, "num_workers": 0}, "num_workers must be > 0 or None, got 0"),
        ({"batch_size": 1, "max_bytes": 0}, "max_bytes must be > 0 or None, got 0"),
        ({"batch_size": 1, "on_error": "null"}, "on_error must be 'raise', 'skip' or 'zeros', got 'null'"),
        ({"batch_size": 1, "dtype": "complex64"}, "dtype must be"),
        ({"batch_size": 1, "dtype": "bfloat16"}, "dtype must be"),
        ({"batch_size": 1, "sr": 0}, "sr must be"),
    ],
)
def test_wrong_arguments(index: mapwave.Index, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mapwave.Loader(index.windows(), **options)


def test_files_that_do_not_fit_together(index: mapwave.Index, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((9, 2), np.int16), RATE)
    soundfile.write(tmp_path / "b.wav", np.zeros(9, np.int16), 8000)
    with pytest.raises(ValueError, match=r"mono=True or channels .*a.wav has 2"):
        mapwave.Loader(mapwave.index([tmp_path / "a.wav", index[0].path]).windows(), 2)
    with pytest.raises(ValueError, match=r"sr must be given .* 16000 Hz and .*b.wav 8000 Hz"):
        mapwave.Loader(mapwave.index([index[0].path, tmp_path / "b.wav"]).windows(), 2)
    both = mapwave.index(tmp_path).windows(sort="path")
    ((audio, lengths, _),) = mapwave.Loader(both, 2, sr=8000, mono=True)
    assert audio.shape == (2, 9, 1) and lengths.tolist() == [5, 9]
    with pytest.raises(TypeError, match="windows must be what"):
        mapwave.Loader(mapwave.index(tmp_path), 2)


def test_a_loader_pickles(index: mapwave.Index) -> None:
    loader = mapwave.Loader(index.windows(0.3, seed=3), 8, dtype=np.int16)
    next(iter(loader))
    again = pickle.loads(pickle.dumps(loader))
    assert type(again) is mapwave.Loader
    assert_same(batches_of(again), batches_of(mapwave.Loader(index.windows(0.3, seed=3), 8, dtype="int16")))


def _sums(loader, queue) -> None:
    queue.put([int(audio.sum()) for audio, _, _ in loader])


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_loader_works_in_another_process(index: mapwave.Index, method: str) -> None:
    loader = mapwave.Loader(index.windows(seed=3), 8, dtype="int32")
    expected = [int(audio.sum()) for audio, _, _ in loader]
    loader.set_epoch(0)
    context = multiprocessing.get_context(method)
    queue = context.SimpleQueue()
    child = context.Process(target=_sums, args=(loader, queue))
    child.start()
    assert queue.get() == expected
    child.join(60)
    assert child.exitcode == 0


def test_an_iteration_goes_on_in_a_forked_child(index: mapwave.Index) -> None:
    expected = [int(audio.sum()) for audio, _, _ in mapwave.Loader(index.windows(seed=3), 8, dtype="int32")]
    iterator = iter(mapwave.Loader(index.windows(seed=3), 8, dtype="int32"))
    assert [int(next(iterator)[0].sum()) for _ in range(2)] == expected[:2]
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=_sums, args=(iterator, queue))
    child.start()
    assert queue.get() == expected[2:]
    child.join(60)
    assert child.exitcode == 0
    assert [int(audio.sum()) for audio, _, _ in iterator] == expected[2:], "and in the parent"


def test_workers_of_a_data_loader_share_the_batches(index: mapwave.Index, monkeypatch: pytest.MonkeyPatch) -> None:
    info = types.SimpleNamespace(id=0, num_workers=3)
    data = types.SimpleNamespace(get_worker_info=lambda: info)
    expected = batches_of(mapwave.Loader(index.windows(seed=3), 8))
    monkeypatch.setitem(sys.modules, "torch.utils.data", data)
    parts = []
    for info.id in range(3):
        parts.append(batches_of(mapwave.Loader(index.windows(seed=3), 8)))
    assert [len(part) for part in parts] == [3, 2, 2]
    # A DataLoader takes a batch of each worker in turn.
    merged = [parts[number % 3][number // 3] for number in range(7)]
    assert_same(merged, expected)


def _num_tasks(expected: int) -> int:
    """The threads of this process. One that was joined stays in the list until the kernel has taken it off."""
    end = time.monotonic() + 10
    while (num := len(os.listdir("/proc/self/task"))) > expected and time.monotonic() < end:
        time.sleep(0.01)
    return num


def test_threads_and_files_are_closed(index: mapwave.Index) -> None:
    tasks, files = os.listdir("/proc/self/task"), os.listdir("/dev/fd")
    loader = mapwave.Loader(index.windows(), 4, num_workers=5)
    iterator = iter(loader)
    next(iterator)
    assert len(os.listdir("/proc/self/task")) >= len(tasks) + 5
    iterator.close()
    assert (_num_tasks(len(tasks)), len(os.listdir("/dev/fd"))) == (len(tasks), len(files))
    list(loader)
    assert (_num_tasks(len(tasks)), len(os.listdir("/dev/fd"))) == (len(tasks), len(files))

"""`prepare_save` and `save_prepared`: evaluated here, saved anywhere."""

from __future__ import annotations

import gc
import inspect
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import child
import mapwave
import mlx.core as mx
import numpy as np
import pytest
import signals
import soundfile

RATE = 48_000


def save(path: Path, prepared: object, **options: object) -> Path:
    mapwave.save_prepared(path, prepared, RATE, **{"durable": False} | options)
    return path


# What it says


@pytest.mark.parametrize(
    ("shape", "layout", "found", "frames", "channels"),
    [
        ((100, 2), "auto", "channels_last", 100, 2),
        ((2, 100), "auto", "channels_first", 100, 2),
        ((2, 2), "channels_first", "channels_first", 2, 2),
        ((2, 2), "channels_last", "channels_last", 2, 2),
        ((3, 3), "channels_first", "channels_first", 3, 3),
        ((100,), "auto", "channels_last", 100, 1),
        ((1, 100), "auto", "channels_first", 100, 1),
        ((100, 1), "auto", "channels_last", 100, 1),
        ((100, 2), "channels_last", "channels_last", 100, 2),
    ],
)
def test_it_says_what_it_holds(shape: tuple, layout: str, found: str, frames: int, channels: int) -> None:
    audio = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    prepared = mapwave.prepare_save(audio, layout)
    assert isinstance(prepared, mapwave.PreparedAudio)
    assert (prepared.shape, prepared.strides) == (shape, audio.strides)
    assert (prepared.layout, prepared.frames, prepared.channels) == (found, frames, channels)
    assert (prepared.dtype, prepared.n_bytes) == ("float32", audio.nbytes)
    assert repr(prepared) == f"PreparedAudio(frames={frames}, channels={channels}, dtype='float32', layout='{found}')"


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "int16", "int32"])
def test_it_knows_the_types_of_mlx(dtype: str) -> None:
    prepared = mapwave.prepare_save(mx.zeros((50, 2), getattr(mx, dtype)))
    size = getattr(mx, dtype).size
    assert (prepared.dtype, prepared.n_bytes, prepared.strides) == (dtype, 100 * size, (2 * size, size))


def test_strides_are_those_of_the_view() -> None:
    audio = np.zeros((100, 2), np.int16)
    assert mapwave.prepare_save(audio[::-2]).strides == (-8, 2)
    assert mapwave.prepare_save(np.broadcast_to(audio[0], (9, 2))).strides == (0, 2)
    assert mapwave.prepare_save(np.broadcast_to(audio[0], (9, 2))).n_bytes == 36


@pytest.mark.parametrize("layout", ["planar", "", "CHANNELS"])
def test_unknown_layouts_are_refused(layout: str) -> None:
    with pytest.raises(ValueError, match="layout must be 'auto', 'channels_last' or 'channels_first'"):
        mapwave.prepare_save(np.zeros(9, np.float32), layout)


def test_what_is_no_array_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="audio must be an array"):
        mapwave.prepare_save([0.0, 1.0])
    with pytest.raises(ValueError, match="layout must be"):
        mapwave.prepare_save(np.zeros((4, 4), np.float32))


# Saving


def test_it_is_saved_as_the_array_is(tmp_path: Path) -> None:
    audio = signals.noise("float32", 3000, 2)
    for view in (audio, audio[::-1], audio.T, mx.array(audio)):
        for options in (
            {},
            {"encoding": "pcm16", "dither": "tpdf", "seed": 2},
            {"encoding": "pcm24", "clip": "rescale"},
        ):
            mapwave.save(tmp_path / "one.wav", view, RATE, durable=False, **options)
            save(tmp_path / "other.wav", mapwave.prepare_save(view), **options)
            assert (tmp_path / "one.wav").read_bytes() == (tmp_path / "other.wav").read_bytes()


def test_the_arguments_are_those_of_save() -> None:
    ours = list(inspect.signature(mapwave.save_prepared).parameters.values())
    theirs = list(inspect.signature(mapwave.save).parameters.values())
    assert [str(part) for part in ours if part.name != "prepared"] == [
        str(part) for part in theirs if part.name not in ("audio", "layout")
    ]


def test_it_can_be_saved_any_number_of_times_and_after_its_array(tmp_path: Path) -> None:
    expected = signals.noise("float32", 200_000, 2).clip(-1, 1)
    for make in (mx.array, np.array):
        audio = make(expected)
        prepared = mapwave.prepare_save(audio)
        first = save(tmp_path / "first.wav", prepared).read_bytes()
        del audio
        gc.collect()
        # What is freed would be written over by these.
        others = [make(np.full_like(expected, number)) for number in range(8)]
        mx.eval([other for other in others if isinstance(other, mx.array)])
        assert save(tmp_path / "second.wav", prepared).read_bytes() == first
        np.testing.assert_array_equal(soundfile.read(tmp_path / "second.wav", dtype="float32")[0], expected)


@pytest.mark.parametrize("prepared", [None, "a.wav", np.zeros((9, 2), np.float32), mapwave.PreparedAudio])
def test_only_what_was_prepared_is_saved(tmp_path: Path, prepared: object) -> None:
    with pytest.raises(TypeError, match="prepared must be what prepare_save returns, got"):
        save(tmp_path / "a.wav", prepared)
    assert list(tmp_path.iterdir()) == []


def test_there_is_no_other_way_to_make_it() -> None:
    with pytest.raises(TypeError):
        mapwave.PreparedAudio()


# Threads


@pytest.mark.parametrize("extension", ["wav", "flac"])
def test_threads_save_while_mlx_evaluates(tmp_path: Path, extension: str) -> None:
    sources = [signals.noise("int16", 60_000 + number, 2, seed=number) for number in range(8)]
    prepared = [mapwave.prepare_save(mx.array(source)) for source in sources]
    encoding = "pcm16" if extension == "wav" else "float32"

    def work(number: int) -> None:
        for turn in range(4):
            save(tmp_path / f"{number}-{turn}.{extension}", prepared[number], encoding=encoding)

    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(work, number) for number in range(8)]
        total = mx.zeros((256, 256))
        while not all(job.done() for job in jobs):
            total = mx.softmax(total @ mx.random.normal((256, 256)), axis=1)
            mx.eval(total)
        for job in jobs:
            job.result()
    for number, source in enumerate(sources):
        for turn in range(4):
            path = tmp_path / f"{number}-{turn}.{extension}"
            np.testing.assert_array_equal(soundfile.read(path, dtype="int16")[0], source)
    assert len(list(tmp_path.iterdir())) == 32


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_lazy_array_of_another_thread_is_saved_or_refused(tmp_path: Path, dtype: str) -> None:
    """MLX evaluates an array on the thread that made it; until 0.32.4 its buffer ends the process when it cannot."""
    code = """
        import threading
        import mapwave
        import mlx.core as mx

        made = []

        def make():
            return mx.sin(mx.zeros((1000, 2))).astype(getattr(mx, sys.argv[2]))

        thread = threading.Thread(target=lambda: made.append(make()))
        thread.start()
        thread.join()
        for save in (lambda: mapwave.save(sys.argv[1], made[0], 48000), lambda: mapwave.prepare_save(made[0])):
            try:
                save()
                print("saved")
            except mapwave.AudioError as error:
                print(error)
        mapwave.save(sys.argv[1], make(), 48000)
        print(mapwave.info(sys.argv[1]).frames)
    """
    printed = child.run(tmp_path, code, tmp_path / "a.wav", dtype).splitlines()
    refusal = "audio is an MLX array that cannot be evaluated on this thread; call mx.eval(audio) on the thread"
    assert printed[2:] == ["1000"]
    assert all(line == "saved" or line.startswith(refusal) for line in printed[:2]), printed


def test_threads_that_save_to_one_path_leave_one_whole_file(tmp_path: Path) -> None:
    prepared = [mapwave.prepare_save(np.full((20_000, 2), number, np.int16)) for number in range(6)]
    barrier = threading.Barrier(6)

    def work(number: int) -> None:
        barrier.wait()
        for _ in range(10):
            save(tmp_path / "a.wav", prepared[number], encoding="pcm16")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
    read = soundfile.read(tmp_path / "a.wav", dtype="int16")[0]
    assert read.shape == (20_000, 2)
    assert (read == read[0, 0]).all()


def test_the_interpreter_is_free_meanwhile(tmp_path: Path) -> None:
    # The pipe takes little at a time: saving ends only because another thread of Python reads.
    receiving, sending = os.pipe()
    received = []

    def receive() -> None:
        with open(receiving, "rb") as file:
            received.append(len(file.read()))

    thread = threading.Thread(target=receive)
    thread.start()
    with open(sending, "wb") as file:
        mapwave.save_prepared(file, mapwave.prepare_save(np.zeros((500_000, 2), np.int16)), RATE, "pcm16", format="wav")
    thread.join()
    assert received == [44 + 2_000_000]

"""`mapwave.aio`: the functions for asyncio."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import corpus
import mapwave
import mapwave.aio
import mapwave.numpy as mw
import numpy as np
import pytest
import remote
import signals

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "compressed"
FLAC = FIXTURES / "flac16.flac"

aio = mw.aio


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def test_it_is_imported_when_it_is_first_asked_for() -> None:
    script = "import sys, mapwave; assert 'mapwave.aio' not in sys.modules; print(mapwave.aio.load.__name__)"
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "load\n"


def test_results_are_those_of_the_functions(tmp_path: Path) -> None:
    async def work() -> None:
        audio, rate = await aio.load(FLAC, offset=0.1, mono=True)
        expected, expected_rate = mw.load(FLAC, offset=0.1, mono=True)
        np.testing.assert_array_equal(audio, expected, strict=True)
        assert (rate, await aio.info(FLAC)) == (expected_rate, mw.info(FLAC))
        chunks = [chunk async for chunk, _ in aio.stream(FLAC, chunk_frames=1000)]
        np.testing.assert_array_equal(np.concatenate(chunks), mw.load(FLAC)[0])
        batch = await aio.batch_load([FLAC, corpus.PCM16])
        np.testing.assert_array_equal(batch[1][0], mw.load(corpus.PCM16)[0])
        await aio.save(tmp_path / "a.wav", audio, rate)
        np.testing.assert_array_equal(mw.load(tmp_path / "a.wav")[0], audio)
        order = [index async for index, _, _ in aio.iter_load([FLAC, corpus.PCM16])]
        assert order == [0, 1]

    run(work())


def test_files_are_read_and_written_in_parts(tmp_path: Path) -> None:
    async def work() -> None:
        whole = mw.load(FLAC)[0]
        async with aio.open(FLAC) as reader:
            np.testing.assert_array_equal(await reader.read(100), whole[:100])
            assert (reader.tell(), reader.frames) == (100, len(whole))
            np.testing.assert_array_equal(await reader.window(50, 70), whole[50:70])
            blocks = [block async for block in reader.blocks(5000)]
            np.testing.assert_array_equal(np.concatenate(blocks), whole)
        assert reader.closed
        async with aio.open(tmp_path / "a.wav", "w", sr=48_000, channels=2) as writer:
            await writer.write(whole[:1000])
        assert mw.info(tmp_path / "a.wav").frames == 1000
        with pytest.raises(ZeroDivisionError):
            async with aio.open(tmp_path / "b.wav", "w", sr=48_000, channels=2) as writer:
                await writer.write(whole)
                raise ZeroDivisionError
        assert not (tmp_path / "b.wav").exists()
        reader = await aio.open(FLAC)
        await reader.close()

    run(work())


def test_errors_are_those_of_the_functions(tmp_path: Path) -> None:
    with pytest.raises(mapwave.errors.AudioFileNotFound):
        run(aio.load(tmp_path / "nothing.wav"))
    with pytest.raises(TypeError, match="wrong"):
        run(aio.load(FLAC, wrong=1))


def test_mlx_is_the_library_of_the_module_itself() -> None:
    audio, _ = run(mapwave.aio.load(FLAC))
    np.testing.assert_array_equal(np.array(audio), mw.load(FLAC)[0])
    assert mapwave.aio.library(mw).load.__func__ is aio.load.__func__


def test_the_loop_goes_on_meanwhile() -> None:
    entered, go_on = threading.Event(), threading.Event()

    class Slow(remote.Counting):
        def read(self, size: int = -1) -> bytes:
            entered.set()
            assert go_on.wait(20)
            return super().read(size)

    async def work() -> None:
        loading = asyncio.ensure_future(aio.load(Slow(FLAC.read_bytes())))
        while not entered.is_set():
            await asyncio.sleep(0.001)
        assert not loading.done()
        go_on.set()
        np.testing.assert_array_equal((await loading)[0], mw.load(FLAC)[0])

    run(work())


def test_a_task_that_is_cancelled_ends_its_work(tmp_path: Path) -> None:
    audio = np.tile(signals.noise("float32", 1_000_000, 2), (40, 1))
    target = tmp_path / "a.flac"

    async def work() -> None:
        saving = asyncio.ensure_future(aio.save(target, audio, 48_000, effort=100))
        while not any(tmp_path.iterdir()):
            await asyncio.sleep(0.001)
        saving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await saving
        assert not any(tmp_path.iterdir()), "the work has ended, and left nothing"

    run(work())


def test_work_that_has_not_begun_never_does(tmp_path: Path) -> None:
    async def work() -> None:
        saving = asyncio.ensure_future(aio.save(tmp_path / "a.wav", np.zeros((10, 1), np.float32), 8000))
        saving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await saving

    run(work())
    assert not (tmp_path / "a.wav").exists()

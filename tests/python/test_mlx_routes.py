"""The two ways into MLX's memory, and everything that route B could come to grief by.

Each hazard has a process of its own: what goes wrong there is a deadlock or an abort.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import child
import mapwave.mlx
import pytest
import wavefile

each_route = pytest.mark.parametrize("route", ["a", "b", "auto"])
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="route B is for Linux")


# The choice


@linux_only
def test_the_main_thread_alone_takes_route_b(tmp_path: Path) -> None:
    code = """
        import threading, multiprocessing
        import mapwave.mlx
        route = mapwave.mlx.route
        print(*route())
        end, started = threading.Event(), threading.Event()
        thread = threading.Thread(target=lambda: (started.set(), end.wait()))
        thread.start()
        started.wait()
        print(*route())
        end.set()
        thread.join()
        told = []
        thread = threading.Thread(target=lambda: told.append(route()))
        thread.start()
        thread.join()
        print(*told[0])
    """
    alone, beside, inside = child.run(tmp_path, code).splitlines()
    assert alone.startswith("b ")
    assert "no other" in alone
    assert beside.startswith("c ")
    assert "other Python threads" in beside
    assert inside.startswith("c ")
    assert "main thread" in inside


@pytest.mark.parametrize(("value", "expected"), [("a", "a"), ("b", "b"), ("c", "c"), ("A", "a"), ("B", "b")])
def test_the_environment_overrides(monkeypatch: pytest.MonkeyPatch, value: str, expected: str) -> None:
    monkeypatch.setenv("MAPWAVE_MLX_ROUTE", value)
    assert mapwave.mlx.route() == (expected, f"MAPWAVE_MLX_ROUTE={expected}")


def test_an_invalid_route_is_refused(monkeypatch: pytest.MonkeyPatch, large: Path) -> None:
    monkeypatch.setenv("MAPWAVE_MLX_ROUTE", "d")
    with pytest.raises(ValueError, match="MAPWAVE_MLX_ROUTE must be 'a', 'b', 'c' or 'auto', got 'd'"):
        mapwave.mlx.route()
    with pytest.raises(ValueError, match="MAPWAVE_MLX_ROUTE"):
        mapwave.mlx.load(large)


# The same arrays

DIGESTS = """
    import hashlib
    import mapwave, mapwave.mlx
    import mlx.core as mx
    import numpy as np

    taken = []
    allocate = mapwave.mlx.Arrays.allocate
    mapwave.mlx.Arrays.allocate = staticmethod(lambda *a: (taken.append(allocate(*a)), taken[-1])[1])
    for dtype in ("float32", "float16", "bfloat16", "int16", "int32"):
        for options in (
            {}, {"layout": "channels_first"}, {"mono": True}, {"mono": True, "squeeze_mono": True},
            {"channels": [1, 0]},
            {"channels": [0, 1, 1], "layout": "channels_first"}, {"start": 3, "stop": -5}, {"start": 999_999},
            {"start": 1_000_000}, {"stop": 98_304}, {"stop": 98_305, "layout": "channels_first"},
        ):
            audio, rate = mapwave.load(sys.argv[1], dtype=dtype, **options)
            assert audio.dtype == getattr(mx, dtype), audio.dtype
            bits = np.array(audio.view(mx.uint16) if dtype == "bfloat16" else audio)
            print(dtype, options, audio.shape, rate, hashlib.sha256(bits.tobytes()).hexdigest())
    print(sum(array is not None for array in taken), file=sys.stderr)
"""


def test_every_route_gives_the_same_arrays(tmp_path: Path, large: Path) -> None:
    printed = {route: child.run(tmp_path, DIGESTS, large, MAPWAVE_MLX_ROUTE=route) for route in ("a", "b", "c", "auto")}
    assert len(printed["a"].splitlines()) == 55
    assert printed["b"] == printed["a"]
    assert printed["c"] == printed["a"]
    assert printed["auto"] == printed["a"]


def test_arrays_are_filled_in_place_for_large_loads_only(tmp_path: Path, large: Path) -> None:
    code = """
        import mapwave.mlx
        allocate, shapes = mapwave.mlx.Arrays.allocate, []

        def noted(shape, dtype):
            shapes.append(shape)
            return allocate(shape, dtype)

        mapwave.mlx.Arrays.allocate = staticmethod(noted)
        for stop in (1, 1000, 30_000, 200_000, None):
            mapwave.load(sys.argv[1], stop=stop)
        print(shapes)
    """
    assert child.run(tmp_path, code, large, MAPWAVE_MLX_ROUTE="b") == "[(200000, 2), (1000000, 2)]\n"


def test_readers_and_streams_take_it_too(tmp_path: Path, large: Path) -> None:
    code = """
        import mapwave, mapwave.numpy
        import numpy as np
        expected = mapwave.numpy.load(sys.argv[1])[0]
        with mapwave.open(sys.argv[1]) as reader:
            assert np.array_equal(np.array(reader[:]), expected)
            blocks = [np.array(block) for block in reader.blocks(300_000)]
        assert np.array_equal(np.concatenate(blocks), expected)
        chunks = [np.array(chunk) for chunk, _ in mapwave.stream(sys.argv[1], chunk_frames=400_000)]
        assert np.array_equal(np.concatenate(chunks), expected)
        assert np.array_equal(np.array(mapwave.load(open(sys.argv[1], "rb").read())[0]), expected)
    """
    child.run(tmp_path, code, large, MAPWAVE_MLX_ROUTE="b")


def test_a_default_device_and_stream_may_be_set(tmp_path: Path, large: Path) -> None:
    code = """
        import mapwave, mapwave.numpy
        import mlx.core as mx
        import numpy as np
        expected = mapwave.numpy.load(sys.argv[1])[0]
        mx.set_default_device(mx.cpu)
        with mx.stream(mx.new_stream(mx.cpu)):
            audio = mapwave.load(sys.argv[1])[0]
        assert np.array_equal(np.array(audio), expected)
    """
    child.run(tmp_path, code, large)


@linux_only
def test_bfloat16_is_evaluated_before_another_thread_sees_it(tmp_path: Path, large: Path) -> None:
    code = """
        import threading
        import mapwave, mapwave.mlx
        import mlx.core as mx
        import numpy as np

        audio = mapwave.load(sys.argv[1], dtype="bfloat16")[0]
        expected = np.array(mapwave.load(sys.argv[1])[0].astype(mx.bfloat16).view(mx.uint16))
        told = []

        def look():
            told.append(np.array(audio.view(mx.uint16)))
            mapwave.save(sys.argv[2], audio, 48000)

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        assert np.array_equal(told[0], expected)
        print(mapwave.mlx.route()[0], mapwave.info(sys.argv[2]).frames)
    """
    assert child.run(tmp_path, code, large, tmp_path / "b.wav", MAPWAVE_MLX_ROUTE="b") == "b 1000000\n"


@linux_only
def test_mlx_has_dropped_what_it_read_when_a_load_returns(tmp_path: Path, large: Path) -> None:
    """Its thread would want the interpreter for it, and end the process where that is on its way out."""
    code = """
        import gc
        import mapwave, mapwave.mlx
        for _ in range(200):
            audio = mapwave.load(sys.argv[1])[0]
            assert not [one for one in gc.get_objects() if type(one) is mapwave.mlx._Unfilled]
    """
    child.run(tmp_path, code, large, MAPWAVE_MLX_ROUTE="b")


# Hazard 1: an error in the middle


@each_route
def test_a_file_that_shrinks_after_the_array_was_made(tmp_path: Path, route: str) -> None:
    code = """
        import gc
        from pathlib import Path
        import mapwave, mapwave.mlx, mapwave.numpy, wavefile
        import numpy as np

        samples = np.arange(3_000_000, dtype=np.int32).reshape(-1, 2)
        path = wavefile.write(Path(sys.argv[1]), samples)
        allocate, shrink = mapwave.mlx.Arrays.allocate, True

        def allocate_and_shrink(shape, dtype):
            array = allocate(shape, dtype)
            if shrink:
                wavefile.cut(path, 1000, 8)
            return array

        mapwave.mlx.Arrays.allocate = staticmethod(allocate_and_shrink)
        mono = {"mono": True, "dtype": "bfloat16"}
        for options in ({}, {"layout": "channels_first"}, {"dtype": "int32"}, mono):
            try:
                mapwave.load(path, **options)
            except mapwave.errors.AudioIOError as error:
                print("shrank" in str(error), error.path == str(path), error.offset is not None)
            # What is left of it, and another file as large, load as ever.
            assert np.array_equal(np.array(mapwave.load(path, dtype="int32")[0]), samples[:1000])
            shrink = False
            wavefile.write(path, samples)
            assert np.array_equal(np.array(mapwave.load(path, dtype="int32")[0]), samples)
            shrink = True
        gc.collect()
    """
    printed = child.run(tmp_path, code, tmp_path / "shrinking.wav", MAPWAVE_MLX_ROUTE=route)
    assert printed == "True True True\n" * 4


@each_route
def test_an_error_before_the_array_is_made(tmp_path: Path, large: Path, route: str) -> None:
    code = """
        import mapwave
        for options in ({"channels": 2}, {"offset": 1e6}, {"start": 5, "stop": 3}, {"layout": "rows"}):
            try:
                mapwave.load(sys.argv[1], **options)
            except mapwave.errors.InvalidArgument:
                assert mapwave.load(sys.argv[1])[0].shape == (1_000_000, 2)
                print("refused")
    """
    assert child.run(tmp_path, code, large, MAPWAVE_MLX_ROUTE=route) == "refused\n" * 4


@each_route
def test_more_frames_than_an_axis_of_mlx_can_have(tmp_path: Path, route: str) -> None:
    """MLX counts an axis in 32 bits, sign included."""
    code = """
        import resource
        from pathlib import Path
        import mapwave, wavefile

        path = wavefile.write_sparse(Path(sys.argv[1]), 1 << 31)
        mapwave.load(path, stop=3)
        resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))  # It must be found out before it is read.
        try:
            mapwave.load(path, dtype="int16")
        except mapwave.AudioError as error:
            print("refused", "2147483647" in str(error))
    """
    printed = child.run(tmp_path, code, tmp_path / "huge.wav", MAPWAVE_MLX_ROUTE=route)
    assert printed == "refused True\n"


# Hazard 2: another thread in MLX's allocator


@pytest.mark.parametrize("meddle", ["mx.clear_cache()", "mx.set_cache_limit(1 << 20)", "mx.eval(mx.ones(1000) + 1)"])
def test_a_thread_that_uses_mlx_meanwhile(tmp_path: Path, large: Path, meddle: str) -> None:
    code = f"""
        import threading
        import mapwave, mapwave.numpy
        import mlx.core as mx
        import numpy as np

        expected = mapwave.numpy.load(sys.argv[1])[0]
        end = threading.Event()

        def meddle():
            while not end.is_set():
                {meddle}

        thread = threading.Thread(target=meddle)
        thread.start()
        for number in range(200):
            audio = np.array(mapwave.load(sys.argv[1])[0])
            if number % 20 == 0:
                assert np.array_equal(audio, expected)
            assert audio[number, 0] == expected[number, 0] and audio[-1, 1] == expected[-1, 1]
        batch = mapwave.batch_load([sys.argv[1]] * 10)
        assert all(np.array_equal(np.array(audio), expected) for audio, _ in batch)
        end.set()
        thread.join()
    """
    child.run(tmp_path, code, large)


def test_threads_come_and_go_while_loading(tmp_path: Path, large: Path) -> None:
    code = """
        import threading
        import mapwave, mapwave.numpy
        import mlx.core as mx
        import numpy as np

        expected = mapwave.numpy.load(sys.argv[1])[0]
        for _ in range(60):
            thread = threading.Thread(target=mx.clear_cache)
            thread.start()
            audio = mapwave.load(sys.argv[1])[0]
            thread.join()
            assert np.array_equal(np.array(mapwave.load(sys.argv[1])[0]), np.array(audio))
        assert np.array_equal(np.array(audio), expected)
    """
    child.run(tmp_path, code, large)


# Hazard 3: fork


@pytest.mark.parametrize("imported", ["mapwave.mlx", "mapwave", "os"])
def test_a_forked_child_of_a_process_that_used_mlx(tmp_path: Path, large: Path, imported: str) -> None:
    """Before it forks, the parent imports all of mapwave, all but its part for MLX, or nothing of it."""
    code = f"""
        import os
        import {imported}
        import mlx.core as mx
        import numpy as np

        samples = np.fromfile(sys.argv[1], np.int16, offset=44).reshape(-1, 2)
        expected = samples / np.float32(32768)
        np.save(sys.argv[2], expected)
        mx.eval(mx.load(sys.argv[2]) + 1)  # MLX's threads run.
        child = os.fork()
        import mapwave
        if child == 0:
            same = np.array_equal(np.array(mapwave.load(sys.argv[1])[0]), expected)
            os._exit(0 if same else 1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0, status
        assert np.array_equal(np.array(mapwave.load(sys.argv[1])[0]), expected)
    """
    child.run(tmp_path, code, large, tmp_path / "samples.npy")


def test_a_forked_child_after_a_large_load(tmp_path: Path, large: Path) -> None:
    code = """
        import os
        import mapwave, mapwave.mlx
        import numpy as np

        expected = np.array(mapwave.load(sys.argv[1])[0])
        child = os.fork()
        if child == 0:
            print(mapwave.mlx.route()[1], flush=True)
            same = all(np.array_equal(np.array(mapwave.load(sys.argv[1])[0]), expected) for _ in range(3))
            same &= np.array_equal(np.array(mapwave.batch_load([sys.argv[1]] * 2)[1][0]), expected)
            os._exit(0 if same else 1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0, status
    """
    assert "forked child" in child.run(tmp_path, code, large)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_pools_of_processes(tmp_path: Path, large: Path, method: str) -> None:
    code = """
        import hashlib, multiprocessing
        import mapwave
        import numpy as np

        def digest(path):
            return hashlib.sha256(np.array(mapwave.load(path)[0]).tobytes()).hexdigest()

        if __name__ == "__main__":
            expected = digest(sys.argv[1])
            with multiprocessing.get_context(sys.argv[2]).Pool(2) as pool:
                assert pool.map(digest, [sys.argv[1]] * 6) == [expected] * 6
            print("done")
    """
    assert child.run(tmp_path, code, large, method) == "done\n"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_the_functions_themselves_can_be_sent_to_processes(tmp_path: Path, large: Path, method: str) -> None:
    code = """
        import multiprocessing
        import mapwave, mapwave.numpy

        if __name__ == "__main__":
            with multiprocessing.get_context(sys.argv[2]).Pool(2) as pool:
                assert pool.map(mapwave.info, [sys.argv[1]] * 3) == [mapwave.info(sys.argv[1])] * 3
                assert pool.map(mapwave.numpy.load, [sys.argv[1]])[0][0].shape == (1_000_000, 2)
    """
    child.run(tmp_path, code, large, method)


# Hazard 4: the end of the interpreter


def test_daemon_threads_loading_at_exit(tmp_path: Path, large: Path) -> None:
    code = """
        import threading
        import mapwave

        started = threading.Barrier(4)

        def load():
            mapwave.load(sys.argv[1])
            started.wait()
            while True:
                mapwave.load(sys.argv[1])
                mapwave.batch_load([sys.argv[1]] * 2)

        for _ in range(3):
            threading.Thread(target=load, daemon=True).start()
        started.wait()
        print("leaving")
    """
    for _ in range(5):
        assert child.run(tmp_path, code, large) == "leaving\n"


def test_large_arrays_alive_at_exit(tmp_path: Path, large: Path) -> None:
    code = """
        import atexit
        import mapwave
        kept = mapwave.load(sys.argv[1])[0]
        atexit.register(lambda: print(mapwave.load(sys.argv[1])[0].shape, kept.shape))
    """
    assert child.run(tmp_path, code, large) == "(1000000, 2) (1000000, 2)\n"


# Hazard 5: Ctrl-C

INTERRUPTED = """
    import mapwave, mapwave.numpy
    import numpy as np

    long, large = sys.argv[1:3]
    read = {
        "load": lambda: mapwave.load(long, mono=True, dtype="int16"),
        "numpy": lambda: mapwave.numpy.load(long, mono=True, dtype="int16"),
        "batch": lambda: mapwave.batch_load([long] * 8, mono=True, dtype="int16", num_workers=2),
    }[sys.argv[3]]
    expected = mapwave.numpy.load(large)[0]
    mapwave.load(large)
    interrupted = False
    try:
        print("ready", flush=True)
        while True:
            read()
    except KeyboardInterrupt:
        interrupted = True
    assert interrupted
    assert np.array_equal(np.array(mapwave.load(large)[0]), expected)
    print("well")
"""


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4 GB of sparse silence in 64 channels, whose mono mix is 64 MB."""
    return wavefile.write_sparse(tmp_path_factory.mktemp("long") / "long.wav", 1 << 25, 64, "int16")


@pytest.mark.parametrize(
    ("way", "route"), [("load", "a"), ("load", "b"), ("load", "auto"), ("numpy", "auto"), ("batch", "auto")]
)
def test_ctrl_c_ends_a_load_and_the_next_one_works(
    tmp_path: Path, large: Path, long: Path, way: str, route: str
) -> None:
    script = child.script(tmp_path, INTERRUPTED)
    process = subprocess.Popen(
        [sys.executable, str(script), str(long), str(large), way],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=child.environment(MAPWAVE_MLX_ROUTE=route),
    )  # fmt: skip
    with process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        try:
            printed, errors = process.communicate(timeout=child.TIMEOUT)
        finally:
            process.kill()
    assert (process.returncode, printed) == (0, "well\n"), errors


@each_route
def test_a_signal_handler_that_raises_ends_the_load_it_interrupts(tmp_path: Path, long: Path, route: str) -> None:
    """The first signal comes 20 ms into a load that takes more than a second."""
    code = """
        import signal
        import mapwave

        class Stop(Exception):
            pass

        def stop(number, frame):
            raise Stop

        completed = 0
        mapwave.load(sys.argv[1], stop=10)
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        try:
            mapwave.load(sys.argv[1], mono=True, dtype="float32")
            completed = 1
        except Stop:
            pass
        assert mapwave.load(sys.argv[1], stop=1_000_000, mono=True)[0].shape == (1_000_000, 1)
        print(completed)
    """
    assert child.run(tmp_path, code, long, MAPWAVE_MLX_ROUTE=route) == "0\n"


def test_a_signal_handler_that_returns_does_not_end_the_load(tmp_path: Path, large: Path, long: Path) -> None:
    code = """
        import signal
        import mapwave

        calls = []
        signal.signal(signal.SIGALRM, lambda *_: calls.append(mapwave.info(sys.argv[2]).frames))
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        audio, _ = mapwave.load(sys.argv[1], stop=1 << 22, mono=True, dtype="int16")
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert audio.shape == (1 << 22, 1)
        assert set(calls) == {1_000_000}, calls
    """
    child.run(tmp_path, code, long, large)

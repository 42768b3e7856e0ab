"""Files that shrink while they are mapped: an error, never the end of the process."""

from __future__ import annotations

from pathlib import Path

import child
import pytest

PREPARE = """
    import faulthandler
    from pathlib import Path
    import mapwave, mapwave.numpy, wavefile
    import numpy as np

    samples = np.arange(1, 400_001, dtype=np.int32).reshape(-1, 2)
    path = wavefile.write(Path(sys.argv[1]), samples)

    def shrunk(read):
        try:
            read()
        except OSError as error:
            assert isinstance(error, mapwave.errors.AudioIOError)
            assert error.path == str(path), error.path
            print(error)
        else:
            print("no error")
"""

# The child begins with faulthandler on; it may also come after the map and then replaces mapwave's handler.
FAULTHANDLER = {
    "before": ("", ""),
    "after": ("faulthandler.disable()", "faulthandler.enable()"),
    "before and again": ("", "faulthandler.disable(); faulthandler.enable()"),
    "taken away": ("", "faulthandler.disable()"),
    "never": ("faulthandler.disable()", ""),
}
# What is left: nothing of the header even, a part of the samples, all but the last sample in the last page.
LEFT = {"nothing": 0, "a page": 4096, "half": 800_000, "all but 4 bytes": 44 + 1_600_000 - 4}


def outcome(tmp_path: Path, code: str) -> list[str]:
    return child.run(tmp_path, PREPARE + code, tmp_path / "shrinking.wav").splitlines()


@pytest.mark.parametrize("order", FAULTHANDLER.values(), ids=FAULTHANDLER)
@pytest.mark.parametrize("left", LEFT.values(), ids=LEFT)
def test_a_reader_of_a_file_that_shrank(tmp_path: Path, order: tuple[str, str], left: int) -> None:
    code = f"""
    import os
    {order[0]}
    reader = mapwave.numpy.open(path, dtype="int32")
    assert np.array_equal(reader[:], samples)
    {order[1]}
    os.truncate(path, {left})
    shrunk(lambda: reader[:])
    shrunk(lambda: reader[-100:])
    shrunk(lambda: list(reader.blocks(150_000)))
    print(len(reader))
    """
    printed = outcome(tmp_path, code)
    assert len(printed) == 4
    assert all(f"shrank from 1600044 to {left} bytes" in line for line in printed[:3]), printed
    assert printed[3] == "200000"


def test_what_is_left_can_still_be_read(tmp_path: Path) -> None:
    code = """
    with mapwave.numpy.open(path, dtype="int32") as reader:
        reader[:]
        wavefile.cut(path, 100_000, 8)
        assert np.array_equal(reader[:90_000], samples[:90_000])
        shrunk(lambda: reader[:150_000])
    assert np.array_equal(mapwave.numpy.load(path, dtype="int32")[0], samples[:100_000])
    """
    printed = outcome(tmp_path, code)
    assert len(printed) == 1
    assert "shrank" in printed[0]


def test_mlx_arrays_and_streams(tmp_path: Path) -> None:
    code = """
    with mapwave.open(path) as reader:
        stream = mapwave.stream(path, chunk_frames=50_000)
        reader[:], next(stream)
        wavefile.cut(path, 60_000, 8)
        shrunk(lambda: reader[:])
        shrunk(lambda: list(stream))
    """
    printed = outcome(tmp_path, code)
    assert len(printed) == 2
    assert all("shrank" in line for line in printed)


# A handler installed after the map comes first until mapwave is called again, and a view does not call it.
@pytest.mark.parametrize("name", ["before", "never"])
def test_a_view_of_a_file_that_shrank_reads_zeros(tmp_path: Path, name: str) -> None:
    order = FAULTHANDLER[name]
    code = f"""
    import os
    {order[0]}
    with mapwave.open(path) as reader:
        array = np.asarray(reader.view())
    assert np.array_equal(array, samples)
    {order[1]}
    os.truncate(path, 4096 * 100)
    left = (4096 * 100 - 44) // 4
    assert np.array_equal(array.ravel()[:left], samples.ravel()[:left])
    assert not array.ravel()[left + 1 :].any()
    print(array.sum(dtype=np.int64) > 0)
    """
    assert outcome(tmp_path, code) == ["True"]


def test_threads_reading_a_file_that_shrinks(tmp_path: Path) -> None:
    code = """
    import threading
    reader, results = mapwave.numpy.open(path, dtype="int32"), []
    started = threading.Barrier(5)

    def read():
        started.wait()
        for _ in range(50):
            try:
                results.append(np.array_equal(reader[:], samples))
            except mapwave.errors.AudioIOError as error:
                results.append("shrank" in str(error))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    started.wait()
    wavefile.cut(path, 1000, 8)
    for thread in threads:
        thread.join()
    print(len(results), all(results))
    """
    assert outcome(tmp_path, code) == ["200 True"]


def test_a_file_that_grows_is_read_as_it_was(tmp_path: Path) -> None:
    code = """
    with mapwave.numpy.open(path, dtype="int32") as reader:
        with path.open("ab") as file:
            file.write(bytes(100_000))
        assert np.array_equal(reader[:], samples)
        print(len(reader))
    """
    assert outcome(tmp_path, code) == ["200000"]


def test_a_file_that_is_replaced_or_deleted_is_read_as_it_was(tmp_path: Path) -> None:
    code = """
    with mapwave.numpy.open(path, dtype="int32") as reader:
        other = wavefile.write(path.with_name("other.wav"), samples[:10])
        other.replace(path)
        assert np.array_equal(reader[:], samples)
        path.unlink()
        assert np.array_equal(reader[5:], samples[5:])
    print("well")
    """
    assert outcome(tmp_path, code) == ["well"]


def test_a_bus_error_that_is_not_ours_still_ends_the_process(tmp_path: Path) -> None:
    """mapwave's handler hands on what it does not know; here to faulthandler, which reports and gives up."""
    code = """
    import mmap, os, signal
    with mapwave.numpy.open(path) as reader:
        reader[:]
    other = Path(sys.argv[1]).with_name("other")
    other.write_bytes(bytes(100_000))
    child = os.fork()
    if child == 0:
        with other.open("r+b") as file:
            mapped = mmap.mmap(file.fileno(), 100_000)
        os.truncate(other, 0)
        mapped[50_000]
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGBUS)
    """
    assert outcome(tmp_path, code) == ["True"]

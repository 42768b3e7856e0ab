"""Processes that fork while other threads work: the children end, and are right."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import child
import mapwave.numpy as mw
import numpy as np
import pytest

CAMPAIGN = Path(__file__).parents[1] / "campaigns" / "forks.py"


def in_child(work: Callable[[], object]) -> int:
    """Runs `work` in a forked child, and returns how it ended: 0, 1 after an exception, or the number of a signal."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)  # ends a child that hangs
        try:
            work()
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_forks_while_threads_work() -> None:
    if not CAMPAIGN.exists():
        pytest.skip("the campaigns are only in the repository")
    command = [sys.executable, "-P", CAMPAIGN, "--forks", "400", "--cold", "160", "--stepped", "110", "--fresh", "4"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "400 forks" in ended.stdout, ended.stdout
    assert "0 hung, 0 wrong, 0 raised, 0 crashed" in ended.stdout, ended.stdout


def test_a_fork_waits_for_imports_with_no_lock_that_they_need(tmp_path: Path) -> None:
    """The fork would wait for a minute: it took the lock of logging first, which was imported after mapwave."""
    code = """
        import mapwave, logging, os, threading
        from mapwave._forks import Importing
        inside, goes_on = threading.Event(), threading.Event()

        def work():
            with Importing():
                inside.set()
                goes_on.wait()
                logging.getLogger("a module that is imported")

        thread = threading.Thread(target=work)
        thread.start()
        inside.wait()
        threading.Timer(0.3, goes_on.set).start()
        child = os.fork()
        if child == 0:
            logging.getLogger("another")
            os._exit(0)
        print(os.waitpid(child, 0)[1])
        thread.join()
    """
    assert child.run(tmp_path, code, timeout=45) == "0\n"


def test_a_child_reads_with_the_reader_of_its_parent(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    mw.save(path, np.arange(-5000, 5000, dtype=np.int16)[:, None], 8000)
    expected = mw.load(path)[0]
    with mw.open(path) as reader:
        assert np.array_equal(reader.read(1000), expected[:1000])

        def work() -> None:
            assert reader.tell() == 1000
            assert np.array_equal(reader.read(), expected[1000:])

        assert in_child(work) == 0
        assert reader.tell() == 1000


def test_a_writer_belongs_to_the_process_that_opened_it(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    audio = np.linspace(-1, 1, 1000, dtype=np.float32)
    writer = mw.open(path, "w", sr=8000, channels=1, encoding="float32")
    writer.write(audio[:500])

    def work() -> None:
        for call in (lambda: writer.write(audio), writer.close):
            with pytest.raises(mw.InvalidArgument, match="before this process was forked"):
                call()
        writer.abort()

    assert in_child(work) == 0
    writer.write(audio[500:])
    writer.close()
    assert np.array_equal(mw.load(path)[0][:, 0], audio)
    assert [file.name for file in tmp_path.iterdir()] == ["a.wav"]

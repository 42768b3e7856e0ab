"""Compressed files that stay open because windows of them are read again and again by path."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from pathlib import Path

import child
import mapwave
import mapwave.numpy as mw
import numpy as np
import pytest
from corpus import FIXTURES

COMPRESSED = FIXTURES / "compressed"
NAMES = ["mp3-lame.mp3", "vorbis.ogg", "flac16.flac", "opus.opus", "aac.m4a", "alac16.m4a", "flac.mka", "aac.aac"]

#: Time stamps as coarse as those of FAT tell later changes after this many seconds.
SETTLED = 3.1

#: What the children share: a window of a file, and whether the process has a file open.
HELPERS = """
    import os, random, threading, time
    import mapwave, mapwave.numpy as mw
    import numpy as np

    def is_open(path):
        links = []
        for number in os.listdir("/proc/self/fd"):
            try:
                links.append(os.readlink(f"/proc/self/fd/{number}"))
            except OSError:
                pass
        return any(link.startswith(os.path.realpath(path)) for link in links)

    def window(path, start=100, stop=200):
        return mw.load(path, start=start, stop=stop)[0]
"""

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Copies of the fixtures that were changed long enough ago."""
    paths = [Path(shutil.copy(COMPRESSED / name, tmp_path)) for name in NAMES]
    time.sleep(SETTLED)
    return paths


@linux_only
def test_files_stay_open_from_the_second_window_on(files: list[Path], tmp_path: Path) -> None:
    code = (
        HELPERS
        + """
    for path in sys.argv[1:]:
        seen = []
        for _ in range(3):
            window(path)
            seen.append(is_open(path))
        mw.load(path)
        print(*seen)
    """
    )
    assert child.run(tmp_path, code, *files) == "False True True\n" * len(files)
    assert child.run(tmp_path, code, *files, MAPWAVE_KEEP_MAPS="0") == "False False False\n" * len(files)
    assert child.run(tmp_path, code, *files[:1] * 2).splitlines()[1] == "True True True"


@linux_only
def test_at_most_64_files_stay_open(files: list[Path], tmp_path: Path) -> None:
    copies = [shutil.copy(files[2], tmp_path / f"{number}.flac") for number in range(70)]
    time.sleep(SETTLED)
    code = (
        HELPERS
        + """
    for path in sys.argv[1:]:
        window(path), window(path)
    print(sum(map(is_open, sys.argv[1:])))
    """
    )
    assert child.run(tmp_path, code, *copies) == "64\n"


@linux_only
def test_a_file_that_was_written_a_moment_ago_does_not_stay_open(tmp_path: Path) -> None:
    path = shutil.copy(COMPRESSED / NAMES[0], tmp_path)
    code = (
        HELPERS
        + """
    os.utime(sys.argv[1])
    window(sys.argv[1]), window(sys.argv[1])
    print(is_open(sys.argv[1]))
    """
    )
    assert child.run(tmp_path, code, path) == "False\n"


def test_windows_whole_files_and_facts_are_those_of_a_reader(files: list[Path]) -> None:
    numbers = np.random.default_rng(8)
    for path in files:
        data = path.read_bytes()
        whole, _ = mw.load(data)
        for _ in range(8):
            start = int(numbers.integers(0, len(whole) * 4 // 5))
            stop = int(numbers.integers(start, start + len(whole) // 5))
            np.testing.assert_array_equal(mw.load(path, start=start, stop=stop)[0], whole[start:stop])
            np.testing.assert_array_equal(mw.load(path, start=start, stop=stop, mono=True)[0].shape[1], 1)
        np.testing.assert_array_equal(mw.load(path)[0], whole)
        np.testing.assert_array_equal(mw.load(path, sr=16_000)[0], mw.load(data, sr=16_000)[0])
        np.testing.assert_array_equal(np.concatenate([chunk for chunk, _ in mw.stream(path, chunk_frames=1000)]), whole)
        assert mapwave.info(path).tags == mapwave.info(data).tags
        with mw.open(path) as one, mw.open(path) as other:
            np.testing.assert_array_equal(one.read(500), other.read(500))
            assert one.tell() == other.tell() == 500


@pytest.mark.parametrize("extension", ["flac", "wav"])
def test_a_file_that_changes_is_read_anew(extension: str, tmp_path: Path) -> None:
    """Replaced, overwritten in place, cut, removed, moved and linked: never the sound or the rate of before."""
    path = tmp_path / f"one.{extension}"
    samples = np.random.default_rng(5).integers(-9000, 9000, (30_000, 1)).astype(np.int16)
    for number, change in enumerate(["replace", "overwrite", "cut", "grow", "remove"]):
        mw.save(path, samples, 8000)
        before = path.read_bytes()
        other = tmp_path / f"other.{extension}"
        mw.save(other, samples[::-1].copy(), 16_000)
        time.sleep(SETTLED)
        for _ in range(5):
            found, rate = mw.load(path, start=7, stop=99, dtype="int16")
            assert rate == 8000 and np.array_equal(found, samples[7:99])
        match change:
            case "replace":
                os.replace(other, path)
            case "overwrite":
                path.write_bytes(other.read_bytes())
            case "cut":
                os.truncate(path, 20)
            case "grow":
                path.write_bytes(other.read_bytes() + before)
            case _:
                path.unlink()
        if change in ("cut", "remove"):
            with pytest.raises(mapwave.AudioError):
                mw.load(path, start=7, stop=99)
        else:
            found, rate = mw.load(path, start=7, stop=99, dtype="int16")
            assert rate == 16_000 and np.array_equal(found, samples[::-1][7:99]), (number, change)


def test_errors_name_the_path_that_was_passed(files: list[Path], tmp_path: Path) -> None:
    path, link = files[0], tmp_path / "link.mp3"
    os.link(path, link)
    time.sleep(SETTLED)
    for source in (path, link, os.path.relpath(path)):
        for _ in range(3):
            mw.load(source, start=5, stop=10)
        with pytest.raises(mapwave.AudioError, match=re.escape(str(source))):
            mw.load(source, start=1 << 40, stop=(1 << 40) + 1)


@linux_only
def test_threads_and_children_share_what_is_open(files: list[Path], tmp_path: Path) -> None:
    code = (
        HELPERS
        + """
    paths = sys.argv[1:]
    wholes = {path: mw.load(open(path, "rb").read())[0] for path in paths}
    wrong = []

    def work(seed):
        choose = random.Random(seed)
        for _ in range(120):
            path = choose.choice(paths)
            whole = wholes[path]
            start = choose.randrange(len(whole) - 100)
            stop = min(start + choose.randrange(1, 2000), len(whole))
            if not np.array_equal(window(path, start, stop), whole[start:stop]):
                wrong.append((path, start, stop))

    def together():
        threads = [threading.Thread(target=work, args=[seed]) for seed in range(8)]
        [thread.start() for thread in threads]
        return threads

    threads = together()
    children = []
    for seed in range(6):
        time.sleep(0.01)
        pid = os.fork()
        if pid == 0:
            work(100 + seed)
            os._exit(len(wrong))
        children.append(pid)
    [thread.join() for thread in threads]
    print(len(wrong), [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children])
    """
    )
    assert child.run(tmp_path, code, *files) == "0 [0, 0, 0, 0, 0, 0]\n"

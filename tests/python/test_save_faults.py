"""Full disks, interruptions and forks while files are written: the old file or the new one, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import child
import mapwave
import numpy as np
import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory in which nothing lies, not even a script."""
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


# Files of every kind that are small enough to be written a thousand times: extension, rate, encoding.
KINDS = {
    "wav": (44_100, "pcm16"),
    "aiff": (44_100, "pcm24"),
    "w64": (44_100, "float32"),
    "caf": (44_100, "alaw"),
    "flac": (44_100, "float32"),
    "mp3": (44_100, "float32"),
    "m4a": (44_100, "float32"),
    "ogg": (44_100, "float32"),
    "opus": (48_000, "float32"),
    "wv": (44_100, "float32"),
}

# A process whose files cannot grow beyond a limit, as on a full disk. Python ignores SIGXFSZ, so that writing fails.
FULL = """
import errno, os, pickle, random, resource, sys
import mapwave, numpy as np, signals

extension, rate, encoding, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
audio = signals.plucked(1_500, 1, rate)
path = os.path.join(folder, "a." + extension)
save = lambda: mapwave.save(path, audio, rate, encoding=encoding, durable=False)
try:
    save()
except mapwave.UnsupportedFormat as error:
    print("cannot", error)
    sys.exit()
whole = open(path, "rb").read()
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
random.seed(5)
outcomes = {"failed": 0, "whole": 0}
for number in range(1_000):
    limit = random.randrange(len(whole) + len(whole) // 20 + 10)
    old = b"old" if number % 2 else None
    if old:
        with open(path, "wb") as file:
            file.write(old)
    elif os.path.exists(path):
        os.remove(path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
    try:
        save()
    except OSError as error:
        failure = error
    else:
        failure = None
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    there = os.listdir(folder)
    if failure is None:
        assert there == [os.path.basename(path)] and open(path, "rb").read() == whole, (limit, there)
        # A muxer may need room for more than is left in the end, but never for less.
        assert limit >= len(whole), (limit, len(whole))
    else:
        assert failure.errno == errno.EFBIG, (limit, failure.errno, failure)
        assert isinstance(failure, mapwave.AudioError) and failure.path == path, failure
        assert there == ([os.path.basename(path)] if old else []), (limit, there)
        assert not old or open(path, "rb").read() == old
        copy = pickle.loads(pickle.dumps(failure))
        assert (type(copy), copy.errno, copy.path, str(copy)) == (type(failure), errno.EFBIG, path, str(failure))
    outcomes["whole" if failure is None else "failed"] += 1
print(outcomes["failed"], outcomes["whole"])
"""


@pytest.mark.parametrize("extension", KINDS)
def test_a_full_disk_costs_nothing_but_the_new_file(tmp_path: Path, folder: Path, extension: str) -> None:
    rate, encoding = KINDS[extension]
    printed = child.run(tmp_path, FULL, extension, rate, encoding, folder).split(maxsplit=1)
    if printed[0] == "cannot":
        pytest.skip(printed[1])
    failed, whole = map(int, printed)
    assert failed + whole == 1000
    assert min(failed, whole) > 10


def test_a_writer_on_a_full_disk_is_given_up(tmp_path: Path, folder: Path) -> None:
    child.run(
        tmp_path,
        """
        import errno, os, resource, sys
        import mapwave, numpy as np

        folder = sys.argv[1]
        path = folder + "/a.wav"
        open(path, "wb").write(b"old")
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        for size in (10, 5_000, 100_000):
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
            try:
                with mapwave.open(path, "w", sr=8000, channels=1) as writer:
                    for _ in range(100):
                        writer.write(np.zeros(500, np.float32))
            except OSError as error:
                assert error.errno == errno.EFBIG, error
            else:
                sys.exit("a file beyond the limit")
            assert os.listdir(folder) == ["a.wav"] and open(path, "rb").read() == b"old"
        """,
        folder,
    )


@pytest.mark.parametrize("extension", ["wav", "flac", "mp3", "m4a"])
@pytest.mark.parametrize("way", ["save", "writer"])
def test_ctrl_c_ends_saving(tmp_path: Path, folder: Path, extension: str, way: str) -> None:
    # A timer does what Ctrl-C does, at ever other moments; no moment leaves anything but a whole file.
    printed = child.run(
        tmp_path,
        """
        import os, signal, sys, time
        import mapwave, numpy as np, signals

        extension, way, folder = sys.argv[1:]
        path = os.path.join(folder, "a." + extension)
        audio = signals.plucked(1_000_000 if extension == "wav" else 120_000, 2, 44_100)

        def save():
            if way == "save":
                mapwave.save(path, audio, 44_100, durable=False)
                return
            with mapwave.open(path, "w", sr=44_100, channels=2, durable=False) as writer:
                for part in np.array_split(audio, 10):
                    writer.write(part)

        try:
            save()
        except mapwave.UnsupportedFormat as error:
            print("cannot", error)
            sys.exit()
        whole = open(path, "rb").read()
        begin = time.perf_counter()
        save()
        took = time.perf_counter() - begin
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        interrupted = 0
        for number in range(300):
            with open(path, "wb") as file:
                file.write(b"old")
            try:
                signal.setitimer(signal.ITIMER_REAL, took * (number % 10 + 1) / 12)
                save()
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                signal.setitimer(signal.ITIMER_REAL, 0)
                interrupted += 1
            assert os.listdir(folder) == ["a." + extension], os.listdir(folder)
            assert open(path, "rb").read() in (b"old", whole)
            if interrupted == 10:
                break
        print(interrupted)
        """,
        extension, way, folder,
    ).split(maxsplit=1)  # fmt: skip
    if printed[0] == "cannot":
        pytest.skip(printed[1])
    assert int(printed[0]) == 10


def test_sigint_itself_ends_saving(tmp_path: Path, folder: Path) -> None:
    printed = child.run(
        tmp_path,
        """
        import os, signal, sys, threading
        import mapwave, numpy as np

        path = os.path.join(sys.argv[1], "a.wav")
        open(path, "wb").write(b"old")
        audio = np.zeros((10_000_000, 2), np.float32)
        begun = threading.Event()

        def interrupt():
            begun.wait()
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        before = b"old"
        try:
            while True:
                mapwave.save(path, audio, 48_000, encoding="pcm24", durable=False)
                begun.set()
                before = None
        except KeyboardInterrupt:
            print("interrupted")
        thread.join()
        assert os.listdir(sys.argv[1]) == ["a.wav"]
        assert mapwave.info(path).frames == 10_000_000 and not mapwave.info(path).is_truncated
        """,
        folder,
    )
    assert printed.strip() == "interrupted"


@pytest.mark.parametrize("extension", ["wav", "flac", "mp3", "ogg"])
def test_a_forked_child_leaves_its_parents_file_alone(tmp_path: Path, folder: Path, extension: str) -> None:
    printed = child.run(
        tmp_path,
        """
        import os, sys, warnings
        import mapwave, mapwave.numpy, numpy as np, signals

        warnings.simplefilter("ignore")
        path = os.path.join(sys.argv[1], "a." + sys.argv[2])
        audio = signals.plucked(20_000, 2, 44_100)
        try:
            writer = mapwave.open(path, "w", sr=44_100, channels=2, threads=1)
        except mapwave.UnsupportedFormat as error:
            print("cannot", error)
            sys.exit()
        writer.write(audio[:10_000])
        [temporary] = os.listdir(sys.argv[1])
        child = os.fork()
        if child == 0:
            del writer
            # As multiprocessing ends: what was inherited is dropped.
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert os.listdir(sys.argv[1]) == [temporary]
        writer.write(audio[10_000:])
        writer.close()
        mapwave.save(os.path.join(sys.argv[1], "b." + sys.argv[2]), audio, 44_100)
        one, other = (mapwave.numpy.load(os.path.join(sys.argv[1], name + sys.argv[2]))[0] for name in ("a.", "b."))
        assert np.array_equal(one, other)
        print("whole")
        """,
        folder,
        extension,
    ).split(maxsplit=1)
    if printed[0] == "cannot":
        pytest.skip(printed[1])
    assert printed == ["whole"]


def test_a_killed_process_leaves_the_old_file(tmp_path: Path, folder: Path) -> None:
    child.run(
        tmp_path,
        """
        import os, signal, sys
        import mapwave, numpy as np

        path = os.path.join(sys.argv[1], "a.wav")
        open(path, "wb").write(b"old")
        child = os.fork()
        if child == 0:
            writer = mapwave.open(path, "w", sr=8000, channels=1)
            writer.write(np.zeros(1000, np.float32))
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
        assert open(path, "rb").read() == b"old"
        # What is left says what it is, and is in nobody's way.
        [left] = set(os.listdir(sys.argv[1])) - {"a.wav"}
        assert left.startswith(".a.wav.") and left.endswith(".mapwave-tmp"), left
        mapwave.save(path, np.zeros(5, np.float32), 8000)
        assert mapwave.info(path).frames == 5
        """,
        folder,
    )


# Fails every call of a save in turn. What the system calls of the plugins' libraries do is not seen here.
EACH_CALL = """
import ctypes, os, sys
import mapwave, mapwave.numpy as mw, numpy as np

extension, folder, durable = sys.argv[1], sys.argv[2], sys.argv[3] == "durable"
shim = ctypes.CDLL(None)
choose, last = shim.failing_calls_choose, shim.failing_calls_last
choose.argtypes, choose.restype, last.restype = [ctypes.c_long], ctypes.c_long, ctypes.c_char_p
path = os.path.join(folder, "a." + extension)
old, new = (np.full((n, 1), 0.25, np.float32) for n in (700, 900))
save = lambda audio: mapwave.save(path, audio, 8000, durable=durable)
save(old)
choose(-1)
save(new)
num_calls = choose(-2)
failed = set()
for number in range(num_calls):
    save(old)
    before = open(path, "rb").read()
    choose(number)
    try:
        save(new)
        error = None
    except mapwave.AudioError as caught:
        error = caught
    name = last().decode()
    choose(-2)
    after, length = open(path, "rb").read(), len(mw.load(path)[0])
    assert os.listdir(folder) == [os.path.basename(path)], (name, os.listdir(folder))
    if error is None:
        assert length == 900, name
    elif isinstance(error, mapwave.SavedNotDurable):
        assert length == 900 and name == "fsync" and "saved, but not known to be on the disk" in str(error), name
    else:
        assert after == before and error.errno == 5 and error.path == path, (name, error)
    failed.add(f"{name}:{type(error).__name__}")
print(*sorted(failed))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="preloads a library")
@pytest.mark.parametrize("durable", ["durable", "not"])
@pytest.mark.parametrize("extension", ["wav", "aiff", "caf", "w64", "flac", "opus", "mp3"])
def test_each_call_of_a_save_may_fail(tmp_path: Path, folder: Path, extension: str, durable: str) -> None:
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    shim = tmp_path / "failing_calls.so"
    source = Path(__file__).parents[1] / "plugins" / "failing_calls.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    code = EACH_CALL.replace("8000", "48000") if extension == "opus" else EACH_CALL
    said = child.run(tmp_path, code, extension, folder, durable, LD_PRELOAD=str(shim)).split()
    assert {"pwrite:AudioIOError", "rename:AudioIOError", "open:AudioIOError"} <= set(said), said
    assert ("fsync:SavedNotDurable" in said) == ("fsync:AudioIOError" in said) == (durable == "durable"), said


def test_a_private_file_stays_private(folder: Path) -> None:
    path = folder / "a.wav"
    audio = np.zeros((1000, 1), np.float32)
    mapwave.save(path, audio, 8000)
    path.chmod(0o600)
    with mapwave.open(path, "w", sr=8000, channels=1) as writer:
        writer.write(audio)
        assert [file.stat().st_mode & 0o777 for file in folder.iterdir()] == [0o600, 0o600]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_keeps_its_mode_owner_and_attributes(folder: Path) -> None:
    path = folder / "a.wav"
    audio = np.zeros((1000, 1), np.float32)
    mapwave.save(path, audio, 8000)
    if os.getuid() == 0:
        os.chown(path, 1234, 2345)
    try:
        os.setxattr(path, "user.note", b"kept")
    except (OSError, AttributeError):
        attributes = None
    else:
        attributes = {"user.note": b"kept"}
    path.chmod(0o6754)
    before = path.stat()
    mapwave.save(path, audio[:500], 8000)
    after = path.stat()
    assert after.st_ino != before.st_ino
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    if attributes:
        assert {name: os.getxattr(path, name) for name in os.listxattr(path)} == attributes


def test_a_directory_that_may_not_be_read_is_an_error_before_the_file_changes(tmp_path: Path, folder: Path) -> None:
    path = folder / "a.wav"
    mapwave.save(path, np.zeros((1000, 1), np.float32), 8000)
    before = path.read_bytes()
    code = """
        import os, mapwave, numpy as np
        folder, path = sys.argv[1:]
        if os.getuid() == 0:
            os.chown(folder, 1234, 1234)
            os.chown(path, 1234, 1234)
        os.chmod(folder, 0o300)
        if os.getuid() == 0:
            os.setgid(1234)
            os.setuid(1234)
        audio = np.ones((50, 1), np.float32)
        try:
            mapwave.save(path, audio, 8000, durable=True)
        except mapwave.AudioPermissionDenied as error:
            print(error.path == path, "opening the directory to flush it" in str(error))
        print(os.stat(path).st_size)
        mapwave.save(path, audio, 8000)
        print(os.stat(path).st_size < 1000)
    """
    for parent in folder.parents:
        if parent.stat().st_mode & 0o001 == 0 and os.getuid() == 0:
            parent.chmod(parent.stat().st_mode | 0o011)
    assert child.run(tmp_path, code, folder, path).split("\n") == ["True True", str(len(before)), "True", ""]

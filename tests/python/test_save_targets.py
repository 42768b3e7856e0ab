"""Where `save` writes: paths of every kind, and file objects of every kind."""

from __future__ import annotations

import errno
import io
import os
import pickle
import stat
import threading
from pathlib import Path

import child
import mapwave
import mapwave.numpy as mw
import numpy as np
import pytest
import signals
import soundfile

AUDIO = signals.noise("int16", 5000, 2)


def save(target: object, audio: np.ndarray = AUDIO, **options: object) -> None:
    mapwave.save(target, audio, 48_000, **{"encoding": "pcm16", "durable": False} | options)


def check(source: object, audio: np.ndarray = AUDIO) -> None:
    np.testing.assert_array_equal(soundfile.read(source, dtype="int16", always_2d=True)[0], audio)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file that everything here is."""
    path = tmp_path_factory.mktemp("expected") / "a.wav"
    save(path)
    return path.read_bytes()


# Paths


def test_str_and_path_are_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Own:
        def __fspath__(self) -> str:
            return str(tmp_path / "own.wav")

    monkeypatch.chdir(tmp_path)
    for path in (tmp_path / "path.wav", str(tmp_path / "str.wav"), "relative.wav", Path("relative path.wav"), Own()):
        save(path)
    names = ["own.wav", "path.wav", "relative path.wav", "relative.wav", "str.wav"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for name in names:
        check(name)


def test_a_path_may_be_of_bytes_as_path_libraries_have_them(tmp_path: Path) -> None:
    class Own:
        def __fspath__(self) -> bytes:
            return os.fsencode(tmp_path / "own.wav")

    save(Own())
    check(tmp_path / "own.wav")


def test_names_need_not_be_text(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xe9.wav")
    save(path)
    assert os.listdir(os.fsencode(tmp_path)) == [b"\xff\xe9.wav"]
    assert mapwave.info(path).frames == 5000


def test_names_may_be_as_long_as_a_name_can_be(tmp_path: Path) -> None:
    name = "ä" * 125 + ".wav"
    save(tmp_path / name)
    assert os.listdir(tmp_path) == [name]
    with pytest.raises(OSError, match="too long") as caught:
        save(tmp_path / ("a" * 252 + ".wav"))
    assert caught.value.errno == errno.ENAMETOOLONG


@pytest.mark.parametrize("target", [b"a.wav", 5, None, ["a.wav"], object()])
def test_what_is_neither_a_path_nor_a_file_object_is_refused(target: object) -> None:
    with pytest.raises(TypeError, match="path must be a str, a path or a writable binary file object, got"):
        save(target, format="wav")


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "a.wav"
    with pytest.raises(FileNotFoundError) as caught:
        save(path)
    assert (caught.value.errno, caught.value.path, caught.value.filename) == (errno.ENOENT, str(path), str(path))
    assert list(tmp_path.iterdir()) == []
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), copy.errno, str(copy)) == (type(caught.value), errno.ENOENT, str(caught.value))


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError) as caught:
        save(tmp_path / "file" / "a.wav")
    assert caught.value.errno == errno.ENOTDIR


def test_a_directory_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.wav").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        save(tmp_path / "a.wav")
    assert isinstance(caught.value, mapwave.AudioError)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_a_directory_that_cannot_be_written_to(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError):
            save(tmp_path / "a.wav")
    finally:
        tmp_path.chmod(0o700)


def test_a_file_that_cannot_be_written_to_is_not_replaced(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    path = tmp_path / "a.wav"
    path.write_bytes(b"old")
    path.chmod(0o400)
    with pytest.raises(PermissionError):
        save(path)
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"old", [path])


def test_a_fifo_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.wav")
    child.run(
        tmp_path,
        """
        import sys
        import mapwave, numpy as np

        for write in (lambda path: mapwave.save(path, np.zeros(9, np.float32), 8000),
                      lambda path: mapwave.open(path, "w", sr=8000, channels=1)):
            try:
                write(sys.argv[1])
            except OSError as error:
                assert "FIFO" in str(error) and error.path == sys.argv[1], error
            else:
                sys.exit("a FIFO was replaced")
        """,
        tmp_path / "a.wav",
    )
    assert stat.S_ISFIFO((tmp_path / "a.wav").stat().st_mode)


def test_a_device_is_refused() -> None:
    with pytest.raises(OSError, match="the path is a device, and only a regular file can be replaced"):
        save("/dev/null", format="wav")


@pytest.mark.parametrize("mode", [0o640, 0o600, 0o755, 0o666])
def test_the_old_file_leaves_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"old")
    path.chmod(mode)
    save(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    check(path)


def test_a_new_file_has_the_mode_of_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        save(tmp_path / "a.wav")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a.wav").stat().st_mode) == 0o640


@pytest.mark.parametrize("exists", [True, False])
def test_links_are_kept_and_followed(tmp_path: Path, exists: bool) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    if exists:
        (folder / "target.wav").write_bytes(b"old")
    (tmp_path / "link.wav").symlink_to("folder/middle")
    (folder / "middle").symlink_to("target.wav")
    save(tmp_path / "link.wav")
    assert (tmp_path / "link.wav").is_symlink()
    assert (folder / "middle").is_symlink()
    check(folder / "target.wav")
    assert sorted(path.name for path in folder.iterdir()) == ["middle", "target.wav"]


def test_links_in_a_ring_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").symlink_to("b.wav")
    (tmp_path / "b.wav").symlink_to("a.wav")
    with pytest.raises(OSError) as caught:
        save(tmp_path / "a.wav")
    assert caught.value.errno == errno.ELOOP


def test_other_names_of_the_old_file_keep_it(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"old")
    (tmp_path / "other.wav").hardlink_to(tmp_path / "a.wav")
    save(tmp_path / "a.wav")
    assert (tmp_path / "other.wav").read_bytes() == b"old"


def test_what_is_read_may_be_saved_over(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    save(path)
    with mw.open(path, dtype="int16") as reader:
        view = reader.view()
        save(path, AUDIO[::-1])
        np.testing.assert_array_equal(reader.read(), AUDIO)
        np.testing.assert_array_equal(np.asarray(view), AUDIO)
        # The very array that is saved is a view of the file that is replaced.
        save(path, np.asarray(view))
    check(path)


def test_audio_may_be_saved_over_its_own_file(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    save(path)
    for _ in range(3):
        audio, rate = mapwave.load(path, dtype="int16")
        mapwave.save(path, audio, rate, encoding="pcm16")
    check(path)


# File objects


def test_a_file_in_memory_is_written_from_its_position(expected: bytes) -> None:
    target = io.BytesIO(b"0123456789")
    target.seek(4)
    save(target, format="wav")
    assert target.getvalue() == b"0123" + expected
    assert target.tell() == 4 + len(expected)
    save(target, format="wav")
    assert target.getvalue() == b"0123" + expected * 2


def test_what_is_behind_the_file_stays(expected: bytes) -> None:
    target = io.BytesIO(b"x" * 2 * len(expected))
    save(target, format="wav")
    assert target.getvalue() == expected + b"x" * len(expected)
    assert target.tell() == len(expected)


@pytest.mark.parametrize("mode", ["wb", "r+b", "w+b"])
@pytest.mark.parametrize("buffering", [-1, 0])
def test_open_files_are_written(tmp_path: Path, mode: str, buffering: int, expected: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"old!")
    with open(path, mode, buffering) as file:
        file.seek(2)
        save(file)
        assert file.tell() == 2 + len(expected)
    assert path.read_bytes()[2:] == expected
    assert path.read_bytes()[:2] == (b"ol" if mode == "r+b" else b"\0\0")


def test_the_format_is_that_of_the_name_of_the_object(tmp_path: Path) -> None:
    with open(tmp_path / "a.caf", "wb") as file:
        save(file)
    assert mapwave.info(tmp_path / "a.caf").container == "caf"
    with open(tmp_path / "a.caf", "wb") as file:
        save(file, format="aiff")
    assert mapwave.info(tmp_path / "a.caf").container == "aiff"
    with pytest.raises(ValueError, match="format must be given for a path without an extension"):
        save(io.BytesIO())


class Raw(io.RawIOBase):
    """A raw file that takes as much as it likes."""

    def __init__(self, take: int, seekable: bool = True) -> None:
        self.file, self.take, self.is_seekable, self.num_calls = io.BytesIO(), take, seekable, 0

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self.is_seekable

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()

    def write(self, data: bytes) -> int:
        self.num_calls += 1
        return self.file.write(bytes(data)[: self.take])


@pytest.mark.parametrize("seekable", [True, False])
@pytest.mark.parametrize("take", [1, 7, 4096])
def test_short_writes_go_on(take: int, seekable: bool, expected: bytes) -> None:
    target = Raw(take, seekable)
    save(target, format="wav")
    assert target.file.getvalue() == expected
    assert target.num_calls >= len(expected) // take


class Appending:
    """An object with nothing but `write`."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)


@pytest.mark.parametrize("container", ["wav", "rf64", "w64", "aiff", "aifc", "caf"])
def test_an_object_needs_only_a_write(container: str) -> None:
    target = Appending()
    save(target, format=container)
    check(io.BytesIO(bytes(target.data)))


@pytest.mark.parametrize("container", ["wav", "w64", "aiff", "caf"])
def test_a_header_that_is_completed_at_the_end_needs_a_seek(container: str) -> None:
    target = Appending()
    with pytest.raises(ValueError, match="path must be a path or a seekable object"):
        mapwave.open(target, "w", sr=48_000, channels=2, format=container)
    assert not target.data


def test_a_pipe_takes_a_file(expected: bytes) -> None:
    receiving, sending = os.pipe()
    received = []

    def receive() -> None:
        with open(receiving, "rb") as file:
            received.append(file.read())

    thread = threading.Thread(target=receive)
    thread.start()
    with open(sending, "wb") as file:
        save(file, format="wav")
        with pytest.raises(ValueError, match="path must be a path or a seekable object"):
            mapwave.open(file, "w", sr=48_000, channels=2, format="wav")
    thread.join()
    assert received == [expected]


def test_a_pipe_that_nobody_reads_is_broken() -> None:
    receiving, sending = os.pipe()
    os.close(receiving)
    with open(sending, "wb", buffering=0) as file, pytest.raises(BrokenPipeError):
        save(file, format="wav")


@pytest.mark.parametrize("which", ["write", "seek", "tell", "seekable", "writable"])
def test_exceptions_of_the_object_come_out_as_they_are(which: str) -> None:
    class OwnError(Exception):
        pass

    raised = OwnError("mine")

    def fail(*_: object) -> None:
        raise raised

    target = type("Target", (io.BytesIO,), {which: fail})()
    if which == "seek":
        target.write(b"before")
    with pytest.raises(OwnError) as caught:
        save(target, format="wav")
    assert caught.value is raised


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_writer_gives_the_objects_exception_too(after: int) -> None:
    # Three writes, none of them buffered: the header, the samples, and the header again.
    class Full(io.BytesIO):
        num_calls = 0

        def write(self, data: bytes) -> int:
            self.num_calls += 1
            if self.num_calls > after:
                raise KeyError("full")
            return super().write(data)

    def write() -> None:
        with mapwave.open(Full(), "w", sr=8000, channels=2, dtype="int16", format="wav") as writer:
            writer.write(AUDIO)

    with pytest.raises(KeyError, match="full"):
        write()


def test_after_a_failure_a_writer_is_given_up() -> None:
    target = Raw(5)
    writer = mapwave.open(target, "w", sr=8000, channels=2, dtype="int16", format="wav")
    writer.write(AUDIO)
    target.take = 0
    with pytest.raises(OSError, match="returned 0"):
        writer.write(AUDIO)
    target.take = 1000
    for end in (lambda: writer.write(AUDIO), writer.close):
        with pytest.raises(ValueError, match="writer was abandoned"):
            end()
    writer.close()


def test_none_means_taken_but_of_a_raw_file() -> None:
    taken = bytearray()
    plain = type("Target", (), {"write": lambda self, data: taken.extend(data)})()
    save(plain, format="wav")
    whole = io.BytesIO()
    save(whole, format="wav")
    assert taken == whole.getvalue()
    raw = type("Target", (io.RawIOBase,), {"write": lambda self, data: None, "writable": lambda self: True})()
    with pytest.raises(OSError, match=r"write\(\) returned None"):
        save(raw, format="wav")


def test_a_file_that_is_open_for_appending_is_not_patched(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"before")
    with path.open("ab") as file, pytest.raises(ValueError, match="append-only object"):
        mapwave.open(file, "w", sr=8000, channels=2, format="wav")
    with path.open("ab") as file:
        save(file, format="wav")
    assert path.read_bytes().startswith(b"beforeRIFF")


@pytest.mark.parametrize("answer", [0, -1, 10**9, "5", 2.5])
def test_answers_of_write_that_make_no_sense(answer: object) -> None:
    target = type("Target", (Appending,), {"write": lambda self, data: answer})()
    with pytest.raises(OSError, match=r"write\(\) returned .* it must take at least one") as caught:
        save(target, format="wav")
    assert repr(answer) in str(caught.value)


def test_text_is_no_place_for_audio(tmp_path: Path) -> None:
    with open(tmp_path / "a.wav", "w") as file, pytest.raises(TypeError, match="must be binary"):
        save(file)
    with pytest.raises(TypeError, match="must be binary"):
        save(io.StringIO(), format="wav")


def test_what_can_only_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"old")
    with (
        open(tmp_path / "a.wav", "rb") as file,
        pytest.raises(TypeError, match="must be writable; open it in mode 'wb'"),
    ):
        save(file)
    assert (tmp_path / "a.wav").read_bytes() == b"old"


def test_a_closed_file_is_refused(tmp_path: Path) -> None:
    closed = io.BytesIO()
    closed.close()
    with pytest.raises(ValueError, match="closed file"):
        save(closed, format="wav")
    with open(tmp_path / "a.wav", "wb") as file:
        pass
    with pytest.raises(ValueError, match="closed file"):
        save(file)


def test_nothing_is_written_for_what_is_refused() -> None:
    target = Appending()
    for options in ({"encoding": "mp3"}, {"sr": 0}, {"tags": {"mood": "x"}}, {"clip": False}):
        audio = np.full(9, 1.5, np.float32) if "clip" in options else AUDIO
        with pytest.raises(ValueError):
            mapwave.save(target, audio, **{"sr": 8000, "format": "wav", "encoding": "pcm16"} | options)
    assert not target.data

"""Errors: their kinds, what they carry, and files that are not audio."""

from __future__ import annotations

import errno
import json
import os
import pickle
import random
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import child
import corpus
import mapwave
import mapwave.errors
import pytest

KINDS = {
    "MalformedFile": ValueError,
    "UnsupportedFormat": ValueError,
    "InvalidArgument": ValueError,
    "LimitExceeded": ValueError,
    "OutOfMemory": MemoryError,
    "AudioIOError": OSError,
    "AudioFileNotFound": FileNotFoundError,
    "AudioPermissionDenied": PermissionError,
    "AudioIsADirectory": IsADirectoryError,
    "PluginError": RuntimeError,
    "SavedNotDurable": OSError,
}
FACTS = {"path": "/a/b.wav", "offset": 36, "container": "wav", "codec": "pcm_s16le", "plugin": "builtin"}
MALFORMED = corpus.FIXTURES / "malformed"
READERS = [mapwave.load, mapwave.info, mapwave.open, lambda path: mapwave.stream(path, chunk_frames=1)]
each_reader = pytest.mark.parametrize("read", READERS, ids=["load", "info", "open", "stream"])


# Kinds


@pytest.mark.parametrize(("name", "builtin"), KINDS.items())
def test_every_error_is_an_audio_error_and_a_builtin_one(name: str, builtin: type) -> None:
    kind = getattr(mapwave.errors, name)
    assert issubclass(kind, mapwave.AudioError)
    assert issubclass(kind, builtin)


def test_the_list_of_kinds_is_whole() -> None:
    kinds = [value for value in vars(mapwave.errors).values() if isinstance(value, type) and value is not object]
    assert {kind.__name__ for kind in kinds if issubclass(kind, mapwave.AudioError)} == {*KINDS, "AudioError"}


@pytest.mark.parametrize("name", [*KINDS, "AudioError"])
def test_errors_carry_facts_and_pickle(name: str) -> None:
    error = getattr(mapwave.errors, name)("what is wrong", **FACTS)
    for again in (error, pickle.loads(pickle.dumps(error))):
        assert type(again) is type(error)
        assert str(again) == "what is wrong"
        assert {fact: getattr(again, fact) for fact in FACTS} == FACTS


def test_facts_that_are_unknown_are_none() -> None:
    error = mapwave.AudioError("what is wrong")
    assert [getattr(error, fact) for fact in FACTS] == [None] * len(FACTS)


def test_operating_system_errors_keep_errno_and_file_name() -> None:
    with pytest.raises(FileNotFoundError) as caught:
        mapwave.load("no-such-file.wav")
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        assert isinstance(error, mapwave.errors.AudioFileNotFound)
        assert (error.errno, error.filename, error.path) == (
            errno.ENOENT,
            "no-such-file.wav",
            "no-such-file.wav",
        )
        assert "no-such-file.wav" in str(error)


def test_errors_cross_processes(tmp_path: Path) -> None:
    code = """
        import multiprocessing, traceback
        import mapwave

        def load(path):
            return mapwave.load(path)[0].shape

        if __name__ == "__main__":
            for method in ("spawn", "fork"):
                with multiprocessing.get_context(method).Pool(1) as pool:
                    for path in sys.argv[1:]:
                        try:
                            pool.apply(load, (path,))
                        except mapwave.AudioError as error:
                            facts = error.path == path, error.offset is not None, error.container
                            print(type(error).__name__, *facts)
    """
    printed = child.run(tmp_path, code, MALFORMED / "wav-no-data.wav", tmp_path / "missing.wav")
    assert printed.splitlines() == ["MalformedFile True True wav", "AudioFileNotFound True False None"] * 2


# Messages


@each_reader
def test_a_malformed_file_is_named_with_the_place(read) -> None:
    path = MALFORMED / "wav-no-data.wav"
    with pytest.raises(mapwave.MalformedFile) as caught:
        read(path)
    error = caught.value
    assert str(error).startswith(f"{path}: malformed wav file at byte {error.offset}: ")
    assert "data" in str(error)
    assert (error.path, error.container, error.codec) == (str(path), "wav", None)
    assert 0 <= error.offset <= path.stat().st_size


def test_bytes_are_called_bytes() -> None:
    with pytest.raises(mapwave.MalformedFile) as caught:
        mapwave.load((MALFORMED / "wav-no-data.wav").read_bytes())
    assert caught.value.path == "<bytes>"
    assert str(caught.value).startswith("<bytes>: malformed wav file")


@pytest.mark.skipif(sys.platform == "darwin", reason="file names are UTF-8 there")
@pytest.mark.parametrize(
    "call", [mapwave.info, mapwave.numpy.load, mapwave.open, lambda path: mapwave.batch_load([path])]
)
def test_a_name_of_any_bytes_can_be_opened_again(call: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff\xfe \xe4.wav")
    path.write_bytes(b"RIFF....WAVEnothing")
    with pytest.raises(mapwave.MalformedFile) as caught:
        call(path)
    assert caught.value.path == str(path)
    assert os.path.samefile(caught.value.path, path)
    assert pickle.loads(pickle.dumps(caught.value)).path == str(path)
    str(caught.value).encode()


def test_an_argument_that_depends_on_the_file_names_it() -> None:
    with pytest.raises(mapwave.errors.InvalidArgument, match="offset must be inside the file") as caught:
        mapwave.load(corpus.PCM16, offset=5.0)
    assert caught.value.path == str(corpus.PCM16)


def test_a_codec_without_a_plugin_is_named() -> None:
    contents = bytearray(corpus.PCM16.read_bytes())
    contents[20:22] = b"\x50\x01"  # a tag that nobody has
    asked = "wav:0x0150 audio in a wav file: (none of the )?codec plugins? 'builtin'|codec, tag 0x150"
    with pytest.raises(mapwave.UnsupportedFormat, match=asked) as caught:
        mapwave.load(bytes(contents))
    assert caught.value.container == "wav"


@each_reader
def test_errors_have_no_internal_context(read) -> None:
    with pytest.raises(mapwave.AudioError) as caught:
        read("no-such-file.wav")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


# Files that are not audio


@each_reader
def test_an_empty_file(read, tmp_path: Path) -> None:
    path = tmp_path / "empty.wav"
    path.touch()
    with pytest.raises(mapwave.UnsupportedFormat, match=r"empty \(0 bytes\)") as caught:
        read(path)
    assert caught.value.path == str(path)
    with pytest.raises(mapwave.UnsupportedFormat, match="0 bytes"):
        read(b"")


@each_reader
def test_a_directory(read, tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as caught:
        read(tmp_path)
    assert isinstance(caught.value, mapwave.AudioError)
    assert str(tmp_path) in str(caught.value)
    assert caught.value.errno == errno.EISDIR


@each_reader
@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero", "/dev/tty0"])
def test_a_device(read, device: str) -> None:
    if not os.access(device, os.R_OK):
        pytest.skip(f"no {device} here")
    with pytest.raises(OSError, match=f"{device}.*device") as caught:
        read(device)
    assert isinstance(caught.value, mapwave.errors.AudioIOError)


@each_reader
def test_a_socket(read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # The path of a socket may not be long.
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.wav")
        with pytest.raises(mapwave.errors.AudioIOError, match="socket.wav"):
            read("socket.wav")


def test_a_fifo_does_not_block(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo.wav"
    os.mkfifo(fifo)
    code = """
        import mapwave
        for read in (mapwave.load, mapwave.info, mapwave.open, lambda path: mapwave.batch_load([path])):
            try:
                read(sys.argv[1])
            except mapwave.errors.AudioIOError as error:
                print(error)
    """
    lines = child.run(tmp_path, code, fifo).splitlines()
    assert len(lines) == 4
    assert all(str(fifo) in line and "FIFO" in line for line in lines)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "secret.wav"
    path.write_bytes(corpus.PCM16.read_bytes())
    path.chmod(0)
    with pytest.raises(PermissionError) as caught:
        mapwave.load(path)
    assert isinstance(caught.value, mapwave.errors.AudioPermissionDenied)
    assert caught.value.errno == errno.EACCES


def test_a_path_through_a_file() -> None:
    with pytest.raises(mapwave.errors.AudioIOError) as caught:
        mapwave.load(corpus.PCM16 / "x.wav")
    assert caught.value.errno == errno.ENOTDIR


def test_a_link_to_itself(tmp_path: Path) -> None:
    path = tmp_path / "loop.wav"
    path.symlink_to(path)
    with pytest.raises(OSError) as caught:
        mapwave.load(path)
    assert caught.value.errno == errno.ELOOP


@each_reader
@pytest.mark.parametrize("suffix", ["wav", "flac", "caf", "aiff"])
def test_random_bytes_are_unsupported_whatever_their_name(read, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"noise.{suffix}"
    path.write_bytes(b"\x01" + random.Random(5).randbytes(5000))
    with pytest.raises(mapwave.UnsupportedFormat, match=f"noise.{suffix}: unsupported format") as caught:
        read(path)
    assert caught.value.path == str(path)


@pytest.mark.parametrize(
    ("contents", "found"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG"), (b"%PDF-1.7\n" + bytes(100), "PDF"),
        (b"ID3\x04\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x00" + bytes(100), "MP3|ID3|MPEG|cannot identify the file"),
        (b"OggS" + bytes(100), "Ogg|ogg"), (b"PK\x03\x04" + bytes(100), "ZIP|zip"),
        (b"<!DOCTYPE html><html></html>" + bytes(100), "HTML"), (bytes(200), "00 00|zeros"),
        (b"RIFF\x10\x00\x00\x00AVI " + bytes(100), "AVI|avi"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)  # fmt: skip
def test_what_was_found_is_said(contents: bytes, found: str) -> None:
    # Where FFmpeg is, it knows some of them well enough to call them damaged.
    with pytest.raises((mapwave.UnsupportedFormat, mapwave.MalformedFile), match=found):
        mapwave.load(contents)


@pytest.mark.parametrize(
    ("contents", "container", "found"),
    [
        (b"fLaC" + bytes(100), "flac", "at byte 4: STREAMINFO"),
        (b"\x00\x00\x00\x20ftypM4A " + bytes(100), "m4a", "no 'moov' box"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_beginning_of_a_compressed_file_is_no_file(contents: bytes, container: str, found: str) -> None:
    with pytest.raises(mapwave.MalformedFile, match=found) as caught:
        mapwave.load(contents)
    assert (caught.value.container, caught.value.plugin) == (container, "builtin")


def test_random_bytes_named_mp3_are_no_audio(tmp_path: Path) -> None:
    """The name says nothing, and there are no frames. A plugin that is asked for says what it lacks."""
    path = tmp_path / "noise.mp3"
    path.write_bytes(b"\x01" + random.Random(5).randbytes(5000))
    for read in READERS:
        with pytest.raises(
            mapwave.UnsupportedFormat, match="not a known audio file: it begins with 01 45 7c"
        ) as caught:
            read(path)
        assert isinstance(caught.value, ValueError)
        assert caught.value.path == str(path)
    with pytest.raises(ValueError, match="no MPEG audio"):
        mapwave.numpy.load(path, plugin="builtin")


# Malformed files

READ_ALL = """
    import json, resource
    from pathlib import Path
    import mapwave, mapwave.numpy
    from mapwave.numpy import stream

    # None of the files is longer than a few thousand bytes.
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    for path in sorted(Path(sys.argv[1]).glob("*.[wac]*")):
        print(json.dumps({"file": path.name}), flush=True)
        row = {"file": path.name}
        for source in (path, path.read_bytes()):
            for name, read in (
                ("info", lambda: mapwave.info(source).frames),
                ("load", lambda: mapwave.numpy.load(source)[0].shape),
                ("channels_first", lambda: mapwave.numpy.load(source, layout="channels_first")[0].shape),
                ("mono", lambda: mapwave.numpy.load(source, mono=True, dtype="int16")[0].shape),
                ("stream", lambda: sum(len(chunk) for chunk, _ in stream(source, chunk_frames=3))),
                ("reader", lambda: mapwave.numpy.open(source)[:].shape),
                ("batch", lambda: mapwave.numpy.batch_load([source])[0][0].shape),
            ):
                try:
                    row.setdefault(name, []).append(read())
                except mapwave.AudioError as error:
                    row.setdefault(name, []).append(type(error).__name__)
                except BaseException as error:
                    row.setdefault(name, []).append("not an AudioError: " + repr(error))
        print(json.dumps(row), flush=True)
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """What every way of reading made of every malformed file, all in one child process."""
    printed = child.run(tmp_path_factory.mktemp("malformed"), READ_ALL, MALFORMED)
    return {row["file"]: row for row in map(json.loads, printed.splitlines())}


@pytest.mark.parametrize(("name", "verdict"), corpus.malformed().items())
def test_a_malformed_file_is_refused_or_read_within_its_bounds(outcomes, name: str, verdict: str) -> None:
    row = outcomes[name]
    results = [result for way, both in row.items() if way != "file" for result in both]
    refusals = {result for result in results if isinstance(result, str)}
    assert not {refusal for refusal in refusals if refusal.startswith("not an AudioError")}
    if refusals:
        assert len(set(map(str, results))) == 1, "one way of reading refuses and another does not"
        return
    assert verdict == "either", "it must be refused"
    (frames, channels), (planes, length) = row["load"][0], row["channels_first"][0]
    assert (frames, channels) == (length, planes)
    assert row["info"] == row["stream"] == [frames] * 2
    assert row["mono"] == [[frames, 1]] * 2
    assert row["load"] == row["reader"] == row["batch"] == [[frames, channels]] * 2
    assert frames * channels <= (MALFORMED / name).stat().st_size


@pytest.mark.parametrize(
    "name", ["wav-pcm16.wav", "w64-pcm24.w64", "aiff-pcm16.aiff", "caf-le-float32.caf", "rf64-pcm16.wav"]
)
def test_a_file_cut_anywhere_is_refused_or_shorter(name: str) -> None:
    whole = (corpus.FIXTURES / "valid" / name).read_bytes()
    for size in range(1, len(whole)):
        try:
            frames = mapwave.info(whole[:size]).frames
        except mapwave.AudioError:
            continue
        assert mapwave.load(whole[:size])[0].shape[0] == frames <= 301


@pytest.mark.parametrize(
    ("call", "route"),
    [
        ("mapwave.numpy.load(path)", "auto"), ("mapwave.load(path)", "a"), ("mapwave.load(path)", "b"),
        ("mapwave.numpy.batch_load([path])", "auto"), ("mapwave.numpy.open(path).read()", "auto"),
    ],
)  # fmt: skip
def test_more_than_memory_is_an_error(tmp_path: Path, call: str, route: str) -> None:
    """A sparse file costs nothing and can be longer than any memory."""
    code = f"""
        import resource
        from pathlib import Path
        import mapwave, mapwave.numpy, wavefile

        path = wavefile.write_sparse(Path(sys.argv[1]), 3 << 29, 1, "int16")
        mapwave.load(path, stop=3)
        resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
        try:
            {call}
        except (MemoryError, mapwave.AudioError):
            print("refused")
        assert mapwave.load(path, stop=3)[0].shape == (3, 1)
    """
    assert child.run(tmp_path, code, tmp_path / "huge.wav", MAPWAVE_MLX_ROUTE=route) == "refused\n"

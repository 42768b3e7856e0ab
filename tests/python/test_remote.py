"""URLs by fsspec, and file objects that can seek: read in ranges, and never silently short."""

from __future__ import annotations

import io
import os
import pickle
import signal
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import mapwave
import mapwave.numpy as mw
import numpy as np
import peers
import pytest
import remote
import signals
import soundfile

fsspec = pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")

RATE = 44_100
SECONDS = 400


@pytest.fixture(scope="module")
def long_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Ten minutes of sound in several formats, which other programs have written."""
    directory = tmp_path_factory.mktemp("long")
    path = directory / "long.wav"
    # Noise enough that a lossless second takes about as much as one of music.
    second = signals.plucked(RATE, 2, RATE) + np.random.default_rng(0).normal(0, 0.02, (RATE, 2))
    varied = [np.round(second * (0.3 + 0.7 * (k % 7) / 6) * 15_000).clip(-32768, 32767).astype("<i2") for k in range(7)]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        for k in range(SECONDS):
            file.writeframes(np.roll(varied[k % 7], 17 * k, axis=0).tobytes())
    files = {"long.wav": path.read_bytes()}
    kinds = {
        "long.flac": ("long.wav", []),
        "long.mp3": ("long.wav", ["-b:a", "128k", "-compression_level", "9"]),
        # As older encoders write it: nothing says that all frames have one bitrate.
        "bare.mp3": ("long.mp3", ["-c", "copy", "-write_xing", "0", "-id3v2_version", "0"]),
        "long.m4a": ("long.wav", ["-b:a", "128k"]),
        "fast.m4a": ("long.m4a", ["-c", "copy", "-movflags", "+faststart"]),
    }
    for name, (source, options) in kinds.items():
        files_of_ffmpeg = ["-i", directory / source, *options, directory / name]
        program = [peers.program("ffmpeg"), "-nostdin", "-v", "error", *files_of_ffmpeg]
        if subprocess.run(list(map(str, program))).returncode == 0:
            files[name] = (directory / name).read_bytes()
    return files


def read_exactly(source: object, **options: object) -> np.ndarray:
    return mw.load(source, dtype="float32", **options)[0]


# What a remote file costs


@pytest.fixture(scope="module")
def server(long_files: dict[str, bytes]) -> Iterator[remote.Server]:
    with remote.serve(long_files) as server:
        yield server


@pytest.mark.parametrize("name", ["long.wav", "long.flac", "long.mp3", "bare.mp3", "long.m4a", "fast.m4a"])
def test_info_of_a_remote_file_reads_little(server: remote.Server, long_files: dict[str, bytes], name: str) -> None:
    server.reset()
    facts = mw.info(f"{server.url}/{name}")
    assert server.num_bytes <= 64 << 10
    assert facts == mw.info(long_files[name])


@pytest.mark.parametrize(
    ("name", "most"),
    [("long.wav", 1.1), ("long.flac", 3), ("long.mp3", 3), ("bare.mp3", 3), ("long.m4a", 3), ("fast.m4a", 3)],
)
def test_a_second_of_a_remote_file_costs_about_its_bytes(
    server: remote.Server, long_files: dict[str, bytes], name: str, most: float
) -> None:
    server.reset()
    second = read_exactly(f"{server.url}/{name}", offset=200.25, duration=1.0)
    np.testing.assert_array_equal(second, read_exactly(long_files[name], offset=200.25, duration=1.0))
    assert server.num_bytes <= most * len(long_files[name]) / SECONDS + (4 << 10)


@pytest.mark.parametrize("name", ["long.wav", "long.flac", "long.mp3", "bare.mp3", "long.m4a", "fast.m4a"])
def test_a_remote_file_reads_as_the_local_one(server: remote.Server, long_files: dict[str, bytes], name: str) -> None:
    url, data = f"{server.url}/{name}", long_files[name]
    expected = read_exactly(data)
    np.testing.assert_array_equal(read_exactly(url), expected)
    for offset in [0, 1, 12_345, len(expected) - 5000]:
        part = mw.load(url, start=offset, stop=offset + 5000)[0]
        np.testing.assert_array_equal(part, expected[offset : offset + 5000])
    chunks = [chunk for chunk, _ in mw.stream(url, chunk_frames=1_000_000)]
    np.testing.assert_array_equal(np.concatenate(chunks), expected)
    with mw.open(url) as reader, pickle.loads(pickle.dumps(reader)) as other:
        np.testing.assert_array_equal(other[70_000:70_100], expected[70_000:70_100])
    loaded = mw.batch_load([url, url], offset=[1.0, 2.0], duration=0.5)
    np.testing.assert_array_equal(loaded[1][0], expected[2 * RATE : 2 * RATE + RATE // 2])


def test_a_server_without_ranges_sends_the_whole_once(long_files: dict[str, bytes]) -> None:
    data = long_files["long.flac"]
    with remote.serve({"a.flac": data}, has_ranges=False) as server:
        np.testing.assert_array_equal(
            read_exactly(f"{server.url}/a.flac", offset=9, duration=1), read_exactly(data, offset=9, duration=1)
        )
        assert server.num_requests == 1


@pytest.mark.parametrize("name", ["long.wav", "long.flac", "long.mp3"])
@pytest.mark.parametrize("breaks_after", [0, 30_000, 500_000])
def test_a_connection_that_breaks_is_an_error(long_files: dict[str, bytes], name: str, breaks_after: int) -> None:
    with remote.serve(long_files, breaks_after=breaks_after) as server:
        url = f"{server.url}/{name}"
        with pytest.raises(mapwave.errors.AudioIOError) as caught:
            mw.load(url)
        assert caught.value.path == url
        with pytest.raises(mapwave.errors.AudioIOError):
            list(mw.stream(url, chunk_duration=10))


def test_what_a_server_has_not_is_not_found(server: remote.Server) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        mw.info(f"{server.url}/nothing.wav")
    assert isinstance(caught.value, mapwave.errors.AudioFileNotFound)


def test_a_file_system_in_memory(long_files: dict[str, bytes]) -> None:
    system = fsspec.filesystem("memory")
    system.pipe_file("/clips/a.flac", long_files["long.flac"])
    try:
        url = "memory://clips/a.flac"
        assert mw.info(url, storage_options={}) == mw.info(long_files["long.flac"])
        np.testing.assert_array_equal(
            read_exactly(url, offset=5, duration=2), read_exactly(long_files["long.flac"], offset=5, duration=2)
        )
    finally:
        system.rm("/clips", recursive=True)


def test_a_url_of_no_protocol_and_options_without_a_url_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nosuch"):
        mw.load("nosuch://a/b.wav")
    with pytest.raises(ValueError, match="storage_options must be left out unless path is a URL"):
        mw.load(tmp_path / "a.wav", storage_options={})
    with pytest.raises(TypeError, match="storage_options"):
        mw.load("memory://a", storage_options=[1])
    with pytest.raises(FileNotFoundError, match="os.path.expanduser"):
        mw.load("~/a.wav")
    with pytest.raises(FileNotFoundError, match="sys.stdin.buffer"):
        mw.load("-")


def test_without_fsspec_the_error_says_what_to_install() -> None:
    script = (
        "import sys; sys.modules['fsspec'] = None\n"
        "import mapwave.numpy as mw\n"
        "try:\n    mw.load('https://example.org/a.wav')\n"
        "except ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    assert "pip install 'mapwave[remote]'" in done.stdout


# File objects


@pytest.mark.parametrize("most", [None, 4096])
@pytest.mark.parametrize("name", ["long.wav", "long.flac", "long.mp3"])
def test_a_file_object_is_read_in_ranges(long_files: dict[str, bytes], name: str, most: int | None) -> None:
    data = long_files[name]
    file = remote.Counting(b"before" + data, most=most)
    file.seek(6)
    assert mw.info(file) == mw.info(data)
    assert file.num_bytes <= 64 << 10
    file = remote.Counting(data, most=most)
    part = read_exactly(file, offset=100, duration=1)
    np.testing.assert_array_equal(part, read_exactly(data, offset=100, duration=1))
    assert file.num_bytes < len(data) / 20
    np.testing.assert_array_equal(read_exactly(remote.Counting(data, most=most)), read_exactly(data))


def test_a_file_that_is_open_is_read_as_its_path_is(tmp_path: Path, long_files: dict[str, bytes]) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(b"junk" + long_files["long.flac"])
    with path.open("rb") as file:
        file.seek(4)
        with mw.open(file) as reader:
            path.unlink()
            np.testing.assert_array_equal(reader[5:99], read_exactly(long_files["long.flac"])[5:99])


def test_reads_that_return_less_are_read_on() -> None:
    data = io.BytesIO()
    soundfile.write(data, signals.noise("int16", 50_000, 2), RATE, "PCM_16", format="WAV")
    np.testing.assert_array_equal(read_exactly(remote.Pipe(data.getvalue())), read_exactly(data.getvalue()))


class Failing(remote.Counting):
    def __init__(self, data: bytes, error: BaseException, after: int) -> None:
        super().__init__(data)
        self.error, self.after = error, after

    def read(self, size: int = -1) -> bytes:
        if self.num_bytes + size > self.after:
            raise self.error
        return super().read(size)


@pytest.mark.parametrize("after", [0, 20_000, 1_000_000])
@pytest.mark.parametrize("name", ["long.wav", "long.flac"])
def test_what_a_file_object_raises_comes_out(long_files: dict[str, bytes], name: str, after: int) -> None:
    with pytest.raises(mapwave.errors.AudioIOError, match="the disk is on fire"):
        mw.load(Failing(long_files[name], OSError(5, "the disk is on fire"), after))
    with pytest.raises(ZeroDivisionError):
        mw.load(Failing(long_files[name], ZeroDivisionError("mine"), after))
    with pytest.raises(KeyboardInterrupt):
        mw.load(Failing(long_files[name], KeyboardInterrupt(), after))


@pytest.mark.parametrize("name", ["long.wav", "long.flac"])
def test_ctrl_c_is_heard_while_a_server_keeps_silent(long_files: dict[str, bytes], name: str) -> None:
    """By a child, whose main thread the signal is for. It is sent when the silence has begun."""
    with remote.serve(long_files, falls_silent_after=300_000) as server:
        script = (
            "import os, signal, sys, mapwave.numpy as mw\n"
            # What this process was started by may have had the signal ignored.
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "try:\n    mw.load(sys.argv[1])\n"
            "except KeyboardInterrupt:\n    print('interrupted', flush=True)\n"
            "    os._exit(0)\n"
        )
        command = [sys.executable, "-P", "-c", script, f"{server.url}/{name}"]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.is_silent.wait(60)
            child.send_signal(signal.SIGINT)
            assert child.communicate(timeout=60)[0] == "interrupted\n"
        finally:
            child.kill()
            server.may_go_on.set()


def test_a_file_object_that_ends_early_is_an_error(long_files: dict[str, bytes]) -> None:
    class Short(remote.Counting):
        def read(self, size: int = -1) -> bytes:
            return b"" if self.tell() > 2_000_000 else super().read(size)

    for name in ["long.wav", "long.flac"]:
        with pytest.raises(mapwave.errors.AudioIOError, match="before the end of the file"):
            mw.load(Short(long_files[name]))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("make", [lambda data: remote.Counting(data)], ids=["object"])
def test_a_forked_child_is_told_to_open_the_file_again(
    long_files: dict[str, bytes], make: Callable[[bytes], object]
) -> None:
    with mw.open(make(long_files["long.flac"])) as reader:
        reader.read(10)
        pid = os.fork()
        if pid == 0:
            try:
                reader[2_000_000:2_000_010]
            except mapwave.errors.AudioIOError as error:
                os._exit(0 if "fork" in str(error) else 1)
            os._exit(2)
        assert os.waitpid(pid, 0)[1] == 0
        assert reader[3_000_000:3_000_010].shape == (10, 2)

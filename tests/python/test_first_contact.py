"""What a newcomer trips over: what is delivered, what is refused, and what errors name."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import child
import corpus
import mapwave
import mapwave.numpy as mw
import numpy as np
import pytest
from mapwave import _shared

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "compressed"
MP3 = FIXTURES / "mp3-lame.mp3"


def test_a_reader_says_what_it_delivers_and_info_what_the_file_is() -> None:
    whole = mw.info(MP3)
    with mw.open(MP3, sr=16_000, mono=True) as reader:
        audio = reader.read()
        assert (reader.frames, reader.channels) == audio.shape == (len(reader), 1)
        assert reader.sample_rate == 16_000
        assert reader.duration == reader.frames / reader.sample_rate
        assert reader.info() == whole
        assert f"{reader.frames} frames, 1 channels, 16000 Hz" in repr(reader)
    assert whole.channels == 2 and whole.sample_rate != 16_000
    assert whole.duration == whole.frames / whole.sample_rate
    with mw.open(MP3, channels=[1, 0, 1]) as reader:
        assert reader.channels == reader.read(5).shape[1] == 3


@pytest.mark.parametrize("quality", ["best", "default"])
def test_resample_finds_the_axis_of_the_channels_as_save_does(quality: str) -> None:
    audio = np.random.default_rng(0).uniform(-1, 1, (1000, 2)).astype(np.float32)
    expected = mw.resample(audio, 44_100, 16_000, quality, layout="channels_last")
    assert expected.shape == (363, 2)
    np.testing.assert_array_equal(mw.resample(audio, 44_100, 16_000, quality), expected)
    np.testing.assert_array_equal(mw.resample(audio.T, 44_100, 16_000, quality), expected.T)
    mono = mw.resample(audio[:, 0], 44_100, 16_000, quality)
    assert mono.shape == (363,)
    np.testing.assert_array_equal(mw.resample(audio[None, :, 0], 44_100, 16_000, quality), mono[None])


def test_resample_refuses_a_shape_that_could_be_either() -> None:
    with pytest.raises(mapwave.errors.InvalidArgument, match=r"layout.*got 'auto' for an array of shape \(5, 8\)"):
        mw.resample(np.zeros((5, 8), np.float32), 44_100, 16_000)


@pytest.mark.parametrize("paths", [str(MP3), MP3, b"RIFF", bytearray(4), io.BytesIO(b"RIFF"), 3, None], ids=type)
def test_one_file_is_no_list_of_files(paths: object) -> None:
    with pytest.raises(TypeError, match="paths must be an iterable of paths or files, got .*; for one file pass"):
        mw.batch_load(paths)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (lambda: b"not audio", "<bytes>"),
        (lambda: b"", "<bytes>"),
        (lambda: bytearray(b"not audio"), "<bytearray>"),
        (lambda: memoryview(b"not audio"), "<memoryview>"),
        (lambda: io.BytesIO(b"not audio"), "<BytesIO>"),
        (lambda: io.BytesIO(), "<BytesIO>"),
    ],
)
@pytest.mark.parametrize("function", [mw.load, mw.info, mw.open, lambda file: mw.stream(file, chunk_frames=1)])
def test_an_error_names_what_has_no_path_by_its_type(source, name: str, function) -> None:
    with pytest.raises(mapwave.UnsupportedFormat) as caught:
        function(source())
    assert caught.value.path == name
    assert str(caught.value).startswith(f"{name}: ")


def test_an_error_names_an_open_file_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"not audio")
    with path.open("rb") as file, pytest.raises(mapwave.UnsupportedFormat) as caught:
        mw.load(file)
    assert caught.value.path == str(path)
    # The name of a file that was opened by its descriptor is a number.
    with (
        os.fdopen(os.open(path, os.O_RDONLY), "rb") as by_number,
        pytest.raises(mapwave.UnsupportedFormat) as caught,
    ):
        mw.load(by_number)
    assert caught.value.path == "<BufferedReader>"


def test_an_argument_that_does_not_suit_the_bytes_names_them() -> None:
    with pytest.raises(mapwave.errors.InvalidArgument) as caught:
        mw.load(corpus.PCM16.read_bytes(), offset=1e9)
    assert caught.value.path == "<bytes>"


def test_a_file_object_at_its_end_says_how_to_go_back() -> None:
    file = io.BytesIO(MP3.read_bytes())
    mw.load(file)
    with pytest.raises(mapwave.UnsupportedFormat, match=r"at its end, and seek\(0\) goes back"):
        mw.load(file)


def test_a_text_file_is_refused_before_it_is_decoded() -> None:
    with MP3.open(encoding="utf-8") as file, pytest.raises(TypeError, match="open it in binary mode, 'rb'"):
        mw.load(file)


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("as_bytes", [False, True])
def test_a_tar_is_not_loaded_as_the_mp3_inside(tmp_path: Path, format: int, as_bytes: bool) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=format) as archive:
        archive.add(MP3, "one.mp3")
    for function in (mw.load, mw.info):
        with pytest.raises(mapwave.UnsupportedFormat, match="a tar archive; name a member, as in shard.tar::clip.flac"):
            function(path.read_bytes() if as_bytes else path)
    with tarfile.open(path) as archive:
        member, sr = mw.load(archive.extractfile("one.mp3"))
    whole, whole_sr = mw.load(MP3)
    assert sr == whole_sr
    np.testing.assert_array_equal(member, whole)


def test_a_zip_is_not_loaded_as_the_mp3_inside(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.write(MP3, "one.mp3")
    with pytest.raises(mapwave.UnsupportedFormat, match="a zip archive; unpack it first"):
        mw.load(path)


@pytest.mark.parametrize("head", [b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"<!DOCTYPE html>"])
def test_sync_words_inside_of_a_document_are_no_audio(head: bytes) -> None:
    with pytest.raises(mapwave.UnsupportedFormat) as caught:
        mw.load(head + bytes(100) + MP3.read_bytes())
    assert "plugins" not in str(caught.value)


@pytest.mark.parametrize(("theirs", "ours"), sorted(_shared.ELSEWHERE.items()))
def test_the_words_of_other_packages_lead_to_mapwaves(theirs: str, ours: str) -> None:
    assert hasattr(mw, ours)
    with pytest.raises(AttributeError) as error:
        getattr(mw, theirs)
    assert str(error.value) == f"module 'mapwave.numpy' has no attribute '{theirs}'; did you mean '{ours}'?"
    assert not hasattr(mw, theirs)
    code = f"import mapwave.numpy\nmapwave.numpy.{theirs}"
    done = subprocess.run([sys.executable, "-c", code], env=child.environment(), capture_output=True, text=True)
    assert done.stderr.splitlines()[-1].endswith(f"did you mean '{ours}'?")

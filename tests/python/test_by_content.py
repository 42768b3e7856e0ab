"""The bytes of a file decide what is read, not its name: by path, as bytes and as a file object alike."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import corpus
import mapwave
import mapwave.numpy
import numpy as np
import pytest

COMPRESSED = corpus.FIXTURES / "compressed"
CORPUS = Path(os.environ.get("MAPWAVE_CORPUS", corpus.FIXTURES.parents[1] / "shared" / "corpus")) / "files"

EXTENSIONS = ["", ".mp3", ".aac", ".wma", ".wav", ".txt"]

Read = Callable[[object], tuple[object, ...]]


def everything(source: object) -> tuple[object, ...]:
    """What `info` and `load` give, or how they fail."""
    try:
        info = mapwave.info(source)
        if isinstance(source, io.BytesIO):
            source.seek(0)
        frames, sr = mapwave.numpy.load(source, dtype="float32")
    except mapwave.AudioError as error:
        return (type(error).__name__,)
    facts = (info.frames, info.channels, info.sample_rate, info.is_truncated, info.plugin, info.codec, info.container)
    return (*facts, sr, frames.shape, frames.tobytes())


def facts(source: object) -> tuple[object, ...]:
    """What `info` gives, or how it fails."""
    try:
        info = mapwave.info(source)
    except mapwave.AudioError as error:
        return (type(error).__name__,)
    return (info.frames, info.channels, info.sample_rate, info.is_truncated, info.plugin, info.codec, info.container)


def in_every_way(data: bytes, directory: Path, read: Read = everything) -> tuple[object, ...]:
    """What a file gives, however it is passed and whatever it is called."""
    expected = read(data)
    assert read(io.BytesIO(data)) == expected
    for extension in EXTENSIONS:
        path = directory / f"file{extension}"
        path.write_bytes(data)
        assert read(path) == expected, extension or "no extension"
    return expected


def behind(kind: str, num_bytes: int) -> bytes:
    """Bytes that are not audio."""
    if kind == "text":
        return (b"The quick brown fox jumps over the lazy dog.\r\n" * (num_bytes // 46 + 1))[:num_bytes]
    if kind == "noise":
        return np.random.default_rng(num_bytes).bytes(num_bytes)
    return bytes(num_bytes)


@pytest.mark.parametrize("num_bytes", [1, 5000, 12_000, 256_000, 256 << 10])
@pytest.mark.parametrize("kind", ["text", "zeros", "noise"])
@pytest.mark.parametrize("name", ["mp3-no-xing.mp3", "mp2.mp2", "aac.aac"])
def test_frames_are_found_behind_other_bytes(name: str, kind: str, num_bytes: int, tmp_path: Path) -> None:
    data = (COMPRESSED / name).read_bytes()
    expected = everything(data)
    assert expected[4] == "builtin"
    assert in_every_way(behind(kind, num_bytes) + data, tmp_path) == expected


@pytest.mark.parametrize("cut", [1, 6, 100, 333])
def test_adts_that_begins_inside_a_frame(cut: int, tmp_path: Path) -> None:
    data = (COMPRESSED / "aac.aac").read_bytes()
    starts, at = [], 0
    while at < len(data):
        starts.append(at)
        at += (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    first = next(start for start in starts if start >= cut)
    found = in_every_way(data[cut:], tmp_path)
    assert found == everything(data[first:])
    assert found[0] == 1024 * (len(starts) - starts.index(first))


@pytest.mark.parametrize("junk", [b"", b"    ", bytes(2000)])
@pytest.mark.parametrize("end", [b"", b"TAG" + bytes(125)])
@pytest.mark.parametrize("num_frames", [2, 3, 58])
def test_adts_behind_a_tag_and_other_bytes(num_frames: int, end: bytes, junk: bytes, tmp_path: Path) -> None:
    data = (COMPRESSED / "aac.aac").read_bytes()
    at = 0
    for _ in range(num_frames):
        at += (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    tag = b"ID3\x03\0\0\0\0\0\x15TIT2\0\0\0\x0b\0\0\0title test"
    found = in_every_way(tag + junk + data[:at] + end, tmp_path)
    assert found == everything(data[:at])
    assert found[0] == 1024 * num_frames


@pytest.mark.parametrize("num_tag_bytes", [21, 70_000, 300_000])
@pytest.mark.parametrize(
    "name", ["flac16.flac", "flac.oga", "vorbis.ogg", "opus.opus", "opus-voice.ogg", "mp3-vbr-mono.mp3", "aac.aac"]
)
def test_what_follows_an_id3_tag_is_the_file(name: str, num_tag_bytes: int, tmp_path: Path) -> None:
    """Some programs write ID3v2 tags in front of any format, with pictures that are longer than what probing reads."""
    data = (COMPRESSED / name).read_bytes()
    expected = everything(data)
    assert expected[4] == "builtin"
    size = bytes(num_tag_bytes >> shift & 0x7F for shift in (21, 14, 7, 0))
    assert in_every_way(b"ID3\x03\0\0" + size + bytes(num_tag_bytes) + data, tmp_path) == expected


@pytest.mark.parametrize("path", sorted(COMPRESSED.glob("*.*")), ids=lambda path: path.name)
def test_fixtures_do_not_depend_on_their_names(path: Path, tmp_path: Path) -> None:
    if path.suffix == ".tsv":
        pytest.skip("a table")
    found = in_every_way(path.read_bytes(), tmp_path)
    assert found == everything(path)
    assert len(found) > 1


@pytest.mark.parametrize("kind", ["text", "zeros", "noise"])
@pytest.mark.parametrize("num_bytes", [1, 100, 5000, 50_000])
def test_what_is_no_audio_is_refused_in_every_way(kind: str, num_bytes: int, tmp_path: Path) -> None:
    data = behind(kind, num_bytes)
    with pytest.raises(mapwave.AudioError):
        mapwave.numpy.load(data, plugin="builtin")
    assert len(in_every_way(data, tmp_path, facts)) in (1, 7)


def test_the_corpus_does_not_depend_on_names(tmp_path: Path) -> None:
    files = sorted(path for path in CORPUS.rglob("*") if path.is_file())
    if not files:
        pytest.skip("the corpus is not there")
    differing = []
    for path in files:
        data = path.read_bytes()
        expected = facts(data)
        other = tmp_path / "renamed.bin"
        other.write_bytes(data)
        if not expected == facts(path) == facts(other) == facts(io.BytesIO(data)):
            differing.append(path.name)
    assert differing == []

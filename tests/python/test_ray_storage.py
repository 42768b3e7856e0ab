"""Where mapwave.ray reads and writes: URLs, and the file systems of pyarrow and fsspec."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path

import clipfile
import mapwave.ray
import numpy as np
import pytest
import soundfile

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed: make test-ecosystem")
fs = pytest.importorskip("pyarrow.fs", reason="pyarrow is not installed: make test-ecosystem")

from fsspec.implementations.memory import MemoryFileSystem  # noqa: E402
from mapwave.ray.storage import Storage, resolve, resolve_all  # noqa: E402


@pytest.fixture
def memory() -> Iterator[MemoryFileSystem]:
    """An empty object store."""
    store = fsspec.filesystem("memory")
    store.store.clear()
    yield store
    store.store.clear()


def _names(store: MemoryFileSystem, directory: str) -> set[str]:
    return {path.removeprefix(f"{directory}/") for path in store.find(directory)}


def test_a_directory_is_converted_into_an_object_store_and_back(tmp_path: Path, memory: MemoryFileSystem) -> None:
    paths = clipfile.make(tmp_path / "in" / "deep", 5, ("wav",))
    done = mapwave.ray.transcode(tmp_path / "in", "memory://bucket/out", "flac", files_per_task=2)
    assert (done.converted, done.kept, done.errors) == (5, 0, {})
    audio = {f"deep/{path.stem}.flac" for path in paths}
    assert _names(memory, "/bucket/out") == audio | {"_SUCCESS", "_manifest.jsonl", "_mapwave/settings.json"}
    rows = [json.loads(line) for line in memory.cat_file(done.manifest).splitlines()]
    assert {row["output"] for row in rows} == audio
    memory.rm_file("/bucket/out/deep/003.flac")
    again = mapwave.ray.transcode(tmp_path / "in", "memory://bucket/out", "flac")
    assert (again.converted, again.kept) == (1, 4)
    back = mapwave.ray.transcode("bucket/out", tmp_path / "back", "wav", filesystem=memory)
    assert (back.converted, back.errors) == (5, {})
    for path in paths:
        copy = tmp_path / "back" / "deep" / path.name
        assert np.array_equal(soundfile.read(copy, dtype="int16")[0], soundfile.read(path, dtype="int16")[0])


def test_another_file_system_is_written_by_way_of_a_scratch_file(tmp_path: Path) -> None:
    clipfile.make(tmp_path / "in", 3, ("wav",))
    below = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    done = mapwave.ray.transcode("in", "out", "flac", filesystem=below, to_filesystem=below)
    assert done.converted == 3
    found = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    audio = {"000.flac", "001.flac", "002.flac"}
    assert found == audio | {"_SUCCESS", "_manifest.jsonl", "_mapwave/settings.json"}


def test_an_object_store_is_asked_once_for_a_file(memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.pipe_file("/bucket/a.bin", b"12345")
    asked = []
    for name in ("info", "cat_file", "open", "_open", "ls", "exists"):
        real = getattr(MemoryFileSystem, name)

        def counted(self, *arguments, real=real, name=name, **options):
            asked.append(name)
            return real(self, *arguments, **options)

        monkeypatch.setattr(MemoryFileSystem, name, counted)
    storage, path = resolve("memory://bucket/a.bin")
    asked.clear()
    assert bytes(storage.source(path)) == b"12345"
    assert asked[0] == "cat_file"
    assert "info" not in asked


def test_errors_of_remote_files_name_their_paths(tmp_path: Path, memory: MemoryFileSystem) -> None:
    memory.pipe_file("/bucket/in/broken.wav", b"RIFF\0\0\0\0WAVE")
    done = mapwave.ray.transcode("memory://bucket/in", tmp_path / "out", "flac")
    assert done.errors["broken.wav"].startswith("/bucket/in/broken.wav: malformed wav file at byte 12")


@pytest.mark.parametrize(
    ("path", "expected"), [("a/b.wav", "a/b.wav"), ("file:///a/b.wav", "/a/b.wav"), ("local:///a b.wav", "/a b.wav")]
)
def test_local_paths(path: str, expected: str) -> None:
    assert resolve(path) == (Storage(), expected)
    assert resolve(expected, fs.LocalFileSystem()) == (Storage(), expected)
    assert resolve(expected, fsspec.filesystem("file")) == (Storage(), expected)


def test_a_storage_pickles(memory: MemoryFileSystem) -> None:
    memory.pipe_file("/bucket/a.bin", b"12345")
    storage, path = resolve("memory://bucket/a.bin")
    assert pickle.loads(pickle.dumps(storage)).read_bytes(path) == b"12345"


def test_two_file_systems_and_none_are_refused() -> None:
    with pytest.raises(ValueError, match="two file systems"):
        resolve_all(["memory://a/b.wav", "c.wav"])
    with pytest.raises(ValueError, match="two file systems"):
        resolve_all(["c.wav", "memory://a/b.wav"])
    with pytest.raises(TypeError, match=r"pyarrow\.fs or fsspec, and is a str"):
        resolve("a.wav", "s3")
    with pytest.raises(ValueError, match="paths is empty"):
        resolve_all([])

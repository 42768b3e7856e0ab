"""Where files are: local ones by path, all others through pyarrow or fsspec."""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

#: Object stores, where a file appears whole or not at all, by their names in pyarrow and fsspec. A rename would copy.
_WHOLE_OR_NOTHING = {"s3", "s3a", "gcs", "gs", "abfs", "abfss", "az", "adl", "oss", "r2", "memory"}


class Entry(NamedTuple):
    """A file of a listing."""

    path: str
    num_bytes: int
    #: When it was last changed, in nanoseconds; 0 where the file system does not say.
    mtime_ns: int


@dataclass(frozen=True)
class Storage:
    """A file system: this machine's own, or one of pyarrow."""

    #: A ``pyarrow.fs.FileSystem``, or None for local paths.
    filesystem: Any = None

    @property
    def is_local(self) -> bool:
        """Whether paths are local ones."""
        return self.filesystem is None

    def source(self, path: str) -> str | memoryview:
        """What ``mapwave.load`` takes for a path: the path itself, or the bytes of a remote file."""
        return path if self.filesystem is None else memoryview(self.read_bytes(path))

    def read_bytes(self, path: str) -> bytes:
        """The bytes of a file."""
        if self.filesystem is None:
            with open(path, "rb") as file:
                return file.read()
        inner = _inside(self.filesystem)
        if inner is not None:
            # One request, where an open file asks for its size first.
            return bytes(inner.cat_file(path))
        # Of a stream, pyarrow does not know the size and reads it in many requests.
        with self.filesystem.open_input_file(path) as file:
            return bytes(file.read())

    def exists(self, path: str) -> bool:
        """Whether there is a file or a directory."""
        if self.filesystem is None:
            return os.path.exists(path)
        return bool(self.filesystem.get_file_info(path).type.name != "NotFound")

    def is_directory(self, path: str) -> bool:
        """Whether a path is a directory. A remote path with an extension is taken for a file, without a request."""
        if self.filesystem is None:
            return os.path.isdir(path)
        if posixpath.splitext(path)[1]:
            return False
        return bool(self.filesystem.get_file_info(path).type.name == "Directory")

    def files(self, directory: str) -> Iterator[Entry]:
        """The files below a directory in order of their paths, without those whose names begin with "." or "_"."""
        if self.filesystem is None:
            yield from _local_files(directory)
            return
        from pyarrow.fs import FileSelector

        found = self.filesystem.get_file_info(FileSelector(directory, recursive=True))
        base = directory.rstrip("/") + "/"
        for info in sorted(found, key=lambda each: str(each.path)):
            parts = info.path.removeprefix(base).split("/")
            if info.is_file and not any(part.startswith((".", "_")) for part in parts):
                yield Entry(info.path, info.size or 0, info.mtime_ns or 0)

    def join(self, directory: str, *parts: str) -> str:
        """A path below a directory."""
        return os.path.join(directory, *parts) if self.filesystem is None else posixpath.join(directory, *parts)

    def relative(self, path: str, directory: str) -> str:
        """The part of a path below a directory, with "/" between its parts."""
        if self.filesystem is None:
            return os.path.relpath(path, directory).replace(os.sep, "/")
        return path.removeprefix(directory.rstrip("/") + "/")

    def names(self, directory: str) -> list[str]:
        """The names of the files right in a directory; none if there is no directory."""
        if self.filesystem is None:
            return sorted(os.listdir(directory)) if os.path.isdir(directory) else []
        from pyarrow.fs import FileSelector

        selector = FileSelector(directory, allow_not_found=True)
        return sorted(info.base_name for info in self.filesystem.get_file_info(selector) if info.is_file)

    def make_directory(self, path: str) -> None:
        """Makes a directory and those above it."""
        if self.filesystem is None:
            os.makedirs(path, exist_ok=True)
        elif not self.is_whole_or_nothing:
            self.filesystem.create_dir(path, recursive=True)

    def remove_file(self, path: str) -> None:
        """Removes a file, if it exists."""
        if self.filesystem is None:
            if os.path.exists(path):
                os.remove(path)
        elif self.exists(path):
            self.filesystem.delete_file(path)

    def remove_directory(self, path: str) -> None:
        """Removes a directory and all below it, if it exists."""
        if self.filesystem is None:
            shutil.rmtree(path, ignore_errors=True)
        elif self.filesystem.get_file_info(path).type.name == "Directory":
            self.filesystem.delete_dir(path)

    @property
    def is_whole_or_nothing(self) -> bool:
        """Whether a file appears at its path only when all of it is written, as in object stores."""
        return self.filesystem is not None and bool(_names(self.filesystem) & _WHOLE_OR_NOTHING)

    def write(self, path: str, data: bytes | memoryview, scratch: str) -> None:
        """Writes a file, which appears at its path whole or not at all.

        Args:
            path: The file; one that exists is replaced.
            data: All of its bytes.
            scratch: A path on the same file system for the time of writing, which nobody else uses.
        """
        first = path if self.is_whole_or_nothing else scratch
        if self.filesystem is None:
            with open(first, "wb") as file:
                file.write(data)
        else:
            with self.filesystem.open_output_stream(first, compression=None) as file:
                file.write(data)
        self.put_in_place(first, path)

    def put_in_place(self, scratch: str, path: str) -> None:
        """Moves a file that is whole to its path, in one step."""
        if scratch == path:
            return
        if self.filesystem is None:
            os.replace(scratch, path)
        else:
            self.filesystem.move(scratch, path)


def resolve(path: str | os.PathLike[str], filesystem: Any = None) -> tuple[Storage, str]:
    """The storage of a path, and the path there.

    Args:
        path: A local path, or a URL of a scheme that pyarrow or an installed package of fsspec knows: ``s3://``,
            ``gs://``, ``hdfs://``, ``file://``, ``memory://``, ...
        filesystem: A ``pyarrow.fs.FileSystem`` or an fsspec file system; None is the one that the path names.

    Returns:
        The storage and the path as the storage knows it.
    """
    text = os.fspath(path)
    scheme, separator, rest = text.partition("://")
    if filesystem is None:
        if not separator:
            return Storage(), text
        if scheme in ("file", "local"):
            return Storage(), rest
        return _of_url(text)
    filesystem = _as_pyarrow(filesystem)
    if _names(filesystem) & {"local", "file"}:
        return Storage(), rest if separator else text
    inner = _inside(filesystem)
    if inner is not None:
        return Storage(filesystem), str(inner._strip_protocol(text))
    return Storage(filesystem), rest if separator else text


def resolve_all(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], filesystem: Any = None
) -> tuple[Storage, list[str]]:
    """The storage of several paths, which must be one, and the paths there."""
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not given:
        raise ValueError("paths is empty: give a path, or a list of them")
    storage, first = resolve(given[0], filesystem)
    scheme = os.fspath(given[0]).partition("://")[:2]
    found = [first]
    for path in given[1:]:
        text = os.fspath(path)
        if filesystem is None and text.partition("://")[:2] != scheme and ("://" in text or scheme[1]):
            raise ValueError(f"paths name two file systems, {given[0]!r} and {text!r}: read each in a call of its own")
        if storage.is_local and "://" not in text:
            found.append(text)
        else:
            found.append(resolve(path, filesystem or storage.filesystem)[1])
    return storage, found


def _local_files(directory: str) -> Iterator[Entry]:
    for above, directories, names in os.walk(directory):
        directories[:] = sorted(name for name in directories if not name.startswith((".", "_")))
        for name in sorted(names):
            path = os.path.join(above, name)
            if name.startswith((".", "_")) or not os.path.isfile(path):
                continue
            facts = os.stat(path)
            yield Entry(path, facts.st_size, facts.st_mtime_ns)


def _of_url(url: str) -> tuple[Storage, str]:
    from pyarrow import ArrowInvalid
    from pyarrow.fs import FileSystem

    try:
        filesystem, path = FileSystem.from_uri(url)
    except ArrowInvalid as unknown:
        try:
            import fsspec
        except ImportError as error:
            raise ModuleNotFoundError(
                f"{url}: pyarrow does not know this scheme ({unknown}), and fsspec is missing: "
                "pip install 'mapwave[remote]'",
                name="fsspec",
            ) from error
        filesystem, path = fsspec.core.url_to_fs(url)
    return Storage(_as_pyarrow(filesystem)), path


def _as_pyarrow(filesystem: Any) -> Any:
    from pyarrow.fs import FileSystem, FSSpecHandler, PyFileSystem

    if isinstance(filesystem, FileSystem):
        return filesystem
    if hasattr(filesystem, "_strip_protocol") and hasattr(filesystem, "protocol"):
        return PyFileSystem(FSSpecHandler(filesystem))
    raise TypeError(f"filesystem must be of pyarrow.fs or fsspec, and is a {type(filesystem).__name__}")


def _names(filesystem: Any) -> set[str]:
    """The names that a file system of pyarrow goes by; those of fsspec have several."""
    inner = _inside(filesystem)
    if inner is None:
        return {filesystem.type_name}
    return {inner.protocol} if isinstance(inner.protocol, str) else set(inner.protocol)


def _inside(filesystem: Any) -> Any:
    """The file system of fsspec that one of pyarrow wraps, or None."""
    return getattr(getattr(filesystem, "handler", None), "fs", None)

"""Callables for ``Dataset.map_batches``: decode a column of files, encode a column of samples."""

from __future__ import annotations

import os
import posixpath
import uuid
from collections import Counter
from typing import Any

import numpy as np

from mapwave.types import SaveLayout

from .blocks import clip_columns
from .clips import OnError, check_on_error, decode, load_options
from .encoding import save_options, write_audio
from .storage import Storage, resolve


class DecodeAudio:
    """Decodes a column of paths or of files' bytes, for ``Dataset.map_batches``.

    ::

        clips = ray.data.read_parquet("clips.parquet")                      # a column "path"
        clips = clips.map_batches(DecodeAudio("path", sr=16000, mono=True), batch_size=64, batch_format="pyarrow")

    Batches may be dicts of NumPy arrays or Arrow tables; Arrow tables are faster. The other columns stay as they are.
    """

    def __init__(
        self,
        column: str,
        to: str = "amplitude",
        *,
        on_error: OnError = "raise",
        filesystem: Any = None,
        **load: Any,
    ) -> None:
        """
        Args:
            column: The column of paths, URLs or bytes, or of the structs of both that Hugging Face datasets have.
            to: The new column of samples. The column ``sample_rate`` is added too.
            on_error: As in `read_audio`.
            filesystem: As in `read_audio`.
            **load: Arguments of ``mapwave.load``: ``sr``, ``mono``, ``offset``, ``duration``, ``dtype``, ...
        """
        check_on_error(on_error)
        self._column = column
        self._to = to
        self._on_error: OnError = on_error
        self._filesystem = filesystem
        self._options = load_options(load)

    def __call__(self, batch: Any) -> Any:
        """The batch with the columns of samples and rates."""
        import pyarrow as pa

        table = as_table(batch)
        values = table.column(self._column).to_pylist()
        storage, sources = self._resolved(values)
        clips = list(decode(sources, storage, self._options, self._on_error))
        num_axes = 1 if self._options.get("squeeze_mono") else 2
        names = (self._to, "sample_rate")
        columns = clip_columns(clips, self._options.get("dtype", "float32"), num_axes, names)
        if self._on_error == "null":
            columns["error"] = pa.array([clip.error for clip in clips], pa.string())
        if len(clips) < len(values):
            table = table.take([clip.place for clip in clips])
        for name, column in columns.items():
            table = _with_column(table, name, column)
        return table

    def _resolved(self, values: list[Any]) -> tuple[Storage, list[Any]]:
        storage = resolve("", self._filesystem)[0] if self._filesystem is not None else None
        sources: list[Any] = []
        for value in values:
            if isinstance(value, dict):
                # The cells of a Hugging Face dataset's column of audio.
                value = value["bytes"] if value.get("bytes") is not None else value.get("path")
            if not isinstance(value, str):
                sources.append(value)
                continue
            found, path = resolve(value, storage and storage.filesystem)
            if storage is not None and found.filesystem != storage.filesystem:
                raise ValueError(f"the column {self._column!r} names two file systems, one of them in {value!r}")
            storage = found
            sources.append(path)
        return storage or Storage(), sources


class EncodeAudio:
    """Encodes a column of samples into files, for ``Dataset.map_batches``.

    A file is at its path only when all of it is written, and its name follows from the row alone, so that a task that
    Ray runs again writes the same files again. The batch that comes back has the column ``path`` of what was written
    instead of the samples.
    """

    def __init__(
        self,
        column: str,
        directory: str | os.PathLike[str],
        format: str,
        *,
        name: str = "path",
        relative_to: str | os.PathLike[str] | None = None,
        sample_rate: str | int = "sample_rate",
        layout: SaveLayout = "channels_first",
        filesystem: Any = None,
        **save: Any,
    ) -> None:
        """
        Args:
            column: The column of samples, as `read_audio` and `DecodeAudio` make it.
            directory: Where the files go: a directory, or a URL such as ``s3://bucket/out``.
            format: The format, which is the extension: "flac", "wav", "mp3", "opus", ...
            name: The column to name files after: the last part of a path, without its extension. Two rows of one name
                are one file, which is refused where both are in one batch.
            relative_to: The directory that these paths are below; the directories between it and a file are then made
                below the new directory too.
            sample_rate: The column of sample rates, or the rate of all rows.
            layout: The order of the axes of each row's samples.
            filesystem: As in `read_audio`.
            **save: Arguments of ``mapwave.save``: ``encoding``, ``bitrate``, ``dither``, ...
        """
        self._column = column
        self._directory = os.fspath(directory)
        self._format = format.lower().lstrip(".")
        self._name = name
        self._relative_to = None if relative_to is None else os.fspath(relative_to).rstrip("/") + "/"
        self._sample_rate = sample_rate
        self._layout: SaveLayout = layout
        self._filesystem = filesystem
        self._save = save_options(save)

    def __call__(self, batch: Any) -> Any:
        """Writes the files of a batch and returns it with their paths instead of the samples."""
        import pyarrow as pa

        table = as_table(batch)
        storage, directory = resolve(self._directory, self._filesystem)
        names = [self._file_name(str(name)) for name in table.column(self._name).to_pylist()]
        twice = next((name for name, count in Counter(names).items() if count > 1), None)
        if twice is not None:
            raise ValueError(f"several rows would be the file {twice}: give relative_to, or another column as name")
        for above in {posixpath.dirname(name) for name in names}:
            storage.make_directory(storage.join(directory, above))
        if isinstance(self._sample_rate, str):
            rates = table.column(self._sample_rate).to_pylist()
        else:
            rates = [self._sample_rate] * len(names)
        paths: list[str | None] = []
        for name, rate, cell in zip(names, rates, table.column(self._column), strict=True):
            samples = _samples(cell)
            if samples is None:
                paths.append(None)
                continue
            path = storage.join(directory, name)
            # A local save makes its own file beside the path and renames it.
            hidden = f".{uuid.uuid4().hex}.part"
            scratch = path if storage.is_local else storage.join(directory, posixpath.dirname(name), hidden)
            write_audio(storage, path, scratch, samples, rate, layout=self._layout, format=self._format, **self._save)
            paths.append(path)
        return _with_column(table.drop_columns([self._column]), "path", pa.array(paths, pa.string()))

    def _file_name(self, value: str) -> str:
        """The path of a row's file below the new directory."""
        if self._relative_to is None:
            below = posixpath.basename(value)
        elif value.startswith(self._relative_to):
            below = value.removeprefix(self._relative_to)
        else:
            raise ValueError(f"{value} is not below {self._relative_to}, which relative_to names")
        return f"{posixpath.splitext(below)[0]}.{self._format}"


def as_table(batch: Any) -> Any:
    """A batch in any of Ray's formats as an Arrow table."""
    import pyarrow as pa
    from ray.data.block import BlockAccessor

    if isinstance(batch, pa.Table):
        return batch
    return BlockAccessor.for_block(BlockAccessor.batch_to_block(batch)).to_arrow()


def _with_column(table: Any, name: str, column: Any) -> Any:
    """The table with a column added, or put in the place of the one of its name."""
    place = table.schema.get_field_index(name)
    return table.append_column(name, column) if place < 0 else table.set_column(place, name, column)


def _samples(cell: Any) -> np.ndarray[Any, Any] | None:
    """The samples of a cell: a tensor of Ray, or a list of numbers."""
    value = cell.as_py()
    return None if value is None else np.asarray(value, None if isinstance(value, np.ndarray) else np.float32)

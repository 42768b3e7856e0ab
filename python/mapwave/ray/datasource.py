"""Ray Data's reader of audio files, by mapwave."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ray.data import Datasource
from ray.data.block import BlockMetadata
from ray.data.datasource import ReadTask

from .blocks import clip_columns
from .clips import OnError, decode
from .storage import Storage

#: About what a row takes in memory: ten seconds of 16 kHz mono as float32. Ray plans with it until it has seen blocks.
_EXPECTED_ROW_BYTES = 640_000


class MapwaveAudioDatasource(Datasource):  # type: ignore[misc, unused-ignore]
    """Audio files as rows of ``amplitude`` (channels, frames) and ``sample_rate``, many files a block.

    Ray runs a task a block, since a block a file costs more than decoding it. A task holds its own paths alone.
    """

    def __init__(
        self,
        paths: Sequence[str],
        storage: Storage,
        options: dict[str, Any],
        *,
        on_error: OnError,
        rows_per_block: int,
        include_paths: bool,
    ) -> None:
        super().__init__()
        self._paths = paths
        self._storage = storage
        self._options = options
        self._on_error: OnError = on_error
        self._rows_per_block = rows_per_block
        self._include_paths = include_paths

    def get_name(self) -> str:
        """The name of the tasks in Ray's progress and statistics."""
        return "MapwaveAudio"

    @property
    def num_blocks(self) -> int:
        """The number of tasks, and of the blocks that they make."""
        return -(-len(self._paths) // self._rows_per_block)

    def estimate_inmemory_data_size(self) -> int:
        """About the bytes of all rows.

        The sizes of compressed files would say little, and each is a request.
        """
        return len(self._paths) * _EXPECTED_ROW_BYTES

    def get_read_tasks(
        self, parallelism: int, per_task_row_limit: int | None = None, data_context: Any = None
    ) -> list[ReadTask]:
        """A task for every `rows_per_block` files, however many Ray asks for."""
        tasks = []
        for start in range(0, len(self._paths), self._rows_per_block):
            paths = self._paths[start : start + self._rows_per_block]
            rows = None if self._on_error == "skip" else len(paths)
            metadata = BlockMetadata(num_rows=rows, size_bytes=None, input_files=None, exec_stats=None)
            tasks.append(ReadTask(self._reader(paths), metadata, per_task_row_limit=per_task_row_limit))
        return tasks

    def _reader(self, paths: Sequence[str]) -> Callable[[], Iterator[Any]]:
        # A task is sent what this function holds: no reference to the datasource with the paths of all the others.
        storage, options, on_error, include_paths = self._storage, self._options, self._on_error, self._include_paths

        def read() -> Iterator[Any]:
            yield read_block(paths, storage, options, on_error, include_paths)

        return read


def read_block(
    paths: Sequence[str], storage: Storage, options: dict[str, Any], on_error: OnError, include_paths: bool
) -> Any:
    """Decodes files into an Arrow table of a row each."""
    import pyarrow as pa

    clips = list(decode(paths, storage, options, on_error))
    num_axes = 1 if options.get("squeeze_mono") else 2
    columns = clip_columns(clips, options.get("dtype", "float32"), num_axes, ("amplitude", "sample_rate"))
    if include_paths:
        columns["path"] = pa.array([paths[clip.place] for clip in clips], pa.string())
    if on_error == "null":
        columns["error"] = pa.array([clip.error for clip in clips], pa.string())
    return pa.table(columns)

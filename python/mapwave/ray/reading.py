"""``read_audio``: a Ray dataset of audio files."""

from __future__ import annotations

import inspect
import os
from collections.abc import Sequence
from typing import Any

from .clips import OnError, check_on_error, load_options
from .storage import Storage, resolve_all

#: The extensions that files of audio have. Only the listing of directories uses them: mapwave knows files by content.
EXTENSIONS = frozenset(
    [
        "aac",
        "ac3",
        "adts",
        "aif",
        "aifc",
        "aiff",
        "amr",
        "ape",
        "au",
        "bw64",
        "caf",
        "dts",
        "eac3",
        "flac",
        "gsm",
        "m4a",
        "m4b",
        "mka",
        "mkv",
        "mov",
        "mp1",
        "mp2",
        "mp3",
        "mp4",
        "mpc",
        "oga",
        "ogg",
        "opus",
        "qoa",
        "rf64",
        "snd",
        "spx",
        "tta",
        "w64",
        "wav",
        "wave",
        "webm",
        "wma",
        "wv",
    ]
)


def read_audio(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    sr: float | None = None,
    mono: bool = False,
    offset: float | None = None,
    duration: float | None = None,
    dtype: Any = "float32",
    on_error: OnError = "raise",
    rows_per_block: int = 64,
    include_paths: bool = True,
    filesystem: Any = None,
    file_extensions: Sequence[str] | None = None,
    load: dict[str, Any] | None = None,
    **ray_options: Any,
) -> Any:
    """Reads audio files into a Ray dataset, as ``ray.data.read_audio`` does, in the same columns.

    The order of rows is not that of the files: tell rows by their path.

    Args:
        paths: A file or directory, or a list of them: local paths, or URLs such as ``s3://bucket/clips``. Directories
            are listed with those below them; names that begin with "." or "_" are left out, and so are files without an
            extension of audio.
        sr, mono, offset, duration, dtype: As in ``mapwave.load``.
        on_error: What becomes of a file that cannot be read. "raise" ends the dataset with mapwave's error; "skip"
            leaves its row out; "null" keeps the row with nulls and adds the column ``error``, which is null for all
            other rows. Ray shows a null ``amplitude`` as None in rows and as an empty array in batches.
        rows_per_block: The number of files that one task decodes into one block.
        include_paths: Add the column ``path``.
        filesystem: A ``pyarrow.fs.FileSystem`` or an fsspec file system for paths without a scheme.
        file_extensions: The extensions to take from directories, instead of all known ones.
        load: More arguments of ``mapwave.load``, such as ``{"resample_quality": "high"}``.
        **ray_options: Passed to ``ray.data.read_datasource``: ``num_cpus``, ``concurrency``, ``memory``, ...

    Returns:
        A ``ray.data.Dataset`` of ``amplitude`` (a tensor of channels and frames), ``sample_rate`` (int64) and ``path``.

    Raises:
        ModuleNotFoundError: Ray is not installed.
        FileNotFoundError: A directory has no audio files. Files are opened only when the dataset is read.
        ValueError, TypeError: An argument is out of range or unknown.
    """
    ray_data = require_ray()
    from .datasource import MapwaveAudioDatasource

    check_on_error(on_error)
    _check_ray_options(ray_data, ray_options)
    if rows_per_block < 1:
        raise ValueError(f"rows_per_block must be at least 1, and is {rows_per_block}")
    options = load_options(
        {"sr": sr, "mono": mono, "offset": offset, "duration": duration, "dtype": dtype, **(load or {})}
    )
    storage, found = resolve_all(paths, filesystem)
    source = MapwaveAudioDatasource(
        expand(found, storage, file_extensions),
        storage,
        options,
        on_error=on_error,
        rows_per_block=rows_per_block,
        include_paths=include_paths,
    )
    # Ray would otherwise split the blocks of a task again to have about 200 of them.
    ray_options.setdefault("override_num_blocks", source.num_blocks)
    return ray_data.read_datasource(source, **ray_options)


def _check_ray_options(ray_data: Any, options: dict[str, Any]) -> None:
    """Refuses arguments that ``read_datasource`` would ignore."""
    known = set(inspect.signature(ray_data.read_datasource).parameters) - {"datasource", "parallelism", "read_args"}
    for name in options:
        if name not in known:
            raise TypeError(f"read_audio has no argument {name!r}, and Ray neither: it has {', '.join(sorted(known))}")


def expand(paths: Sequence[str], storage: Storage, extensions: Sequence[str] | None = None) -> list[str]:
    """The files that paths name, with the audio files below each directory in its place."""
    wanted = EXTENSIONS if extensions is None else {each.lower().lstrip(".") for each in extensions}
    files: list[str] = []
    for path in paths:
        if not storage.is_directory(path):
            files.append(path)
            continue
        before = len(files)
        files += [entry.path for entry in storage.files(path) if extension(entry.path) in wanted]
        if len(files) == before:
            raise FileNotFoundError(f"{path}: no audio files in this directory, by their extensions")
    return files


def extension(path: str) -> str:
    """The extension of a path, in lower case and without the dot."""
    return os.path.splitext(path)[1].lower().lstrip(".")


def require_ray() -> Any:
    """``ray.data``, or an error that says how to install it."""
    try:
        import ray.data
    except ImportError as error:
        raise ModuleNotFoundError(
            f"Ray Data is not installed ({error}): pip install 'mapwave[ray]'",
            name=getattr(error, "name", None) or "ray",
        ) from error
    return ray.data

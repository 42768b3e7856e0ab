"""What is the same for every array library: the classes, the errors, saving and plugins."""

from __future__ import annotations

from . import errors
from ._core import (
    AudioInfo,
    Bext,
    Blocks,
    Frames,
    Limits,
    Loading,
    Loop,
    Loudness,
    Marker,
    Picture,
    Plot,
    Plugin,
    PluginDirectory,
    PreparedAudio,
    Reader,
    Stream,
    Track,
    Writer,
    build_info,
    defaults,
    limits,
    loudness,
    plot,
    plugin_directories,
    plugins,
    prepare_save,
    register_plugin,
    retag,
    save,
    save_prepared,
    silences,
    supports_soxr,
)
from .errors import (
    AudioError,
    AudioFileNotFound,
    AudioIOError,
    AudioIsADirectory,
    AudioPermissionDenied,
    InvalidArgument,
    LimitExceeded,
    MalformedFile,
    OutOfMemory,
    PluginError,
    SavedNotDurable,
    UnsupportedFormat,
)

TYPE_CHECKING = False  # the constant of typing, without all that typing imports
if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from typing import Any, Literal

    from . import aio as aio
    from ._core import Api
    from ._index import Index as Index
    from ._index import Paths
    from ._index import Row as Row
    from ._index import Window as Window
    from ._index import Windows as Windows
    from ._loader import Loader as Loader
    from ._push import Encoder as Encoder

__all__ = [
    "AudioError",
    "AudioFileNotFound",
    "AudioIOError",
    "AudioInfo",
    "AudioIsADirectory",
    "AudioPermissionDenied",
    "Bext",
    "Blocks",
    "Frames",
    "InvalidArgument",
    "LimitExceeded",
    "Limits",
    "Loading",
    "Loop",
    "Loudness",
    "MalformedFile",
    "Marker",
    "OutOfMemory",
    "Picture",
    "Plot",
    "Plugin",
    "PluginDirectory",
    "PluginError",
    "PreparedAudio",
    "Reader",
    "SavedNotDurable",
    "Stream",
    "Track",
    "UnsupportedFormat",
    "Writer",
    "defaults",
    "errors",
    "index",
    "limits",
    "loudness",
    "plot",
    "plugin_directories",
    "plugins",
    "prepare_save",
    "register_plugin",
    "retag",
    "save",
    "save_prepared",
    "show_build_info",
    "silences",
    "supports_soxr",
]

# What is imported when it is first asked for: see lazy.
LAZY = ["Encoder", "aio", "Index", "Loader", "Row", "Window", "Windows"]


def show_build_info() -> dict[str, Any]:
    """Returns the facts of this build and machine, as the doctor prints them.

    Returns:
        A dict with ``version``, ``target``, ``debug_assertions``, ``cpu_features``, ``num_processors``, ``containers``
        and ``dtypes``.
    """
    return build_info()


def index(
    paths: Paths,
    path: str | PathLike[str] | None = None,
    *,
    num_workers: int | None = None,
    progress: bool | Callable[[int, int], object] = True,
    on_error: Literal["record", "skip", "raise"] = "record",
    hash: str | None = None,
    seek_tables: bool = False,
) -> Index:
    """Finds the facts of many files and keeps them in a table.

    Args:
        paths: A file, a directory, a pattern such as ``"clips/**/*.flac"``, or several of them. Of directories the
            files count whose names end as those of audio do. A tar archive (``.tar``, not compressed) stands for its
            members whose names do: ``shard.tar::member.flac``, which every function that takes a path reads without
            extraction.
        path: Where the table is kept: a name that ends in ``.parquet``, which needs pyarrow (the extra ``data``), or in
            ``.jsonl``. Files whose size and time of change are those in the table are not opened again. After an
            interruption the next call goes on where this one was. None keeps the table in memory.
        num_workers: How many files to open at once; None is one for each processor.
        progress: True for a line on stderr where that is a terminal, or a function to call with (done, total).
        on_error: What becomes of a file that cannot be read: "record" keeps the error in its row, "skip" leaves it out,
            and "raise" raises the error.
        hash: The name of a hash of the bytes of each file, such as "sha256" or "blake2b"; None makes none.
        seek_tables: Keeps the seek table of each file that has one, so that windows of long files are read without a
            scan: a ``Loader`` uses it, and ``load`` takes it as ``seek_table``.

    Returns:
        Index: the rows in the order of paths, those of a directory, a pattern or an archive by their names.

    Raises:
        mapwave.InvalidArgument: A pattern matches nothing, or path is not a table of this kind.
        OSError: The table cannot be read or written.
    """
    from ._forks import Importing

    with Importing():
        from ._index import build

    return build(paths, path, num_workers, progress, on_error, hash, seek_tables)


#: What other packages call the functions.
ELSEWHERE = {
    "read": "load",
    "load_audio": "load",
    "write": "save",
    "SoundFile": "open",
    "get_duration": "info",
    "duration": "info",
    "blocks": "stream",
}


def lazy(name: str, api: Api[Any], module: str, *bases: type) -> object:
    """What a module has that is imported when it is first asked for, and kept there."""
    from ._forks import LOCKING, Importing

    with Importing(*LOCKING if name == "aio" else ()):
        import sys

        if name == "Loader":
            from ._loader import bound

            found: object = bound(api, module, *bases)
        elif name == "Encoder":
            from ._push import Encoder

            found = Encoder
        elif name == "aio":
            # `from . import aio` asks for the attribute that is being made.
            import importlib

            aio = importlib.import_module(".aio", __package__)
            found = aio if module == __package__ else aio.Library(api)
        elif name in LAZY:
            from . import _index

            found = getattr(_index, name)
        elif name in ELSEWHERE:
            # Without the module, so that the interpreter does not add what is merely spelled alike.
            wanted = f"module {module!r} has no attribute {name!r}; did you mean {ELSEWHERE[name]!r}?"
            raise AttributeError(wanted, name=name)
        else:
            raise AttributeError(f"module {module!r} has no attribute {name!r}", name=name, obj=sys.modules[module])
        setattr(sys.modules[module], name, found)
    return found

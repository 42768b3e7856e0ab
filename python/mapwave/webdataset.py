"""mapwave for WebDataset: a handler for ``decode`` that turns files of audio into arrays.

::

    import mapwave.webdataset
    import webdataset

    clips = webdataset.WebDataset("clips-{000..099}.tar").decode(mapwave.webdataset.decoder(sr=16000, mono=True))
    for clip in clips:
        audio, sr = clip["flac"]
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from ._adapters import checked, functions_of, load_cell

__all__ = ["EXTENSIONS", "decoder"]

#: The extensions of what is decoded.
EXTENSIONS = frozenset(["aac", "aif", "aiff", "caf", "flac", "m4a", "mp3", "ogg", "opus", "wav", "webm", "wma"])


def decoder(
    *, library: str = "numpy", extensions: Collection[str] = EXTENSIONS, **load: Any
) -> Callable[[str, bytes], tuple[Any, int] | None]:
    """Returns a handler for ``WebDataset.decode``.

    Args:
        library: The library of the arrays: "numpy", "mlx", "torch" or "jax".
        extensions: The extensions of the files to decode; other files are left to other handlers.
        **load: Arguments of ``mapwave.load``: ``sr``, ``mono``, ``dtype``, ...

    Returns:
        A function of a file's extension and bytes. It returns (audio, sample_rate), with an array of shape
        (channels, frames) as ``webdataset.torch_audio`` has it, or None for a file that is not of these extensions. It
        pickles.
    """
    options = {"layout": "channels_first", "threads": 1} | checked(load, functions_of(library).load, {"path"})
    return _Handler(library, frozenset(each.lower().lstrip(".") for each in extensions), options)


class _Handler:
    """The handler; a class, so that it pickles for the workers of a loader."""

    def __init__(self, library: str, extensions: frozenset[str], options: dict[str, Any]) -> None:
        self._library = library
        self._extensions = extensions
        self._options = options

    def __call__(self, key: str, data: bytes) -> tuple[Any, int] | None:
        if key.rpartition(".")[2].lower() not in self._extensions:
            return None
        cell = {"bytes": data, "path": f"<{key.lstrip('.')} of a sample>"}
        return load_cell(functions_of(self._library).load, cell, self._options)

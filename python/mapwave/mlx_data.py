"""mapwave for mlx-data: a transform that loads audio, in the place of ``load_audio``.

::

    import mapwave.mlx_data
    import mlx.data

    clips = mlx.data.buffer_from_vector([{"file": b"a.flac"}, {"file": b"b.opus"}])
    clips = clips.sample_transform(mapwave.mlx_data.LoadAudio("file", output_key="audio", sr=16000, mono=True))
"""

from __future__ import annotations

import os
from typing import Any

import mapwave.numpy

from ._adapters import checked, load_cell

__all__ = ["LoadAudio"]


class LoadAudio:
    """Loads the file that a sample names, for ``sample_transform`` of a Buffer or a Stream.

    The arguments are those of mlx-data's ``load_audio``, but for ``mapwave.load``'s own. The array has the shape
    (frames, channels), as mlx-data's. mlx-data runs Python functions one at a time; ``mapwave`` decodes without the
    interpreter's lock, so that several threads of ``prefetch`` still decode at once.
    """

    def __init__(
        self,
        key: str,
        prefix: str | os.PathLike[str] = "",
        *,
        from_memory: bool = False,
        output_key: str = "",
        sample_rate_key: str = "",
        **load: Any,
    ) -> None:
        """
        Args:
            key: The key of the file's path, as bytes or an array of them, or of the bytes of the file.
            prefix: The directory that paths are in.
            from_memory: The key has the bytes of the file instead of its path.
            output_key: The key of the array; empty for `key` itself.
            sample_rate_key: The key for the sample rate; empty for none.
            **load: Arguments of ``mapwave.load``: ``sr``, ``mono``, ``offset``, ``duration``, ``dtype``, ...
        """
        self._key = key
        self._prefix = os.fspath(prefix)
        self._from_memory = from_memory
        self._output_key = output_key or key
        self._sample_rate_key = sample_rate_key
        self._options = {"threads": 1} | checked(load, mapwave.numpy.load, {"path"})

    def __call__(self, sample: dict[str, Any]) -> dict[str, Any]:
        """The sample with its audio."""
        value = sample[self._key]
        data = value if isinstance(value, bytes) else value.tobytes()
        cell: Any = data if self._from_memory else os.path.join(self._prefix, os.fsdecode(data))
        audio, sr = load_cell(mapwave.numpy.load, cell, self._options)
        sample = {**sample, self._output_key: audio}
        if self._sample_rate_key:
            sample[self._sample_rate_key] = sr
        return sample

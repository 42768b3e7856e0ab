"""mapwave for Hugging Face datasets: decoded columns of audio, without PyTorch and torchcodec.

::

    import datasets
    import mapwave.hf

    speech = datasets.load_dataset("PolyAI/minds14", "en-US", split="train")
    speech = mapwave.hf.decode(speech, "audio", sr=16000, mono=True)
    speech[0]["audio"]["array"]
"""

from __future__ import annotations

from typing import Any

from ._adapters import checked, functions_of, load_cell

__all__ = ["Decoder", "decode"]


class Decoder:
    """Decodes a column of a batch, for ``with_transform``, ``set_transform`` and ``map(batched=True)``.

    The column is one of ``datasets.Audio(decode=False)``, of paths, or of bytes. Each cell becomes a dict of ``path``,
    ``array`` and ``sampling_rate``; the array has the shape (frames,) where there is one channel, and otherwise
    (channels, frames).
    """

    def __init__(self, column: str = "audio", *, library: str = "numpy", **load: Any) -> None:
        """
        Args:
            column: The name of the column.
            library: The library of the arrays: "numpy", "mlx", "torch" or "jax".
            **load: Arguments of ``mapwave.load``: ``sr``, ``mono``, ``offset``, ``duration``, ``dtype``, ...
        """
        self._column = column
        self._library = library
        defaults = {"layout": "channels_first", "squeeze_mono": True, "threads": 1}
        self._options = defaults | checked(load, functions_of(library).load, {"path"})

    def __call__(self, batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """The batch with the column decoded."""
        load = functions_of(self._library).load
        return {**batch, self._column: [self._decoded(load, cell) for cell in batch[self._column]]}

    def _decoded(self, load: Any, cell: Any) -> dict[str, Any] | None:
        if cell is None:
            return None
        array, sampling_rate = load_cell(load, cell, self._options)
        path = cell.get("path") if isinstance(cell, dict) else cell if isinstance(cell, str) else None
        return {"path": path, "array": array, "sampling_rate": sampling_rate}


def decode(dataset: Any, column: str = "audio", *, library: str = "numpy", **load: Any) -> Any:
    """Returns the dataset with a column of audio that mapwave decodes when rows are read.

    Args:
        dataset: A ``Dataset``, ``DatasetDict``, ``IterableDataset`` or ``IterableDatasetDict``.
        column, library, load: As in `Decoder`.

    Returns:
        The dataset. It replaces a transform that was set before. An ``IterableDataset`` decodes a row at a time.
    """
    import datasets

    decoder = Decoder(column, library=library, **load)
    dataset = dataset.cast_column(column, datasets.Audio(decode=False))
    if hasattr(dataset, "with_transform"):
        return dataset.with_transform(decoder)
    return dataset.map(decoder, batched=True, batch_size=1)

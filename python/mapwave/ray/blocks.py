"""The columns of a block in the types that Ray Data has for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .clips import Clip


def clip_columns(clips: Sequence[Clip], dtype: str, num_axes: int, names: tuple[str, str]) -> dict[str, Any]:
    """The two columns of decoded clips.

    Args:
        clips: The clips; those without samples become nulls.
        dtype: The type of the samples.
        num_axes: The number of axes of each clip.
        names: The names of the two columns.

    Returns:
        A tensor column of any shapes and a column of sample rates, by their names.
    """
    import pyarrow as pa

    rates = pa.array([clip.sample_rate for clip in clips], pa.int64())
    return {names[0]: _tensors([clip.amplitude for clip in clips], dtype, num_axes), names[1]: rates}


def _tensors(arrays: Sequence[np.ndarray[Any, Any] | None], dtype: str, num_axes: int) -> Any:
    """Ray's column of tensors of any shapes, with nulls, which Ray's own constructor does not make."""
    import pyarrow as pa
    from ray.data.extensions import ArrowVariableShapedTensorType

    offsets = np.zeros(len(arrays) + 1, np.int64)
    np.cumsum([0 if array is None else array.size for array in arrays], out=offsets[1:])
    # Each clip is copied once, into the buffer that Ray then puts into its object store.
    flat = np.empty(offsets[-1], dtype)
    shapes = np.zeros((len(arrays), num_axes), np.int64)
    for number, array in enumerate(arrays):
        if array is not None:
            flat[offsets[number] : offsets[number + 1]] = array.reshape(-1)
            shapes[number] = array.shape
    data = pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(flat))
    ends = np.arange(0, len(arrays) * num_axes + 1, num_axes, dtype=np.int32)
    shape = pa.ListArray.from_arrays(pa.array(ends), pa.array(shapes.reshape(-1)))
    is_null = pa.array([array is None for array in arrays])
    storage = pa.StructArray.from_arrays([data, shape], ["data", "shape"], mask=is_null)
    return ArrowVariableShapedTensorType(pa.from_numpy_dtype(np.dtype(dtype)), num_axes).wrap_array(storage)

"""The types of mapwave's arguments, for annotations."""

from __future__ import annotations

from os import PathLike
from typing import BinaryIO, Literal, TypeAlias

#: What is read: a path, the bytes of a file, or a binary file object.
Source: TypeAlias = str | PathLike[str] | PathLike[bytes] | bytes | bytearray | memoryview | BinaryIO

#: How several channels become one.
MonoMode: TypeAlias = Literal["mean", "equal_power"]

#: The order of an array's axes.
Layout: TypeAlias = Literal["channels_last", "channels_first"]

#: The types of samples; not every array library has all of them.
Dtype: TypeAlias = Literal["float32", "float16", "bfloat16", "float64", "int16", "int32"]

#: The qualities of resampling.
ResampleQuality: TypeAlias = Literal[
    "default",
    "fastest",
    "low",
    "medium",
    "high",
    "best",
    "soxr_hq",
    "soxr_vhq",
    "soxr_style",
    "soxr_compat",
    "torchaudio_compat",
]

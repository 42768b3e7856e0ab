"""The types of mapwave's arguments, for annotations."""

from __future__ import annotations

from os import PathLike
from typing import IO, BinaryIO, Literal, TypeAlias

#: What is read: a path, the bytes of a file, or a binary file object.
Source: TypeAlias = str | PathLike[str] | PathLike[bytes] | bytes | bytearray | memoryview | BinaryIO

#: How several channels become one.
MonoMode: TypeAlias = Literal["mean", "equal_power"]

#: The order of an array's axes.
Layout: TypeAlias = Literal["channels_last", "channels_first"]

#: The types of samples; not every array library has all of them.
Dtype: TypeAlias = Literal["float32", "float16", "bfloat16", "float64", "int16", "int32"]

#: The qualities of resampling: mapwave's own, those of its plugins, and the name of a quality that any other plugin has.
ResampleQuality: TypeAlias = (
    Literal[
        "default",
        "fastest",
        "low",
        "medium",
        "high",
        "best",
        "soxr_vhq",
        "soxr_hq",
        "soxr_mq",
        "soxr_lq",
        "soxr_qq",
        "soxr_style",
        "soxr_compat",
        "torchaudio_compat",
    ]
    | str
)

#: Where a file is written: a path, or a writable binary file object.
Target: TypeAlias = str | PathLike[str] | PathLike[bytes] | IO[bytes]

#: The order of the axes of an array to be saved.
SaveLayout: TypeAlias = Literal["auto", "channels_last", "channels_first"]

#: Bits a second: "auto", a number, or text such as "192k".
Bitrate: TypeAlias = str | int

#: What becomes of samples beyond full scale.
Clip: TypeAlias = bool | Literal["rescale"]

#: A level of FLAC compression from 0 to 8, or "default".
FlacCompression: TypeAlias = str | int

#: The noise that is added before samples are rounded to integers.
Dither: TypeAlias = Literal["none", "tpdf"]

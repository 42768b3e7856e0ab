"""The types of mapwave's arguments, for annotations."""

from __future__ import annotations

from os import PathLike
from typing import IO, Any, BinaryIO, Literal, Protocol, SupportsIndex, TypeAlias

#: What is read: a path, the bytes of a file, or a binary file object.
Source: TypeAlias = str | PathLike[str] | PathLike[bytes] | bytes | bytearray | memoryview | BinaryIO

#: How several channels become one.
MonoMode: TypeAlias = Literal["mean", "equal_power"]

#: The order of an array's axes.
Layout: TypeAlias = Literal["channels_last", "channels_first"]

#: The types of samples; not every array library has all of them.
Dtype: TypeAlias = Literal["float32", "float16", "bfloat16", "float64", "int16", "int32"]


class _Named(Protocol):
    """``numpy.dtype``."""

    @property
    def name(self) -> str: ...

    @property
    def itemsize(self) -> int: ...


class _Itemsize(Protocol):
    """``torch.dtype``."""

    @property
    def is_floating_point(self) -> bool: ...

    @property
    def itemsize(self) -> int: ...


class _Size(Protocol):
    """``mlx.core.Dtype``."""

    @property
    def size(self) -> int: ...


#: A type of samples by its name, or as a library's own object: ``mx.float16``, ``np.float32``, ``np.dtype("int16")``,
#: ``torch.bfloat16``, ``jnp.float32``.
DtypeLike: TypeAlias = Dtype | type[Any] | _Named | _Itemsize | _Size

#: A sample rate in Hz: a whole number, as an int, a NumPy integer or a float without a fraction.
SampleRate: TypeAlias = float | SupportsIndex

#: The qualities of mapwave's own resampler.
OwnResampleQuality: TypeAlias = Literal["fastest", "low", "medium", "high", "best"]

#: The qualities of resampling: mapwave's own, those of its plugins, and the name of a quality of any other plugin.
ResampleQuality: TypeAlias = (
    OwnResampleQuality
    | Literal[
        "default",
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

#: An encoding or a codec, by any of its names, or a dtype.
Encoding: TypeAlias = str | type[Any] | _Named

#: What becomes of samples beyond full scale.
Clip: TypeAlias = bool | Literal["rescale"]

#: A level of FLAC compression from 0 to 8, or "default".
FlacCompression: TypeAlias = str | int

#: The noise that is added before samples are rounded to integers.
Dither: TypeAlias = Literal["none", "tpdf"]

"""The interface of soundfile over mapwave: ``from mapwave.compat import soundfile as sf``.

Reads everything that mapwave reads, and writes WAV, RF64, W64, AIFF, CAF, FLAC, MP3 and Ogg. Files are written as
mapwave writes them: they appear at their path when they are closed. docs/migrate/from-soundfile.md lists what differs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from io import BytesIO
from operator import index
from os import SEEK_CUR, SEEK_END, SEEK_SET
from typing import Any

from .. import numpy as mw
from ._numpy import np
from ._soundfile_arguments import (
    BITRATE_MODES,
    check_mode,
    combination,
    compression,
    default_subtype,
    dtype_name,
    known_format,
    written_type,
)
from ._soundfile_errors import LibsndfileError, SoundFileError, SoundFileRuntimeError, translated
from ._soundfile_files import Target, bytes_of, extension, is_file_object
from ._soundfile_names import (
    DTYPES,
    FORMATS,
    OTHER_FORMATS,
    SUBTYPES,
    TEXTS,
    WAVE_TAGS,
    endian_of,
    format_of,
    opus_rate,
    riff_texts,
    subtype_of,
    unscaled,
)

__all__ = [
    "SEEK_CUR",
    "SEEK_END",
    "SEEK_SET",
    "LibsndfileError",
    "SoundFile",
    "SoundFileError",
    "SoundFileRuntimeError",
    "available_formats",
    "available_subtypes",
    "blocks",
    "check_format",
    "default_subtype",
    "info",
    "read",
    "write",
]

#: The versions of soundfile and libsndfile whose behaviour this module has.
__version__ = "0.14.0"
__libsndfile_version__ = "1.2.2"

# The bytes at the start of a file that have its facts.
_HEAD_BYTES = 4096


def read(
    file: Any,
    frames: int = -1,
    start: int = 0,
    stop: int | None = None,
    dtype: Any = "float64",
    always_2d: bool = False,
    fill_value: float | None = None,
    out: Any = None,
    samplerate: int | None = None,
    channels: int | None = None,
    format: str | None = None,
    subtype: str | None = None,
    endian: str | None = None,
    closefd: bool = True,
) -> tuple[np.ndarray[Any, Any], int]:
    """Reads a file, or a part of it, into an array of shape (frames, channels), or (frames,) for one channel.

    Returns:
        (data, samplerate).
    """
    wanted = dtype if out is None else out.dtype
    with _opened(wanted, file, "r", samplerate, channels, subtype, endian, format, closefd) as sound:
        frames = sound._prepare_read(start, stop, frames)
        data = sound.read(frames, dtype, always_2d, fill_value, out)
    return data, sound.samplerate


def write(
    file: Any,
    data: Any,
    samplerate: int,
    subtype: str | None = None,
    endian: str | None = None,
    format: str | None = None,
    closefd: bool = True,
    compression_level: float | None = None,
    bitrate_mode: str | None = None,
) -> None:
    """Writes an array of shape (frames, channels) or (frames,) to a file.

    An old file is replaced when the new one is complete.
    """
    data = np.asarray(data)
    channels = 1 if data.ndim == 1 else data.shape[1]
    options = (subtype, endian, format, closefd, compression_level, bitrate_mode)
    with _opened(data.dtype, file, "w", samplerate, channels, *options) as sound:
        sound.write(data)


def blocks(
    file: Any,
    blocksize: int | None = None,
    overlap: int = 0,
    frames: int = -1,
    start: int = 0,
    stop: int | None = None,
    dtype: Any = "float64",
    always_2d: bool = False,
    fill_value: float | None = None,
    out: Any = None,
    samplerate: int | None = None,
    channels: int | None = None,
    format: str | None = None,
    subtype: str | None = None,
    endian: str | None = None,
    closefd: bool = True,
) -> Iterator[np.ndarray[Any, Any]]:
    """Yields a file in blocks, each starting ``blocksize - overlap`` frames after the one before."""
    wanted = dtype if out is None else out.dtype
    with _opened(wanted, file, "r", samplerate, channels, subtype, endian, format, closefd) as sound:
        frames = sound._prepare_read(start, stop, frames)
        yield from sound.blocks(blocksize, overlap, frames, dtype, always_2d, fill_value, out)


def info(file: Any, verbose: bool = False) -> _SoundFileInfo:
    """Describes a file."""
    return _SoundFileInfo(file, verbose)


def available_formats() -> dict[str, str]:
    """The major formats that mapwave writes, with a description of each."""
    return {name: facts.description for name, facts in FORMATS.items()}


def available_subtypes(format: str | None = None) -> dict[str, str]:
    """The subtypes that mapwave writes, or those of one format, with a description of each."""
    return {
        name: facts.description
        for name, facts in SUBTYPES.items()
        if facts.encoding and (format is None or check_format(format, name))
    }


def check_format(format: str, subtype: str | None = None, endian: str | None = None) -> bool:
    """Whether mapwave writes this combination."""
    try:
        combination(format, subtype, endian)
    except (ValueError, TypeError):
        return False
    return True


class SoundFile:
    """A sound file that is read (mode "r") or written ("w", or "x" for a file that must not exist yet).

    A file that is read and written at once ("r+", "w+", "x+") is not supported.
    """

    # For an instance whose construction failed.
    _closed = True
    # The type that is read or written first: the file is opened with it.
    _dtype: Any = "float64"

    def __init__(
        self,
        file: Any,
        mode: str | None = "r",
        samplerate: int | None = None,
        channels: int | None = None,
        subtype: str | None = None,
        endian: str | None = None,
        format: str | None = None,
        closefd: bool = True,
        compression_level: float | None = None,
        bitrate_mode: str | None = None,
    ) -> None:
        """Opens a file: a path, a file descriptor, or a binary file object, which is read from its position to its end.

        The format, the rate and the other facts must be given for a file that is written, and not for one that is read.
        """
        self._name = file = os.fspath(file) if isinstance(file, os.PathLike) else file
        if mode is None:
            mode = getattr(file, "mode", None)
            if mode is None:
                raise TypeError("Can not get `mode` from file. provided `mode` is None.")
        check_mode(mode)
        self._mode: str = mode
        self._compression_level, self._bitrate_mode = compression_level, bitrate_mode
        if "r" in mode:
            self._check_reading_of(samplerate, channels, format, subtype, endian)
        else:
            self._check_writing_of(samplerate, channels, format, subtype, endian)
        if not isinstance(file, str | bytes | int) and not is_file_object(file, mode):
            raise TypeError(f"Invalid file: {file!r}")
        if "x" in mode and isinstance(file, str | bytes) and os.path.isfile(file):
            raise OSError(f"File exists: {file!r}")
        if "+" in mode:
            raise SoundFileRuntimeError(
                f"mapwave does not read and write a file at once: mode {mode!r} is not supported; "
                f"read the old file and write a new one, which may have the same path"
            )
        self._position: int = 0
        self._texts: dict[str, str] = {}
        self._open_source(file, closefd)
        with translated(f"Error opening {self._name!r}: "):
            if "r" in mode:
                self._start_reading()
            else:
                self._start_writing()
        self._closed = False

    def _check_reading_of(self, samplerate: Any, channels: Any, format: Any, subtype: Any, endian: Any) -> None:
        if format is not None:
            known_format(format)
        if (format or extension(self._name)).upper() == "RAW":
            if samplerate is None or channels is None or subtype is None:
                raise TypeError("samplerate, channels and subtype must be specified for a file without a header")
            raise SoundFileRuntimeError(
                "mapwave reads no file without a header: read the samples with numpy.fromfile, and divide integers by "
                "their full scale"
            )
        if any(argument is not None for argument in (samplerate, channels, format, subtype, endian)):
            raise TypeError(
                "Not allowed for existing files (except 'RAW'): samplerate, channels, format, subtype, endian"
            )

    def _check_writing_of(self, samplerate: Any, channels: Any, format: Any, subtype: Any, endian: Any) -> None:
        if format is None:
            format = extension(self._name)
            if format.upper() not in (*FORMATS, *OTHER_FORMATS):
                raise TypeError(f"No format specified and unable to get format from file extension: {self._name!r}")
        if samplerate is None:
            raise TypeError("samplerate must be specified")
        self._samplerate = index(samplerate)
        if channels is None:
            raise TypeError("channels must be specified")
        self._channels = index(channels)
        self._format, self._subtype, self._endian = combination(format, subtype, endian)
        level = self._compression_level
        if level is not None and not 0 <= level <= 1:
            raise ValueError("Compression level must be in range [0..1]")
        if level is not None and self._bitrate_mode is not None and self._bitrate_mode not in BITRATE_MODES:
            raise ValueError(f"bitrate_mode must be one of {BITRATE_MODES}, got {self._bitrate_mode!r}")

    def _open_source(self, file: Any, closefd: bool) -> None:
        """Sets what mapwave opens: a path, the bytes of a file object, or a file object to write to."""
        self._owned = None
        if isinstance(file, str | bytes):
            self._source: Any = os.fsdecode(file)
            return
        if isinstance(file, int):
            self._owned = file = os.fdopen(file, "rb" if "r" in self._mode else "wb", closefd=closefd, buffering=0)
        self._source = bytes_of(file) if "r" in self._mode else Target.of(file)

    # Reading

    def _start_reading(self) -> None:
        self._readers = {self._dtype: mw.open(self._source, dtype=self._dtype)}
        reader = self._readers[self._dtype]
        self._info = reader.info()
        self._subtype = subtype_of(self._info)
        self._samplerate = self._info.sample_rate
        if self._subtype == "OPUS" and opus_rate(self._head()) != self._samplerate:
            self._samplerate = opus_rate(self._head())
            self._readers[self._dtype] = reader = mw.open(self._source, dtype=self._dtype, sr=self._samplerate)
        self._frames, self._channels = reader.frames, reader.channels
        self._format = format_of(self._info, self._head() if self._info.container == "wav" else b"")
        self._endian = endian_of(self._info, self._format)

    def _head(self) -> bytes:
        if not isinstance(self._source, str):
            return bytes(self._source[:_HEAD_BYTES])
        with open(self._source, "rb") as file:
            return file.read(_HEAD_BYTES)

    def _samples(self, start: int, stop: int, dtype: Any) -> np.ndarray[Any, Any]:
        """Frames as an array of shape (frames, channels)."""
        stored: Any = dtype
        is_unscaled = dtype.startswith("int") and self._subtype in ("FLOAT", "DOUBLE")
        is_shifted = dtype == "int16" and (self._info.bit_depth or 0) > 16 and not is_unscaled
        if is_unscaled or is_shifted:
            stored = "float64" if is_unscaled else "int32"
        with translated(f"Error reading {self._name!r}: "):
            if stored not in self._readers:
                sr = self._samplerate if self._samplerate != self._info.sample_rate else None
                self._readers[stored] = mw.open(self._source, dtype=stored, sr=sr)
            samples: np.ndarray[Any, Any] = self._readers[stored][start:stop]
        if is_unscaled:
            return unscaled(samples, dtype)
        return np.asarray(samples >> 16, np.int16) if is_shifted else samples

    def read(
        self,
        frames: int = -1,
        dtype: Any = "float64",
        always_2d: bool = False,
        fill_value: float | None = None,
        out: Any = None,
    ) -> np.ndarray[Any, Any]:
        """Reads frames from the position on; all remaining ones if ``frames`` is negative.

        Fewer are returned at the end of the file, unless there is a ``fill_value``.
        """
        self._check_reading()
        if out is None:
            frames = self._check_frames(frames, fill_value)
            name = dtype_name(np.dtype(dtype).name)
        else:
            frames = len(out) if not 0 <= frames <= len(out) else frames
            name = self._check_out(out)
        samples = self._advance(frames, name)
        if samples.shape[1] == 1 and not (always_2d if out is None else out.ndim == 2):
            samples = samples.reshape(-1)
        if out is None:
            if len(samples) == frames or fill_value is None:
                return samples
            out = np.empty((frames, *samples.shape[1:]), name)
        out[: len(samples)] = samples
        if fill_value is None:
            out = _first(out, len(samples))
        else:
            out[len(samples) :] = fill_value
        filled: np.ndarray[Any, Any] = out
        return filled

    def buffer_read(self, frames: int = -1, dtype: Any = None) -> memoryview:
        """Reads frames as bytes."""
        self._check_reading()
        name = dtype_name(dtype)
        samples = self._advance(self._check_frames(frames, None), name)
        return samples.data.cast("B") if samples.size else memoryview(b"")

    def buffer_read_into(self, buffer: Any, dtype: Any) -> int:
        """Reads frames into a writable buffer and returns their number."""
        self._check_reading()
        filled = self._frames_of(buffer, dtype)
        samples = self._advance(len(filled), filled.dtype.name)
        filled[: len(samples)] = samples
        return len(samples)

    def blocks(
        self,
        blocksize: int | None = None,
        overlap: int = 0,
        frames: int = -1,
        dtype: Any = "float64",
        always_2d: bool = False,
        fill_value: float | None = None,
        out: Any = None,
    ) -> Iterator[np.ndarray[Any, Any]]:
        """Yields blocks from the position on, each starting ``blocksize - overlap`` frames after the one before."""
        if "r" not in self._mode:
            raise SoundFileRuntimeError("blocks() is not allowed in write-only mode")
        frames = self._check_frames(frames, fill_value)
        if out is None and blocksize is None:
            raise TypeError("One of {blocksize, out} must be specified")
        if out is not None and blocksize is not None:
            raise TypeError("Only one of {blocksize, out} may be specified")
        size = len(out) if blocksize is None else blocksize
        if size <= overlap:
            raise ValueError(f"a block must be longer than the overlap, got {size} frames and an overlap of {overlap}")
        start, stop = self._position, self._position + frames
        reached = start
        while reached < stop:
            self._position = min(start, self._frames)
            wanted = min(size, stop - start)
            yield self._block(wanted, size, dtype, always_2d, fill_value, out)
            reached = start + wanted
            self._position = min(reached, self._frames)
            start = reached - overlap

    def _block(
        self, frames: int, size: int, dtype: Any, always_2d: bool, fill_value: float | None, out: Any
    ) -> np.ndarray[Any, Any]:
        """The next frames, with those that are missing from a block of ``size`` filled if there is a value for them."""
        if fill_value is None:
            return self.read(frames, dtype, always_2d, None, None if out is None else _first(out, frames))
        if out is not None:
            dtype, always_2d = out.dtype, out.ndim == 2
        samples = self.read(frames, dtype, always_2d)
        block = np.empty((size, *samples.shape[1:]), samples.dtype) if out is None else out
        block[: len(samples)] = samples
        block[len(samples) :] = fill_value
        return block

    def _advance(self, frames: int, dtype: str) -> np.ndarray[Any, Any]:
        start, stop = self._position, min(self._position + frames, self._frames)
        samples = self._samples(start, stop, dtype)
        self._position = stop
        return samples

    def _check_reading(self) -> None:
        self._check_if_closed()
        if "r" not in self._mode:
            raise SoundFileRuntimeError(f"{self._name!r} is open for writing, and cannot be read")

    def _check_out(self, out: Any) -> str:
        """The name of the type of an array to be filled."""
        if out.ndim not in (1, 2):
            raise ValueError(f"Invalid shape: {out.shape!r} (an array must have 1 or 2 dimensions)")
        channels = 1 if out.ndim == 1 else out.shape[1]
        if channels != self._channels:
            raise ValueError(f"Invalid shape: {out.shape!r} (Expected {self._channels} channels, got {channels})")
        if not out.flags.c_contiguous:
            raise ValueError("Data must be C-contiguous")
        return dtype_name(out.dtype.name)

    def _check_frames(self, frames: int, fill_value: float | None) -> int:
        """The number of frames that are read: no more than remain, unless the rest is filled."""
        remaining = self._frames - self._position
        return remaining if frames < 0 or (frames > remaining and fill_value is None) else frames

    def _prepare_read(self, start: int, stop: int | None, frames: int) -> int:
        """Moves to the first frame and returns how many are to be read."""
        if frames >= 0 and stop is not None:
            raise TypeError("Only one of {frames, stop} may be used")
        start, stop, _ = slice(start, stop).indices(self._frames)
        self.seek(start)
        return max(stop - start, 0) if frames < 0 else frames

    def _frames_of(self, buffer: Any, dtype: Any) -> np.ndarray[Any, Any]:
        """A buffer as an array of frames over its own memory."""
        flat = np.frombuffer(buffer, np.uint8)
        frame = self._channels * np.dtype(dtype_name(dtype)).itemsize
        if len(flat) % frame:
            raise ValueError("Data size must be a multiple of frame size")
        frames: np.ndarray[Any, Any] = flat.view(dtype).reshape(-1, self._channels)
        return frames

    # Writing

    def _start_writing(self) -> None:
        self._frames = 0
        self._writer: Any = None
        self._written: tuple[str, dict[str, str]] = ("", {})
        # A file object receives its first bytes with the first samples.
        if isinstance(self._source, str):
            self._writer_of(self._dtype)

    def _writer_of(self, dtype: Any) -> Any:
        """The writer for samples of a type; opened again while nothing is written and type or texts change."""
        if self._writer is None or (not self._frames and self._written != (dtype, self._texts)):
            if self._writer is not None:
                self._writer.abort()
            self._written = (dtype, dict(self._texts))
            subtype = SUBTYPES[self._subtype]
            options: dict[str, Any] = {
                "dtype": dtype,
                "format": FORMATS[self._format].written_as,
                "encoding": subtype.encoding,
                "bit_depth": subtype.bit_depth,
                "clip": self._subtype not in ("FLOAT", "DOUBLE"),
                "tags": {TEXTS[name]: text for name, text in self._texts.items()} or None,
                **compression(self._subtype, self._compression_level, self._bitrate_mode, self._channels),
            }
            self._writer = mw.open(self._source, "w", sr=self._samplerate, channels=self._channels, **options)
        return self._writer

    def write(self, data: Any) -> None:
        """Writes an array of shape (frames, channels), or (frames,) for one channel, at the position."""
        self._check_if_closed()
        if "r" in self._mode:
            raise SoundFileRuntimeError(f"{self._name!r} is open for reading, and cannot be written")
        data = np.ascontiguousarray(data)
        self._check_out(data)
        if self._position < self._frames:
            raise SoundFileRuntimeError("mapwave cannot write over what it has written: the position must be the end")
        if self._position > self._frames:
            hole = np.zeros((self._position - self._frames, self._channels), data.dtype)
            self._position = self._frames
            self.write(hole)
        with translated(f"Error writing {self._name!r}: "):
            if data.dtype.kind == "i" and self._subtype in ("FLOAT", "DOUBLE"):
                data = data.astype("float64")
            dtype: Any = self._written[0] if self._frames else written_type(data.dtype.name, self._subtype)
            if dtype != data.dtype.name:
                data = mw.resample(data, 1, 1, layout="channels_last", dtype=dtype)
            writer = self._writer_of(dtype)
            writer.write(data)
        self._frames += len(data)
        self._position = self._frames

    def buffer_write(self, data: Any, dtype: Any) -> None:
        """Writes frames from a buffer."""
        self.write(self._frames_of(data, dtype))

    # The position, and both

    def seekable(self) -> bool:
        """Whether the file has a position that can be set."""
        return True

    def seek(self, frames: int, whence: int = SEEK_SET) -> int:
        """Moves to a frame, counted from the start, the position or the end, and returns the new position."""
        self._check_if_closed()
        origin = {SEEK_SET: 0, SEEK_CUR: self._position, SEEK_END: self._frames}.get(whence)
        position = None if origin is None else origin + index(frames)
        if position is None or position < 0 or ("r" in self._mode and position > self._frames):
            raise SoundFileRuntimeError(
                f"cannot seek to frame {position}: the file has {self._frames} frames (whence is {whence})"
            )
        self._position = position
        return self._position

    def tell(self) -> int:
        """The position."""
        self._check_if_closed()
        return self._position

    def truncate(self, frames: int | None = None) -> None:
        """Not supported: mapwave does not change a file in place."""
        raise SoundFileRuntimeError(
            f"Error truncating {self._name!r}: mapwave does not change a file in place; write a new one"
        )

    def flush(self) -> None:
        """Has no effect: a file appears, complete, when it is closed."""
        self._check_if_closed()

    def close(self) -> None:
        """Closes the file; one that was written appears at its path."""
        if self._closed:
            return
        try:
            if "r" in self._mode:
                for reader in self._readers.values():
                    reader.close()
            else:
                with translated(f"Error writing {self._name!r}: "):
                    self._writer_of(self._written[0] or self._dtype).close()
        finally:
            self._closed = True
            if self._owned is not None:
                self._owned.close()

    def _check_if_closed(self) -> None:
        if self._closed:
            raise SoundFileRuntimeError("I/O operation on closed file")

    # Facts

    name = property(lambda self: self._name, doc="What the file was opened by.")
    mode = property(lambda self: self._mode, doc="The mode that the file was opened in.")
    samplerate = property(lambda self: self._samplerate, doc="The sample rate in Hz.")
    frames = property(lambda self: self._frames, doc="The number of frames.")
    channels = property(lambda self: self._channels, doc="The number of channels.")
    format = property(lambda self: self._format, doc="The major format, such as 'WAV'.")
    subtype = property(lambda self: self._subtype, doc="The subtype, such as 'PCM_16'.")
    endian = property(lambda self: self._endian, doc="The byte order: 'FILE' for the usual one of the format.")
    sections = property(lambda self: 1, doc="The number of sections.")
    closed = property(lambda self: self._closed, doc="Whether the file is closed.")
    compression_level = property(lambda self: self._compression_level, doc="The compression level asked for.")
    bitrate_mode = property(lambda self: self._bitrate_mode, doc="The bitrate mode asked for.")

    @property
    def format_info(self) -> str:
        """A description of the major format."""
        if self._format in FORMATS:
            return FORMATS[self._format].description
        return OTHER_FORMATS.get(self._format, self._format)

    @property
    def subtype_info(self) -> str:
        """A description of the subtype."""
        return SUBTYPES[self._subtype].description if self._subtype in SUBTYPES else self._subtype

    @property
    def extra_info(self) -> str:
        """The facts of the file, one a line."""
        facts: dict[str, object] = {"Format": self._format, "Subtype": self._subtype}
        if self._format in ("WAV", "WAVEX", "RF64", "W64"):
            facts["Format tag"] = WAVE_TAGS.get(self._subtype, "WAVE_FORMAT_PCM")
        facts |= {"Channels": self._channels, "Sample rate": self._samplerate, "Frames": self._frames}
        return "\n".join(f"{name} : {value}" for name, value in facts.items())

    def copy_metadata(self) -> dict[str, str]:
        """The texts of the file by their names, such as "title"."""
        return {name: text for name in TEXTS if (text := self._text(name))}

    def _text(self, name: str) -> str:
        if "r" not in self._mode:
            return self._texts.get(name, "")
        tags = self._tags
        return str(tags.get(TEXTS[name]) or (tags.get("description") if name == "comment" else None) or "")

    @cached_property
    def _tags(self) -> dict[str, str]:
        if self._format not in ("WAV", "WAVEX", "RF64"):
            return dict(self._info.tags)
        if not isinstance(self._source, str):
            return riff_texts(BytesIO(self._source))
        with open(self._source, "rb") as file:
            return riff_texts(file)

    def _getAttributeNames(self) -> dict[str, str]:
        return TEXTS

    def __getattr__(self, name: str) -> Any:
        if name not in TEXTS:
            raise AttributeError(f"'SoundFile' object has no attribute {name!r}")
        self._check_if_closed()
        return self._text(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in TEXTS:
            object.__setattr__(self, name, value)
            return
        self._check_if_closed()
        if "r" in self._mode:
            raise SoundFileRuntimeError(f"{self._name!r} is open for reading: its {name} cannot be set")
        if self._frames:
            raise SoundFileRuntimeError(f"mapwave writes the {name} before the samples: set it before the first write")
        self._texts[name] = str(value)

    def __repr__(self) -> str:
        level = "" if self._compression_level is None else f", compression_level={self._compression_level}"
        mode = "" if self._bitrate_mode is None else f", bitrate_mode='{self._bitrate_mode}'"
        return (
            f"SoundFile({self._name!r}, mode={self._mode!r}, samplerate={self._samplerate}, channels={self._channels}, "
            f"format={self._format!r}, subtype={self._subtype!r}, endian={self._endian!r}{level}{mode})"
        )

    def __len__(self) -> int:
        return int(self._frames)

    def __bool__(self) -> bool:
        return True

    def __enter__(self) -> SoundFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


class _SoundFileInfo:
    """The facts of a file."""

    def __init__(self, file: Any, verbose: bool) -> None:
        self.verbose = verbose
        with SoundFile(file) as sound:
            self.name = sound.name
            self.samplerate: int = sound.samplerate
            self.channels: int = sound.channels
            self.frames: int = sound.frames
            self.duration: float = sound.frames / sound.samplerate
            self.format: str = sound.format
            self.subtype: str = sound.subtype
            self.endian: str = sound.endian
            self.format_info = sound.format_info
            self.subtype_info = sound.subtype_info
            self.sections: int = sound.sections
            self.extra_info = sound.extra_info

    @property
    def _duration_str(self) -> str:
        hours, seconds = divmod(self.duration, 3600)
        minutes, seconds = divmod(seconds, 60)
        if hours >= 1:
            return f"{hours:.0f}:{minutes:02.0f}:{seconds:06.3f} h"
        if minutes >= 1:
            return f"{minutes:02.0f}:{seconds:06.3f} min"
        return f"{seconds:.3f} s" if seconds > 1 else f"{self.frames} samples"

    def __repr__(self) -> str:
        lines = [
            str(self.name),
            f"samplerate: {self.samplerate} Hz",
            f"channels: {self.channels}",
            f"duration: {self._duration_str}",
            f"format: {self.format_info} [{self.format}]",
            f"subtype: {self.subtype_info} [{self.subtype}]",
        ]
        if self.verbose:
            extra = self.extra_info.replace("\n", "\n    ")
            lines += [f"endian: {self.endian}", f"sections: {self.sections}", f"frames: {self.frames}"]
            lines.append(f'extra_info: """\n    {extra}"""')
        return "\n".join(lines)


def _opened(dtype: Any, file: Any, *arguments: Any) -> SoundFile:
    """A file that is opened for the type that will be read or written."""
    sound = SoundFile.__new__(SoundFile)
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None)
    if name in DTYPES:
        sound._dtype = name
    sound.__init__(file, *arguments)  # type: ignore[misc]
    return sound


def _first(out: Any, length: int) -> Any:
    """The array itself where it has this length, so that the caller gets its own object back."""
    return out if len(out) == length else out[:length]

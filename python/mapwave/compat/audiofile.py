"""The interface of audiofile over mapwave, without sox, ffmpeg and mediainfo."""

from __future__ import annotations

import os
import re
from typing import Any

from .. import numpy as mw
from ..errors import AudioError
from . import soundfile
from ._numpy import np

__all__ = [
    "bit_depth",
    "channels",
    "convert_to_wav",
    "duration",
    "has_video",
    "read",
    "samples",
    "sampling_rate",
    "write",
]

#: The version of audiofile whose behaviour this module has.
__version__ = "1.6.1"

_SUBTYPES = {
    "wav": {8: "PCM_U8", 16: "PCM_16", 24: "PCM_24", 32: "PCM_32"},
    "flac": {8: "PCM_S8", 16: "PCM_16", 24: "PCM_24"},
}
_MAX_CHANNELS = {"wav": 1024, "ogg": 255, "mp3": 2, "flac": 8}
_WITH_VIDEO = ("mp4", "mov", "mkv", "webm", "avi", "flv", "ts", "mpeg", "wmv", "asf")
_BITS = {
    "PCM_S8": 8,
    "PCM_U8": 8,
    "PCM_16": 16,
    "PCM_24": 24,
    "PCM_32": 32,
    "FLOAT": 32,
    "DOUBLE": 64,
    "ULAW": 8,
    "ALAW": 8,
    "IMA_ADPCM": 4,
    "MS_ADPCM": 4,
    "GSM610": 16,
}

#: The length of each unit in seconds, and its names.
_UNITS = {
    604800.0: "W week weeks",
    86400.0: "D day days",
    3600.0: "h hour hours hr",
    60.0: "m minute minutes min T",
    1.0: "s second seconds sec S",
    1e-3: "ms millisecond milliseconds millis milli L",
    1e-6: "us μs microsecond microseconds micros micro U",
    1e-9: "ns nanosecond nanoseconds nanos nano N",
}
_SECONDS = {name: seconds for seconds, names in _UNITS.items() for name in names.split()}


def read(
    file: Any,
    duration: Any = None,
    offset: Any = None,
    always_2d: bool = False,
    dtype: str = "float32",
    **kwargs: Any,
) -> tuple[np.ndarray[Any, Any], int]:
    """Reads a file, or a part of it.

    Args:
        file: A path or a binary file object, which is left at its start.
        duration: The length of the part: seconds, a numpy.timedelta64, or text with a unit ("20 ms") or without one,
            which counts samples. Before the offset if it is negative, and before the end if there is no offset.
        offset: The start of the part, like duration; from the end if it is negative.
        always_2d: Return one channel as (1, samples) too.
        dtype: "float32", "float64", "int16" or "int32".
        kwargs: Other arguments of :func:`mapwave.compat.soundfile.read`.

    Returns:
        (signal, rate). The shape is (samples,) for one channel and (channels, samples) for several.
    """
    start, stop = 0, None
    if duration is not None or offset is not None:
        facts = _info(file)
        start, stop = _window(_seconds(offset, facts), _seconds(duration, facts), facts)
    signal, rate = soundfile.read(_path(file), start=start, stop=stop, dtype=dtype, always_2d=always_2d, **kwargs)
    _rewind(file)
    return signal.T, rate


def write(
    file: Any, signal: Any, sampling_rate: int, bit_depth: int = 16, normalize: bool = False, **kwargs: Any
) -> None:
    """Writes a signal of shape (samples,) or (channels, samples) to a WAV, FLAC, MP3 or OGG file.

    Raises:
        RuntimeError: The format does not take this bit depth or number of channels.
    """
    path = _path(file)
    kind = os.path.splitext(path)[1][1:].lower()
    depths = _SUBTYPES.get(kind)
    if depths is not None and bit_depth not in depths:
        raise RuntimeError(f'"bit_depth" has to be one of {", ".join(map(str, depths))}.')
    signal = np.asarray(signal)
    count = signal.shape[0] if signal.ndim > 1 else 1
    if count > _MAX_CHANNELS.get(kind, count):
        hint = "" if kind == "wav" else " Consider using 'wav' instead."
        raise RuntimeError(f"The maximum number of allowed channels for '{kind}' is {_MAX_CHANNELS[kind]}.{hint}")
    if normalize:
        signal = signal / np.max(np.abs(signal))
    soundfile.write(path, signal.T, sampling_rate, subtype=depths[bit_depth] if depths else None, **kwargs)


def convert_to_wav(
    infile: Any,
    outfile: Any = None,
    offset: Any = None,
    duration: Any = None,
    bit_depth: int = 16,
    normalize: bool = False,
    overwrite: bool = False,
    **kwargs: Any,
) -> str:
    """Writes a file, or a part of it, as WAV, and returns the path of the new file."""
    source = _path(infile)
    target = os.path.splitext(source)[0] + ".wav" if outfile is None else _path(outfile)
    if source == target and not overwrite:
        raise RuntimeError(
            f"'{source}' would be overwritten. Select 'overwrite=True', or provide an 'outfile' argument."
        )
    signal, rate = read(source, duration, offset)
    write(target, signal, rate, bit_depth, normalize, **kwargs)
    return str(target)


def bit_depth(file: Any) -> int | None:
    """The bits of a sample of WAV and FLAC; None for the others."""
    facts = _info(file)
    return _BITS.get(facts.subtype) if facts.format in ("WAV", "WAVEX", "RF64", "W64", "FLAC") else None


def channels(file: Any) -> int:
    """The number of channels."""
    return _info(file).channels


def duration(file: Any, sloppy: bool = False) -> float:
    """The length in seconds; ``sloppy`` has no effect, since the length is exact without decoding."""
    return _info(file).duration


def has_video(file: Any) -> bool:
    """Whether a file has pictures that move."""
    path = _path(file)
    if os.path.splitext(path)[1][1:].lower() in _MAX_CHANNELS:
        return False
    if not os.path.exists(path):
        raise RuntimeError(f"'{file}' does not exist.")
    try:
        container = mw.info(path).container
    except AudioError as error:  # such as that it has no sound
        container = error.container or ""
    return container in _WITH_VIDEO


def samples(file: Any) -> int:
    """The number of samples of a channel."""
    return _info(file).frames


def sampling_rate(file: Any) -> int:
    """The sample rate in Hz."""
    return _info(file).samplerate


def _path(file: Any) -> Any:
    """A file object as it is, and a path as an absolute one."""
    return file if hasattr(file, "read") else os.path.abspath(os.path.expanduser(os.fspath(file)))


def _info(file: Any) -> soundfile._SoundFileInfo:
    facts = soundfile.info(_path(file))
    _rewind(file)
    return facts


def _rewind(file: Any) -> None:
    if hasattr(file, "read"):
        file.seek(0)


def _seconds(value: Any, facts: soundfile._SoundFileInfo) -> float | None:
    """A duration as seconds; None if it is not a number."""
    if isinstance(value, str):
        value = _seconds_of_text(value, facts.samplerate)
    elif isinstance(value, np.timedelta64):
        value = value / np.timedelta64(1, "s")
    elif hasattr(value, "total_seconds"):
        value = value.total_seconds()
    return None if value is None or np.isnan(value) else float(value)


def _seconds_of_text(text: str, rate: int) -> float:
    if text.lower() in ("", "none", "nan", "nat"):
        return np.nan
    if text.lower() in ("inf", "+inf", "-inf"):
        return float(text)
    match = re.fullmatch(r"\s*([+-]?[0-9]*\.?[0-9]*)\s*([A-Za-zμ]*)\s*", text)
    if match is None or not any(match.groups()):
        raise ValueError(f"Your given duration '{text}' is not conform to the <value><unit> pattern.")
    number, unit = match.groups()
    value = float(f"{number}1") if number in ("", "+", "-") else float(number)
    if not unit:
        return value / rate
    if unit not in _SECONDS:
        raise ValueError(f"The provided unit '{unit}' is not known.")
    return value * _SECONDS[unit]


def _window(offset: float | None, duration: float | None, facts: soundfile._SoundFileInfo) -> tuple[int, int]:
    """The first sample of a part and the one after its last."""
    total = facts.duration
    if duration is not None and duration < 0:
        stop = total if offset is None else offset if offset >= 0 else total + offset
        start = stop + duration if stop + duration == stop + duration else 0.0
    else:
        start = 0.0 if offset is None else offset if offset >= 0 else total + offset
        stop = total if duration is None else start + duration
        if np.isnan(stop):
            start, stop = 0.0, total
    first, last = (min(max(edge, 0.0), total) for edge in (start, stop))
    begin = round(first * facts.samplerate)
    return begin, begin + round((last - first) * facts.samplerate)

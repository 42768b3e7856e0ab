"""torchaudio's ``load``, ``save`` and ``info`` over mapwave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mapwave

from .. import torch as mw
from ..errors import AudioError

if TYPE_CHECKING:
    import torch

__all__ = ["AudioMetaData", "info", "load", "save"]

_ENCODINGS = {
    "pcm_s": "PCM_S",
    "pcm_u": "PCM_U",
    "pcm_f": "PCM_F",
    "pcm_mulaw": "ULAW",
    "pcm_alaw": "ALAW",
    "adpcm": "UNKNOWN",
}


@dataclass
class AudioMetaData:
    """What a file says about its audio."""

    sample_rate: int
    num_frames: int
    num_channels: int
    bits_per_sample: int
    encoding: str


def load(
    uri: Any,
    frame_offset: int = 0,
    num_frames: int = -1,
    normalize: bool = True,
    channels_first: bool = True,
    format: str | None = None,
    buffer_size: int = 4096,
    backend: str | None = None,
) -> tuple[torch.Tensor, int]:
    """Reads a file, or a part of it.

    Args:
        uri: A path or a binary file object.
        frame_offset: The first frame.
        num_frames: How many frames, fewer at the end; -1 for all.
        normalize: Return float32. Without it, WAV of 16 and 32 bits gives int16 and int32.
        channels_first: Return (channels, frames) instead of (frames, channels).
        format: Has no effect: the format is found by content.
        buffer_size: Has no effect.
        backend: Has no effect.

    Returns:
        (tensor, rate).

    Raises:
        RuntimeError: The file cannot be read.
    """
    with_errors: dict[str, Any] = {"layout": "channels_first" if channels_first else "channels_last"}
    try:
        if not normalize:
            if hasattr(uri, "read"):
                uri = uri.read()
            with_errors["dtype"] = _stored(mapwave.info(uri))
        with mw.open(uri, **with_errors) as reader:
            start = min(max(frame_offset, 0), len(reader))
            stop = len(reader) if num_frames < 0 else min(start + num_frames, len(reader))
            return reader[start:stop], reader.sample_rate
    except AudioError as error:
        raise RuntimeError(f"Failed to load audio from {uri!r}: {error}") from error


def save(
    uri: Any,
    src: torch.Tensor,
    sample_rate: int,
    channels_first: bool = True,
    format: str | None = None,
    encoding: str | None = None,
    bits_per_sample: int | None = None,
    buffer_size: int = 4096,
    backend: str | None = None,
    compression: Any = None,
) -> None:
    """Writes a tensor of two dimensions.

    Args:
        uri: A path or a binary file object.
        src: The samples. Their type chooses the encoding of WAV, AIFF and CAF if none is given.
        sample_rate: The rate in Hz.
        channels_first: Whether the shape is (channels, frames).
        format: The format, if the extension does not tell.
        encoding: "PCM_S", "PCM_U", "PCM_F", "ULAW" or "ALAW".
        bits_per_sample: 8, 16, 24, 32 or 64.
        buffer_size: Has no effect.
        backend: Has no effect.
        compression: The bitrate of MP3 in kbit/s, the level of FLAC, or the quality of Vorbis from -1 to 10.
    """
    if src.ndim != 2:
        raise ValueError(f"Expected 2D Tensor, got {src.ndim}D.")
    options: dict[str, Any] = {"format": None if format is None else format.lower()}
    options |= _written(uri, options["format"], str(src.dtype).rpartition(".")[2], encoding, bits_per_sample)
    options |= _compression(uri, options["format"], compression)
    layout: Any = "channels_first" if channels_first else "channels_last"
    try:
        mapwave.save(uri, src, sample_rate, layout, **options)
    except AudioError as error:
        raise RuntimeError(f"Failed to save audio to {uri!r}: {error}") from error


def info(uri: Any, format: str | None = None, buffer_size: int = 4096, backend: str | None = None) -> AudioMetaData:
    """Describes a file."""
    try:
        facts = mapwave.info(uri)
    except AudioError as error:
        raise RuntimeError(f"Failed to open {uri!r}: {error}") from error
    encoding = next((name for codec, name in _ENCODINGS.items() if facts.codec.startswith(codec)), facts.codec.upper())
    bits = (facts.bits or facts.bit_depth or 0) if facts.is_lossless or facts.codec.startswith("pcm") else 0
    return AudioMetaData(facts.sample_rate, facts.frames, facts.channels, bits, encoding)


def _stored(facts: Any) -> str:
    """The type of the samples as they are stored, where an array can hold it."""
    if facts.container == "wav" and facts.codec.startswith("pcm_s") and facts.bits in (16, 24, 32):
        return "int16" if facts.bits == 16 else "int32"
    return "float32"


def _kind(uri: Any, format: str | None) -> str:
    return format or str(getattr(uri, "name", uri)).rpartition(".")[2].lower()


def _written(uri: Any, format: str | None, dtype: str, encoding: str | None, bits: int | None) -> dict[str, Any]:
    """The encoding of a save in mapwave's words."""
    kind = _kind(uri, format)
    if kind == "flac":
        return {"bit_depth": bits} if bits else {}
    if kind not in ("wav", "w64", "rf64", "aiff", "aif", "aifc", "caf", "amb"):
        return {}
    if encoding is None and bits is None:
        return {"encoding": {"int16": "pcm16", "int32": "pcm32", "float64": "float64"}.get(dtype, "float32")}
    if encoding in ("ULAW", "ALAW"):
        return {"encoding": {"ULAW": "mulaw", "ALAW": "alaw"}[encoding]}
    if encoding == "PCM_F":
        return {"encoding": f"float{bits or 32}"}
    bits = bits or (8 if encoding == "PCM_U" else 16)
    return {"encoding": "u8" if bits == 8 else f"pcm{bits}"}


def _compression(uri: Any, format: str | None, compression: Any) -> dict[str, Any]:
    compression = getattr(compression, "compression_level", compression)
    if compression is None:
        return {}
    kind = _kind(uri, format)
    if kind == "mp3":
        return {"bitrate": round(float(compression) * 1000)}
    if kind == "flac":
        return {"flac_compression": int(compression)}
    return {"quality": max(1, round(100 * (float(compression) + 1) / 11))} if kind in ("ogg", "vorbis") else {}

"""The arguments of soundfile: checked as soundfile does, and said in mapwave's words."""

from __future__ import annotations

from typing import Any

from ._soundfile_names import DTYPES, ENDIANS, FORMATS, OTHER_DEFAULTS, OTHER_FORMATS, OTHER_SUBTYPES, SUBTYPES


def default_subtype(format: str) -> str | None:
    """The subtype that a format has if none is given; None for "RAW"."""
    format = known_format(format)
    if format == "RAW":
        return None
    return FORMATS[format].subtypes[0] if format in FORMATS else OTHER_DEFAULTS.get(format, "PCM_16")


BITRATE_MODES = ("CONSTANT", "AVERAGE", "VARIABLE")


def check_mode(mode: Any) -> None:
    """Rejects what is not a mode."""
    if not isinstance(mode, str):
        raise TypeError(f"Invalid mode: {mode!r}")
    if set(mode) - set("xrwb+") or len(mode) > len(set(mode)):
        raise ValueError(f"Invalid mode: {mode!r}")
    if len(set(mode) & set("xrw")) != 1:
        raise ValueError("mode must contain exactly one of 'xrw'")


def known_format(format: Any) -> str:
    """The name of a major format that soundfile has, in upper case."""
    if not isinstance(format, str):
        raise TypeError(f"Invalid format: {format!r}")
    if format.upper() not in (*FORMATS, *OTHER_FORMATS):
        raise ValueError(f"Unknown format: {format!r}")
    return format.upper()


def combination(format: Any, subtype: Any, endian: Any) -> tuple[str, str, str]:
    """The names of a format, subtype and byte order that mapwave writes."""
    name = known_format(format)
    if subtype is None:
        subtype = default_subtype(name)
        if subtype is None:
            raise TypeError(f"No default subtype for major format {format!r}")
    if not isinstance(subtype, str):
        raise TypeError(f"Invalid subtype: {subtype!r}")
    if subtype.upper() not in (*SUBTYPES, *OTHER_SUBTYPES):
        raise ValueError(f"Unknown subtype: {subtype!r}")
    if endian is not None and not isinstance(endian, str):
        raise TypeError(f"Invalid endian-ness: {endian!r}")
    order = (endian or "FILE").upper()
    if order not in ENDIANS:
        raise ValueError(f"Unknown endian-ness: {endian!r}")
    facts = FORMATS.get(name)
    if facts is None or subtype.upper() not in facts.subtypes or order not in facts.endians:
        raise ValueError(
            f"Invalid combination of format, subtype and endian: mapwave does not write {name} with {subtype.upper()} "
            f"and {order}; it writes {', '.join(FORMATS)}, and available_subtypes(format) lists what they hold"
        )
    return name, subtype.upper(), order


def dtype_name(dtype: Any) -> str:
    """The name of a type of samples that soundfile has."""
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be one of {sorted(DTYPES)!r} and not {dtype!r}")
    return str(dtype)


def written_type(dtype: str, subtype: str) -> str:
    """The type of a writer that takes this one first, and may take any other later without losing bits that count."""
    if dtype == "int16" and subtype not in ("PCM_16", "PCM_S8", "PCM_U8", "ALAC_16", "ULAW", "ALAW"):
        return "int32"
    return "float64" if dtype == "float32" and subtype in ("DOUBLE", "PCM_32") else dtype


def compression(subtype: str, level: float | None, mode: str | None, channels: int) -> dict[str, Any]:
    """A compression level from 0 to 1, and a bitrate mode, as options of :func:`mapwave.save`."""
    if level is None:
        return {}
    quality = max(1, round(100 * (1 - level)))
    if subtype.startswith("PCM_"):
        return {"flac_compression": round(8 * level)}
    if subtype == "OPUS":
        return {"bitrate": round(channels * (6000 + 250_000 * (1 - level)))}
    if subtype == "MPEG_LAYER_III" and mode == "CONSTANT":
        return {"bitrate": _MP3_BITRATES[round((len(_MP3_BITRATES) - 1) * (1 - level))] * 1000}
    return {"quality": quality} if subtype in ("VORBIS", "MPEG_LAYER_III") else {}


_MP3_BITRATES = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)

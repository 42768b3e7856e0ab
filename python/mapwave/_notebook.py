"""How readers and facts show themselves in a notebook."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING, Any

from ._core import plot

if TYPE_CHECKING:
    from ._core import AudioInfo, Reader

#: The facts that stand in a table, in this order, where they are known.
_SHOWN = (
    ("container", "format"),
    ("codec", "codec"),
    ("duration", "duration"),
    ("frames", "frames"),
    ("sample_rate", "sample rate"),
    ("channels", "channels"),
    ("channel_layout", "layout"),
    ("bit_depth", "bit depth"),
    ("plugin", "decoded by"),
)

_TABLE = '<table style="border-collapse:collapse;font-size:90%">'
_CELL = "text-align:left;padding:1px 14px 1px 0;border:0"


def of_info(info: AudioInfo) -> str:
    """The facts of a file as a table."""
    rows = [(label, _text(name, getattr(info, name))) for name, label in _SHOWN if getattr(info, name) is not None]
    if info.is_truncated:
        rows.append(("truncated", "the file ends before the audio that it promises"))
    if len(info.tracks) > 1:
        rows.append(("sound tracks", str(len(info.tracks))))
    rows += sorted(info.tags.items())
    return _table(rows)


def of_reader(reader: Reader[Any], media_type: str, preview: bytes, seconds: float) -> str:
    """The waveform of a reader, a player of its beginning, and its facts."""
    info = reader.info()
    picture = plot(reader, width=900, theme="page").svg()
    sound = base64.b64encode(preview).decode()
    whole = seconds >= info.duration - 0.05
    note = "" if whole else f'<span style="opacity:0.65;font-size:90%"> the first {seconds:.0f} s</span>'
    return (
        f'<div class="mapwave-reader">{picture}'
        f'<div style="display:flex;align-items:center;gap:8px;margin:2px 0 6px">'
        f'<audio controls preload="none" src="data:{media_type};base64,{sound}"></audio>{note}</div>'
        f"{of_info(info)}</div>"
    )


def _table(rows: list[tuple[str, str]]) -> str:
    lines = (
        f'<tr><th style="{_CELL};font-weight:normal;opacity:0.65">{escape(label)}</th>'
        f'<td style="{_CELL}">{escape(text)}</td></tr>'
        for label, text in rows
    )
    return f"{_TABLE}{''.join(lines)}</table>"


def _text(name: str, value: object) -> str:
    match name:
        case "duration":
            return _duration(float(str(value)))
        case "frames":
            return f"{value:,}"
        case "sample_rate":
            return f"{value:,} Hz"
        case "bit_depth":
            return f"{value} bits"
    return str(value)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:04.1f}"
    return f"{minutes}:{rest:04.1f}" if minutes else f"{seconds:.3f} s"

"""The kinds of files that are saved: what each peer writes them with, and what is checked, depend on them."""

from __future__ import annotations

from dataclasses import dataclass

BITRATE = "192k"
"""The bitrate of lossy kinds."""


@dataclass(frozen=True)
class Kind:
    """A kind of file to save."""

    ending: str
    encoding: str
    is_lossy: bool = False


KINDS = {
    "f32": Kind("wav", "float32"),
    "PCM16": Kind("wav", "pcm16"),
    "FLAC": Kind("flac", "pcm16"),
    "M4A": Kind("m4a", "float32", True),
    "MP3": Kind("mp3", "float32", True),
}

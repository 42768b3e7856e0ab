"""Files that are made to cost much: a little of everything that a reader could count, follow or believe too readily."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from . import flac, matroska, mp4, mpeg, ogg, pcm

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "compressed"


def fixture(name: str) -> bytes:
    """A file with sound, of which hostile ones are made."""
    return (FIXTURES / name).read_bytes()


def hostile_files(size: int) -> Iterator[tuple[str, bytes]]:
    """The names and bytes of all of them; where the size is free, it is about that many bytes."""
    yield from flac.files(size)
    yield from ogg.files(size, fixture)
    yield from pcm.files(size)
    yield from mpeg.files(size, fixture)
    yield from mp4.files(size, fixture)
    yield from matroska.files(size, fixture)

"""Changes boxes of MP4 files: the edit list, durations, and the payload of the audio."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

Edit = tuple[int, int]
"""A duration in ticks of the movie, and a time in ticks of the track or -1."""

EDITS = (b"moov", b"trak", b"edts")
DURATIONS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts")
OFFSETS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stco")


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The kinds of boxes, where they begin, and where they end."""
    while start + 8 <= end:
        size = int.from_bytes(data[start : start + 4], "big") or end - start
        yield data[start + 4 : start + 8], start, start + size
        start += size


def find(data: bytes, path: Sequence[bytes]) -> tuple[int, int] | None:
    """The first box at the end of a path: where it begins and ends, with its header."""
    start, end = 0, len(data)
    for depth, kind in enumerate(path):
        found = next((box for box in _boxes(data, start, end) if box[0] == kind), None)
        if found is None:
            return None
        start, end = (found[1] + 8, found[2]) if depth + 1 < len(path) else found[1:]
    return start, end


def box(kind: bytes, payload: bytes) -> bytes:
    """A box."""
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def edit_list(edits: Sequence[Edit], *, is_64_bit: bool = False, rate: int = 1) -> bytes:
    """The box of an edit list (ISO/IEC 14496-12, 8.6.6)."""
    entry = ">QqHH" if is_64_bit else ">IiHH"
    entries = b"".join(struct.pack(entry, duration, time, rate, 0) for duration, time in edits)
    return box(b"edts", box(b"elst", struct.pack(">II", int(is_64_bit) << 24, len(edits)) + entries))


def _replace(data: bytes, path: Sequence[bytes], new: bytes) -> bytes:
    """The file with another box at the end of a path, which need not be there, and offsets of packets that fit."""
    place = find(data, path)
    if place is None:
        around = find(data, path[:-1])
        assert around is not None
        place = around[1], around[1]
    start, end = place
    delta = len(new) - (end - start)
    changed = bytearray(data[:start] + new + data[end:])
    for depth in range(1, len(path)):
        outer = find(data, path[:depth])
        assert outer is not None
        size = outer[1] - outer[0] + delta
        changed[outer[0] : outer[0] + 4] = size.to_bytes(4, "big")
    offsets = find(bytes(changed), OFFSETS)
    if offsets is not None:
        for at in range(offsets[0] + 16, offsets[1], 4):
            offset = int.from_bytes(changed[at : at + 4], "big")
            if offset >= end:
                changed[at : at + 4] = (offset + delta).to_bytes(4, "big")
    return bytes(changed)


def with_edits(data: bytes, edits: Sequence[Edit], *, is_64_bit: bool = False, rate: int = 1) -> bytes:
    """The file with another edit list."""
    return _replace(data, EDITS, edit_list(edits, is_64_bit=is_64_bit, rate=rate))


def without_edits(data: bytes) -> bytes:
    """The file without an edit list."""
    return _replace(data, EDITS, b"")


def durations(data: bytes) -> list[tuple[int, int]]:
    """The numbers of packets and the ticks of each."""
    place = find(data, DURATIONS)
    assert place is not None
    return [struct.unpack_from(">II", data, at) for at in range(place[0] + 16, place[1], 8)]


def with_durations(data: bytes, runs: Sequence[tuple[int, int]]) -> bytes:
    """The file with other durations."""
    payload = struct.pack(">II", 0, len(runs)) + b"".join(struct.pack(">II", *run) for run in runs)
    return _replace(data, DURATIONS, box(b"stts", payload))


def with_media(data: bytes, fill: int) -> bytes:
    """The file with all bytes of its media replaced."""
    place = find(data, (b"mdat",))
    assert place is not None
    return data[: place[0] + 8] + bytes([fill]) * (place[1] - place[0] - 8) + data[place[1] :]

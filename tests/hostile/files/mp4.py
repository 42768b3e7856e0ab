"""MP4 files (ISO/IEC 14496-12)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

Box = tuple[bytes, int, int]

CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta")
MANY = 0xFFFFFFFF


def box(kind: bytes, *payloads: bytes) -> bytes:
    """A box."""
    payload = b"".join(payloads)
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def full(kind: bytes, *numbers: int, rest: bytes = b"", flags: int = 0) -> bytes:
    """A box with a version and flags, and numbers of 32 bits."""
    return box(kind, struct.pack(f">{len(numbers) + 1}I", flags, *numbers), rest)


def boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    """The kinds of boxes, where they begin, and where they end."""
    while start + 8 <= end:
        size = int.from_bytes(data[start : start + 4], "big") or end - start
        yield data[start + 4 : start + 8], start, start + size
        start += size


def with_boxes(data: bytes, new: dict[bytes, bytes]) -> bytes:
    """The file with other boxes of these kinds, and those that it had not at the end of the sample table."""
    sound = next(found for found in boxes(data, 0, len(data)) if found[0] == b"mdat")
    movie = next(found for found in boxes(data, 0, len(data)) if found[0] == b"moov")
    head = data[: boxes_end(data, b"ftyp")]
    sound_bytes = data[sound[1] : sound[2]]
    delta = len(head) - sound[1]
    left = dict(new)

    def rebuilt(start: int, end: int, kind: bytes) -> bytes:
        parts = []
        for inner, begin, stop in boxes(data, start, end):
            if inner in left:
                parts.append(left.pop(inner))
            elif inner in new:
                continue
            elif inner in CONTAINERS:
                parts.append(box(inner, rebuilt(begin + 8, stop, inner)))
            elif inner == b"stco":
                offsets = [int.from_bytes(data[at : at + 4], "big") + delta for at in range(begin + 16, stop, 4)]
                parts.append(full(b"stco", len(offsets), rest=struct.pack(f">{len(offsets)}I", *offsets)))
            else:
                parts.append(data[begin:stop])
        if kind == b"stbl":
            parts.extend(left.pop(other) for other in list(left) if other != b"edts" and other != b"udta")
        if kind == b"trak" and b"edts" in left:
            parts.append(left.pop(b"edts"))
        if kind == b"moov" and b"udta" in left:
            parts.append(left.pop(b"udta"))
        return b"".join(parts)

    return head + sound_bytes + box(b"moov", rebuilt(movie[1] + 8, movie[2], b"moov"))


def boxes_end(data: bytes, kind: bytes) -> int:
    """Where the first box of a kind ends."""
    return next(end for found, _, end in boxes(data, 0, len(data)) if found == kind)


def _tables(size: int, data: bytes) -> Iterator[tuple[str, bytes]]:
    durations = full(b"stts", 1, MANY, MANY)
    sizes = full(b"stsz", 1, MANY)
    chunks = full(b"stsc", 1, 1, MANY, 1)
    yield "stts-count.m4a", with_boxes(data, {b"stts": full(b"stts", MANY)})
    yield "stts-run.m4a", with_boxes(data, {b"stts": durations})
    runs = struct.pack(">II", MANY, MANY) * (size // 8)
    yield "stts-runs.m4a", with_boxes(data, {b"stts": full(b"stts", size // 8, rest=runs)})
    runs = struct.pack(">II", 0, 1024) * (size // 8)
    yield "stts-empty-runs.m4a", with_boxes(data, {b"stts": full(b"stts", size // 8, rest=runs)})
    yield "stsz-fixed.m4a", with_boxes(data, {b"stsz": sizes})
    yield "stsz-fixed-0.m4a", with_boxes(data, {b"stsz": full(b"stsz", 0, MANY)})
    yield "stsz-all.m4a", with_boxes(data, {b"stsz": sizes, b"stts": durations, b"stsc": chunks})
    zeros = with_boxes(data, {b"stsz": full(b"stsz", 0, size // 4, rest=bytes(size)), b"stsc": chunks})
    yield "stsz-zeros.m4a", with_boxes(zeros, {b"stts": full(b"stts", 1, size // 4, 1024)})
    ones = full(b"stsz", 0, size // 4, rest=b"\0\0\0\1" * (size // 4))
    yield (
        "stsz-ones.m4a",
        with_boxes(data, {b"stsz": ones, b"stsc": chunks, b"stts": full(b"stts", 1, size // 4, 1024)}),
    )
    yield "stsc-count.m4a", with_boxes(data, {b"stsc": full(b"stsc", MANY)})
    yield "stsc-per-chunk.m4a", with_boxes(data, {b"stsc": chunks})
    runs = b"".join(struct.pack(">III", n + 1, MANY, 1) for n in range(size // 12))
    yield "stsc-runs.m4a", with_boxes(data, {b"stsc": full(b"stsc", size // 12, rest=runs)})
    same = struct.pack(">III", 1, 1, 1) * (size // 12)
    yield "stsc-same.m4a", with_boxes(data, {b"stsc": full(b"stsc", size // 12, rest=same)})
    yield "stco-count.m4a", with_boxes(data, {b"stco": full(b"stco", MANY)})
    offsets = bytes(4) * (size // 4)
    yield "stco-many.m4a", with_boxes(data, {b"stco": full(b"stco", size // 4, rest=offsets)})
    yield (
        "stco-many-sizes.m4a",
        with_boxes(
            data,
            {
                b"stco": full(b"stco", size // 4, rest=offsets),
                b"stsz": full(b"stsz", 1, MANY),
                b"stsc": full(b"stsc", 1, 1, 10_000, 1),
                b"stts": full(b"stts", 1, MANY, 1024),
            },
        ),
    )
    yield "ctts-run.m4a", with_boxes(data, {b"ctts": full(b"ctts", 1, MANY, MANY)})
    runs = struct.pack(">II", MANY, MANY) * (size // 8)
    yield "ctts-runs.m4a", with_boxes(data, {b"ctts": full(b"ctts", size // 8, rest=runs)})
    yield (
        "sgpd.m4a",
        with_boxes(
            data,
            {
                b"sgpd": box(b"sgpd", struct.pack(">I4sII", 1 << 24, b"roll", 2, MANY), b"\xff\xff"),
                b"sbgp": box(b"sbgp", struct.pack(">I4sI", 0, b"roll", MANY), struct.pack(">II", MANY, 1)),
            },
        ),
    )
    descriptions = full(b"stsd", MANY, rest=box(b"mp4a", bytes(28)) * (size // 36))
    yield "stsd-many.m4a", with_boxes(data, {b"stsd": descriptions})


def _edits(size: int, data: bytes) -> Iterator[tuple[str, bytes]]:
    def edits(count: int, rest: bytes) -> bytes:
        return with_boxes(data, {b"edts": box(b"edts", full(b"elst", count, rest=rest))})

    def many(duration: int, time: int, count: int = size // 12) -> bytes:
        return edits(count, struct.pack(">IiHH", duration, time, 1, 0) * count)

    yield "elst-count.m4a", edits(MANY, b"")
    yield "elst-empty.m4a", many(MANY, -1)
    yield "elst-one-empty.m4a", many(MANY, -1, 1)
    yield "elst-zero.m4a", many(0, 0)
    yield "elst-long.m4a", many(MANY, 0)
    yield "elst-whole.m4a", many(100, 0, max(size // 10_000, 10))
    yield "elst-ticks.m4a", many(1, 5)


def _atoms(size: int, data: bytes) -> Iterator[tuple[str, bytes]]:
    head = boxes_end(data, b"ftyp")
    empty = box(b"free") * (size // 8)
    yield "atoms-front.m4a", data[:head] + data[head:] + empty
    yield "atoms-movie.m4a", with_boxes(data, {b"udta": empty})
    yield "atoms-table.m4a", with_boxes(data, {b"xxxx": empty})
    tracks = box(b"trak") * (size // 8)
    yield "tracks-empty.m4a", with_boxes(data, {b"udta": tracks})
    movie = next(found for found in boxes(data, 0, len(data)) if found[0] == b"moov")
    track = next(found for found in boxes(data, movie[1] + 8, movie[2]) if found[0] == b"trak")
    whole = data[track[1] : track[2]]
    yield "tracks-whole.m4a", with_boxes(data, {b"udta": whole * max(size // len(whole), 2)})
    movies = data[movie[1] : movie[2]]
    yield "movies.m4a", data + movies * max(size // len(movies), 2)
    for kind in (b"moov", b"udta", b"trak", b"meta", b"ilst", b"stbl"):
        depth = min(size // 8, 3000)
        deep = b"".join(struct.pack(">I4s", 8 * (depth - n), kind) for n in range(depth))
        yield f"nested-{kind.decode()}.m4a", data + deep if kind == b"moov" else with_boxes(data, {b"udta": deep})
    yield "size-0.m4a", data + struct.pack(">I4s", 0, b"free") + bytes(size)
    wide = struct.pack(">I4sQ", 1, b"free", 1 << 62)
    yield "size-2-62.m4a", data[:head] + wide + data[head:]
    yield "size-16.m4a", data + struct.pack(">I4sQ", 1, b"free", 16) * (size // 16)
    chapters = b"".join(struct.pack(">QB", n, 0) for n in range(size // 9))
    yield (
        "chapters.m4a",
        with_boxes(data, {b"udta": box(b"udta", box(b"chpl", struct.pack(">IIB", 1 << 24, 0, 255), chapters))}),
    )

    def tags(items: bytes) -> bytes:
        handler = full(b"hdlr", 0, rest=b"mdirappl" + bytes(9))
        return with_boxes(data, {b"udta": box(b"udta", full(b"meta", rest=handler + box(b"ilst", items)))})

    text = full(b"data", 0, rest=b"a", flags=1)
    item = box(b"\xa9nam", text)
    yield "tags-many.m4a", tags(item * (size // len(item)))
    yield "tags-empty.m4a", tags(box(b"\xa9nam") * (size // 8))
    yield "tags-values.m4a", tags(box(b"\xa9nam", text * (size // len(text))))
    free = box(
        b"----", full(b"mean", rest=b"com.apple.iTunes"), full(b"name", rest=b"x"), full(b"data", 0, rest=b"v", flags=1)
    )
    yield "tags-free.m4a", tags(free * (size // len(free)))
    cover = full(b"data", 0, rest=b"", flags=13)
    yield "tags-covers.m4a", tags(box(b"covr", cover * (size // len(cover))))


def _fragments(size: int, data: bytes) -> Iterator[tuple[str, bytes]]:
    track = 1
    header = full(b"tfhd", track, 1024, 1, flags=0x020018)
    run = full(b"trun", MANY)
    yield "trun-count.mp4", data + box(b"moof", full(b"mfhd", 1), box(b"traf", header, run))
    many = full(b"trun", MANY) * (min(size, 40_000) // 16)
    yield "trun-many.mp4", data + box(b"moof", full(b"mfhd", 1), box(b"traf", header, many))
    zero = full(b"tfhd", track, 1024, 0, flags=0x020018)
    yield "trun-zero-size.mp4", data + box(b"moof", full(b"mfhd", 1), box(b"traf", zero, run))
    ticks = full(b"tfhd", track, MANY, 1, flags=0x020018)
    runs = full(b"trun", 1) * (size // 16)
    yield "trun-ticks.mp4", data + box(b"moof", full(b"mfhd", 1), box(b"traf", ticks, runs))
    yield "moof-empty.mp4", data + box(b"moof") * (size // 8)
    moof = box(b"moof", full(b"mfhd", 1), box(b"traf", header, full(b"trun", 1))) + box(b"mdat", b"\0")
    yield "moof-tiny.mp4", data + moof * (size // len(moof))
    yield "traf-many.mp4", data + box(b"moof", full(b"mfhd", 1), box(b"traf", header) * (size // 28))
    index = full(b"sidx", 1, 1000, 0, 0, 0xFFFF, rest=bytes(12))
    yield "sidx-many.mp4", data + index * (size // len(index))


def files(size: int, fixture: Callable[[str], bytes]) -> Iterator[tuple[str, bytes]]:
    """All of them, of about that many bytes each."""
    data = fixture("aac.m4a")
    yield from _tables(size, data)
    yield from _edits(size, data)
    yield from _atoms(size, data)
    yield from _fragments(size, fixture("aac-fragmented.mp4"))
    alac = fixture("alac16.m4a")
    yield (
        "stsz-all-alac.m4a",
        with_boxes(
            alac,
            {
                b"stsz": full(b"stsz", 1, MANY),
                b"stts": full(b"stts", 1, MANY, MANY),
                b"stsc": full(b"stsc", 1, 1, MANY, 1),
            },
        ),
    )

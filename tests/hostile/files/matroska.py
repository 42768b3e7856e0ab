"""Matroska and WebM files (RFC 8794 and RFC 9559)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

UNKNOWN = b"\x01" + b"\xff" * 7


def number(value: int, width: int = 8) -> bytes:
    """A size of that many bytes."""
    return (1 << 7 * width | value).to_bytes(width, "big")


def element(name: str, payload: bytes, width: int = 0) -> bytes:
    """An element, whose name is in hexadecimal."""
    if not width:
        width = next(width for width in range(1, 9) if len(payload) < (1 << 7 * width) - 1)
    return bytes.fromhex(name) + number(len(payload), width) + payload


EBML = element("1a45dfa3", element("4282", b"webm"))
VOID, CLUSTER, SEGMENT, TRACKS, TAGS = "ec", "1f43b675", "18538067", "1654ae6b", "1254c367"
INFO, SEEK_HEAD, CUES, CHAPTERS, ATTACHMENTS = "1549a966", "114d9b74", "1c53bb6b", "1043a770", "1941a469"

_HEAD = b"OpusHead\1\2" + struct.pack("<HIhB", 0, 48_000, 0, 0)
_AUDIO = element("e1", element("b5", struct.pack(">d", 48_000.0)) + element("9f", b"\2"))
_ENTRY = element("d7", b"\1") + element("73c5", b"\1") + element("83", b"\2") + element("86", b"A_OPUS")
TRACK = element("ae", _ENTRY + element("63a2", _HEAD) + _AUDIO)


def block(time: int, payload: bytes, flags: int = 0x80) -> bytes:
    """A SimpleBlock of the first track."""
    return element("a3", b"\x81" + struct.pack(">hB", time, flags) + payload)


def cluster(time: int, *blocks: bytes) -> bytes:
    """A cluster."""
    return element(CLUSTER, element("e7", struct.pack(">Q", time)) + b"".join(blocks))


SOUND = cluster(0, *(block(20 * n, b"\x08") for n in range(10)))


def segment(*children: bytes, size: bytes | None = None, facts: bytes = b"") -> bytes:
    """A file."""
    payload = element(INFO, element("2ad7b1", b"\x0f\x42\x40") + facts) + b"".join(children)
    return EBML + bytes.fromhex(SEGMENT) + (size or number(len(payload))) + payload


def _deep(name: str, depth: int, core: bytes = b"") -> bytes:
    """An element within itself, to that depth."""
    heads, inside = [], len(core)
    for _ in range(depth):
        head = bytes.fromhex(name) + number(inside)
        heads.append(head)
        inside += len(head)
    return b"".join(reversed(heads)) + core


def files(size: int, fixture: Callable[[str], bytes]) -> Iterator[tuple[str, bytes]]:
    """All of them, of about that many bytes each."""
    tracks = element(TRACKS, TRACK)
    yield "voids.webm", segment(tracks, (element(VOID, b"")) * (size // 2), SOUND)
    yield "voids-tracks.webm", segment(element(TRACKS, TRACK + element(VOID, b"") * (size // 2)), SOUND)
    yield "voids-cluster.webm", segment(tracks, SOUND, element(CLUSTER, element(VOID, b"") * (size // 2)))
    tiny = cluster(0, block(0, b"\x08"))
    yield "clusters-tiny.webm", segment(tracks, tiny * (size // len(tiny)))
    rising = b"".join(cluster(20 * n, block(0, b"\x08")) for n in range(size // len(tiny)))
    yield "clusters-rising.webm", segment(tracks, rising)
    yield "clusters-empty.webm", segment(tracks, SOUND, element(CLUSTER, b"") * (size // 5))
    unknown = bytes.fromhex(CLUSTER) + UNKNOWN + element("e7", b"\0") + block(0, b"\x08")
    yield "clusters-unknown.webm", segment(tracks, unknown * (size // len(unknown)), size=UNKNOWN)
    yield "blocks-empty.webm", segment(tracks, cluster(0, block(0, b"") * (size // 6)))
    yield "blocks-other.webm", segment(tracks, SOUND, cluster(0, element("a3", b"\x85\0\0\x80") * (size // 6)))
    yield "times-2-63.webm", segment(tracks, SOUND, cluster((1 << 63) - 1, block(0, b"\x08")))
    jumps = b"".join(cluster((n + 1) << 36, block(0, b"\x08")) for n in range(size // len(tiny)))
    yield "times-jump.webm", segment(tracks, jumps)
    yield "duration-inf.webm", segment(tracks, SOUND, facts=element("4489", struct.pack(">d", float("inf"))))
    yield "duration-1e300.webm", segment(tracks, SOUND, facts=element("4489", struct.pack(">d", 1e300)))
    lacing = b"\xff" + b"\xff" * 255
    yield "lacing-xiph.webm", segment(tracks, cluster(0, block(0, lacing, 0x82) * (size // 262)))
    laced = bytes([255]) + bytes(255)
    yield "lacing-zeros.webm", segment(tracks, cluster(0, block(0, laced, 0x82) * (size // 262)))
    yield "lacing-fixed.webm", segment(tracks, cluster(0, block(0, b"\xff" + b"\x08" * 256, 0x84) * (size // 10_000)))
    yield "lacing-fixed-0.webm", segment(tracks, cluster(0, block(0, b"\xff", 0x84) * (size // 7)))
    yield (
        "padding.webm",
        segment(
            tracks, cluster(0, element("a0", element("a1", b"\x81\0\0\0\x08") + element("75a2", b"\x7f" + b"\xff" * 7)))
        ),
    )
    depth = min(size // 9, 20_000)
    for name, title in (("67c8", "tags"), ("b6", "atoms"), (CLUSTER, "clusters"), ("a0", "groups"), ("ae", "entries")):
        around = {"67c8": TAGS, "b6": CHAPTERS, "ae": TRACKS}.get(name, VOID)
        deep = _deep(name, depth)
        inner = deep if name == CLUSTER else element(around, deep)
        if name == "67c8":
            inner = element(TAGS, element("7373", deep))
        if name == "b6":
            inner = element(CHAPTERS, element("45b9", deep))
        yield f"nested-{title}.webm", segment(tracks, inner, SOUND)
    yield "nested-segments.webm", EBML + _deep(SEGMENT, depth, tracks + SOUND)
    yield "nested-unknown.webm", EBML + (bytes.fromhex(SEGMENT) + UNKNOWN) * (size // 12)
    simple = element("67c8", element("45a3", b"TITLE") + element("4487", b"x"))
    yield "tags.webm", segment(tracks, SOUND, element(TAGS, element("7373", simple * (size // len(simple)))))
    one = element("7373", simple)
    yield "tags-apart.webm", segment(tracks, SOUND, element(TAGS, one * (size // len(one))))
    yield "tags-elements.webm", segment(tracks, SOUND, element(TAGS, one) * (size // (len(one) + 5)))
    targets = element("63c0", element("63c5", b"\1") * (size // 4))
    yield "tags-targets.webm", segment(tracks, SOUND, element(TAGS, element("7373", targets + simple)))
    seek = element("4dbb", element("53ab", bytes.fromhex(SEEK_HEAD)) + element("53ac", b"\0"))
    yield "seek-head.webm", segment(element(SEEK_HEAD, seek * (size // len(seek))), tracks, SOUND)
    heads = element(SEEK_HEAD, seek)
    yield "seek-heads.webm", segment(heads * (size // len(heads)), tracks, SOUND)
    to_tags = element("4dbb", element("53ab", bytes.fromhex(TAGS)) + element("53ac", b"\0\0\0\xff"))
    yield "seek-tags.webm", segment(element(SEEK_HEAD, to_tags * (size // len(to_tags))), tracks, SOUND)

    def other(n: int) -> bytes:
        return element("67c8", element("45a3", b"NAME%06d" % n) + element("4487", b"x"))

    others = b"".join(other(n) for n in range(size // 24))
    yield "tags-other.webm", segment(tracks, SOUND, element(TAGS, element("7373", others)))
    to = b"".join(
        element("4dbb", element("53ab", bytes.fromhex(TAGS)) + element("53ac", struct.pack(">I", n)))
        for n in range(0, size, 20)
    )
    yield "seek-everywhere.webm", segment(element(SEEK_HEAD, to), tracks, SOUND)
    nested_tags = b""
    for _ in range(min(size // 8, 1000)):
        nested_tags = element(TAGS, nested_tags + others[: max(size // 1000, 1)], 4)
    listed = b"".join(
        element("4dbb", element("53ab", bytes.fromhex(TAGS)) + element("53ac", struct.pack(">I", 16 + 8 * n)))
        for n in range(64)
    )
    yield "seek-nested.webm", segment(element(SEEK_HEAD, listed), tracks, SOUND, nested_tags)
    cue = element("bb", element("b3", b"\0") + element("b7", element("f7", b"\1") + element("f1", b"\0")))
    yield "cues.webm", segment(tracks, SOUND, element(CUES, cue * (size // len(cue))))
    atom = element("b6", element("73c4", b"\1") + element("91", b"\0") + element("80", element("85", b"a")))
    yield "chapters.webm", segment(tracks, SOUND, element(CHAPTERS, element("45b9", atom * (size // len(atom)))))
    names = element("80", element("85", b"a"))
    many = element("b6", element("91", b"\0") + names * (size // len(names)))
    yield "chapter-names.webm", segment(tracks, SOUND, element(CHAPTERS, element("45b9", many)))
    attached = element("61a7", element("466e", b"cover.png") + element("4660", b"image/png") + element("465c", b""))
    yield "attachments.webm", segment(tracks, SOUND, element(ATTACHMENTS, attached * (size // len(attached))))
    yield "tracks.webm", segment(element(TRACKS, TRACK * (size // len(TRACK))), SOUND)
    yield "tracks-elements.webm", segment(tracks * (size // len(tracks)), SOUND)
    codings = element(
        "6d80", element("6240", element("5034", element("4254", b"\3") + element("4255", b"x"))) * (size // 16)
    )
    coded = element("ae", _ENTRY + element("63a2", _HEAD) + _AUDIO + codings)
    yield "codings.webm", segment(element(TRACKS, coded), SOUND)
    yield "element-2-56.webm", segment(tracks, SOUND, bytes.fromhex(VOID) + number((1 << 56) - 2) + bytes(100))
    yield "ebml-heads.webm", EBML * (size // len(EBML)) + segment(tracks, SOUND)[len(EBML) :]
    ordinary = fixture("vorbis.webm")
    yield "behind.webm", ordinary + bytes(size)
    setup = b"\2" + b"\xff" * (size // 2)
    private = element("ae", _ENTRY.replace(b"A_OPUS", b"A_VORBIS"[:6]) + element("63a2", setup) + _AUDIO)
    yield "private-lacing.webm", segment(element(TRACKS, private), SOUND)

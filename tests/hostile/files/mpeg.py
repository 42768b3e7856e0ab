"""MP3 and ADTS, and ID3v2 in front of them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator


def synchsafe(number: int) -> bytes:
    """Four bytes of seven bits (ID3v2.4, 6.2)."""
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def tag(frames: bytes, version: int = 4, flags: int = 0) -> bytes:
    """A tag of ID3v2."""
    return b"ID3" + bytes([version, 0, flags]) + synchsafe(len(frames)) + frames


def frame(name: bytes, payload: bytes, version: int = 4) -> bytes:
    """A frame of it."""
    size = synchsafe(len(payload)) if version == 4 else struct.pack(">I", len(payload))
    return name + size + bytes(2) + payload


def files(size: int, fixture: Callable[[str], bytes]) -> Iterator[tuple[str, bytes]]:
    """All of them, of about that many bytes each."""
    mp3 = fixture("mp3-no-xing.mp3")
    silent = b"\xff\xfb\x90\x64" + bytes(413)
    yield "id3-chain.mp3", b"ID3\3\0\0\0\0\0\0" * (size // 10) + silent
    yield "id3-chain.aac", b"ID3\3\0\0\0\0\0\0" * (size // 10) + fixture("aac.aac")
    yield "id3-behind.mp3", mp3 + b"ID3\3\0\0\0\0\0\0" * (size // 10)
    yield "id3-footers.mp3", mp3 + b"3DI\4\0\x10\0\0\0\0" * (size // 10)
    yield "ape-footers.mp3", mp3 + (b"APETAGEX" + struct.pack("<IIII", 2000, 32, 0, 0) + bytes(8)) * (size // 32)
    yield "tag-v1-chain.mp3", mp3 + (b"TAG" + bytes(125)) * (size // 128)
    yield "lyrics-chain.mp3", mp3 + b"LYRICSBEGIN000011LYRICS200" * (size // 26)
    yield "id3-largest.mp3", b"ID3\4\0\0\x7f\x7f\x7f\x7f" + mp3
    yield "sync-dense.mp3", b"\xff\xfb\x90\x64" * (size // 4)
    yield "sync-then-dense.mp3", silent * 3 + b"\xff\xfb\x91\x64" * (size // 4)
    yield "sync-bytes.mp3", silent * 3 + b"\xff" * size
    yield "sync-free-format.mp3", b"\xff\xfb\x00\x64" * (size // 4)
    far = b"\xff\xfb\x00\x64" + bytes(5000)
    yield "free-format-far.mp3", far * (size // len(far)) + b"\xff\xfb\x00\x64" * 1000
    # Every other header leads to one that fails.
    pair = b"\xff\xfb\x90\x64" + bytes(413) + b"\xff\xfb\x90\x64" + bytes(100)
    yield "sync-broken-pairs.mp3", pair * (size // len(pair))
    yield "smallest-frames.mp3", (b"\xff\xf3\x18\xc4" + bytes(22)) * (size // 26)
    yield "reservoir.mp3", (b"\xff\xfb\x90\x64\xff\x80" + bytes(411)) * (size // 417)
    count = b"Xing\0\0\0\x03" + b"\xff" * 8
    xing = b"\xff\xfb\x90\x64" + bytes(32) + count + bytes(413 - 32 - len(count))
    yield "xing-lie.mp3", xing + silent * 10
    vbri = b"VBRI" + struct.pack(">HHHIIHHHH", 1, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, 65535, 65535, 4, 65535)
    yield "vbri-lie.mp3", b"\xff\xfb\x90\x64" + bytes(32) + vbri + bytes(413 - 32 - len(vbri)) + silent * 10
    yield "many-frames-2.mp3", tag((b"TT2\0\0\1\0") * (size // 7), 2) + silent
    yield "many-frames-3.mp3", tag(frame(b"TIT2", b"\0a", 3) * (size // 12), 3) + silent
    yield "many-frames-4.mp3", tag(frame(b"TIT2", b"\0a") * (size // 12)) + silent
    yield "empty-frames.mp3", tag(frame(b"TIT2", b"") * (size // 10)) + silent
    yield "slashes.mp3", tag(frame(b"TPE1", b"\0" + b"a/" * (size // 2), 3), 3) + silent
    yield "nulls.mp3", tag(frame(b"TPE1", b"\3" + b"a\0" * (size // 2))) + silent
    yield "genres.mp3", tag(frame(b"TCON", b"\0" + b"(1)" * (size // 3), 3), 3) + silent
    picture = frame(b"APIC", b"\0image/png\0\3\0")
    yield "many-pictures.mp3", tag(picture * (size // len(picture))) + silent
    one = b"\0image/png\0\3\0" + bytes(size)
    yield "unsynchronised.mp3", tag(frame(b"APIC", b"\0image/png\0\3\0" + b"\xff\0" * (size // 2)), flags=0x80) + silent
    yield "one-picture.mp3", tag(frame(b"APIC", one)) + silent
    linked = frame(b"APIC", b"\0-->\0\3\0http://example.com/a.png")
    yield "linked-pictures.mp3", tag(linked * (size // len(linked))) + silent
    chapter = frame(b"CHAP", b"a\0" + bytes(16) + frame(b"TIT2", b"\0a"))
    yield "many-chapters.mp3", tag(chapter * (size // len(chapter))) + silent
    other = b"".join(frame(b"CHAP", b"%07d\0" % n + bytes(16)) for n in range(size // 34))
    listed = b"".join(b"%07d\0" % n for n in range(size // 34))
    contents = frame(b"CTOC", b"toc\0\3\xff" + listed)
    yield "chapters-listed.mp3", tag(other + contents) + silent
    yield "contents-lists.mp3", tag(frame(b"CTOC", b"t\0\3\1t\0") * (size // 16)) + silent
    nested = b""
    for _ in range(min(size // 30, 5000)):
        nested = frame(b"CHAP", b"a\0" + bytes(16) + nested)
    yield "nested-chapters.mp3", tag(nested) + silent
    yield "extended-header.mp3", b"ID3\4\0\x40" + synchsafe(size) + b"\x7f\x7f\x7f\x7f" + bytes(size - 4) + silent
    text = b"".join(frame(b"TXXX", b"\0%06d\0b" % n) for n in range(size // 19))
    yield "user-text.mp3", tag(text) + silent
    adts = bytes.fromhex("fff15080011ffc")
    yield "sync-dense.aac", adts * (size // 7)
    yield "sync-bytes.aac", fixture("aac.aac") + b"\xff" * size
    # Frames of silence: no spectrum, and the end (ISO/IEC 14496-3, 4.4.2).
    packet = bytes.fromhex("2100494020")
    num_bytes = 7 + len(packet)
    head = bytes([0xFF, 0xF1, 0x50, 0x80 | num_bytes >> 11, num_bytes >> 3 & 0xFF, (num_bytes & 7) << 5 | 0x1F, 0xFC])
    yield "silence.aac", (head + packet) * (size // 50)
    four = bytes([0xFF, 0xF1, 0x50, 0x80, 0x01, 0x1F, 0xFF])
    yield "blocks-of-four.aac", four * (size // 7)

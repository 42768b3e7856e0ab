"""Ogg files (RFC 3533) with Vorbis, Opus and FLAC."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence

from . import flac
from .checksums import crc32


def page(flags: int, granule: int, sequence: int, lacing: Sequence[int], body: bytes, serial: int = 1) -> bytes:
    """A page."""
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granule, serial, sequence, 0, len(lacing)) + bytes(lacing)
    whole = head + body
    return whole[:22] + struct.pack("<I", crc32(whole)) + whole[26:]


def packet_page(flags: int, granule: int, sequence: int, packet: bytes, serial: int = 1) -> bytes:
    """A page of one packet of less than 65,025 bytes."""
    return page(flags, granule, sequence, [255] * (len(packet) // 255) + [len(packet) % 255], packet, serial)


def pages_of(packets: bytes, offset: int = 0) -> Iterator[tuple[int, int]]:
    """Where the pages of a file begin and end."""
    while offset + 27 <= len(packets):
        num_segments = packets[offset + 26]
        lacing = packets[offset + 27 : offset + 27 + num_segments]
        end = offset + 27 + num_segments + sum(lacing)
        yield offset, end
        offset = end


OPUS_HEAD = b"OpusHead\1\2" + struct.pack("<HIhB", 0, 48_000, 0, 0)
OPUS_TAGS = b"OpusTags" + struct.pack("<II", 0, 0)


def opus(pages: bytes, tags: bytes = OPUS_TAGS, head: bytes = OPUS_HEAD) -> bytes:
    """A stream of Opus."""
    return packet_page(2, 0, 0, head) + packet_page(0, 0, 1, tags) + pages


def long_packet(packet: bytes, first_sequence: int) -> bytes:
    """A packet of any size on pages of its own, with no position."""
    pages = []
    for number, start in enumerate(range(0, len(packet) + 1, 255 * 255)):
        part = packet[start : start + 255 * 255]
        lacing = [255] * (len(part) // 255)
        if len(part) < 255 * 255:
            lacing.append(len(part) % 255)
        granule = 0 if len(part) < 255 * 255 else -1
        pages.append(page(1 if number else 0, granule, first_sequence + number, lacing, part))
    return b"".join(pages)


# One frame of 20 ms, of no bytes: the decoder makes up for it (RFC 6716, 3.2.1 and 4.4).
EMPTY_OPUS = b"\x08"
# Six frames of 20 ms, of no bytes, in three bytes: code 3, constant sizes (3.2.5).
LONG_OPUS = b"\x0b\x06"


class _Bits:
    """Bits of Vorbis, the lowest first (Vorbis I, section 2)."""

    def __init__(self) -> None:
        self.value, self.count = 0, 0

    def put(self, value: int, num_bits: int) -> _Bits:
        self.value |= (value & ((1 << num_bits) - 1)) << self.count
        self.count += num_bits
        return self

    def bytes(self) -> bytes:
        return self.value.to_bytes((self.count + 7) // 8, "little")


def vorbis_head(num_channels: int = 1) -> bytes:
    """The identification header."""
    return b"\x01vorbis" + struct.pack("<IBIiiiBB", 0, num_channels, 44_100, 0, 0, 0, 0xB8, 1)


VORBIS_COMMENT = b"\x03vorbis" + struct.pack("<II", 0, 0) + b"\1"


def vorbis(setup: bytes, pages: bytes = b"", comment: bytes = VORBIS_COMMENT) -> bytes:
    """A stream of Vorbis."""
    head = packet_page(2, 0, 0, vorbis_head())
    return head + long_packet(comment, 1) + long_packet(setup, 100) + (pages or packet_page(4, 9, 200, b"\0\0"))


def codebooks(num_books: int, num_bits: int) -> bytes:
    """A setup of many codebooks with 2^bits words of that many bits, in a dozen bytes each (3.2.1)."""
    bits = _Bits()
    bits.put(num_books - 1, 8)
    for _ in range(num_books):
        bits.put(0x564342, 24).put(1, 16).put(1 << num_bits, 24).put(1, 1).put(num_bits - 1, 5)
        bits.put(1 << num_bits, num_bits + 1).put(0, 4)
    return b"\x05vorbis" + bits.bytes() + bytes(64)


def lattices(num_books: int, num_bits: int, num_dimensions: int) -> bytes:
    """As `codebooks`, with vectors made of one or two values."""
    bits = _Bits()
    bits.put(num_books - 1, 8)
    for _ in range(num_books):
        bits.put(0x564342, 24).put(num_dimensions, 16).put(1 << num_bits, 24).put(1, 1).put(num_bits - 1, 5)
        bits.put(1 << num_bits, num_bits + 1).put(1, 4).put(0, 32).put(0, 32).put(0, 4).put(0, 1)
        num_values = 1
        while (num_values + 1) ** num_dimensions <= 1 << num_bits:
            num_values += 1
        bits.put(0, num_values)
    return b"\x05vorbis" + bits.bytes() + bytes(64)


def files(size: int, fixture: Callable[[str], bytes]) -> Iterator[tuple[str, bytes]]:
    """All of them, of about that many bytes each."""
    head = b"OggS\0\2" + bytes(20) + b"\1\x1e" + b"\x01vorbis" + bytes(23)
    lookalike = b"OggS\0\0" + b"\xff" * 20 + b"\xff"
    yield "lookalike-pages.ogg", head + lookalike * (size // len(lookalike))
    opus_head = packet_page(2, 0, 0, OPUS_HEAD) + packet_page(0, 0, 1, OPUS_TAGS)
    yield "lookalike-pages.opus", opus_head + lookalike * (size // len(lookalike))
    broken = b"X" + lookalike * 2
    whole = packet_page(0, 960, 2, EMPTY_OPUS)
    yield "lookalike-often.opus", opus_head + (whole + broken * 4) * (size // (len(whole) + 4 * len(broken)))
    vorbis_file = fixture("vorbis.ogg")
    places = list(pages_of(vorbis_file))
    begin = vorbis_file[: places[2][0]]
    yield (
        "lookalike-later.ogg",
        vorbis_file + b"X" + lookalike * (size // len(lookalike)) + vorbis_file[places[-1][0] :],
    )
    yield "capture-patterns.ogg", vorbis_file + b"OggS" * (size // 4)
    empty = page(0, -1, 5, [], b"", serial=struct.unpack_from("<I", vorbis_file, 14)[0])
    yield "empty-pages.ogg", begin + empty * (size // 27) + vorbis_file[places[2][0] :]
    links = vorbis_file * max(size // len(vorbis_file), 2)
    yield "many-links.ogg", links
    tiny = page(2, 0, 0, [19], OPUS_HEAD) + packet_page(0, 0, 1, OPUS_TAGS) + packet_page(4, 960, 2, EMPTY_OPUS)
    yield "many-links.opus", tiny * (size // len(tiny))
    first = page(2, 0, 0, [19], OPUS_HEAD)
    yield "many-streams.opus", first * (size // len(first)) + tiny
    yield "granule-2-62.opus", opus(packet_page(4, 1 << 62, 2, EMPTY_OPUS))
    yield "granule-least.opus", opus(packet_page(4, -(1 << 63), 2, EMPTY_OPUS))
    jumps = b"".join(packet_page(0, (n + 1) << 40, n + 2, EMPTY_OPUS) for n in range(size // 29))
    yield "granule-jumps.opus", opus(jumps)
    last = bytearray(vorbis_file)
    last[places[-1][0] + 6 : places[-1][0] + 14] = struct.pack("<q", 1 << 62)
    last[places[-1][0] + 22 : places[-1][0] + 26] = bytes(4)
    last[places[-1][0] + 22 : places[-1][0] + 26] = struct.pack("<I", crc32(bytes(last[places[-1][0] :])))
    yield "granule-2-62.ogg", bytes(last)
    flac_head = b"\x7fFLAC\1\0\0\0" + flac.stream_info(1, 0, 4096)
    frames = packet_page(4, 1 << 62, 2, flac.silent_frame(0, 1, 4096))
    yield (
        "granule-2-62.oga",
        packet_page(2, 0, 0, flac_head) + packet_page(0, 0, 1, b"\x84\0\0\x08" + bytes(8)) + frames,
    )
    pages, position = [], 0
    for number in range(max(size // 100_000, 2)):
        position += 255 * 5760
        pages.append(page(0, position, number + 2, [2] * 255, LONG_OPUS * 255))
    yield "silence.opus", opus(b"".join(pages))
    yield "one-packet.opus", opus(long_packet(b"\x08" + bytes(size), 2))
    yield "one-segment-pages.opus", opus(b"".join(page(1, -1, n + 2, [255], bytes(255)) for n in range(size // 283)))
    comments = b"OpusTags" + struct.pack("<II", 0, 0xFFFFFFFF) + bytes(size)
    yield "many-comments.opus", packet_page(2, 0, 0, OPUS_HEAD) + long_packet(comments, 1) + whole
    pairs = struct.pack("<II", 0, size // 8) + (struct.pack("<I", 4) + b"A=bc") * (size // 8)
    yield "same-comments.opus", packet_page(2, 0, 0, OPUS_HEAD) + long_packet(b"OpusTags" + pairs, 1) + whole
    picture = b"METADATA_BLOCK_PICTURE=" + b"AAAA" * 11
    pictures = (struct.pack("<I", len(picture)) + picture) * (size // (4 + len(picture)))
    tags = b"OpusTags" + struct.pack("<II", 0, size // (4 + len(picture))) + pictures
    yield "many-pictures.opus", packet_page(2, 0, 0, OPUS_HEAD) + long_packet(tags, 1) + whole
    chapters = b"".join(struct.pack("<I", 23) + b"CHAPTER%03d=00:00:00.000" % (n % 1000) for n in range(size // 28))
    tags = b"OpusTags" + struct.pack("<II", 0, size // 28) + chapters
    yield "many-chapters.opus", packet_page(2, 0, 0, OPUS_HEAD) + long_packet(tags, 1) + whole
    yield "big-codebooks.ogg", vorbis(codebooks(256, 22))
    yield "long-words.ogg", vorbis(codebooks(1, 23))
    yield "big-lattices.ogg", vorbis(lattices(256, 12, 1 << 10))
    one = vorbis(codebooks(60, 16))
    yield "many-big-codebooks.ogg", one * (size // len(one))
    continued = b"".join(page(1, 0, n + 1, [1], b"x") for n in range(size // 29))
    yield "continued-pages.opus", packet_page(2, 0, 0, OPUS_HEAD) + continued
    yield "continued-pages.ogg", packet_page(2, 0, 0, vorbis_head()) + continued
    flac_first = packet_page(2, 0, 0, b"\x7fFLAC\1\0\0\0" + flac.stream_info(1, 0, 4096, is_last=False))
    blocks = b"".join(packet_page(0, 0, n + 1, b"\1\0\0\0") for n in range(size // 32))
    yield "many-blocks.oga", flac_first + blocks + packet_page(4, 4096, 9, flac.silent_frame(0, 1, 4096))
    yield "cut-page.ogg", vorbis_file[:-1] + lookalike * (size // len(lookalike))

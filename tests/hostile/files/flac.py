"""FLAC files (RFC 9639)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .checksums import crc8, crc16

MAX_BLOCK = 65535


def _coded_number(number: int) -> bytes:
    """A number in the manner of UTF-8, which may have 36 bits (9.1.5)."""
    if number < 0x80:
        return bytes([number])
    rest = []
    lead = 0x3F
    while number > lead:
        rest.append(0x80 | number & 0x3F)
        number >>= 6
        lead >>= 1
    return bytes([(~lead << 1 & 0xFF) | number, *reversed(rest)])


def stream_info(num_channels: int, num_frames: int, block: int = MAX_BLOCK, *, is_last: bool = True) -> bytes:
    """The marker and STREAMINFO of a stream of 8 bits at 44,100 Hz."""
    facts = 44_100 << 44 | num_channels - 1 << 41 | 7 << 36 | num_frames
    head = b"fLaC" + bytes([0x80 if is_last else 0, 0, 0, 34])
    return head + struct.pack(">HH", block, block) + bytes(6) + facts.to_bytes(8, "big") + bytes(16)


def header(number: int, num_channels: int, block: int = MAX_BLOCK) -> bytes:
    """The header of a frame."""
    is_power = block == 32768
    head = bytes([0xFF, 0xF8, (0xF0 if is_power else 0x70) | 9, num_channels - 1 << 4 | 2]) + _coded_number(number)
    if not is_power:
        head += struct.pack(">H", block - 1)
    return head + bytes([crc8(head)])


def silent_frame(number: int, num_channels: int, block: int = MAX_BLOCK) -> bytes:
    """A frame whose channels are constant."""
    frame = header(number, num_channels, block) + bytes(2 * num_channels)
    return frame + struct.pack(">H", crc16(frame))


def bomb(num_frames: int, num_channels: int = 8) -> bytes:
    """Frames of silence: 28 bytes hold 65,535 frames of eight channels."""
    frames = b"".join(silent_frame(number, num_channels) for number in range(num_frames))
    return stream_info(num_channels, num_frames * MAX_BLOCK) + frames


def _between(middle: bytes, num_frames: int = 10, block: int = 32768) -> bytes:
    """A first and a last frame, and what is not frames between them."""
    ends = silent_frame(0, 8, block), silent_frame(num_frames - 1, 8, block)
    return stream_info(8, num_frames * block, block) + ends[0] + middle + ends[1]


def files(size: int) -> Iterator[tuple[str, bytes]]:
    """All of them, of about that many bytes each."""
    fake = header(1, 8, 32768)
    # Longer streams are opened without following all frames.
    long = fake * (max(size, 2_400_000) // len(fake))
    yield "lookalike-long.flac", _between(long)
    yield "lookalike-long-tail.flac", _between(long)[:-20]
    yield "silent-frames.flac", stream_info(8, 0) + silent_frame(0, 8) * (size // 24)
    yield "lookalike-headers.flac", _between(fake * (size // len(fake)))
    rising = b"".join(header(number & 0x7FFF | 1, 8, 32768) for number in range(size // 8))
    yield "lookalike-rising.flac", _between(rising, 1 << 15)
    yield "lookalike-tail.flac", _between(fake * (size // len(fake)))[:-20]
    verbatim = header(1, 1, 32768) + b"\x02"
    first = stream_info(1, 10 * 32768, 32768) + silent_frame(0, 1, 32768)
    yield "lookalike-verbatim.flac", first + verbatim * (size // len(verbatim)) + silent_frame(9, 1, 32768)
    # Rice codes whose zeros go on to the end of the file.
    rice = header(1, 1, 32768) + b"\x10\x00\x00"
    yield "lookalike-rice.flac", first + (rice + bytes(8)) * (size // (len(rice) + 8)) + silent_frame(9, 1, 32768)
    yield "unary-zeros.flac", first + rice + bytes(size)
    yield "bomb.flac", bomb(max(size // 10_000, 10))
    yield "claims-36-bits.flac", stream_info(2, (1 << 36) - 1) + silent_frame(0, 2) * 3
    short = stream_info(1, 16, 16) + silent_frame(0, 1, 16)
    yield "many-streams.flac", short * (size // len(short))
    empty = b"\x01\0\0\0"
    blocks = stream_info(1, 16, 16, is_last=False) + empty * (size // 4) + b"\x81\0\0\0" + silent_frame(0, 1, 16)
    yield "many-blocks.flac", blocks
    comments = struct.pack("<II", 0, 0xFFFFFFFF) + struct.pack("<I", 0) * (size // 4)
    yield "many-comments.flac", _with_block(4, comments)
    pairs = struct.pack("<II", 0, size // 8) + (struct.pack("<I", 4) + b"A=bc") * (size // 8)
    yield "same-comments.flac", _with_block(4, pairs)
    each = b"".join(struct.pack("<I", 10) + b"%08d=x" % number for number in range(size // 14))
    yield "other-comments.flac", _with_block(4, struct.pack("<II", 0, size // 14) + each)
    picture = struct.pack(">IIIIIIII", 3, 0, 0, 0, 0, 0, 0, 0)
    pictures = (b"\x06" + struct.pack(">I", len(picture))[1:] + picture) * (size // 36)
    yield "many-pictures.flac", _with_blocks(pictures)
    lie = struct.pack(">II", 3, 0xFFFFFFFF) + bytes(24)
    yield "lying-pictures.flac", _with_blocks((b"\x06" + struct.pack(">I", len(lie))[1:] + lie) * (size // 36))
    sheet = bytes(128 + 8 + 1 + 258) + bytes([100]) + (bytes(35) + b"\xff") * 100
    yield "cue-sheets.flac", _with_blocks((b"\x05" + struct.pack(">I", len(sheet))[1:] + sheet) * (size // len(sheet)))
    points = struct.pack(">QQH", 1 << 62, 1 << 62, 1) * (min(size, 0xFFFFFF) // 18)
    yield "seek-points.flac", _with_block(3, points)
    yield "id3-chain.flac", b"ID3\4\0\0\0\0\0\0" * (size // 10) + short


def _with_blocks(blocks: bytes) -> bytes:
    return stream_info(1, 16, 16, is_last=False) + blocks + b"\x81\0\0\0" + silent_frame(0, 1, 16)


def _with_block(kind: int, payload: bytes) -> bytes:
    payload = payload[:0xFFFFFF]
    return _with_blocks(bytes([kind]) + len(payload).to_bytes(3, "big") + payload)

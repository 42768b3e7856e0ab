"""The WAV family, the AIFF family and CAF."""

from __future__ import annotations

import struct
from collections.abc import Iterator

FMT = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 2, 44_100, 176_400, 4, 16)
SOUND = b"data" + struct.pack("<I", 16) + b"\1" * 16


def wav(*chunks: bytes) -> bytes:
    """A WAV file."""
    body = b"".join(chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return kind + struct.pack("<I", len(payload)) + payload + bytes(len(payload) & 1)


def _big(kind: bytes, payload: bytes) -> bytes:
    return kind + struct.pack(">I", len(payload)) + payload + bytes(len(payload) & 1)


def _wav_files(size: int) -> Iterator[tuple[str, bytes]]:
    yield "many-chunks.wav", wav(b"junk\0\0\0\0" * (size // 8), FMT, SOUND)
    yield "chunks-behind.wav", wav(FMT, SOUND, b"junk\0\0\0\0" * (size // 8))
    yield "many-fmt.wav", wav(FMT * (size // len(FMT)), SOUND)
    yield "many-data.wav", wav(FMT, b"data\0\0\0\0" * (size // 8), SOUND)
    yield "many-lists.wav", wav(FMT, (b"LIST\4\0\0\0INFO") * (size // 12), SOUND)
    yield "many-tags.wav", wav(FMT, _chunk(b"LIST", b"INFO" + b"INAM\0\0\0\0" * (size // 8)), SOUND)
    other = b"".join(b"I" + b"%03x" % (n & 0xFFF) + b"\2\0\0\0x\0" for n in range(size // 10))
    yield "other-tags.wav", wav(FMT, _chunk(b"LIST", b"INFO" + other), SOUND)
    labels = b"".join(_chunk(b"labl", struct.pack("<I", n) + b"a\0") for n in range(size // 14))
    cues = b"".join(struct.pack("<IIIIII", n, n, 0x61746164, 0, 0, n) for n in range(size // 24))
    yield "many-cues.wav", wav(FMT, _chunk(b"cue ", struct.pack("<I", size // 24) + cues), SOUND)
    yield (
        "cues-and-labels.wav",
        wav(FMT, _chunk(b"cue ", struct.pack("<I", size // 24) + cues), SOUND, _chunk(b"LIST", b"adtl" + labels)),
    )
    same = struct.pack("<IIIIII", 1, 0, 0x61746164, 0, 0, 0) * (size // 24)
    alike = _chunk(b"labl", struct.pack("<I", 1) + b"a\0") * (size // 14)
    yield (
        "same-cues.wav",
        wav(FMT, _chunk(b"cue ", struct.pack("<I", size // 24) + same), SOUND, _chunk(b"LIST", b"adtl" + alike)),
    )
    yield "cue-count.wav", wav(FMT, _chunk(b"cue ", struct.pack("<I", 0xFFFFFFFF) + bytes(24)), SOUND)
    sampler = bytes(28) + struct.pack("<II", 0xFFFFFFFF, 0) + bytes(24) * (size // 24)
    yield "sampler-loops.wav", wav(FMT, _chunk(b"smpl", sampler), SOUND)
    nested = b""
    for _ in range(min(size // 12, 10_000)):
        nested = _chunk(b"LIST", b"INFO" + nested)
    yield "nested-lists.wav", wav(FMT, nested, SOUND)
    tags = b"ID3\3\0\0\0\0\0\0" * (size // 10)
    yield "id3-chunks.wav", wav(FMT, SOUND, _chunk(b"id3 ", tags))
    yield "many-id3-chunks.wav", wav(FMT, SOUND, _chunk(b"id3 ", b"ID3\3\0\0\0\0\0\0") * (size // 18))
    history = bytes(602) + b"A=PCM\r\n" * (size // 7)
    yield "coding-history.wav", wav(FMT, _chunk(b"bext", history), SOUND)
    yield "many-bext.wav", wav(FMT, _chunk(b"bext", bytes(602)) * (size // 610), SOUND)
    lie = b"RIFF\xff\xff\xff\xffWAVE" + FMT + b"data" + struct.pack("<I", 0xFFFFFFF0) + b"\1\2" * 100
    yield "lie.wav", lie
    sizes = b"ds64" + struct.pack("<IQQQI", 28, 1 << 62, 1 << 62, 1 << 62, 0)
    yield "lie-rf64.wav", b"RF64\xff\xff\xff\xffWAVE" + sizes + FMT + b"data\xff\xff\xff\xff" + b"\1\2" * 100
    table = struct.pack("<QQQI", 1 << 62, 1 << 62, 1 << 62, size // 12) + (b"data" + bytes(8)) * (size // 12)
    yield "table-rf64.wav", b"RF64\xff\xff\xff\xffWAVE" + _chunk(b"ds64", table) + FMT + SOUND
    wide = struct.pack("<IHHIIHH", 16, 1, 65535, 0xFFFFFFFF, 0xFFFFFFFF, 65535, 8)
    yield "channels-65535.wav", wav(b"fmt " + wide, b"data" + struct.pack("<I", 196_606) + bytes(196_606))
    adpcm = struct.pack("<IHHIIHHHH", 20, 0x11, 1, 44_100, 22_050, 4, 4, 2, 1)
    yield "adpcm-small-blocks.wav", wav(b"fmt " + adpcm, _chunk(b"data", bytes(size)))
    lie = struct.pack("<IHHIIHHHH", 20, 0x11, 1, 44_100, 22_050, 4, 4, 2, 65535)
    yield "adpcm-lying-blocks.wav", wav(b"fmt " + lie, _chunk(b"fact", b"\xff" * 4), _chunk(b"data", bytes(size)))
    mp3 = struct.pack("<IHHIIHHHHIHHH", 30, 0x55, 2, 44_100, 16_000, 1, 0, 12, 1, 2, 417, 1, 0)
    yield "mp3-sync.wav", wav(b"fmt " + mp3, _chunk(b"data", b"\xff\xfb\x90\x64" * (size // 4)))


def _w64_files(size: int) -> Iterator[tuple[str, bytes]]:
    tail = bytes.fromhex("f3acd3118cd100c04f8edb8a")
    riff = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
    fmt = b"fmt " + tail + struct.pack("<QHHIIHH", 40, 1, 2, 44_100, 176_400, 4, 16)
    data = b"data" + tail + struct.pack("<Q", 40) + b"\1" * 16
    junk = (b"junk" + tail + struct.pack("<Q", 24)) * (size // 24)
    yield "many-chunks.w64", riff + struct.pack("<Q", 1 << 40) + b"wave" + tail + junk + fmt + data
    data = b"data" + tail + struct.pack("<Q", 1 << 62) + b"\1" * 16
    yield "lie.w64", riff + struct.pack("<Q", 1 << 62) + b"wave" + tail + fmt + data


def _aiff_files(size: int) -> Iterator[tuple[str, bytes]]:
    rate = struct.pack(">HQ", 0x400E, 44_100 << 48)

    def aiff(*chunks: bytes, num_frames: int = 4) -> bytes:
        common = _big(b"COMM", struct.pack(">HIH", 2, num_frames, 16) + rate)
        body = common + b"".join(chunks)
        return b"FORM" + struct.pack(">I", 4 + len(body)) + b"AIFF" + body

    sound = _big(b"SSND", bytes(8) + b"\1" * 16)
    yield "many-chunks.aiff", aiff(b"JUNK\0\0\0\0" * (size // 8), sound)
    yield "chunks-behind.aiff", aiff(sound, b"JUNK\0\0\0\0" * (size // 8))
    count = min(size // 8, 65535)
    markers = b"".join(struct.pack(">HIBx", n & 0xFFFF, n, 0) for n in range(count))
    yield "many-markers.aiff", aiff(_big(b"MARK", struct.pack(">H", count) + markers), sound)
    chunks = _big(b"MARK", struct.pack(">H", 1) + struct.pack(">HIBx", 1, 1, 0)) * (size // 18)
    yield "many-mark-chunks.aiff", aiff(chunks, sound)
    notes = struct.pack(">H", count) + struct.pack(">IHH", 0, 0, 0) * count
    yield "many-comments.aiff", aiff(_big(b"COMT", notes), sound)
    yield "many-names.aiff", aiff(_big(b"NAME", b"") * (size // 8), sound)
    yield "many-id3.aiff", aiff(_big(b"ID3 ", b"ID3\3\0\0\0\0\0\0") * (size // 18), sound)
    yield "lie.aiff", aiff(b"SSND" + struct.pack(">I", 0xFFFFFFFF) + bytes(24), num_frames=0xFFFFFFFF)


def caf(
    codec: bytes = b"lpcm",
    num_channels: int = 2,
    packet_frames: int = 1,
    packet_bytes: int = 4,
    chunks: bytes = b"",
    sound: bytes = b"\1" * 64,
) -> bytes:
    """A CAF file."""
    facts = struct.pack(">d4sIIIII", 44_100.0, codec, 0, packet_bytes, packet_frames, num_channels, 16)
    head = b"caff\0\1\0\0desc" + struct.pack(">Q", len(facts)) + facts
    return head + chunks + b"data" + struct.pack(">Q", len(sound) + 4) + bytes(4) + sound


def _caf_chunk(kind: bytes, payload: bytes) -> bytes:
    return kind + struct.pack(">Q", len(payload)) + payload


def _caf_files(size: int) -> Iterator[tuple[str, bytes]]:
    largest = (1 << 63) - 1
    yield "many-chunks.caf", caf(chunks=_caf_chunk(b"free", b"") * (size // 12))
    yield "many-tags.caf", caf(chunks=_caf_chunk(b"info", struct.pack(">I", size // 4) + b"a\0b\0" * (size // 4)))
    markers = struct.pack(">II", 0, size // 28) + bytes(28) * (size // 28)
    yield "many-markers.caf", caf(chunks=_caf_chunk(b"mark", markers))
    regions = struct.pack(">II", 0xFFFFFFFF, 0) + bytes(size)
    yield "many-regions.caf", caf(chunks=_caf_chunk(b"regn", regions))
    strings = b"".join(struct.pack(">IQ", n, 0) for n in range(size // 12))
    yield "many-strings.caf", caf(chunks=_caf_chunk(b"strg", struct.pack(">I", size // 12) + strings))
    both = _caf_chunk(b"mark", markers) + _caf_chunk(b"strg", struct.pack(">I", size // 12) + strings)
    yield "markers-and-strings.caf", caf(chunks=both)
    layout = _caf_chunk(b"chan", struct.pack(">III", 0, 0, 0xFFFFFFFF) + bytes(size))
    yield "channel-layout.caf", caf(chunks=layout)
    for name, codec, frames, width in (
        ("ima4", b"ima4", 64, 34),
        ("alac", b"alac", 4096, 0),
        ("aac", b"aac ", 1024, 0),
        ("opus", b"opus", 960, 0),
        ("pcm", b"lpcm", 1, 4),
    ):
        lie = struct.pack(">qqii", largest, largest, 0, 0)
        yield f"table-count-{name}.caf", caf(codec, 1, frames, width, _caf_chunk(b"pakt", lie + b"\xff" * 40))
        lie = struct.pack(">qqii", size, size * frames, 0, 0) + bytes(size)
        yield f"empty-packets-{name}.caf", caf(codec, 1, frames, width, _caf_chunk(b"pakt", lie))
    lie = struct.pack(">qqii", size, size * 0xFFFFFFFF, 0, 0) + b"\1" * size
    yield "packet-frames.caf", caf(b"alac", 1, 0xFFFFFFFF, 0, _caf_chunk(b"pakt", lie), bytes(size))
    wide = b"\x81" + b"\x80" * 7 + b"\0"
    lie = struct.pack(">qqii", size // 9, size // 9 * 4096, 0, 0) + wide * (size // 9)
    yield "long-numbers.caf", caf(b"alac", 1, 4096, 0, _caf_chunk(b"pakt", lie), bytes(64))


def files(size: int) -> Iterator[tuple[str, bytes]]:
    """All of them, of about that many bytes each."""
    yield from _wav_files(size)
    yield from _w64_files(size)
    yield from _aiff_files(size)
    yield from _caf_files(size)

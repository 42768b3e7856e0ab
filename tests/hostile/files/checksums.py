"""The checksums of FLAC frames (RFC 9639, 9.1.8 and 9.3) and Ogg pages (RFC 3533, section 6)."""

from __future__ import annotations


def _table(polynomial: int, num_bits: int) -> list[int]:
    top, mask = 1 << (num_bits - 1), (1 << num_bits) - 1
    table = []
    for byte in range(256):
        value = byte << (num_bits - 8)
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value & top else 0)) & mask
        table.append(value)
    return table


_CRC8, _CRC16, _CRC32 = _table(0x07, 8), _table(0x8005, 16), _table(0x04C11DB7, 32)


def crc8(data: bytes) -> int:
    """The checksum of a frame header of FLAC."""
    value = 0
    for byte in data:
        value = _CRC8[value ^ byte]
    return value


def crc16(data: bytes) -> int:
    """The checksum of a frame of FLAC."""
    value = 0
    for byte in data:
        value = (value << 8 & 0xFFFF) ^ _CRC16[value >> 8 ^ byte]
    return value


def crc32(data: bytes) -> int:
    """The checksum of a page of Ogg."""
    value = 0
    for byte in data:
        value = (value << 8 & 0xFFFFFFFF) ^ _CRC32[value >> 24 ^ byte]
    return value

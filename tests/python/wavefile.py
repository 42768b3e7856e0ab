"""WAV files written with nothing but the standard library, owing nothing to the code under test."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

RATE = 48_000
_HEADER_BYTES = 44


def header(num_frames: int, num_channels: int, dtype: np.dtype, rate: int = RATE) -> bytes:
    """The 44 bytes before the samples, of a file whose samples may or may not all follow."""
    dtype = np.dtype(dtype)
    tag, frame_bytes = (3 if dtype.kind == "f" else 1), num_channels * dtype.itemsize
    data_bytes = num_frames * frame_bytes
    fmt = struct.pack("<HHIIHH", tag, num_channels, rate, rate * frame_bytes, frame_bytes, 8 * dtype.itemsize)
    riff = struct.pack("<4sI4s", b"RIFF", 36 + data_bytes, b"WAVE")
    return riff + struct.pack("<4sI", b"fmt ", 16) + fmt + struct.pack("<4sI", b"data", data_bytes)


def encode(samples: np.ndarray, rate: int = RATE) -> bytes:
    """A WAV file of `(frames, channels)` samples in their own type."""
    num_frames, num_channels = samples.shape
    little = samples.astype(samples.dtype.newbyteorder("<"), copy=False)
    return header(num_frames, num_channels, samples.dtype, rate) + little.tobytes()


def write(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    path.write_bytes(encode(samples, rate))
    return path


def write_sparse(path: Path, num_frames: int, num_channels: int = 1, dtype: str = "int16") -> Path:
    """An RF64 file of silence that takes no room on the disk."""
    dtype = np.dtype(dtype)
    data_bytes = num_frames * num_channels * dtype.itemsize
    plain = header(0, num_channels, dtype)
    ds64 = struct.pack("<4sIQQQI", b"ds64", 28, 72 + data_bytes, data_bytes, num_frames, 0)
    data = struct.pack("<4sI", b"data", 0xFFFF_FFFF)
    head = struct.pack("<4sI4s", b"RF64", 0xFFFF_FFFF, b"WAVE") + ds64 + plain[12:36] + data
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + data_bytes)
    return path


def cut(path: Path, num_frames: int, frame_bytes: int) -> None:
    """Truncates a file written by `write` so that only its first frames are left."""
    with path.open("r+b") as file:
        file.truncate(_HEADER_BYTES + num_frames * frame_bytes)

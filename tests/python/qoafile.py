"""QOA files of any slices, and a decoder as the specification has it, one sample after another."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import numpy as np

SLICE_FRAMES = 20
PACKET_SLICES = 256
RATE = 44_100


def write(path: Path, num_frames: int, num_channels: int, seed: int = 1) -> Path:
    """A file of random slices, each of which means something."""
    path.write_bytes(encode(num_frames, num_channels, seed))
    return path


def encode(num_frames: int, num_channels: int, seed: int = 1) -> bytes:
    """The bytes of a file of random slices with small scale factors, so that it does not clip all the time."""
    chance = random.Random(seed)
    parts = [b"qoaf", struct.pack(">I", num_frames)]
    left = num_frames
    while left > 0:
        frames = min(left, SLICE_FRAMES * PACKET_SLICES)
        num_rows = -(-frames // SLICE_FRAMES)
        size = 8 + num_channels * (16 + 8 * num_rows)
        parts.append(struct.pack(">B3sHH", num_channels, RATE.to_bytes(3, "big"), frames, size))
        for _ in range(num_channels):
            history = [chance.randrange(-9000, 9000) for _ in range(4)]
            parts.append(struct.pack(">4h4h", *history, 0, 0, -8192, 16_384))
        for _ in range(num_rows * num_channels):
            parts.append(struct.pack(">Q", chance.randrange(6) << 60 | chance.getrandbits(60)))
        left -= frames
    return b"".join(parts)


def decode(contents: bytes) -> np.ndarray:
    """The samples as `(frames, channels)` int16."""
    magic, num_frames = struct.unpack_from(">4sI", contents)
    assert magic == b"qoaf"
    packets, at = [], 8
    while at < len(contents):
        num_channels, _, frames, size = struct.unpack_from(">B3sHH", contents, at)
        packets.append(_decode_packet(contents[at + 8 : at + size], num_channels, frames))
        at += size
    samples = np.concatenate(packets)
    assert len(samples) == num_frames
    return samples


def _decode_packet(body: bytes, num_channels: int, frames: int) -> np.ndarray:
    states = [list(struct.unpack_from(">4h4h", body, 16 * channel)) for channel in range(num_channels)]
    samples = np.empty((-(-frames // SLICE_FRAMES) * SLICE_FRAMES, num_channels), np.int16)
    slices = struct.iter_unpack(">Q", body[16 * num_channels :])
    for number, (word,) in enumerate(slices):
        row, channel = divmod(number, num_channels)
        history, weights = states[channel][:4], states[channel][4:]
        scale = round(((word >> 60) + 1) ** 2.75)
        for index in range(SLICE_FRAMES):
            quarters = (3, -3, 10, -10, 18, -18, 28, -28)[word >> (57 - 3 * index) & 7] * scale
            residual = (abs(quarters) + 2) // 4 * (1 if quarters > 0 else -1)
            prediction = sum(weight * past for weight, past in zip(weights, history, strict=True)) >> 13
            sample = max(-32_768, min(32_767, prediction + residual))
            samples[row * SLICE_FRAMES + index, channel] = sample
            step = residual >> 4
            weights = [w - step if past < 0 else w + step for w, past in zip(weights, history, strict=True)]
            history = [*history[1:], sample]
        states[channel] = [*history, *weights]
    return samples[:frames]

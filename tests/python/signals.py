"""Signals to be saved, and what their samples are in integers, in exact arithmetic."""

from __future__ import annotations

import numpy as np

INTEGER_BITS = {"u8": 8, "pcm16": 16, "pcm24": 24, "pcm32": 32}


def edges() -> np.ndarray:
    """Numbers at which rounding and full scale are decided: halves of every depth, both zeros, both ends."""
    steps = np.array([-3, -2, -1, -0.5, 0.5, 1, 1.5, 2, 2.5, 3.5, 101.5])
    halves = [steps / 2.0 ** (bits - 1) for bits in INTEGER_BITS.values()]
    ends = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        1 - 2.0**-24,
        2.0**-24 - 1,
        1.25,
        -1.25,
        127.5 / 128,
        32767.5 / 32768,
        -32768.5 / 32768,
    ]
    return np.concatenate([*halves, ends])


def noise(dtype: str, num_frames: int, num_channels: int, seed: int = 1) -> np.ndarray:
    """White noise somewhat beyond full scale that begins with the edges; integers over their whole range."""
    random = np.random.default_rng(seed)
    shape = (num_frames, num_channels)
    if dtype.startswith("int"):
        limits = np.iinfo(dtype)
        samples = random.integers(limits.min, limits.max, shape, dtype, endpoint=True)
        samples.flat[:4] = [limits.min, limits.max, 0, -1]
        return samples
    samples = random.uniform(-1.1, 1.1, shape)
    edge = edges()[: samples.size]
    samples.flat[: edge.size] = edge
    return samples.astype(dtype)


def plucked(num_frames: int, num_channels: int, rate: int) -> np.ndarray:
    """Music of a kind: decaying chords of partials, every channel its own, which lossy codecs are made for."""
    times = np.arange(num_frames) / rate
    audio = np.zeros((num_frames, num_channels))
    for channel in range(num_channels):
        for note, pitch in enumerate((220.0, 277.2, 329.6, 440.0)):
            since = times - 0.22 * note
            decay = np.where(since >= 0, np.exp(-3 * np.maximum(since, 0)) * np.minimum(since.clip(0) * 200, 1), 0)
            for partial in (1, 2, 3):
                tone = np.sin(2 * np.pi * pitch * partial * (1 + 0.001 * channel) * since)
                audio[:, channel] += decay * tone * 0.12 / partial
    return audio.astype(np.float32)


def numbers(samples: np.ndarray) -> np.ndarray:
    """The numbers that samples stand for, as float64; integers divided by 2^(bits-1)."""
    if samples.dtype.kind != "i":
        return samples.astype(np.float64)
    return samples / -float(np.iinfo(samples.dtype).min)


def quantised(exact: np.ndarray, bits: int) -> np.ndarray:
    """Numbers as integers: multiplied by 2^(bits-1), rounded half to even, saturated; a NaN is 0."""
    full = 2.0 ** (bits - 1)
    scaled = np.nan_to_num(exact.astype(np.float64), nan=0.0, posinf=2.0, neginf=-2.0) * full
    return np.clip(np.rint(scaled), -full, full - 1).astype(np.int64)


def snr(reference: np.ndarray, decoded: np.ndarray) -> float:
    """The power of a signal over that of the difference, in dB."""
    error = np.sum((reference.astype(np.float64) - decoded) ** 2)
    return float(10 * np.log10(np.sum(reference.astype(np.float64) ** 2) / error))

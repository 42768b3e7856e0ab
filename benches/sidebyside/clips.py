"""The sound that is read: 194.8 s of deterministic pseudo-music, as PCM16, PCM24 and float32 WAV files."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SAMPLE_RATE = 44_100
NUM_CHANNELS = 2
NUM_FRAMES = 8_590_680
KINDS = ("PCM16", "PCM24", "f32")
SEED = 1948


@dataclass(frozen=True)
class Clips:
    """The files, and the samples they were written from."""

    paths: dict[str, str]
    samples: np.ndarray
    """24-bit integers in an int32 array of (frames, channels); PCM16 holds their upper 16 bits."""

    def expected(self, kind: str, start: int = 0, stop: int = NUM_FRAMES) -> np.ndarray:
        """The float32 frames that a reader must return."""
        frames = self.samples[start:stop]
        if kind == "PCM16":
            return (frames >> 8).astype(np.float32) / np.float32(2**15)
        return frames.astype(np.float32) / np.float32(2**23)


def write(directory: Path) -> Clips:
    """Write the files and read them once, so that the page cache holds them."""
    samples = _music()
    paths = {kind: str(directory / f"{kind.lower()}.wav") for kind in KINDS}
    _write_wav(paths["PCM16"], 1, 16, (samples >> 8).astype("<i2").tobytes())
    packed = np.ascontiguousarray(samples.astype("<i4")).view(np.uint8).reshape(-1, 4)[:, :3]
    _write_wav(paths["PCM24"], 1, 24, packed.tobytes())
    _write_wav(paths["f32"], 3, 32, (samples.astype("<f4") / np.float32(2**23)).tobytes())
    for path in paths.values():
        Path(path).read_bytes()
    return Clips(paths, samples)


def _music() -> np.ndarray:
    """Plucked chords, two notes a second, over noise; an eight-second phrase with a gain that drifts."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    time = np.arange(SAMPLE_RATE // 2, dtype=np.float32) / SAMPLE_RATE
    notes = []
    for _ in range(16):
        pitches = 110 * 2 ** (rng.integers(0, 36, 3) / 12)
        note = np.zeros((time.size, NUM_CHANNELS), np.float32)
        for pitch in pitches:
            for harmonic in range(1, 6):
                phase = 2 * np.pi * pitch * harmonic * time[:, None] + rng.uniform(0, 6, NUM_CHANNELS)
                note += (np.sin(phase) * np.exp(-time * 3 * harmonic)[:, None] / harmonic).astype(np.float32)
        notes.append(note)
    phrase = np.concatenate(notes) * np.float32(0.12)
    music = np.resize(phrase, (NUM_FRAMES, NUM_CHANNELS))
    music *= (0.75 + 0.25 * np.sin(np.arange(NUM_FRAMES, dtype=np.float32) / 90_000))[:, None]
    music += rng.standard_normal(music.shape, dtype=np.float32) * np.float32(0.01)
    return np.clip(np.rint(music * 2**23), -(2**23), 2**23 - 1).astype(np.int32)


def _write_wav(path: str, tag: int, bits: int, data: bytes) -> None:
    align = NUM_CHANNELS * bits // 8
    fmt = struct.pack("<HHIIHH", tag, NUM_CHANNELS, SAMPLE_RATE, SAMPLE_RATE * align, align, bits)
    header = b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<I", 16) + fmt
    with open(path, "wb") as file:
        file.write(header + b"data" + struct.pack("<I", len(data)))
        file.write(data)

"""The sound that is read: deterministic pseudo-music, 44.1 kHz stereo, in files that are written when asked for."""

from __future__ import annotations

import math
import shutil
import struct
import subprocess
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Samples: TypeAlias = npt.NDArray[Any]

SAMPLE_RATE = 44_100
NUM_CHANNELS = 2
NUM_FRAMES = 8_590_680
"""194.8 s."""
SEED = 1948

OPUS_RATE = 48_000
"""Opus knows no 44.1 kHz: ffmpeg resamples before it encodes."""

PCM = {"PCM16": "wav", "PCM24": "wav", "f32": "wav", "AIFF": "aiff", "CAF": "caf"}
"""What is written here, with its ending: a WAV file of each encoding, and 16 bits in AIFF and CAF."""

ENCODERS = {
    "MP3": ("mp3", ["-c:a", "libmp3lame", "-b:a", "192k"]),
    "AAC": ("m4a", ["-c:a", "aac", "-aac_pns", "0", "-b:a", "160k"]),
    "FLAC": ("flac", ["-c:a", "flac"]),
    "ALAC": ("alac.m4a", ["-c:a", "alac"]),
    "Vorbis": ("ogg", ["-c:a", "libvorbis", "-q:a", "5"]),
    "Opus": ("opus", ["-c:a", "libopus", "-b:a", "128k"]),
}
"""What ffmpeg encodes: the ending of the file and the arguments.

AAC is made without noise substitution, where every decoder makes a noise of its own, to be compared with."""

LOSSLESS = ("FLAC", "ALAC")


class Unavailable(Exception):
    """A file that cannot be made on this machine, and why."""


class Clips:
    """The files in a directory, and the samples they were written from."""

    def __init__(self, directory: Path, num_frames: int = NUM_FRAMES) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.num_frames = num_frames
        self._paths: dict[str, str] = {}

    @property
    def seconds(self) -> float:
        """The length of the sound."""
        return self.num_frames / SAMPLE_RATE

    @cached_property
    def samples(self) -> Samples:
        """24-bit integers in an int32 array of (frames, channels); 16 bits are their upper ones."""
        return _music(self.num_frames)

    def expected(self, kind: str, start: int = 0, stop: int | None = None) -> Samples:
        """The float32 frames that a reader of a lossless file must return."""
        frames = self.samples[start:stop]
        if kind in ("PCM24", "f32"):
            return frames.astype(np.float32) / np.float32(2**23)
        return (frames >> 8).astype(np.float32) / np.float32(2**15)

    def path(self, kind: str) -> str:
        """The file of this kind, which the page cache holds. Raises Unavailable."""
        if kind not in self._paths:
            path = self._encode(kind) if kind in ENCODERS else self._write(kind)
            path.read_bytes()
            self._paths[kind] = str(path)
        return self._paths[kind]

    def repeated(self, kind: str, times: int) -> str:
        """A file of an encoder's that holds the sound so often. Raises Unavailable."""
        name = f"{kind} x {times}"
        if name not in self._paths:
            path = self._encode(kind, times)
            path.read_bytes()
            self._paths[name] = str(path)
        return self._paths[name]

    def decoded(self, kind: str) -> Samples:
        """What ffmpeg decodes from a lossy file, without padding that it leaves at the end."""
        command = ["ffmpeg", "-v", "error", "-i", self.path(kind), "-f", "f32le", "-"]
        output = subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout
        num_frames = self.num_frames * OPUS_RATE // SAMPLE_RATE if kind == "Opus" else self.num_frames
        return np.frombuffer(output, np.float32).reshape(-1, NUM_CHANNELS)[:num_frames]

    def _write(self, kind: str) -> Path:
        path = self.directory / f"{kind.lower()}.{PCM[kind]}"
        upper = self.samples >> 8
        if kind == "AIFF":
            data = upper.astype(">i2").tobytes()
        elif kind == "f32":
            data = (self.samples.astype("<f4") / np.float32(2**23)).tobytes()
        elif kind == "PCM24":
            packed = np.ascontiguousarray(self.samples.astype("<i4")).view(np.uint8).reshape(-1, 4)[:, :3]
            data = packed.tobytes()
        else:
            data = upper.astype("<i2").tobytes()
        bits = {"PCM24": 24, "f32": 32}.get(kind, 16)
        header = {"AIFF": _aiff_header, "CAF": _caf_header}.get(kind, wav_header)
        with open(path, "wb") as file:
            file.write(header(len(data), bits))
            file.write(data)
        return path

    def _encode(self, kind: str, times: int = 1) -> Path:
        ending, arguments = ENCODERS[kind]
        if shutil.which("ffmpeg") is None:
            raise Unavailable("there is no ffmpeg to make the file with")
        path = self.directory / f"compressed-{times}.{ending}"
        source = ["-stream_loop", str(times - 1), "-i", self.path("PCM16")]
        command = ["ffmpeg", "-v", "error", "-y", *source, *arguments, str(path)]
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise Unavailable(f"ffmpeg could not make the file: {reason}")
        return path


def wav_header(data_bytes: int, bits: int, num_channels: int = NUM_CHANNELS, sample_rate: int = SAMPLE_RATE) -> bytes:
    """The 44 bytes before the samples of a WAV file; 32 bits are floats."""
    align = num_channels * bits // 8
    tag = 3 if bits == 32 else 1
    fmt = struct.pack("<HHIIHH", tag, num_channels, sample_rate, sample_rate * align, align, bits)
    riff = b"RIFF" + struct.pack("<I", 36 + data_bytes) + b"WAVEfmt " + struct.pack("<I", 16) + fmt
    return riff + b"data" + struct.pack("<I", data_bytes)


def _aiff_header(data_bytes: int, bits: int) -> bytes:
    num_frames = data_bytes // (NUM_CHANNELS * bits // 8)
    common = struct.pack(">HIH", NUM_CHANNELS, num_frames, bits) + _extended(SAMPLE_RATE)
    ssnd = b"SSND" + struct.pack(">III", 8 + data_bytes, 0, 0)
    body = b"AIFFCOMM" + struct.pack(">I", len(common)) + common + ssnd
    return b"FORM" + struct.pack(">I", len(body) + data_bytes) + body


def _extended(number: int) -> bytes:
    """A positive number as 80-bit float, as AIFF keeps the sample rate."""
    exponent = math.frexp(number)[1]
    return struct.pack(">HQ", 16_382 + exponent, number << (64 - exponent))


def _caf_header(data_bytes: int, bits: int) -> bytes:
    frame_bytes = NUM_CHANNELS * bits // 8
    little_endian = 2
    description = struct.pack(">d4sIIIII", SAMPLE_RATE, b"lpcm", little_endian, frame_bytes, 1, NUM_CHANNELS, bits)
    chunk = b"desc" + struct.pack(">q", len(description)) + description
    edit_count = bytes(4)
    return b"caff" + struct.pack(">HH", 1, 0) + chunk + b"data" + struct.pack(">q", 4 + data_bytes) + edit_count


def _music(num_frames: int) -> Samples:
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
    music = np.resize(phrase, (num_frames, NUM_CHANNELS))
    music *= (0.75 + 0.25 * np.sin(np.arange(num_frames, dtype=np.float32) / 90_000))[:, None]
    music += rng.standard_normal(music.shape, dtype=np.float32) * np.float32(0.01)
    scaled: Samples = np.clip(np.rint(music * 2**23), -(2**23), 2**23 - 1).astype(np.int32)
    return scaled

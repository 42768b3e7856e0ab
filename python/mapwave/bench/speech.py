"""Files of any length, as speech is kept: 16 kHz, mono, PCM16 and MP3."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np

from .clips import SEED, Samples, Unavailable, wav_header

SAMPLE_RATE = 16_000
KINDS = ("PCM16", "MP3")

PIECE_SECONDS = 10
"""The sound repeats itself after so long."""


class Speech:
    """The files in a directory, written when they are first asked for."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def path(self, kind: str, seconds: int) -> str:
        """A file of this length, a multiple of ten seconds. Raises Unavailable."""
        self.directory.mkdir(parents=True, exist_ok=True)
        wave = self.directory / f"speech-{seconds}.wav"
        if not wave.exists():
            piece = piece_samples().tobytes()
            with open(wave, "wb") as file:
                file.write(wav_header(len(piece) * (seconds // PIECE_SECONDS), 16, 1, SAMPLE_RATE))
                for _ in range(seconds // PIECE_SECONDS):
                    file.write(piece)
        if kind == "PCM16":
            return str(wave)
        compressed = wave.with_suffix(".mp3")
        if not compressed.exists():
            if shutil.which("ffmpeg") is None:
                raise Unavailable("there is no ffmpeg to make the file with")
            command = [
                "ffmpeg",
                "-v",
                "error",
                "-y",
                "-i",
                str(wave),
                "-c:a",
                "libmp3lame",
                "-b:a",
                "64k",
                str(compressed),
            ]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return str(compressed)


def piece_samples() -> Samples:
    """What repeats: noise that swells four times a second."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    num_frames = PIECE_SECONDS * SAMPLE_RATE
    swell = 0.5 + 0.5 * np.sin(np.arange(num_frames) * (2 * np.pi * 4 / SAMPLE_RATE))
    samples: Samples = np.rint(rng.standard_normal(num_frames) * swell * 3_000).clip(-32_768, 32_767).astype("<i2")
    return samples

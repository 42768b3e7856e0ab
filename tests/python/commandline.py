"""The command, run to its end: that of the installed package, or the binary that MAPWAVE_COMMAND names."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import child
import numpy as np
import pytest
import soundfile

COMMAND = [os.environ["MAPWAVE_COMMAND"]] if "MAPWAVE_COMMAND" in os.environ else [sys.executable, "-m", "mapwave"]


def run(
    *arguments: object, stdin: bytes | None = None, cwd: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[bytes]:
    """Runs the command and returns what became of it."""
    words = [*COMMAND, *map(str, arguments)]
    environment = child.environment(**variables)
    source: Any = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
    return subprocess.run(words, env=environment, capture_output=True, timeout=child.TIMEOUT, cwd=cwd, **source)


def ok(*arguments: object, stdin: bytes | None = None, cwd: Path | None = None) -> str:
    """Runs the command, which must succeed, and returns its output."""
    done = run(*arguments, stdin=stdin, cwd=cwd)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def refused(*arguments: object, status: int = 1, stdin: bytes | None = None) -> str:
    """Runs the command, which must fail with this exit status and print nothing but errors, and returns them."""
    done = run(*arguments, stdin=stdin)
    assert (done.returncode, done.stdout) == (status, b""), done.stderr.decode()
    return done.stderr.decode()


def program(name: str) -> str:
    """Another program that the tests compare with."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def by(name: str, *arguments: object, stdin: bytes | None = None) -> bytes:
    """The output of another program."""
    words = [program(name), *map(str, arguments)]
    source: Any = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
    return subprocess.run(words, capture_output=True, check=True, timeout=child.TIMEOUT, **source).stdout


def ffprobe(path: Path) -> dict[str, Any]:
    """What ffprobe says of a file: its first sound stream, and the file as a whole under "format"."""
    answer = json.loads(by("ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", path))
    stream = next(stream for stream in answer["streams"] if stream["codec_type"] == "audio")
    return {**stream, "format": answer["format"]}


def decoded(path: Path) -> np.ndarray:
    """The samples of a file by FFmpeg, as 32-bit integers."""
    channels = ffprobe(path)["channels"]
    raw = by("ffmpeg", "-v", "error", "-i", path, "-f", "s32le", "-c:a", "pcm_s32le", "-")
    return np.frombuffer(raw, "<i4").reshape(-1, channels)


def tones(rate: int, channels: int, seconds: float) -> np.ndarray:
    """A sound that differs at every second and in every channel, with a little noise."""
    time = np.arange(round(rate * seconds)) / rate
    waves = [0.4 * np.sin(2 * np.pi * (300 + 100 * channel + 40 * time) * time) for channel in range(channels)]
    noise = np.random.default_rng(7).normal(0, 0.01, (len(time), channels))
    return np.stack(waves, axis=1) + noise


def sound(path: Path, rate: int, channels: int, seconds: float, subtype: str = "PCM_16") -> np.ndarray:
    """Writes such a sound by libsndfile and returns its samples as 32-bit integers."""
    soundfile.write(path, tones(rate, channels, seconds), rate, subtype=subtype)
    return soundfile.read(path, dtype="int32", always_2d=True)[0]


def snr(expected: np.ndarray, found: np.ndarray) -> float:
    """The power of a signal over that of the difference, in decibels."""
    expected, found = expected.astype(np.float64), found.astype(np.float64)
    return 10 * np.log10(np.sum(expected**2) / np.sum((found - expected) ** 2))

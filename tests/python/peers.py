"""Programs of others that read audio files; a test that asks one which is not installed is skipped."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest


def program(name: str) -> str:
    """The path of a program."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"the program {name} is not installed")
    return found


def _output(command: list[object]) -> bytes:
    done = subprocess.run(list(map(str, command)), capture_output=True)
    assert done.returncode == 0, f"{command} exits with {done.returncode}: {done.stderr.decode(errors='replace')}"
    return done.stdout


def ffmpeg(path: Path, num_channels: int) -> np.ndarray:
    """The `(frames, channels)` that FFmpeg decodes, as float64, in which it loses nothing of what a file holds."""
    command = [program("ffmpeg"), "-nostdin", "-v", "error", "-i", path, "-map", "0:a:0", "-f", "f64le", "-"]
    return np.frombuffer(_output(command), "<f8").reshape(-1, num_channels)


def sox(path: Path, num_channels: int) -> np.ndarray:
    """The `(frames, channels)` that SoX reads, as int32, which is what it calculates in."""
    return np.frombuffer(_output([program("sox"), path, "-t", "s32", "-L", "-"]), "<i4").reshape(-1, num_channels)


def ffprobe(path: Path) -> dict:
    """What FFmpeg says of the file and its first stream."""
    command = [program("ffprobe"), "-v", "error", "-show_format", "-show_streams", "-of", "json", path]
    said = json.loads(_output(command))
    return {"format": said["format"], "stream": said["streams"][0]}


def ffprobe_tags(path: Path) -> dict[str, str]:
    """The metadata that FFmpeg finds, of the file or of its stream, by lower-case names."""
    said = ffprobe(path)
    tags = said["stream"].get("tags", {}) | said["format"].get("tags", {})
    return {name.lower(): value for name, value in tags.items()}


def remux(source: Path, target: Path) -> None:
    """Puts the streams of a file into another container by FFmpeg, without decoding them."""
    _output([program("ffmpeg"), "-nostdin", "-v", "error", "-i", source, "-c", "copy", target])

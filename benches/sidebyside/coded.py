"""Compressed files: the same sound encoded by ffmpeg, decoded by everybody who can."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

from .clips import NUM_CHANNELS, NUM_FRAMES, SAMPLE_RATE, SEED, Clips
from .task import Job, Task

ENCODERS = {
    "MP3": ("mp3", ["-c:a", "libmp3lame", "-b:a", "192k"]),
    "AAC": ("m4a", ["-c:a", "aac", "-aac_pns", "0", "-b:a", "160k"]),
    "FLAC": ("flac", ["-c:a", "flac"]),
    "ALAC": ("alac.m4a", ["-c:a", "alac"]),
    "Vorbis": ("ogg", ["-c:a", "libvorbis", "-q:a", "5"]),
}
"""Format to the ending of the file and ffmpeg's arguments.

AAC is made without noise substitution, where every decoder makes a noise of its own, to be compared with."""

LOSSLESS = ("FLAC", "ALAC")
LONG = ("MP3", "AAC", "FLAC")
"""What is also made an hour long, on request."""

HOUR_REPEATS = 18
WHOLE_ITERATIONS, WINDOW_ITERATIONS, OPEN_ITERATIONS = 11, 200, 50

MIN_SNR = 60.0
"""Two decoders of a lossy file agree at least so far, in dB."""

MAX_TAIL = 2_112
"""Frames of padding that a peer may leave at the end of a lossy file: a packet and the encoder's delay."""


def encode(clips: Clips, directory: Path, hour: bool) -> dict[str, str]:
    """Encode the PCM16 clip; the hour-long ones are called "MP3 hour" and so on. Empty without ffmpeg."""
    if shutil.which("ffmpeg") is None:
        return {}
    paths = {}
    wanted = [(kind, "", 0) for kind in ENCODERS] + [(kind, " hour", HOUR_REPEATS) for kind in LONG if hour]
    for kind, suffix, repeats in wanted:
        ending, arguments = ENCODERS[kind]
        path = directory / f"coded{suffix.strip()}.{ending}"
        source = ["-stream_loop", str(repeats), "-i", clips.paths["PCM16"]]
        command = ["ffmpeg", "-v", "error", "-y", *source, *arguments, str(path)]
        if subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode == 0:
            path.read_bytes()
            paths[kind + suffix] = str(path)
    return paths


def build(clips: Clips, paths: dict[str, str], rivals: dict[str, Any]) -> Iterator[Callable[[], Task]]:
    """Every task, each made when its turn comes."""
    for kind in (kind for kind in ENCODERS if kind in paths):
        yield lambda kind=kind: whole(clips, paths[kind], rivals, kind)
    for kind in (kind for kind in ENCODERS if kind in paths):
        yield lambda kind=kind: windows(paths[kind], rivals, kind, f"1 s of {kind} by Reader")
    for kind in (kind for kind in LONG if f"{kind} hour" in paths):
        path = paths[f"{kind} hour"]
        # mlx-audio-io takes seconds for each of these where it decodes from the start.
        others = {name: module for name, module in rivals.items() if name != "mlx-audio-io"}
        name = f"1 s of an hour of {kind} by Reader"
        yield lambda path=path, kind=kind, others=others, name=name: windows(path, others, kind, name)
        yield lambda path=path, kind=kind: opening(path, rivals, kind)
        yield lambda path=path, kind=kind: decoding(path, rivals, kind)


def whole(clips: Clips, path: str, rivals: dict[str, Any], kind: str) -> Task:
    """A whole file into a float32 `mx.array`; soundfile as it comes, in NumPy."""
    jobs: dict[str, Job] = {}
    for name in ("mapwave", "mlx-audio-io"):
        if module := rivals.get(name):
            jobs[name] = lambda _, module=module: _evaluated(module.load(path)[0])
    if mapwave := rivals.get("mapwave"):
        jobs["mapwave, 1 thread"] = lambda _: _evaluated(mapwave.load(path, threads=1)[0])
    if (sf := rivals.get("soundfile")) and kind not in ("AAC", "ALAC"):
        jobs["soundfile (NumPy)"] = lambda _: sf.read(path, dtype="float32", always_2d=True)[0]
    expected = clips.expected("PCM16") if kind in LOSSLESS else _reference(path)
    return Task(f"whole {kind} to mx.array", "ms", jobs, lambda got, _: _agrees(got, expected, kind), WHOLE_ITERATIONS)


def windows(path: str, rivals: dict[str, Any], kind: str, name: str) -> Task:
    """One second at a random place of a file that is kept open; mlx-audio-io, which cannot keep one, by path."""
    import soundfile

    jobs: dict[str, Job] = {}
    mapwave = rivals["mapwave"]
    reader = mapwave.open(path)
    rng = np.random.Generator(np.random.PCG64(SEED))
    starts = [int(start) for start in rng.integers(0, len(reader) - SAMPLE_RATE, 256)]

    def start(turn: int) -> int:
        return starts[turn % len(starts)]

    def cut(turn: int) -> mx.array:
        return _evaluated(reader[start(turn) : start(turn) + SAMPLE_RATE])

    jobs["mapwave"] = cut
    if module := rivals.get("mlx-audio-io"):
        jobs["mlx-audio-io"] = lambda turn: _evaluated(
            module.load(path, offset=start(turn) / SAMPLE_RATE, duration=1.0)[0]
        )
    if "soundfile" in rivals and kind not in ("AAC", "ALAC"):
        file = soundfile.SoundFile(path)

        def seek_and_read(turn: int) -> np.ndarray:
            file.seek(start(turn))
            return file.read(SAMPLE_RATE, dtype="float32", always_2d=True)

        jobs["soundfile (NumPy)"] = seek_and_read

    def equal(got: Any, turn: int) -> bool:
        # The whole is checked elsewhere: here, that everybody cut the same second out of it.
        expected = np.asarray(mapwave.load(path, start=start(turn), stop=start(turn) + SAMPLE_RATE, threads=1)[0])
        got = np.asarray(got)
        close = np.abs(len(got) - SAMPLE_RATE) <= 1
        return bool(close and _snr(got[: SAMPLE_RATE - 1], expected[: len(got)][: SAMPLE_RATE - 1]) > 20)

    return Task(name, "us", jobs, equal, WINDOW_ITERATIONS, 4)


def opening(path: str, rivals: dict[str, Any], kind: str) -> Task:
    """Opening an hour-long file, with the index that its windows need."""
    mapwave = rivals["mapwave"]
    jobs: dict[str, Job] = {"mapwave": lambda _: len(mapwave.open(path))}
    return Task(f"open an hour of {kind}", "us", jobs, lambda got, _: got >= NUM_FRAMES * HOUR_REPEATS, OPEN_ITERATIONS)


def decoding(path: str, rivals: dict[str, Any], kind: str) -> Task:
    """Decoding all of it, to hold the opening against."""
    mapwave = rivals["mapwave"]

    def decode(_: int) -> int:
        return sum(len(chunk) for chunk, _ in mapwave.stream(path, chunk_frames=1 << 20, threads=1))

    return Task(f"stream an hour of {kind}, 1 thread", "ms", {"mapwave": decode}, lambda got, _: got > 0, 3)


def _reference(path: str) -> np.ndarray:
    """What ffmpeg decodes."""
    command = ["ffmpeg", "-v", "error", "-i", path, "-f", "f32le", "-"]
    output = subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout
    return np.frombuffer(output, np.float32).reshape(-1, NUM_CHANNELS)


def _agrees(got: Any, expected: np.ndarray, kind: str) -> bool:
    values = np.asarray(got)
    if kind in LOSSLESS:
        return values.dtype == expected.dtype and np.array_equal(values, expected)
    shared = min(len(values), len(expected))
    return 0 <= len(values) - NUM_FRAMES <= MAX_TAIL and _snr(values[:shared], expected[:shared]) >= MIN_SNR


def _snr(values: np.ndarray, expected: np.ndarray) -> float:
    """Signal to noise in dB."""
    noise = float(np.square(values.astype(np.float64) - expected).sum())
    return 200.0 if noise == 0 else 10 * float(np.log10(np.square(expected.astype(np.float64)).sum() / noise))


def _evaluated(array: mx.array) -> mx.array:
    mx.eval(array)
    return array

"""Reads every file of the corpus in every way, and compares it with what other decoders made of it.

    python tests/campaigns/corpus.py CORPUS [--windows 100] [--without libav] [--seed 0]

CORPUS is a directory with ``expected.json``. A file must give the same samples by path, as bytes, by file object and
under another name, in both of two loads, with 1, 2 and 8 threads, and in windows. Samples are compared with the
manifest's checksum, or with those of the ffmpeg program where decoders round differently. ``--without`` leaves out
bundled plugins by their names. Prints the share of files that are right, and every file that is not. The exit status is
0 if all ways agree for every file.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import mapwave.numpy as mw
import numpy as np

DTYPES = {"int32": "int32", "float32": "float32", "float64": "float64"}

# The least signal-to-noise ratio against ffmpeg, in dB.
MIN_SNR = 60.0
MIN_ROUNDED_SNR = 35.0

# Files of another length than the manifest has: that length, and the proof.
TRIMMED = "the encoder's input had {} frames, and the file's {} says so; ffmpeg 5.1 plays padding or leaves out sound"
OTHERS = {
    "l3-nonstandard-he_44_48khz.bit": (472_320, "the sample rate changes there, which ffmpeg resamples"),
    "ogg_vorbis_1ch.ogg": (6617, TRIMMED.format(6617, "last granule position")),
    "ogg_vorbis_2ch.ogg": (6617, TRIMMED.format(6617, "last granule position")),
    "vorbis_51.ogg": (6617, TRIMMED.format(6617, "last granule position")),
    "vorbis_1ch_8k.ogg": (1201, TRIMMED.format(1201, "last granule position")),
    "aac_lc_1ch.m4a": (6617, TRIMMED.format(6617, "last duration")),
    "aac_lc_faststart.m4a": (6617, TRIMMED.format(6617, "last duration")),
    "aac_lc_51.m4a": (6617, TRIMMED.format(6617, "last duration")),
    "m4a_fragmented_streamed.m4a": (7641, "without an edit list the priming stays; the last duration is 473 of 1024"),
    "opus_in_mp4.mp4": (
        7203,
        "7515 by the durations, less 312 of priming; ffmpeg 5.1 does not trim the last packet",
    ),
    "mp3_in_mp4.mp4": (6617, TRIMMED.format(6617, "edit list")),
}

# What makes two outcomes different.
Outcome = tuple[object, ...]


def outcome(source: object, **arguments: object) -> Outcome:
    """The samples, rate and facts of a file, or the name of the error."""
    try:
        info = mw.info(source)
        if isinstance(source, io.BytesIO):
            source.seek(0)
        samples, sr = mw.load(source, dtype="float32", **arguments)
    except mw.AudioError as error:
        return (type(error).__name__,)
    digest = hashlib.sha256(samples.tobytes()).hexdigest()
    return (info.frames, info.sample_rate, info.channels, info.is_truncated, info.plugin, sr, samples.shape, digest)


def disagreements(path: Path, num_windows: int, directory: Path, randomness: random.Random) -> list[str]:
    """The ways in which a file gives something else than by its path."""
    data = path.read_bytes()
    renamed = directory / "renamed.bin"
    renamed.write_bytes(data)
    expected = outcome(path)
    ways = {
        "again": lambda: outcome(path),
        "bytes": lambda: outcome(data),
        "file object": lambda: outcome(io.BytesIO(data)),
        "renamed": lambda: outcome(renamed),
        **{f"{num} threads": lambda num=num: outcome(path, threads=num) for num in (1, 2, 8)},
    }
    wrong = [f"{name} {found}" for name, way in ways.items() if (found := way()) != expected]
    if len(expected) == 1:
        return wrong
    whole, _ = mw.load(path, dtype="float32")
    with mw.open(path) as reader:
        for number in range(num_windows):
            start = randomness.randint(0, len(whole))
            frames = randomness.choice([0, 1, 5, 1000, 1_000_000, randomness.randint(0, len(whole))])
            stop = min(start + frames, len(whole))
            if number % 2:
                reader.seek(start)
                window = reader.read(stop - start)
            else:
                window, _ = mw.load(path, start=start, stop=stop, dtype="float32")
            if window.tobytes() != whole[start:stop].tobytes():
                wrong.append(f"window {start}:{stop}")
    return wrong


def by_opusdec(path: Path) -> np.ndarray | None:
    """The samples as libopus decodes them, flat. ffmpeg decodes a second link with the state of the first."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        command = ["opusdec", "--quiet", "--float", "--rate", "48000", str(path), file.name]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            return None
        return mw.load(file.name)[0].ravel()


def by_ffmpeg(path: Path) -> np.ndarray | None:
    """The samples as the ffmpeg program decodes them, flat. Its own decoder of Speex differs from libspeex."""
    decoder = ["-c:a", "libspeex"] if path.suffix == ".spx" else []
    command = [
        "ffmpeg",
        "-v",
        "quiet",
        "-nostdin",
        *decoder,
        "-i",
        str(path),
        "-map",
        "0:a:0",
        "-f",
        "f32le",
        "-c:a",
        "pcm_f32le",
        "-",
    ]
    done = subprocess.run(command, capture_output=True, check=False)
    return np.frombuffer(done.stdout[: len(done.stdout) // 4 * 4], dtype=np.float32) if done.stdout else None


def fault(row: dict, path: Path) -> str | None:
    """In what a file differs from the manifest."""
    expected = row["expected"]
    dtype = DTYPES[expected["canon"] or "float32"]
    try:
        samples, sr = mw.load(path, dtype=dtype)
    except mw.AudioError as error:
        return f"{type(error).__name__}: {error}"
    num_frames, _ = OTHERS.get(path.name, (expected["frames"], None))
    found = (sr, samples.shape[1], len(samples))
    wanted = (expected["sample_rate"], expected["channels"], num_frames)
    if found != wanted:
        return f"rate, channels and frames {found}, expected {wanted}"
    if expected["sha256"] in (None, hashlib.sha256(samples.tobytes()).hexdigest()):
        if expected["sha256"]:
            return None
    elif row["precision"] in ("bit-exact", "exact-f32-view"):
        return "other samples"
    is_chained = path.name.startswith("chained_") and path.suffix == ".opus" and shutil.which("opusdec")
    reference = by_opusdec(path) if is_chained else by_ffmpeg(path)
    floats, _ = mw.load(path, dtype="float32")
    if reference is None or len(reference) < floats.size - floats.shape[1] * 1152:
        return f"ffmpeg has {0 if reference is None else len(reference)} samples of {floats.size}"
    length = min(len(reference), floats.size)
    noise = np.sum(np.square(floats.ravel()[:length].astype(float) - reference[:length]))
    snr = 10 * np.log10(max(np.sum(np.square(reference[:length], dtype=float)), 1e-30) / max(noise, 1e-30))
    is_rounded = mw.info(path).codec.startswith("adpcm")
    least = MIN_ROUNDED_SNR if is_rounded else MIN_SNR
    return None if noise == 0 or snr >= least else f"{snr:.1f} dB from ffmpeg"


def without(plugins: list[str]) -> None:
    """Runs this program once more with a copy of the package that lacks these plugins."""
    package = Path(mw.__file__).parent
    with tempfile.TemporaryDirectory() as directory:
        ignored = [f"libmapwave_{plugin}*" for plugin in plugins]
        shutil.copytree(package, Path(directory) / "mapwave", ignore=shutil.ignore_patterns(*ignored, "__pycache__"))
        environment = os.environ | {"PYTHONPATH": directory}
        command = [sys.executable, __file__, *(word for word in sys.argv[1:])]
        sys.exit(
            subprocess.run(command, env=environment | {"CORPUS_WITHOUT": " ".join(plugins)}, check=False).returncode
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--windows", type=int, default=100)
    parser.add_argument("--without", action="append", default=[], metavar="PLUGIN")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.without and not os.environ.get("CORPUS_WITHOUT"):
        without(arguments.without)
    rows = json.loads((arguments.corpus / "expected.json").read_text())
    print("plugins:", ", ".join(plugin.id for plugin in mw.plugins() if plugin.loaded))
    randomness = random.Random(arguments.seed)
    right, total, is_uniform = Counter(), Counter(), True
    with tempfile.TemporaryDirectory() as directory:
        for row in rows:
            path, status = arguments.corpus / row["path"], row["status"]
            total[status] += 1
            if status == "must-error":
                found = outcome(path)
                why = None if len(found) == 1 else f"{found[:-1]}, expected an error"
            elif status == "ambiguous":
                why = None
            elif status == "valid-zero-frames":
                found = outcome(path)
                why = None if found[0] == 0 else f"{found[:-1]}, expected 0 frames"
            else:
                why = fault(row, path)
            right[status] += why is None
            if why is not None:
                print(f"{status}: {row['path']}: {why}", flush=True)
            for way in disagreements(path, arguments.windows, Path(directory), randomness):
                is_uniform = False
                print(f"not the same: {row['path']}: {way}", flush=True)
    for status in sorted(total):
        share = 100 * right[status] / total[status]
        print(f"{status}: {right[status]} of {total[status]} ({share:.2f} %)")
    print("every way gives the same" if is_uniform else "some ways give something else")
    return 0 if is_uniform else 1


if __name__ == "__main__":
    sys.exit(main())

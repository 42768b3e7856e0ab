"""Kills conversions of a directory again and again, and checks what they leave.

    python tests/campaigns/transcode.py [--files 2000] [--kills 3] [--engine ray] [--seed 0]

A process converts WAV files to FLAC and is killed without warning after a random number of files; with ``--engine ray``
it drives two Ray nodes on loopback, one of which is killed and replaced as well. After each kill, all files that are at
their paths must be whole. The last run is left alone: then every file must be there once, with the samples of its
source, and nothing else. The exit status is 0 if all that was so.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import numpy as np
import soundfile

PROGRAM = """
import sys
import mapwave.ray

source, target, engine, address = sys.argv[1:]
done = mapwave.ray.transcode(
    source, target, "flac", engine=engine, address=address or None, files_per_task=16,
    progress=lambda done, total: print(done, flush=True),
)
print("end", done.converted, done.kept, len(done.errors), flush=True)
"""


def make(directory: Path, count: int) -> list[Path]:
    """WAV files of half a second of noise; no two are the same."""
    noise = np.random.default_rng(count)
    paths = []
    for number in range(count):
        path = directory / f"{number // 100:03}" / f"{number:06}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, noise.integers(-9_000, 9_000, (8_000 + number, 1), np.int16), 16_000, subtype="PCM_16")
        paths.append(path)
    return paths


def samples(path: Path) -> np.ndarray[Any, Any]:
    return soundfile.read(path, dtype="int16", always_2d=True)[0]


def wrong_files(source: Path, target: Path) -> list[str]:
    """The converted files at their paths that do not hold what their sources do."""
    wrong = []
    for path in target.rglob("*.flac"):
        if "_mapwave" not in path.parts:
            origin = (source / path.relative_to(target)).with_suffix(".wav")
            try:
                is_right = np.array_equal(samples(path), samples(origin))
            except soundfile.LibsndfileError:
                is_right = False
            if not is_right:
                wrong.append(str(path))
    return wrong


def run(arguments: list[str], stop_after: int | None) -> tuple[int, str]:
    """Converts, up to a number of files or to the end, and returns how many were done and the last line."""
    done, line = 0, ""
    # What Ray says of itself goes to the same place.
    command = [sys.executable, "-c", PROGRAM, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip().isdigit():
                done = int(line)
                if stop_after is not None and done >= stop_after:
                    process.send_signal(signal.SIGKILL)
                    break
    return done, line.strip()


class Nodes:
    """Two Ray nodes of a processor each, one of which can be killed and replaced."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self._cluster = Cluster()
        self._add(include_dashboard=False)
        self._other = self._add()
        self.address = self._cluster.address

    def _add(self, **options: Any) -> Any:
        # Ray gives its daemons half a minute to start, which is too little for a busy machine.
        for attempt in range(5):
            try:
                return self._cluster.add_node(num_cpus=1, object_store_memory=200 * 2**20, **options)
            except Exception:
                if attempt == 4:
                    raise
        return None

    def replace(self) -> None:
        self._cluster.remove_node(self._other, allow_graceful=False)
        self._other = self._add()

    def stop(self) -> None:
        self._cluster.shutdown()


def campaign(files: int, kills: int, engine: str, chance: random.Random, nodes: Nodes | None) -> list[str]:
    """Runs everything in a temporary directory and returns what was wrong."""
    with tempfile.TemporaryDirectory() as temporary:
        source, target = Path(temporary, "in"), Path(temporary, "out")
        paths = make(source, files)
        arguments = [str(source), str(target), engine, nodes.address if nodes else ""]
        faults: list[str] = []
        done = 0
        for number in range(kills):
            done, line = run(arguments, done + chance.randint(1, max(1, files // (kills + 1))))
            print(f"kill {number + 1} after {done} of {files} files ({line!r})", flush=True)
            faults += wrong_files(source, target)
            if (target / "_SUCCESS").exists():
                faults.append("_SUCCESS stands beside an unfinished conversion")
            if nodes is not None:
                nodes.replace()
        _, line = run(arguments, None)
        print(f"last run: {line!r}", flush=True)
        word, converted, kept, errors = [*line.split(), "", "", "", ""][:4]
        if word != "end" or int(converted) + int(kept) != files or errors != "0":
            faults.append(f"the last run ended with {line!r}")
        faults += wrong_files(source, target)
        outputs = {str(path.relative_to(source).with_suffix(".flac")) for path in paths}
        found = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
        expected = outputs | {"_SUCCESS", "_manifest.jsonl", "_mapwave/settings.json"}
        faults += [f"missing: {name}" for name in sorted(expected - found)]
        faults += [f"left over: {name}" for name in sorted(found - expected)]
        rows = [json.loads(line) for line in (target / "_manifest.jsonl").read_text().splitlines()]
        if sorted(row["output"] for row in rows) != sorted(outputs):
            faults.append("the manifest does not name every file once")
        return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--engine", choices=("local", "ray"), default="local")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    nodes = Nodes() if options.engine == "ray" else None
    try:
        faults = campaign(options.files, options.kills, options.engine, random.Random(options.seed), nodes)
    finally:
        if nodes is not None:
            nodes.stop()
    for fault in faults:
        print(fault)
    print(f"{options.files} files, {options.kills} kills, engine {options.engine}: {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

"""Times mapwave.ray.read_audio beside ray.data.read_audio, on two Ray nodes of this machine.

``python benches/ray_read.py --clips 20000 --rounds 3``, with ``mapwave[ray]`` and soundfile installed. Both read the
same clips; that they return the same rows is checked first. A round runs one after the other. CPU is that of all
processes: the driver, Ray's daemons and the workers.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Keeps the cluster on loopback; Ray reads it when it is imported.
os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import mapwave.ray
import numpy as np
import ray
import soundfile
from ray.cluster_utils import Cluster

RATE = 16_000
DISTINCT = 1_000


def make_clips(directory: Path, count: int) -> list[str]:
    """FLAC clips of 1 to 5 seconds at 16 kHz; past the first thousand they are links to those."""
    directory.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    paths = []
    for number in range(count):
        path = directory / f"{number:06}.flac"
        paths.append(str(path))
        if path.exists():
            continue
        if number >= DISTINCT:
            os.link(paths[number % DISTINCT], path)
            continue
        frames = np.arange(int(RATE * random.uniform(1, 5)))
        voice = np.sin(2 * np.pi * (120 + number % 97) * frames / RATE) * np.sin(2 * np.pi * 3 * frames / RATE)
        soundfile.write(path, 0.3 * voice + 0.01 * random.standard_normal(len(frames)), RATE, subtype="PCM_16")
    return paths


def ours(paths: list[str]) -> Any:
    return mapwave.ray.read_audio(paths)


def theirs(paths: list[str]) -> Any:
    return ray.data.read_audio(paths, include_paths=True)


def digests(dataset: Any) -> dict[str, str]:
    """Each row's samples, shape and rate by its path."""
    found = {}
    for row in dataset.iter_rows():
        samples = row["amplitude"]
        assert row["path"] not in found, f"{row['path']} comes twice"
        found[row["path"]] = f"{samples.shape} {row['sample_rate']} {hashlib.sha256(samples.tobytes()).hexdigest()}"
    return found


def cpu_seconds() -> tuple[float, float]:
    """The processor time of this process, and of it with all its descendants, living and ended."""
    ticks = os.sysconf("SC_CLK_TCK")
    parents, times = {}, {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        pid = int(entry.parent.name)
        parents[pid] = int(fields[1])
        times[pid] = sum(map(int, fields[11:15])) / ticks
    own = os.times()

    def is_of_this(pid: int) -> bool:
        while pid in parents:
            if pid == os.getpid():
                return True
            pid = parents[pid]
        return False

    return own.user + own.system, sum(each for pid, each in times.items() if is_of_this(pid))


def run(read: Callable[[list[str]], Any], paths: list[str]) -> dict[str, float]:
    """Reads all rows into this process, as Arrow tables."""
    driver, everything = cpu_seconds()
    start = time.perf_counter()
    rows = blocks = 0
    for batch in read(paths).iter_batches(batch_size=None, batch_format="pyarrow"):
        rows += len(batch)
        blocks += 1
    seconds = time.perf_counter() - start
    assert rows == len(paths), f"{rows} rows of {len(paths)} files"
    driver_after, everything_after = cpu_seconds()
    return {
        "seconds": seconds, "cpu": everything_after - everything, "driver": driver_after - driver, "blocks": blocks,
    }  # fmt: skip


def add_node(cluster: Cluster, **node: Any) -> None:
    """Adds a node. Ray gives its daemons half a minute to start, which is too little for a busy machine."""
    for attempt in range(5):
        try:
            cluster.add_node(**node)
            return
        except Exception:
            if attempt == 4:
                raise


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="where the clips are kept; a temporary directory without it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        paths = make_clips(options.directory or Path(temporary), options.clips)
        node = {"num_cpus": 1, "object_store_memory": 500 * 2**20}
        cluster = Cluster()
        try:
            add_node(cluster, include_dashboard=False, **node)
            add_node(cluster, **node)
            ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
            ray.data.DataContext.get_current().enable_progress_bars = False
            compare(paths, options.rounds)
        finally:
            ray.shutdown()
            cluster.shutdown()


def compare(paths: list[str], rounds: int) -> None:
    some = paths[:DISTINCT]
    assert digests(ours(some)) == digests(theirs(some)), "the rows differ"
    figures: dict[str, list[dict[str, float]]] = {"mapwave": [], "ray": []}
    for number in range(rounds):
        for name, read in [("mapwave", ours), ("ray", theirs)]:
            figures[name].append(run(read, paths))
            line = ", ".join(f"{what} {value:.2f}" for what, value in figures[name][-1].items())
            print(f"round {number + 1} {name}: {line}; load {os.getloadavg()[0]:.1f}", flush=True)
    medians = {
        name: {what: statistics.median(each[what] for each in runs) for what in runs[0]}
        for name, runs in figures.items()
    }
    print(f"{len(paths)} clips, {rounds} rounds, medians")
    for name, each in medians.items():
        driver = 1000 * each["driver"] / each["blocks"]
        print(f"{name:8} {each['seconds']:8.2f} s {each['cpu']:8.2f} s CPU {driver:8.2f} ms of the driver a block")
    for what in ("seconds", "cpu"):
        print(f"ray / mapwave, {what}: {medians['ray'][what] / medians['mapwave'][what]:.2f}")


if __name__ == "__main__":
    sys.exit(main())

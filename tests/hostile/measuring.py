"""Measures what hostile files cost: the time of info, of windows and of load, and the memory.

``python tests/hostile`` makes the files in a directory of its own, reads each in another process, and fails if one
costs more than it may: info 50 ms for each megabyte; windows and loads as much, and for the samples that they return
three times as long as an honest file; memory 100 times the file and 64 MB beside the samples. Times are those of the
processor.
``--peers`` has other libraries read the same files, where they are installed, and prints how they fared.
``--interrupt`` also asks each of them to stop, as Ctrl-C does, and fails if one goes on for more than 0.2 seconds.
"""

from __future__ import annotations

import argparse
import collections
import importlib.util
import json
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from files import fixture, hostile_files
from worker import PEERS

MB = 1e6
#: The processor's time that a file of up to a megabyte, or each megabyte of a larger one, may take.
SECONDS_PER_MB = 0.05
MEMORY_PER_BYTE, MEMORY = 100, 64 * MB
#: How much slower than an honest file.
SLOWER = 3
ANSWER = 0.2
#: Files with sound whose loads tell what a sample costs, by the names' endings.
HONEST = {
    ".flac": "flac16.flac",
    ".oga": "flac.oga",
    ".ogg": "vorbis.ogg",
    ".opus": "opus.opus",
    ".webm": "opus.webm",
    ".mp3": "mp3-no-xing.mp3",
    ".aac": "aac.aac",
    ".m4a": "aac.m4a",
    ".mp4": "aac.m4a",
    ".caf": "alac16.caf",
    ".wav": "adpcm-ima.wav",
}

Cost = dict[str, dict[str, float]]


class Worker:
    """A process that reads files."""

    def __init__(self, *options: str, limit: float) -> None:
        self.command = [sys.executable, "-P", str(Path(__file__).with_name("worker.py")), *options]
        self.limit = limit
        self.process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def measure(self, path: Path) -> Cost | str:
        """What a file costs, or why that is not known."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            is_there = bool(selector.select(self.limit))
        line = self.process.stdout.readline() if is_there else ""
        if line:
            return json.loads(line)  # type: ignore[no-any-return]
        self.process.kill()
        self.process.communicate()
        status = self.process.returncode
        self.process = self._start()
        return f"its process ended with {status}" if is_there else f"it took more than {self.limit} seconds"

    def close(self) -> None:
        """Ends the process."""
        self.process.communicate()


def seconds_per_byte(worker: Worker, directory: Path) -> dict[str, float]:
    """The time that a byte of samples of an honest file takes, by the names' endings."""
    rates = {}
    for ending, name in HONEST.items():
        path = directory / f"honest{ending}"
        path.write_bytes(fixture(name))
        costs = [worker.measure(path) for _ in range(3)]
        load = [cost["load"] for cost in costs if not isinstance(cost, str) and cost["load"]["bytes"]]
        rates[ending] = min((cost["cpu"] / cost["bytes"] for cost in load), default=1e-8)
    return rates


def beside(cost: Cost) -> float:
    """The memory that reading took beside the samples."""
    return max(0, *(cost[task]["peak"] - cost[task]["bytes"] for task in ("info", "window", "load")))


def allowed_memory(num_bytes: int) -> float:
    """How much it may be for a file of that size."""
    return MEMORY_PER_BYTE * num_bytes + MEMORY


def faults(cost: Cost, num_bytes: int, seconds_per_byte: float) -> list[str]:
    """What a file costs too much of."""
    allowed = SECONDS_PER_MB * max(num_bytes / MB, 1)
    found = []
    if cost["info"]["cpu"] > allowed:
        found.append("info")
    # Two windows, each of which may open the file.
    window = 2 * allowed + SLOWER * seconds_per_byte * cost["window"]["bytes"]
    if cost["window"]["cpu"] > window + 0.05:
        found.append("window")
    if cost["load"]["cpu"] > allowed + SLOWER * seconds_per_byte * cost["load"]["bytes"]:
        found.append("load")
    if beside(cost) > allowed_memory(num_bytes):
        found.append("memory")
    answer = cost.get("answer")
    if isinstance(answer, float) and answer > ANSWER:
        found.append("answer")
    return found


class Measured(NamedTuple):
    """A hostile file, and what it costs or why that is not known."""

    path: Path
    num_bytes: int
    cost: Cost | str


def measured(worker: Worker, names: list[str], size: int, place: Path) -> Iterator[Measured]:
    """Makes the files whose names have one of these parts, measures each, and removes it."""
    for name, data in hostile_files(size):
        if names and not any(part in name for part in names):
            continue
        path = place / name
        path.write_bytes(data)
        cost = worker.measure(path)
        path.unlink()
        yield Measured(path, len(data), cost)


def compare(names: list[str], size: int, limit: float) -> None:
    """Has other libraries read the files, and prints how many of them each reads, and how many cost too much."""
    print("reader         files  read  refused  too much: info  window  load  memory  crashed  hung")
    with tempfile.TemporaryDirectory() as place:
        for reader in ("mapwave", *PEERS):
            if importlib.util.find_spec(reader) is None:
                print(f"{reader:14} is not installed", flush=True)
                continue
            worker = Worker(*(["--reader", reader] if reader != "mapwave" else []), limit=limit)
            rates = seconds_per_byte(worker, Path(place))
            counts = collections.Counter[str]()
            for path, num_bytes, cost in measured(worker, names, size, Path(place)):
                counts["files"] += 1
                if isinstance(cost, str):
                    counts["hung" if "more than" in cost else "crashed"] += 1
                    continue
                counts["read" if cost["load"]["bytes"] else "refused"] += 1
                counts.update(faults(cost, num_bytes, rates.get(path.suffix, 1e-8)))
            worker.close()
            columns = {
                "files": 5,
                "read": 5,
                "refused": 8,
                "info": 15,
                "window": 7,
                "load": 5,
                "memory": 7,
                "crashed": 8,
                "hung": 5,
            }
            fields = "".join(f" {counts[name]:{width}}" for name, width in columns.items())
            print(f"{reader:14}{fields}", flush=True)


def main() -> int:
    """Makes the files, measures them, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="parts of the names of files; without any, all are measured")
    parser.add_argument("--size", type=int, default=1_000_000, help="the bytes of a file whose size is free")
    parser.add_argument("--limit", type=float, default=60, help="the seconds after which a file is given up")
    parser.add_argument("--interrupt", action="store_true")
    parser.add_argument("--peers", action="store_true")
    arguments = parser.parse_args()
    if arguments.peers:
        compare(arguments.names, arguments.size, arguments.limit)
        return 0
    failed = 0
    with tempfile.TemporaryDirectory() as place:
        worker = Worker(*(["--interrupt"] if arguments.interrupt else []), limit=arguments.limit)
        rates = seconds_per_byte(worker, Path(place))
        print("file".ljust(28), "MB".rjust(6), "info ms".rjust(9), "window ms".rjust(9), "load s".rjust(8), end=" ")
        print("times honest".rjust(12), "peak MB".rjust(8), "answer s".rjust(8), " too much")
        begin = time.monotonic()
        count = 0
        for path, num_bytes, cost in measured(worker, arguments.names, arguments.size, Path(place)):
            count += 1
            if isinstance(cost, str):
                failed += 1
                print(path.name.ljust(28), cost, flush=True)
                continue
            rate = rates.get(path.suffix, 1e-8)
            found = faults(cost, num_bytes, rate)
            failed += bool(found)
            load = cost["load"]
            ratio = f"{load['cpu'] / (rate * load['bytes']):.1f}" if load["bytes"] > MB else ""
            answer = cost.get("answer")
            print(
                path.name.ljust(28),
                f"{num_bytes / MB:6.2f} {1e3 * cost['info']['cpu']:9.1f} {1e3 * cost['window']['cpu']:9.1f}",
                f"{load['cpu']:8.3f} {ratio:>12} {beside(cost) / MB:8.1f}",
                f"{answer:8.3f}" if isinstance(answer, float) else " " * 8,
                "",
                " ".join(found),
                flush=True,
            )
        worker.close()
    print(f"{count} files, {failed} of which cost too much, in {time.monotonic() - begin:.0f} seconds")
    return 1 if failed else 0

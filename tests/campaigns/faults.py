"""Kills, interrupts and fills up the disk of processes that save, and looks at what is left.

    python tests/campaigns/faults.py [--kills 1000] [--interrupts 5000] [--full 1000] [--seed 0]

Processes replace a file again and again, in every format that this installation writes, by ``save`` and by a
writer. They are killed (SIGKILL) or interrupted (SIGINT) at random moments, or write on a file system that is
full, which only root can mount; elsewhere that part is left out with a notice. The file must be whole afterwards: one
of those that were being written, to the byte, and never shorter. Nothing else may lie beside it, but for the temporary
file of a process that was killed. Whoever was interrupted says so, and the next save works. Prints a line for each kind
of fault, and each violation. The exit status is 0 if there was none.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import mapwave
import numpy as np

#: Extensions, and how they are saved.
FORMATS: dict[str, dict[str, object]] = {
    "wav": {"encoding": "pcm16"},
    "aiff": {"encoding": "pcm24"},
    "caf": {"encoding": "float32"},
    "w64": {"encoding": "pcm16"},
    "flac": {},
    "opus": {},
    "ogg": {"encoding": "vorbis"},
    "mka": {"encoding": "flac"},
    "m4a": {"encoding": "alac"},
    "mp3": {},
}

RATE = 48_000
VERSIONS = 3

# A process that replaces a file until it is stopped. It says "ready" once everything is loaded, "armed" before it may
# be interrupted, and a line when it was; whatever else it says is a violation.
WORKER = """
import pickle, signal, sys
import mapwave, mapwave.numpy as mw, numpy as np

path, way, versions, options = pickle.load(sys.stdin.buffer)
audio = [mw.load(version)[0] for version in versions]
signal.signal(signal.SIGINT, signal.default_int_handler)

def save(number):
    if way == "save":
        mapwave.save(path, audio[number], 48_000, **options)
        return
    with mapwave.open(path, "w", sr=48_000, channels=2, **options) as writer:
        for part in np.array_split(audio[number], 7):
            writer.write(part)

save(0)
print("ready", flush=True)
while True:
    try:
        print("armed", flush=True)
        while True:
            for number in range(len(audio)):
                save(number)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


class Outcomes:
    """Counts what happened, and prints what must not."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.violations = 0

    def violation(self, what: str) -> None:
        self.violations += 1
        print("VIOLATION:", what, flush=True)


def audio_of(number: int) -> np.ndarray:
    """Half a second of noise, another one for each number, of another length."""
    frames = RATE // 2 + 1000 * number
    return np.random.default_rng(number).uniform(-0.5, 0.5, (frames, 2)).astype(np.float32)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Job:
    """A file of one format that a process replaces by ever other versions."""

    def __init__(self, directory: Path, extension: str, way: str) -> None:
        self.folder = directory / f"{extension}-{way}"
        self.folder.mkdir()
        self.path = self.folder / f"a.{extension}"
        self.way, self.options = way, FORMATS[extension]
        self.versions = []
        self.whole = set()
        for number in range(VERSIONS):
            source, made = directory / f"{number}.wav", directory / f"{extension}-{number}.{extension}"
            if not source.exists():
                mapwave.save(source, audio_of(number), RATE, encoding="float32")
            mapwave.save(made, audio_of(number), RATE, **self.options)
            self.versions.append(str(source))
            self.whole.add(digest(made))

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-c", WORKER]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdin and process.stdout
        process.stdin.write(pickle.dumps((str(self.path), self.way, self.versions, self.options)))
        process.stdin.close()
        assert process.stdout.readline() == b"ready\n", process.stderr and process.stderr.read().decode()
        return process

    def end(self, process: subprocess.Popen[bytes], outcomes: Outcomes) -> None:
        """Kills a process, and looks at the file and at what lies beside it: one temporary file at most."""
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()
        left = set(os.listdir(self.folder)) - {self.path.name}
        known = {name for name in left if name.startswith(f".{self.path.name}.") and name.endswith(".mapwave-tmp")}
        if left - known or len(known) > 1:
            outcomes.violation(f"{self.path}: {sorted(left)} beside it")
        outcomes.counts["temporary files"] += len(known)
        for name in known:
            (self.folder / name).unlink()
        try:
            found, facts = digest(self.path), mapwave.info(self.path)
        except (OSError, mapwave.AudioError) as error:
            outcomes.violation(f"{self.path}: {error}")
            return
        lengths = {len(audio_of(number)) for number in range(VERSIONS)}
        if facts.is_truncated or (found not in self.whole and facts.frames not in lengths):
            outcomes.violation(f"{self.path}: {facts.frames} frames, truncated: {facts.is_truncated}")
        outcomes.counts["files by save"] += found in self.whole


def jobs_in(directory: Path) -> Iterator[Job]:
    for extension in FORMATS:
        for way in ("save", "writer"):
            try:
                yield Job(directory, extension, way)
            except mapwave.AudioError as error:
                print(f"left out: {extension}: {error}")
                break


def kill(job: Job, outcomes: Outcomes, count: int, rng: random.Random) -> None:
    """Kills a process at a random moment, so many times."""
    for _ in range(count):
        process = job.start()
        time.sleep(rng.uniform(0, 0.05))
        job.end(process, outcomes)
        outcomes.counts["kills"] += 1


def interrupt(job: Job, outcomes: Outcomes, count: int, rng: random.Random) -> None:
    """Interrupts one process so many times. What interrupted saves leave would be there at the end."""
    process = job.start()
    assert process.stdout and process.stderr
    for _ in range(count):
        if (line := process.stdout.readline()) != b"armed\n":
            outcomes.violation(f"{job.path}: {line!r} {process.stderr.read().decode()[-500:]}")
            return
        time.sleep(rng.uniform(0, 0.03))
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        line = process.stdout.readline()
        outcomes.counts["interrupts"] += 1
        outcomes.counts["slower than 0.2 s"] += time.monotonic() - begin > 0.2
        if line != b"interrupted\n":
            outcomes.violation(f"{job.path}: after SIGINT: {line!r} {process.stderr.read().decode()[-500:]}")
            return
        if process.poll() is not None:
            outcomes.violation(f"{job.path}: the process ended")
            return
    job.end(process, outcomes)


@contextmanager
def small_disk(directory: Path, num_bytes: int) -> Iterator[Path | None]:
    """A file system of so many bytes, or nothing where none can be mounted."""
    place = directory / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={num_bytes}", "tmpfs", place]
    if subprocess.run(command, capture_output=True).returncode != 0:
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def fill(extension: str, disk: Path, outcomes: Outcomes, count: int, rng: random.Random) -> None:
    """Saves on a disk that has room for ever other amounts."""
    path, filler = disk / f"a.{extension}", disk / "filler"
    old, new = audio_of(0)[:4000], audio_of(1)[:6000]
    options = FORMATS[extension]
    try:
        mapwave.save(path, new, RATE, **options)
        whole = path.read_bytes()
        mapwave.save(path, old, RATE, **options)
    except mapwave.UnsupportedFormat as error:
        print(f"left out: {extension}: {error}")
        return
    before = path.read_bytes()
    page = os.statvfs(disk).f_bsize
    for _ in range(count):
        room = rng.randrange(0, len(whole) + 4 * page, page)
        free = os.statvfs(disk).f_bavail * page
        filler.write_bytes(bytes(max(free - room, 0)))
        try:
            mapwave.save(path, new, RATE, **options)
            failure = None
        except mapwave.AudioError as error:
            failure = error
        filler.unlink()
        found = path.read_bytes()
        outcomes.counts["saves on a full disk"] += 1
        outcomes.counts["of which failed"] += failure is not None
        expected = whole if failure is None else before
        if found != expected or os.listdir(disk) != [path.name] or getattr(failure, "errno", 28) != 28:
            outcomes.violation(f"{path} with room for {room}: {failure}, {len(found)} bytes, {os.listdir(disk)}")
        if failure is None:
            mapwave.save(path, old, RATE, **options)
    path.unlink()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--interrupts", type=int, default=5000)
    parser.add_argument("--full", type=int, default=1000, help="saves on a full disk, in each format")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng, outcomes = random.Random(arguments.seed), Outcomes()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        jobs = list(jobs_in(directory))

        def spread(total: int, work: Callable[[Job, int], None]) -> None:
            for number, job in enumerate(jobs):
                work(job, (total * (number + 1)) // len(jobs) - (total * number) // len(jobs))

        spread(arguments.kills, lambda job, count: kill(job, outcomes, count, rng))
        spread(arguments.interrupts, lambda job, count: interrupt(job, outcomes, count, rng))
        with small_disk(directory, 4 << 20) as disk:
            if disk is None:
                print("left out: full disks: no file system can be mounted here")
            for extension in FORMATS if disk else ():
                fill(extension, disk, outcomes, arguments.full, rng)
    print(*(f"{count} {what}" for what, count in outcomes.counts.items()), sep=", ")
    print(f"{outcomes.violations} violations")
    return 1 if outcomes.violations else 0


if __name__ == "__main__":
    sys.exit(main())

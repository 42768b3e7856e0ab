"""Forks a process whose other threads load, stream, save, resample and open, and compares what the child makes.

    python tests/campaigns/forks.py [--forks 300] [--cold 60] [--fresh 0] [--stepped 15] [--seed 0]

A child must end, and make the same bytes as a process that was never forked. Most forks are warm: threads work with
every kind of file all the time, on shared readers too, and the child does one of the same things. ``--cold`` of them
are cold, which takes longer: the process has used nothing of mapwave when a thread begins to, and is forked a random
time later. ``--fresh`` of the cold ones are forks of interpreters that were just started. ``--stepped`` of them are
forked again and again while the first call goes on, each time that the call gives up the interpreter's lock: there it
may be within a lazy value or an import. The exit status is 0 if every child ended and was right.
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import io
import json
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import mapwave.numpy as mw
import numpy as np

# The seconds after which a child counts as hung: the work takes milliseconds.
LIMIT = 180

# How a child ends. Another status is a crash, or an exception of Python's.
RIGHT, WRONG, RAISED, HUNG = 0, 65, 66, 67

NUM_THREADS = 2

# How many children run at a time.
NUM_CHILDREN = 4

# How often a stepped process is forked at most.
NUM_STEPS = 25

# The kinds of files, and what they are saved with.
KINDS = {
    "pcm.wav": {},
    "float.wav": {"encoding": "float32"},
    "pcm.aiff": {},
    "lossless.flac": {},
    "mp3.mp3": {},
    "aac.m4a": {},
    "alac.m4a": {"encoding": "alac"},
    "vorbis.ogg": {"encoding": "vorbis"},
    "opus.opus": {},
    "opus.webm": {},
}

Action = Callable[[], bytes]


def sound(num_frames: int, sample_rate: int) -> np.ndarray:
    """Two tones and noise, in stereo."""
    time_axis = np.arange(num_frames) / sample_rate
    noise = np.random.default_rng(1).normal(0, 0.05, (num_frames, 2))
    tones = np.stack([np.sin(2765.0 * time_axis), np.sin(4147.0 * time_axis)], axis=1)
    return (0.4 * tones + noise).astype(np.float32)


# Made before any fork: NumPy imports a part of itself for it, and the lock of an import stays locked in a child.
SOUND = sound(20_000, 48_000)


def make_files(directory: Path) -> list[str]:
    """Saves a file of each kind that the plugins here can write and read, and returns their names."""
    names = []
    for name, options in KINDS.items():
        path = directory / name
        try:
            mw.save(path, SOUND, 48_000, durable=False, **options)
            mw.load(path)
        except (mw.UnsupportedFormat, mw.InvalidArgument, mw.PluginError) as error:
            print(f"forks: no {name} here: {str(error).splitlines()[0][:200]}", file=sys.stderr)
            continue
        names.append(name)
    return names


def digest(*arrays: np.ndarray | bytes) -> bytes:
    """What identifies the bytes and shapes of arrays."""
    sha = hashlib.sha256()
    for array in arrays:
        if isinstance(array, np.ndarray):
            sha.update(repr((array.shape, array.dtype)).encode())
            array = np.ascontiguousarray(array).tobytes()
        sha.update(array)
    return sha.digest()


def saved(name: str, **options: object) -> bytes:
    """The bytes of a file that is saved to a file object."""
    place = io.BytesIO()
    place.name = name  # type: ignore[attr-defined]
    mw.save(place, SOUND[:6_000], 48_000, **options)
    return digest(place.getvalue())


def saved_file(directory: Path, name: str, **options: object) -> bytes:
    """The bytes of a file that is saved to a path."""
    path = directory / f"{os.getpid()}-{threading.get_ident()}-{name}"
    mw.save(path, SOUND[:6_000], 48_000, durable=False, **options)
    found = path.read_bytes()
    path.unlink()
    return digest(found)


def actions(directory: Path, names: list[str], has_soxr: bool, shared: dict[str, mw.Reader]) -> dict[str, Action]:
    """Everything that is done in threads and in children, by name; with the readers in `shared` where they are.

    Nothing here may use mapwave: the process is to stay cold.
    """
    found: dict[str, Action] = {}

    def reader(key: str, path: Path, **options: object) -> mw.Reader:
        return shared.get(key) or mw.open(path, **options)

    def add(name: str) -> None:
        path, options = directory / name, KINDS[name]
        found[f"load {name}"] = lambda: digest(mw.load(path)[0])
        found[f"load {name} from bytes"] = lambda: digest(mw.load(path.read_bytes(), dtype="float64")[0])
        found[f"window of {name}"] = lambda: digest(mw.load(path, offset=0.2, duration=0.1)[0])
        found[f"info of {name}"] = lambda: digest(repr(mw.info(path)).encode())
        found[f"stream {name}"] = lambda: digest(*(chunk for chunk, _ in mw.stream(path, chunk_duration=0.1)))
        found[f"resample {name} (best)"] = lambda: digest(mw.load(path, sr=16_000, resample_quality="best")[0])
        found[f"batch of {name}"] = lambda: digest(*(a for a, _ in mw.batch_load([path] * 3, num_workers=2)))
        if has_soxr:
            found[f"resample {name} (soxr)"] = lambda: digest(mw.load(path, sr=16_000, resample_quality="soxr_vhq")[0])
            found[f"reader of {name} (soxr)"] = lambda: digest(
                reader(f"soxr {name}", path, sr=22_050, resample_quality="soxr_hq")[2_000:6_000]
            )
        found[f"reader of {name}"] = lambda: digest(reader(name, path)[11_111:17_777], reader(name, path)[:5_000])
        found[f"save {name}"] = lambda: saved(name, **options)
        found[f"save {name} to a path"] = lambda: saved_file(directory, name, **options)

    def tagged() -> bytes:
        path = directory / f"{os.getpid()}-{threading.get_ident()}-tagged.wav"
        path.write_bytes(paths[0].read_bytes())
        mw.retag(path, tags={"title": "a"})
        bytes_now = path.read_bytes()
        path.unlink()
        return digest(bytes_now)

    def refused(argument: object, **options: object) -> bytes:
        try:
            mw.load(argument, **options)
        except (mw.AudioError, ImportError, TypeError) as error:
            return digest(repr(type(error)).encode())
        raise AssertionError(argument)

    for name in names:
        add(name)
    paths = [directory / name for name in names]
    found["tags"] = tagged
    found["loudness"] = lambda: digest(repr(mw.loudness(paths[0])).encode())
    found["index"] = lambda: digest(repr(list(mw.index(paths, progress=False, hash="sha256"))).encode())
    found["iterator"] = lambda: digest(*(audio for _, audio, _ in mw.iter_load(paths, num_workers=2)))
    found["progress"] = lambda: digest(mw.batch_load(paths[:1], progress=lambda done, total: None)[0][0])
    found["flag of NumPy's"] = lambda: digest(mw.load(paths[0], mono=np.True_)[0])
    found["no file"] = lambda: refused(directory / "none.wav")
    found["wrong argument"] = lambda: refused(paths[0], dtype=7)
    found["no server"] = lambda: refused("http://127.0.0.1:9/a.wav")
    return found


def same_twice(action: Action) -> bool:
    return action() == action()


def run(action: Action, expected: str) -> int:
    """Does something in a child, and returns how it ended."""
    try:
        return RIGHT if action().hex() == expected else WRONG
    except BaseException as error:
        os.write(2, f"forks: {type(error).__name__}: {error}\n".encode())
        return RAISED


def wait(pid: int, limit: float) -> int:
    """Waits for a child of this process, and ends it if it hangs."""
    if hasattr(os, "pidfd_open"):
        descriptor = os.pidfd_open(pid)
        try:
            has_ended = bool(select.select([descriptor], [], [], limit)[0])
        finally:
            os.close(descriptor)
    else:
        end = time.monotonic() + limit
        while not (has_ended := os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None):
            if time.monotonic() > end:
                break
            time.sleep(0.001)
    if not has_ended:
        os.kill(pid, signal.SIGABRT)  # faulthandler shows where it was
        os.waitpid(pid, 0)
        return HUNG
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


class Results:
    """How the children ended."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []

    def add(self, kind: str, what: str, status: int) -> None:
        word = {RIGHT: "right", WRONG: "wrong", RAISED: "raised", HUNG: "hung"}.get(status, "crashed")
        self.counts[f"{kind} {word}"] += 1
        if status != RIGHT:
            self.failures.append(f"{kind}: {what}: {word} ({status})")
            print(f"forks: {self.failures[-1]}", file=sys.stderr, flush=True)

    def report(self, seconds: float) -> int:
        total = {
            word: sum(count for kind, count in self.counts.items() if kind.endswith(word))
            for word in ("right", "wrong", "raised", "hung", "crashed")
        }
        forks = sum(total.values())
        print(f"forks: {dict(sorted(self.counts.items()))}")
        print(
            f"forks: {forks} forks in {seconds:.0f} s: {total['hung']} hung, {total['wrong']} wrong, "
            f"{total['raised']} raised, {total['crashed']} crashed",
            flush=True,
        )
        return 0 if forks == total["right"] else 1


def warm(
    directory: Path, names: list[str], expected: dict[str, str], num_forks: int, seed: int
) -> Iterator[tuple[str, int]]:
    """Forks while threads work with every kind of file."""
    shared = {name: mw.open(directory / name) for name in names}
    has_soxr = mw.supports_soxr()
    if has_soxr:
        for name in names:
            shared[f"soxr {name}"] = mw.open(directory / name, sr=22_050, resample_quality="soxr_hq")
    every = {name: action for name, action in actions(directory, names, has_soxr, shared).items() if name in expected}
    stop = threading.Event()
    errors: list[BaseException] = []

    def work(number: int) -> None:
        choice = random.Random(seed * 1000 + number)
        try:
            while not stop.is_set():
                name = choice.choice(list(every))
                if every[name]().hex() != expected[name]:
                    raise AssertionError(f"{name} is wrong in a thread of the parent")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(NUM_THREADS)]
    for thread in threads:
        thread.start()
    choice = random.Random(seed)
    try:
        running: list[tuple[str, int]] = []
        for number in range(num_forks):
            name = list(every)[number % len(every)]
            # Forks spread over what the threads do.
            time.sleep(choice.random() * 0.004)
            pid = os.fork()
            if pid == 0:
                os._exit(run(every[name], expected[name]))
            running.append((name, pid))
            if len(running) == NUM_CHILDREN:
                name, pid = running.pop(0)
                yield name, wait(pid, LIMIT)
        for name, pid in running:
            yield name, wait(pid, LIMIT)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]


def cold_fork(every: dict[str, Action], first: str, then: str, expected: dict[str, str], delay: float) -> int:
    """Begins something in a thread of a process that has done nothing, and forks; returns how the child ended."""
    begun = threading.Event()

    def begin() -> None:
        begun.set()
        every[first]()

    threading.Thread(target=begin, daemon=True).start()
    begun.wait()
    time.sleep(delay)
    pid = os.fork()
    if pid == 0:
        os._exit(run(every[then], expected[then]))
    return wait(pid, LIMIT)


def stepped_forks(every: dict[str, Action], first: str, then: str, expected: dict[str, str]) -> int:
    """As `cold_fork`, but forks at every step of the first call; returns how the first child that failed ended."""
    ended = []

    def begin() -> None:
        every[first]()
        ended.append(True)

    thread = threading.Thread(target=begin, daemon=True)
    # This thread demands the interpreter's lock as soon as it wants it, and so gets it when the other one gives it up.
    sys.setswitchinterval(1e-6)
    thread.start()
    children = []
    while not ended and len(children) < NUM_STEPS:
        pid = os.fork()
        if pid == 0:
            os._exit(run(every[then], expected[then]))
        children.append(pid)
        time.sleep(0)
    found = RIGHT
    for pid in children:
        if found == RIGHT:
            found = wait(pid, LIMIT)
        else:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return found


def delays(choice: random.Random) -> float:
    """When to fork, in seconds after the first call began: loading all plugins takes some tens of milliseconds."""
    return choice.random() ** 2 * choice.choice([0.002, 0.02, 0.1])


def cold(every: dict[str, Action], expected: dict[str, str], num_forks: int, seed: int) -> Iterator[tuple[str, int]]:
    """Forks processes that have done nothing before. Each is a fork of this one, which has only imported mapwave."""
    choice = random.Random(seed)
    names = list(every)
    for number in range(num_forks):
        then, first, delay = names[number % len(names)], choice.choice(names), delays(choice)
        pid = os.fork()
        if pid == 0:
            os._exit(cold_fork(every, first, then, expected, delay))
        yield f"{then} while {first} for {delay * 1000:.2f} ms", wait(pid, 2 * LIMIT)


def stepped(every: dict[str, Action], expected: dict[str, str], num_forks: int, seed: int) -> Iterator[tuple[str, int]]:
    """Steps through the first calls of processes that have done nothing before, as those of `cold`."""
    choice = random.Random(seed)
    names = choice.sample(list(every), k=len(every))
    for number in range(num_forks):
        # Mostly the same twice, which needs the same things for the first time.
        first = names[number % len(names)]
        then = first if choice.random() < 0.7 else choice.choice(names)
        pid = os.fork()
        if pid == 0:
            os._exit(stepped_forks(every, first, then, expected))
        yield f"{then} at the steps of {first}", wait(pid, 2 * LIMIT)


def fresh(directory: Path, expected: dict[str, str], num_forks: int, seed: int) -> Iterator[tuple[str, int]]:
    """The same in interpreters that were just started."""
    choice = random.Random(seed)
    names = list(expected)
    for _ in range(num_forks):
        first, then, delay = choice.choice(names), choice.choice(names), delays(choice)
        words = ["--only", first, then, repr(delay), str(directory)]
        ended = subprocess.run(
            [sys.executable, *sys.orig_argv[1 : -len(sys.argv)], __file__, *words], timeout=3 * LIMIT
        )
        yield f"{then} while {first} for {delay * 1000:.2f} ms", ended.returncode


def prepare(directory: Path) -> None:
    """Makes the files and what every action gives, in a process of its own: the caller's stays cold."""
    names = make_files(directory)
    has_soxr = mw.supports_soxr()
    every = actions(directory, names, has_soxr, {})
    repeated = {name: action().hex() for name, action in every.items() if same_twice(action)}
    for name in every.keys() - repeated.keys():
        print(f"forks: {name} gives something else each time and is left out", file=sys.stderr)
    (directory / "expected.json").write_text(json.dumps({"names": names, "has_soxr": has_soxr, "expected": repeated}))


def known(directory: Path) -> tuple[list[str], bool, dict[str, str]]:
    facts = json.loads((directory / "expected.json").read_text())
    return facts["names"], facts["has_soxr"], facts["expected"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--forks", type=int, default=300, help="how many times to fork")
    parser.add_argument("--cold", type=int, help="how many of the forks are cold; by default a fifth")
    parser.add_argument("--fresh", type=int, default=0, help="how many of the cold forks are of new interpreters")
    parser.add_argument("--stepped", type=int, help="how many of the cold forks are stepped; by default a quarter")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--prepare", metavar="DIRECTORY", help=argparse.SUPPRESS)
    parser.add_argument("--only", nargs=4, metavar=("FIRST", "THEN", "DELAY", "DIRECTORY"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    faulthandler.enable()
    if asked.prepare:
        prepare(Path(asked.prepare))
        return 0
    if asked.only:
        first, then, delay, directory = asked.only
        names, has_soxr, expected = known(Path(directory))
        status = cold_fork(actions(Path(directory), names, has_soxr, {}), first, then, expected, float(delay))
        sys.stdout.flush()
        os._exit(status)
    start, results = time.monotonic(), Results()
    with tempfile.TemporaryDirectory(prefix="mapwave-forks-") as name:
        directory = Path(name)
        interpreter = [sys.executable, *sys.orig_argv[1 : -len(sys.argv)], __file__]
        subprocess.run([*interpreter, "--prepare", name], check=True)
        names, has_soxr, expected = known(directory)
        found = actions(directory, names, has_soxr, {})
        every = {name: action for name, action in found.items() if name in expected}
        num_cold = asked.forks // 5 if asked.cold is None else asked.cold
        num_stepped = num_cold // 4 if asked.stepped is None else asked.stepped
        for what, status in cold(every, expected, num_cold - asked.fresh - num_stepped, asked.seed):
            results.add("cold", what, status)
        for what, status in stepped(every, expected, num_stepped, asked.seed):
            results.add("stepped", what, status)
        for what, status in fresh(directory, expected, asked.fresh, asked.seed):
            results.add("fresh", what, status)
        for what, status in warm(directory, names, expected, asked.forks - num_cold, asked.seed):
            results.add("warm", what, status)
    return results.report(time.monotonic() - start)


if __name__ == "__main__":
    sys.exit(main())

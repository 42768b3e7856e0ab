"""Reads one file after another in a process of its own, and says what that cost."""

from __future__ import annotations

import contextlib
import importlib
import json
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import mapwave
import mapwave.numpy as mw

#: Other libraries that are measured beside mapwave, as `--reader` names them.
PEERS = ("soundfile", "librosa", "mlx_audio_io")


def _memory(field: str) -> int:
    """A figure of this process's memory in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return 1024 * int(line.split()[1])
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _forget_peak() -> int:
    """The memory that is used now; the peak begins here."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _cost(work: Callable[[], object]) -> dict[str, object]:
    before = _forget_peak()
    begin, begin_cpu = time.perf_counter(), time.process_time()
    outcome, size = "", 0
    try:
        result = work()
        size = result[0].nbytes if isinstance(result, tuple) else 0
        outcome = f"{result.frames} frames" if isinstance(result, mapwave.AudioInfo) else f"{result[0].shape}"
    except KeyboardInterrupt:
        outcome = "KeyboardInterrupt"
    except Exception as error:  # any failure is an outcome
        outcome = f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - begin
    cpu = time.process_time() - begin_cpu
    return {"seconds": seconds, "cpu": cpu, "peak": _memory("VmHWM") - before, "bytes": size, "outcome": outcome}


def _interrupted(work: Callable[[], object], after: float) -> float | None:
    """How long work goes on after Ctrl-C; `None` if it ended before."""
    at_work = True

    def ask(signum: int, frame: FrameType | None) -> None:
        if at_work:
            raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, ask)
    sent = time.perf_counter() + after
    signal.setitimer(signal.ITIMER_REAL, after)
    try:
        with contextlib.suppress(mapwave.AudioError):
            work()
        at_work = False
    except KeyboardInterrupt:
        return time.perf_counter() - sent
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return None


def _measure_peer(name: str, path: str) -> dict[str, object]:
    """The same of another library, whose arrays are NumPy's or MLX's."""
    library = importlib.import_module(name)

    def info() -> object:
        if name == "librosa":
            return library.get_duration(path=path)
        return library.info(path)

    def window() -> object:
        match name:
            case "soundfile":
                return library.read(path, start=1000, stop=1100)
            case "librosa":
                return library.load(path, sr=None, offset=0.1, duration=0.01)
        return library.load(path, offset=0.1, duration=0.01)

    def load() -> object:
        match name:
            case "soundfile":
                return library.read(path, dtype="float32")
            case "librosa":
                return library.load(path, sr=None, mono=False)
        return library.load(path)

    return {task.__name__: _cost(task) for task in (info, window, load)}


def _measure(path: str, interrupt: bool) -> dict[str, object]:
    facts: dict[str, int] = {}

    def info() -> object:
        found = mw.info(path)
        facts["frames"], facts["channels"] = found.frames, found.channels
        return found

    def load() -> object:
        return mw.load(path)

    def window() -> object:
        num_frames = facts.get("frames", 0)
        for start in (num_frames // 2, max(num_frames - 100, 0)):
            mw.load(path, start=start, stop=start + 100)
        return None

    result: dict[str, object] = {"info": _cost(info)}
    for name, work in (("window", window), ("load", load)):
        result[name] = _cost(work)
    result["facts"] = facts
    if interrupt:
        answers = []
        for name, work in (("info", info), ("window", window), ("load", load)):
            seconds = float(result[name]["seconds"])  # type: ignore[index]
            if seconds > 0.05:
                answer = _interrupted(work, min(seconds / 2, 0.5))
                if answer is not None:
                    answers.append(answer)
        result["answer"] = max(answers, default=None)
    return result


if __name__ == "__main__":
    if "--reader" in sys.argv:
        reader = sys.argv[sys.argv.index("--reader") + 1]
        importlib.import_module(reader)
        for line in sys.stdin:
            print(json.dumps(_measure_peer(reader, line.rstrip("\n"))), flush=True)
        sys.exit()
    mapwave.plugins()
    if "--small" in sys.argv:
        mapwave.limits(max_bytes=50_000_000)
    interrupt = "--interrupt" in sys.argv
    for line in sys.stdin:
        print(json.dumps(_measure(line.rstrip("\n"), interrupt)), flush=True)

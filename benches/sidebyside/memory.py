"""Peak memory: what a whole-file load adds to the resident set beyond its output, in a process of its own.

Linux only: writing 5 to /proc/self/clear_refs resets VmHWM (proc(5)). Pages of a mapped file count for as
long as they are mapped, as the kernel counts them.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

from .clips import NUM_CHANNELS, NUM_FRAMES, SAMPLE_RATE, Clips
from .rivals import MODULES
from .timing import Times

CLEAR_REFS = Path("/proc/self/clear_refs")
OUTPUT_BYTES = NUM_FRAMES * NUM_CHANNELS * 4
REPEATS = 5


def available() -> bool:
    return CLEAR_REFS.exists()


def name(kind: str) -> str:
    return f"peak memory over output, whole {kind}"


def run(clips: Clips, rivals: list[str], kind: str, repeats: int) -> dict[str, Times]:
    """MB over the output by rival, the median of so many processes."""
    return {rival: _measured(rival, clips.paths[kind], repeats) for rival in rivals}


def _measured(rival: str, path: str, repeats: int) -> Times:
    command = [sys.executable, "-m", "sidebyside.memory", rival, path]
    home, values = Path(__file__).parents[1], []
    for _ in range(repeats):
        done = subprocess.run(command, capture_output=True, text=True, cwd=home, check=False)
        if done.returncode:
            return Times(problem=(done.stderr.strip().splitlines() or ["failed"])[-1])
        values.append((int(done.stdout) - OUTPUT_BYTES) / 1e6)
    return Times.of(values)


def _load(rival: str, path: str, frames: int | None = None) -> Any:
    module = importlib.import_module(MODULES[rival])
    if rival == "soundfile":
        return module.read(path, -1 if frames is None else frames, dtype="float32", always_2d=True)[0]
    import mlx.core as mx

    array = module.load(path, duration=None if frames is None else frames / SAMPLE_RATE)[0]
    mx.eval(array)
    return array


def _peak_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def _main(rival: str, path: str) -> None:
    """In the child: load a little so that every library is in, then measure the whole."""
    _load(rival, path, 4_410)
    CLEAR_REFS.write_text("5")
    before = _peak_bytes()
    array = _load(rival, path)
    print(_peak_bytes() - before)
    del array


if __name__ == "__main__":
    _main(*sys.argv[1:])

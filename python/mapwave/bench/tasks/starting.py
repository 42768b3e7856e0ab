"""Before the samples: the facts of a file, and what a new interpreter takes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from ..clips import NUM_CHANNELS, SAMPLE_RATE
from ..peers import Peer
from ..task import WRONG, Job, Planned, Task, wrong_unless
from .context import Context

INFO_ITERATIONS, IMPORT_ITERATIONS = 2_000, 11

FIRST_SECOND = """
import sys
import mlx.core
from mapwave.bench.peers import installed
(peer,) = [peer for peer in installed() if peer.name == sys.argv[1]]
print(len(peer.to_mlx(peer.window(sys.argv[2], 0, 44100, 44100))))
"""


def build(context: Context) -> Iterator[Planned]:
    """info; importing; and all the way to the first array."""
    seconds = context.clips.seconds
    yield Planned("info", "Starting", seconds, lambda: info(context))
    yield Planned("import", "Starting", 0.0, lambda: importing(context))
    yield Planned("new process to the first 1 s", "Starting", 1.0, lambda: first_second(context))


def info(context: Context) -> Task:
    """The facts of a PCM16 file."""
    path = context.clips.path("PCM16")
    expected = (context.clips.num_frames, SAMPLE_RATE, NUM_CHANNELS)
    jobs: dict[str, Job] = {}
    for peer in context.peers:
        if peer.can("info"):
            jobs[peer.name] = _asking(peer, path)

    def check(got: tuple[Peer, Any], _: int) -> str:
        peer, native = got
        facts = peer.facts(native)
        return "" if facts == expected else f"{WRONG}: {facts} instead of {expected}"

    return Task("info", "us", jobs, check, INFO_ITERATIONS)


def importing(context: Context) -> Task:
    """A new interpreter that imports the library and does nothing with it; the floor is one that imports nothing.

    librosa and others import the most of themselves when they are first used, which the next task counts.
    """
    jobs = {peer.name: _interpreter(f"import {peer.needs[0]}") for peer in context.peers}
    return Task("import", "ms", jobs, _ended_well, IMPORT_ITERATIONS, warm_rounds=0, floor=_interpreter("pass"))


def first_second(context: Context) -> Task:
    """A new interpreter, MLX, the library, and one second of a PCM16 file as `mx.array`.

    The floor is an interpreter with MLX and this harness, which every rival's has too.
    """
    path = context.clips.path("PCM16")
    jobs = {
        peer.name: _interpreter(FIRST_SECOND, peer.name, path, printed="44100\n")
        for peer in context.peers
        if peer.can("window")
    }
    least = _interpreter("import mlx.core, mapwave.bench.peers")
    return Task("new process to the first 1 s", "ms", jobs, _ended_well, IMPORT_ITERATIONS, warm_rounds=0, floor=least)


def _asking(peer: Peer, path: str) -> Job:
    return lambda _: (peer, peer.info(path))


def _interpreter(code: str, *arguments: str, printed: str = "") -> Job:
    command = [sys.executable, "-c", code, *arguments]

    def run(_: int) -> tuple[subprocess.CompletedProcess[str], str]:
        return subprocess.run(command, capture_output=True, text=True, check=False), printed

    return run


def _ended_well(got: tuple[subprocess.CompletedProcess[str], str], _: int) -> str:
    done, printed = got
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["failed"])[-1]
    return wrong_unless(done.stdout == printed)

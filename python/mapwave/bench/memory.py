"""Memory, measured in processes of their own: at its peak beyond the output, and after every one of many epochs.

Linux only: writing 5 to /proc/self/clear_refs resets VmHWM (proc(5)). Pages of a mapped file count for as
long as they are mapped, as the kernel counts them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .clips import NUM_CHANNELS, SAMPLE_RATE
from .peers import Peer, installed
from .speech import Speech
from .task import WRONG
from .tasks import Context
from .tasks.delivery import MAX_TAIL, label
from .tasks.training import NUM_FILES, NUM_FILES_QUICK, Corpus, passes, peers_of
from .timing import Times

CLEAR_REFS = Path("/proc/self/clear_refs")
REPEATS = 5
EPOCHS, EPOCHS_QUICK = 20, 3
LONG_SECONDS = 4 * 3_600


@dataclass(frozen=True)
class Measured:
    """One row group of the table, in MB by rival."""

    name: str
    group: str
    seconds: float
    run: Callable[[int], dict[str, Times]]
    """The argument is the number of processes for each rival."""


def available() -> bool:
    return CLEAR_REFS.exists()


def build(context: Context) -> Iterator[Measured]:
    """Whole files, streams, and epochs."""
    clips = context.clips
    group = "Peak memory"
    for kind in ("PCM16",) if context.is_quick else ("PCM16", "PCM24", "f32"):
        name = f"peak memory over output, whole {kind}"
        yield Measured(name, group, clips.seconds, partial(_whole, context, kind))
    for kind in ("PCM16",) if context.is_quick else ("PCM16", "MP3"):
        name = f"peak memory of streaming {kind}"
        yield Measured(name, group, context.sound(kind).seconds, partial(_stream, context, kind))
    for kind in ("PCM16", "MP3") if context.is_long else ():
        name = f"peak memory of streaming 4 h of {kind}"
        yield Measured(name, group, LONG_SECONDS, partial(_stream_long, context, kind))
    whats = ("1 s windows, 2 workers", "1 s windows, one by one", "whole files of 10 s, 2 workers")
    for what in whats[:1] if context.is_quick else whats:
        epochs, num_files = (EPOCHS_QUICK, NUM_FILES_QUICK) if context.is_quick else (EPOCHS, NUM_FILES)
        name = f"growth over {epochs} epochs: {what}"
        yield Measured(name, "Stable memory", 0.0, partial(_epochs, context, what, num_files, epochs))


def growth(resident: list[float]) -> Times:
    """How much the last epoch's resident set is above the first's; the series is all of them."""
    grown = resident[-1] - resident[0]
    return Times(grown, grown, len(resident), series=(*resident,))


def _whole(context: Context, kind: str, repeats: int) -> dict[str, Times]:
    path, output_bytes = context.clips.path(kind), context.clips.num_frames * NUM_CHANNELS * 4
    found = {}
    for peer in context.peers:
        if kind in peer.lacks:
            continue
        found[_native_label(peer)] = _median(repeats, peer, "whole", path, str(output_bytes))
    return found


def _stream(context: Context, kind: str, repeats: int) -> dict[str, Times]:
    clips = context.sound(kind)
    path = clips.path(kind)
    return {
        label(peer): _median(repeats, peer, "stream", path, str(clips.num_frames))
        for peer in context.peers
        if peer.can("stream") and kind not in peer.lacks
    }


def _stream_long(context: Context, kind: str, _: int) -> dict[str, Times]:
    path = Speech(context.directory / "speech").path(kind, LONG_SECONDS)
    num_frames = LONG_SECONDS * 16_000
    return {
        label(peer): _median(1, peer, "stream", path, str(num_frames))
        for peer in context.peers
        if peer.can("stream") and kind not in peer.lacks
    }


def _epochs(context: Context, what: str, num_files: int, epochs: int, _: int) -> dict[str, Times]:
    corpus = Corpus(context.directory / "small", num_files)
    job = "batch" if what.startswith("whole") else "window"
    first, found = corpus.paths[0], {}
    for peer in peers_of(context):
        if peer.can(job):
            values, problem = _measured(peer, "epochs", str(Path(first).parent), what, str(num_files), str(epochs))
            found[label(peer)] = Times(problem=problem) if problem else growth(values)
    return found


def _native_label(peer: Peer) -> str:
    """Whole files are measured as the peer returns them: a conversion would be a second output."""
    return peer.name if peer.into == "mlx" else f"{peer.name} ({peer.into})"


def _median(repeats: int, peer: Peer, *arguments: str) -> Times:
    values: list[float] = []
    for _ in range(repeats):
        found, problem = _measured(peer, *arguments)
        if problem:
            return Times(problem=problem)
        values += found
    return Times.of(values)


def _measured(peer: Peer, *arguments: str) -> tuple[list[float], str]:
    """The values in MB that a process printed, or what went wrong."""
    command = [sys.executable, "-m", "mapwave.bench.memory", peer.name, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return [], (done.stderr.strip().splitlines() or ["failed"])[-1]
    return json.loads(done.stdout.splitlines()[-1]), ""


def _resident_bytes(field: str) -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{field}:")[1].split()[0]) * 1024


def _child_whole(peer: Peer, path: str, output_bytes: str) -> list[float]:
    """Load a little so that every library is in, then measure the whole."""
    if peer.can("window"):
        _evaluated(peer, peer.window(path, 0, 4_410, SAMPLE_RATE))
    before = _reset_peak()
    native = _evaluated(peer, peer.load(path))
    taken = _resident_bytes("VmHWM") - before - int(output_bytes)
    del native
    return [taken / 1e6]


def _child_stream(peer: Peer, path: str, num_frames: str) -> list[float]:
    """Begin a stream so that every library is in, then measure another to its end."""
    for native in peer.stream(path, 16_000):
        peer.to_mlx(native)
        break
    before, found = _reset_peak(), 0
    for native in peer.stream(path, 16_000):
        found += len(peer.to_mlx(native))
    tail = 0 if path.endswith(".wav") else MAX_TAIL
    if not 0 <= found - int(num_frames) <= tail:
        raise ValueError(f"{WRONG}: {found} frames instead of {num_frames}")
    return [(_resident_bytes("VmHWM") - before) / 1e6]


def _child_epochs(peer: Peer, directory: str, what: str, num_files: str, epochs: str) -> list[float]:
    """The resident set in MB after each epoch."""
    corpus, run = Corpus(Path(directory), int(num_files)), passes(peer, what)
    resident = []
    for turn in range(int(epochs)):
        run(corpus.paths, turn)
        resident.append(_resident_bytes("VmRSS") / 1e6)
    return resident


def _evaluated(peer: Peer, native: object) -> object:
    return peer.to_mlx(native) if peer.into == "mlx" else native


def _reset_peak() -> int:
    CLEAR_REFS.write_text("5")
    return _resident_bytes("VmHWM")


def _main(name: str, job: str, *arguments: str) -> None:
    (peer,) = (peer for peer in installed() if peer.name == name)
    jobs: dict[str, Callable[..., list[float]]] = {
        "whole": _child_whole,
        "stream": _child_stream,
        "epochs": _child_epochs,
    }
    print(json.dumps(jobs[job](peer, *arguments)))


if __name__ == "__main__":
    _main(*sys.argv[1:])

"""The command line of `benches/compare.py`."""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from . import clips, coded, machine, memory, report, rivals, saving, tasks, timing
from .task import Task

QUICK_SHARE = 10
"""`--quick` does a tenth of the rounds, and at least three."""


def main() -> int:
    """0, or 1 when mapwave gave a wrong result or failed."""
    args = _parser().parse_args()
    present = rivals.installed()
    facts = machine.facts()
    print("\n".join(f"- {name}: {fact}" for name, fact in facts.items()), end="\n\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="mapwave-bench-") as directory:
        _say("writing 194.8 s of sound as PCM16, PCM24 and f32")
        written = clips.write(Path(directory))
        _say("encoding it with ffmpeg")
        encoded = coded.encode(written, Path(directory), args.hour)
        if not encoded:
            _say("there is no ffmpeg, so compressed formats are left out")
        makers = [
            *tasks.build(written, present),
            *coded.build(written, encoded, present),
            *saving.build(written, Path(directory), present),
        ]
        rows = _timed(makers, args) + _peaks(written, list(present), args)
        sizes = saving.sizes(Path(directory))
    print(report.markdown(rows))
    if sizes:
        print("\nCompressed files that were saved:\n" + "\n".join(f"- {line}" for line in sizes))
    if args.json:
        args.json.write_text(report.as_json(facts, rows, args.quick))
    failed = [row for row in rows if row.rival == report.SUBJECT and row.times.problem]
    return 1 if failed else 0


def _timed(makers: list[Callable[[], Task]], args: argparse.Namespace) -> list[report.Row]:
    rows: list[report.Row] = []
    for make in makers:
        try:
            task = make()
        except Exception as error:  # a rival without the interface spoils its task, not the run
            problem = timing.Times(problem=f"{type(error).__name__}: {error}")
            rows.append(report.Row("(not set up)", report.SUBJECT, "", problem))
            continue
        if args.filter.lower() in task.name.lower() and task.rivals:
            _say(task.name)
            times = timing.run(task, _rounds(task.iterations, args.quick))
            rows += report.timed_rows(task.name, task.unit, times)
        del task
        gc.collect()
    return rows


def _peaks(written: clips.Clips, present: list[str], args: argparse.Namespace) -> list[report.Row]:
    rows: list[report.Row] = []
    for kind in clips.KINDS if memory.available() else ():
        name = memory.name(kind)
        if args.filter.lower() in name.lower():
            _say(name)
            peaks = memory.run(written, present, kind, _rounds(memory.REPEATS, args.quick))
            rows += report.memory_rows(name, peaks)
    return rows


def _rounds(iterations: int, quick: bool) -> int:
    return max(3, iterations // QUICK_SHARE) if quick else iterations


def _say(words: str) -> None:
    print(f"... {words}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="compare.py", description="mapwave beside its peers.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rounds: for a look only")
    parser.add_argument("--hour", action="store_true", help="also hour-long compressed files")
    parser.add_argument("--filter", default="", metavar="TEXT", help="only tasks whose name contains this")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything as JSON")
    return parser

"""A run from its beginning to its end: every task in turn, then the table, the chart and the JSON."""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from . import chart, machine, memory, peers, regressions, report, results, scaling, tasks, timing
from .clips import NUM_FRAMES, SAMPLE_RATE, Clips, Unavailable
from .memory import Measured
from .report import Row
from .results import Results
from .task import SUBJECT, Planned
from .tasks import saving
from .timing import Effort

FULL = Effort(seconds=20)
QUICK = Effort(share=0.05, seconds=0.7, least_rounds=2, most_warm=1, most_checked=2)

QUICK_FRAMES = 10 * SAMPLE_RATE
"""How much sound a quick run has where it is not `tasks.context.COMMON`."""


class CannotRun(Exception):
    """What was asked for cannot be measured."""


def run(args: argparse.Namespace, checkout: Path | None) -> int:
    """0, or 1 when mapwave failed or, where that was asked, became slower."""
    old = _old(args)
    try:
        present = peers.installed(args.peers)
    except ValueError as error:
        raise CannotRun(error) from None
    begun = datetime.now().astimezone()
    with tempfile.TemporaryDirectory(prefix="mapwave-bench-") as directory:
        clips = Clips(Path(directory), NUM_FRAMES)
        slow_clips = Clips(Path(directory) / "short", QUICK_FRAMES) if args.quick else clips
        context = tasks.Context(Path(directory), clips, slow_clips, present, args.quick, args.long)
        planned = [*_planned(context, args)]
        if not planned:
            raise CannotRun(f"no task has {args.filter!r} in its name; --list names them")
        if args.list:
            print("\n".join([*(one.name for one in planned), "", *(f"peer: {peer.name}" for peer in present)]))
            return 0
        found = Results(
            begun.isoformat(timespec="seconds"),
            machine.facts(),
            machine.versions(peers.DISTRIBUTIONS),
            machine.subject(checkout),
            args.quick,
        )
        print("\n".join(_heading(found)), end="\n\n", flush=True)
        try:
            for one in planned:
                _say(f"{(datetime.now().astimezone() - begun).seconds:4} s  {one.name}")
                found.rows.extend(_measured(one, QUICK if args.quick else FULL))
                gc.collect()
        except KeyboardInterrupt:
            found.notes.append("The run was interrupted, so the last tasks are missing.")
        found.notes.extend(_notes(context))
    stem = args.out / f"{begun:%Y-%m-%dT%H-%M-%S}"
    _publish(found, stem, args)
    failed = [row for row in found.rows if row.rival == SUBJECT and row.times.problem]
    worse = _compared(old, found, args) if old else False
    return 1 if failed or worse else 0


def _planned(context: tasks.Context, args: argparse.Namespace) -> Iterator[Planned | Measured]:
    """What the filter leaves."""
    wanted = [part.strip().lower() for part in args.filter.split(",")]
    everything: list[Planned | Measured] = []
    if args.scaling:
        everything += scaling.build(context)
    else:
        everything += tasks.build(context)
        everything += memory.build(context) if memory.available() else []
    for one in everything:
        if any(part in one.name.lower() for part in wanted):
            yield one


def _measured(one: Planned | Measured, effort: Effort) -> list[Row]:
    try:
        if isinstance(one, Measured):
            repeats = max(1, int(memory.REPEATS * effort.share))
            return report.memory_rows(one.name, one.run(repeats), one.group, one.seconds)
        task = one.make()
    except Unavailable as error:
        return [report.failed_row(one.name, str(error), one.group, one.seconds)]
    except Exception as error:  # a task that cannot be set up is a row that says so, not the end of the run
        return [report.failed_row(one.name, f"{type(error).__name__}: {error}", one.group, one.seconds)]
    if not task.rivals:
        return []
    try:
        times = timing.run(task, effort)
    finally:
        if task.close:
            task.close()
    return report.timed_rows(task.name, task.unit, times, one.group, one.seconds, is_judged=effort is not QUICK)


def _publish(found: Results, stem: Path, args: argparse.Namespace) -> None:
    """Print the table, and write it, the chart and the JSON."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    table = report.markdown(found.rows)
    lines = [table, "", *(f"- {line}" for line in [*report.standing(found.rows), *found.notes])]
    print("\n".join(lines))
    json_path = args.json or stem.with_suffix(".json")
    json_path.write_text(results.as_json(found))
    table_path = stem.with_suffix(".md")
    table_path.write_text("\n".join(["# mapwave beside its peers", "", *_heading(found), "", *lines, ""]))
    draw = scaling.draw if args.scaling else chart.draw
    written = [json_path, table_path]
    try:
        written += draw(found, stem)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        print("\nThere is no chart without matplotlib: pip install 'mapwave[plot]'")
    print("\nWritten: " + ", ".join(map(str, written)))


def _heading(found: Results) -> list[str]:
    facts = {f"mapwave {name}": fact for name, fact in found.mapwave.items()} | found.machine | found.versions
    facts["run"] = f"{'quick, ' if found.is_quick else ''}{found.created}"
    return [f"- {name}: {fact}" for name, fact in facts.items() if name != SUBJECT]


def _notes(context: tasks.Context) -> list[str]:
    notes = [f"saved {line}" for line in saving.sizes(context.directory)]
    if context.is_quick:
        notes.append(
            f"quick: few rounds, and only {context.slow_clips.seconds:.0f} s of sound, except where PCM16, PCM24 and "
            "f32 are loaded whole, in windows, or for their memory; for a look, not for a figure, and not held against "
            "the targets of speed"
        )
    return notes


def _old(args: argparse.Namespace) -> Results | None:
    """The results to compare with, read before the run so that a wrong name costs nothing."""
    if not args.against:
        return None
    path = results.newest(args.out) if args.against == "last" else Path(args.against)
    if path is None:
        raise CannotRun(f"there is no earlier run in {args.out}")
    try:
        return results.read(path)
    except (results.UnknownResults, OSError) as error:
        raise CannotRun(error) from None


def _compared(old: Results, new: Results, args: argparse.Namespace) -> bool:
    """Whether something became slower, which is printed."""
    try:
        found = regressions.changes(old, new, any_machine=args.any_machine)
    except regressions.Incomparable as error:
        raise CannotRun(error) from None
    print(f"\nAgainst the run of {old.created}: {regressions.describe(found)}")
    return any(change.is_regression for change in found)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)

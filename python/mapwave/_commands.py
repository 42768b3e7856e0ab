"""The commands that Python runs. The parser of the command, in ``cli/``, has read their arguments."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

from .errors import AudioError

#: The exit status of a failure, and of one that Ctrl-C caused, as shells have it.
FAILED = 1
INTERRUPTED = 130


def run(name: str, arguments: str) -> int:
    """Runs a command with its arguments, an object in JSON, and returns the exit status."""
    commands: dict[str, Callable[[dict[str, Any]], int]] = {
        "bench": _bench,
        "convert": _convert,
        "doctor": _doctor,
        "index": _index,
    }
    try:
        return commands[name](json.loads(arguments))
    except (AudioError, ImportError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _bench(arguments: dict[str, Any]) -> int:
    from .bench.command import run

    return run(arguments)


def _doctor(arguments: dict[str, Any]) -> int:
    from . import doctor

    return doctor.main()


def _index(arguments: dict[str, Any]) -> int:
    """Makes an index of all paths but the last one, which is the table."""
    *paths, table = arguments["paths"]
    options = {name: arguments[name] for name in ("hash", "seek_tables", "on_error")}
    if arguments["engine"] == "ray":
        from .ray.indexing import index_on_ray

        index = index_on_ray(paths, table, address=arguments["address"], num_workers=arguments["jobs"], **options)
    else:
        from ._index import build

        _no_address(arguments)
        # The command's own progress: a line where stderr is a terminal.
        index = build(paths, table, arguments["jobs"], True, **options)
    hours = sum(row.duration or 0.0 for row in index) / 3600
    print(f"{table}: {len(index)} files, {hours:.1f} hours, {len(index.errors)} errors")
    return 0


def _convert(arguments: dict[str, Any]) -> int:
    """Converts a directory on a Ray cluster."""
    from ._progress import show
    from .ray import transcode

    report = arguments["report"]
    done = transcode(
        arguments["source"],
        arguments["to_dir"],
        arguments["format"],
        engine="ray",
        address=arguments["address"],
        resume=arguments["resume"],
        on_error="raise" if arguments["on_error"] == "stop" else "record",
        num_workers=arguments["num_workers"],
        progress=show,
        load=arguments["load"],
        save=arguments["save"],
    )
    if report is not None:
        with open(done.manifest, encoding="utf-8") as manifest, open(report, "w", encoding="utf-8") as copy:
            copy.write(manifest.read())
    for name, error in done.errors.items():
        print(f"error: {os.path.join(arguments['source'], name)}: {error}", file=sys.stderr)
    kept = f", {done.kept} kept" if done.kept else ""
    failed = f", {len(done.errors)} failed" if done.errors else ""
    print(f"{done.converted} files converted{kept}{failed}", file=sys.stderr)
    return FAILED if done.errors else 0


def _no_address(arguments: dict[str, Any]) -> None:
    if arguments["address"] is not None:
        raise ValueError(f"--address {arguments['address']} is for --engine ray")

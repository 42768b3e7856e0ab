"""The command line: ``mapwave bench``. The parser of the command, in ``cli/``, knows its arguments."""

from __future__ import annotations

import importlib.util
import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .._core import run_command

NEEDED = ("numpy", "mlx")


def main(arguments: Sequence[str] | None = None, checkout: Path | None = None) -> int:
    """Runs the benchmark with command-line arguments and returns the exit status, as ``run`` does."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parsed = run_command(["mapwave", "bench", *arguments], [])
    return parsed if isinstance(parsed, int) else run(json.loads(parsed[1]), checkout)


def run(arguments: dict[str, Any], checkout: Path | None = None) -> int:
    """Runs the benchmark with parsed arguments and returns the exit status.

    That is 1 when mapwave gave a wrong result or, with ``--against``, became slower, 2 when nothing can be measured,
    and says nothing about the peers. ``checkout`` is where the sources are, if they are not around the package.
    """
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        print(f"mapwave bench needs {' and '.join(missing)}: pip install 'mapwave[bench]'", file=sys.stderr)
        return 2
    if arguments["command"] is not None:
        from . import regressions

        runs = arguments["command"]["compare"]
        return regressions.main(Path(runs["old"]), Path(runs["new"]), any_machine=runs["any_machine"])
    options = Namespace(**arguments)
    options.out = Path(options.out)
    options.json = None if options.json is None else Path(options.json)
    from . import run as benchmark

    try:
        return benchmark.run(options, checkout)
    except benchmark.CannotRun as error:
        print(f"mapwave bench: {error}", file=sys.stderr)
        return 2

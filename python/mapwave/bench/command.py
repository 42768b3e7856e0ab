"""The command line: ``mapwave bench``."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

DIRECTORY = Path("mapwave-bench")

NEEDED = ("numpy", "mlx")

DESCRIPTION = """\
mapwave beside the libraries that are installed: a table, a chart, and the figures as JSON.

    mapwave bench --quick              a look, in two minutes
    mapwave bench                      everything, in about a quarter of an hour
    mapwave bench --filter MP3,info    tasks whose name contains one of these
    mapwave bench --scaling            cost against length and threads
    mapwave bench --against last       what became slower since the last run
    mapwave bench compare OLD.json NEW.json
"""


def main(arguments: Sequence[str] | None = None, checkout: Path | None = None) -> int:
    """Runs the benchmark and returns the exit status.

    That is 1 when mapwave gave a wrong result or, with ``--against``, became slower, 2 when nothing can be measured,
    and says nothing about the peers. ``checkout`` is where the sources are, if they are not around the package.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        print(f"mapwave bench needs {' and '.join(missing)}: pip install 'mapwave[bench]'", file=sys.stderr)
        return 2
    if arguments[:1] == ["compare"]:
        from . import regressions

        return regressions.main(arguments[1:])
    args = _parser().parse_args(arguments)
    from . import run

    try:
        return run.run(args, checkout)
    except run.CannotRun as error:
        print(f"mapwave bench: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mapwave bench", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer rounds and less sound: for a look, not for a figure"
    )
    parser.add_argument("--long", action="store_true", help="also files of one and of four hours")
    parser.add_argument("--scaling", action="store_true", help="cost against length and threads, instead of the tasks")
    parser.add_argument("--filter", default="", metavar="TEXT,...", help="only tasks whose name contains one of these")
    parser.add_argument("--peers", default="", metavar="NAME,...", help="only these peers")
    parser.add_argument("--list", action="store_true", help="name the tasks and the peers, and measure nothing")
    parser.add_argument(
        "--out", type=Path, default=DIRECTORY, metavar="DIR", help="where table, chart and JSON go (%(default)s)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the JSON goes, if not into DIR")
    parser.add_argument("--against", metavar="OLD.json", help='name what became slower since this run, or since "last"')
    parser.add_argument("--any-machine", action="store_true", help="--against even where the machines differ")
    return parser

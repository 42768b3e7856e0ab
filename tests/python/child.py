"""Python code run in a process of its own, where a crash or a hang is a failed test and not the end of all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

TIMEOUT = 60
_PRELUDE = "import faulthandler, sys; faulthandler.enable(); sys.path.insert(0, {here!r})\n"


def script(directory: Path, code: str) -> Path:
    """The code as a file, which multiprocessing can import again."""
    path = directory / "child_script.py"
    path.write_text(_PRELUDE.format(here=str(Path(__file__).parent)) + dedent(code))
    return path


def environment(**variables: str) -> dict[str, str]:
    """This process's variables without any that steer mapwave, and with the given ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAPWAVE_")}
    return kept | variables


def run(directory: Path, code: str, *arguments: object, timeout: int = TIMEOUT, **variables: str) -> str:
    """Runs the code and returns what it printed; it must end by itself and well."""
    command = [sys.executable, str(script(directory, code)), *map(str, arguments)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, env=environment(**variables), check=False
        )
    except subprocess.TimeoutExpired as error:
        raise AssertionError(f"the child hangs; it had printed {error.stdout!r} and {error.stderr!r}") from None
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout

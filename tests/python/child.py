"""Python code run in a process of its own, where a crash or a hang is a failed test and no more."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

TIMEOUT = 180
_PRELUDE = """\
import faulthandler, signal, sys
faulthandler.enable()
# A shell starts what it puts in the background with Ctrl-C ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, {here!r})
"""


def script(directory: Path, code: str) -> Path:
    """The code as a file, which multiprocessing can import again."""
    path = directory / "child_script.py"
    path.write_text(_PRELUDE.format(here=str(Path(__file__).parent)) + dedent(code))
    return path


def environment(**variables: str) -> dict[str, str]:
    """This process's variables without any that steer mapwave, and with the given ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAPWAVE_")}
    return kept | variables


def alone(directory: Path) -> Path:
    """A directory for `sys.path` with the package, but without the plugins that come with it."""
    import mapwave

    place = directory / "alone"
    package = Path(mapwave.__file__).parent
    shutil.copytree(package, place / "mapwave", ignore=shutil.ignore_patterns("plugins", "bench"))
    return place


def run(directory: Path, code: str, *arguments: object, timeout: int = TIMEOUT, **variables: str) -> str:
    """Runs the code and returns what it printed; it must end by itself and well."""
    command = [sys.executable, str(script(directory, code)), *map(str, arguments)]
    # A session of its own, so that a hang ends with all processes that the child has started.
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**variables),
        start_new_session=True,
    )  # fmt: skip
    with process:
        try:
            output, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, errors = process.communicate()
            raise AssertionError(f"the child hangs; it had printed\n{output}\n{errors}") from None
    assert process.returncode == 0, f"exit code {process.returncode}\n{output}\n{errors}"
    return output

"""The command: ``mapwave`` or ``python -m mapwave``."""

from __future__ import annotations

import signal
import sys

from ._core import run_command


def main() -> int:
    """Runs the command with this process's arguments and returns its exit status."""
    # Python only makes a note of Ctrl-C while other code runs. Where it was ignored from the start, it stays so.
    heard = signal.getsignal(signal.SIGINT)
    if heard is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # -P: the current directory must not contribute modules to the command.
    again = [sys.executable, "-P", "-m", "mapwave"] if sys.executable else []
    done = run_command(["mapwave", *sys.argv[1:]], again)
    if isinstance(done, int):
        return done
    signal.signal(signal.SIGINT, heard)
    from ._commands import run

    return run(*done)


if __name__ == "__main__":
    sys.exit(main())

"""Where mapwave does not work, it says so: sub-interpreters, and Python without the global interpreter lock."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import mapwave
import pytest

PACKAGES = str(Path(mapwave.__file__).parents[1])

SUB = """
import sys
sys.path.insert(0, sys.argv[1])
if sys.argv[2] == "after":
    import mapwave
code = f'''
import sys
sys.path.insert(0, {sys.argv[1]!r})
try:
    import mapwave
except ImportError as error:
    print("refused:", error, flush=True)
else:
    print("imported", flush=True)
'''
try:
    from concurrent import interpreters
    interpreter = interpreters.create()
    interpreter.exec(code)
    interpreter.close()
except ImportError:
    import _xxsubinterpreters
    interpreter = _xxsubinterpreters.create()
    _xxsubinterpreters.run_string(interpreter, code)
    _xxsubinterpreters.destroy(interpreter)
import mapwave
print(mapwave.info(sys.argv[3]).frames)
"""

FREE = """
import sys
sys.path.insert(0, sys.argv[1])
sys.abiflags += "t"
import mapwave
"""


def _run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-c", code, PACKAGES, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.skipif(
    sys.version_info[:2] in {(3, 12), (3, 13)}, reason="this Python has no interface to them that lasts"
)
@pytest.mark.parametrize("order", ["before", "after"])
def test_a_sub_interpreter_is_refused_with_a_sentence(order: str) -> None:
    fixture = Path(__file__).resolve().parents[2] / "fixtures" / "valid" / "wav-pcm16.wav"
    done = _run(SUB, order, str(fixture))
    assert done.returncode == 0, done.stderr
    refusal, frames = done.stdout.splitlines()
    # An interpreter with a lock of its own is refused by Python.
    assert refusal.startswith("refused: mapwave works only in the main interpreter") or "subinterpreters" in refusal
    # The main interpreter works before and after.
    assert int(frames) == mapwave.info(fixture).frames


def test_python_without_the_lock_is_refused_with_a_sentence() -> None:
    done = _run(FREE)
    assert done.returncode == 1
    assert "ImportError: mapwave has no build for free-threaded Python" in done.stderr.splitlines()[-1]

"""Runs the code blocks of one document in order: Python in one namespace, shell commands in the same directory.

A program of its own, `python docrun.py STEPS RESULTS`, because plugins are looked for once in a process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

#: What steps leave behind that is not audio.
OTHERS = {".so", ".jsonl", ".tar", ".zip", ".svg", ".png"}


def run(step: dict[str, Any], namespace: dict[str, Any]) -> str | None:
    """Runs a step and returns what went wrong, or None."""
    if step["language"] == "sh":
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", step["code"]], capture_output=True, text=True)
        return None if done.returncode == 0 else f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    try:
        # The lines before it make line numbers, and so tracebacks, those of the document.
        exec(compile("\n" * (step["line"] - 1) + step["code"], step["document"], "exec"), namespace)
    except BaseException:
        return traceback.format_exc()
    return None


def saved(given: set[str]) -> dict[str, tuple[int, float]]:
    """The rate and the length of each audio file that the steps left behind."""
    import mapwave.numpy

    facts = {}
    for path in Path().iterdir():
        if path.is_file() and path.name not in given and path.suffix not in OTHERS:
            info = mapwave.numpy.info(path)
            facts[path.name] = (info.sample_rate, info.duration)
    return facts


def main(steps: Path, results: Path) -> None:
    given = {path.name for path in Path().iterdir()}
    namespace: dict[str, Any] = {"__name__": "__main__"}
    outcomes: list[str | None] = []
    for step in json.loads(steps.read_text()):
        outcomes.append(run(step, namespace))
        results.write_text(json.dumps({"outcomes": outcomes, "saved": {}}))
    results.write_text(json.dumps({"outcomes": outcomes, "saved": saved(given)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

"""Runs another package's own tests against mapwave's module with its interface.

    python tests/campaigns/compat.py soundfile DIRECTORY [--verbose]

The first argument is soundfile, mlx_audio_io, mlx_audio, audiofile or whisper. DIRECTORY is the root of that package's
sources, with its tests; nothing is fetched. mapwave.compat.install puts mapwave's module in the package's place before
the tests are imported. Prints the share of tests that pass among those that apply, each test that fails, and how many
do not apply, with the reason. The exit status is 0 if the share is at least what the package's row of SUITES says.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import mapwave.compat
import pytest


class Suite(NamedTuple):
    """The tests of a package."""

    #: Where they are, below the root of the sources.
    tests: tuple[str, ...]
    #: The least share that must pass.
    least: float
    #: What does not apply: a pattern that is searched in the names of tests, and the reason.
    excluded: dict[str, str]


SUITES = {
    "soundfile": Suite(
        ("tests",),
        0.95,
        {
            r"(blocks|seek_in)_[rw]plus|test_[rw]plus_|readwrite_mode|w\+\]|test_truncate|missing_attr": (
                "reads and writes one file at once (r+, w+)"
            ),
            r"read_raw_files_should_read_data": "a file without a header",
            r"non_seekable": "writes XI",
        },
    ),
    "mlx_audio_io": Suite(
        tuple(
            f"tests/test_{name}.py"
            for name in ("info", "load", "mp3", "prepared_save", "resample", "save", "stream", "streaming_resample")
        ),
        0.98,
        {
            r"WavQuantizationIsExact": "its rounding: x * (2**(n-1) - 1), where mapwave multiplies by 2**(n-1)",
            r"worker_has_no_mlx": "replaces functions inside the package",
        },
    ),
    "mlx_audio": Suite(
        ("mlx_audio/tests/test_audio_io.py",),
        0.9,
        {
            r"upsampling_(matches_fir|rejects_images)": "compares with the package's own resampler",
            r"miniaudio_stops|ffmpeg_gets_time_limit|names_the_format_after": "replaces functions inside the package",
            r"looks_past_id3_tags": "asks a function inside the package",
            r"detected_decoder_fails": "expects miniaudio's errors",
        },
    ),
    "audiofile": Suite(
        ("tests",),
        0.98,
        {
            r"missing_binaries": "asks for programs that mapwave does without",
            r"offset_rounding": "replaces functions inside the package",
        },
    ),
    "whisper": Suite(("tests/test_audio.py",), 1.0, {}),
}


class Recorder:
    """Notes how each test ended."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        before = self.outcomes.get(report.nodeid)
        if report.failed:
            self.outcomes[report.nodeid] = "failed"
        elif report.skipped or (report.when == "call" and before is None):
            self.outcomes[report.nodeid] = "skipped" if report.skipped else "passed"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", choices=sorted(SUITES))
    parser.add_argument("directory", type=Path)
    parser.add_argument("--verbose", action="store_true", help="print what pytest prints")
    arguments = parser.parse_args()
    suite = SUITES[arguments.package]
    os.chdir(arguments.directory)
    sys.path.insert(0, str(Path.cwd()))
    mapwave.compat.install(arguments.package)
    recorder = Recorder()
    shown = [] if arguments.verbose else ["-q", "--no-header", "--no-summary", "--tb=no", "--capture=fd"]
    pytest.main([*suite.tests, "-p", "no:cacheprovider", *shown], plugins=[recorder])

    reasons: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for name, outcome in recorder.outcomes.items():
        reason = next((why for pattern, why in suite.excluded.items() if re.search(pattern, name)), None)
        if reason is not None:
            reasons[reason] += 1
            continue
        counts[outcome] += 1
        if outcome == "failed":
            print("fails:", name)
    for reason, count in reasons.most_common():
        print(f"does not apply: {count} ({reason})")
    total = counts["passed"] + counts["failed"]
    share = counts["passed"] / total if total else 0.0
    print(f"skipped by the package: {counts['skipped']}")
    print(f"{arguments.package}: {counts['passed']} of {total} pass ({100 * share:.2f} %)")
    return 0 if share >= suite.least else 1


if __name__ == "__main__":
    sys.exit(main())

"""How much memory a load takes beside its output: ``python tests/campaigns/memory.py [--seconds 120]``.

Noise is saved in every format that this installation writes, and by ffmpeg in some that it only reads. Each file is
loaded in a process of its own, on one thread and on all. The resident set may grow by the output, by the file, whose
pages are mapped and can be taken back by the system at any time, and by 9 MB.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

MB = 1e6
MOST = 9 * MB

RATE = 44_100

#: Endings, and what is saved in such a file.
FORMATS = {
    "wav": {"encoding": "pcm16"},
    "aiff": {"encoding": "pcm16"},
    "caf": {"encoding": "pcm16"},
    "flac": {},
    "ogg": {},
    "mka": {},
    "webm": {},
    "m4a": {},
    "mp3": {"bitrate": "320k"},
    # What only the FFmpeg plugin reads, by the program of that name.
    "wma": None,
    "ac3": None,
    "wv": None,
    "mp2": None,
}

LOAD = """
import sys
import mapwave
import mapwave.numpy as mw
from pathlib import Path

def memory(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(field)).split()[1])

path, short, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]) or None
# Plugins and tables are there before it begins.
mw.load(short, threads=threads)
before = memory("VmRSS")
Path("/proc/self/clear_refs").write_text("5")
audio, sr = mw.load(path, threads=threads)
print(memory("VmHWM") - before - audio.nbytes, audio.nbytes)
"""


def beside(path: Path, short: Path, threads: int) -> tuple[int, int]:
    """The bytes that a load takes beside its output, and those of the output."""
    command = [sys.executable, "-P", "-c", LOAD, str(path), str(short), str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    extra, output = map(int, done.stdout.split())
    return extra, output


def write(path: Path, samples: Any, options: dict[str, str] | None) -> None:
    """Writes a file by mapwave, or, without options, by ffmpeg."""
    import mapwave

    if options is not None:
        mapwave.save(path, samples, RATE, **options)
        return
    source = path.with_suffix(".source.wav")
    mapwave.save(source, samples, RATE)
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", source, path], check=True)
    source.unlink()


def main() -> int:
    """Prints the table; fails if a format takes more than it may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=120, help="the length of the files")
    seconds = parser.parse_args().seconds

    import mapwave
    import numpy as np

    random = np.random.default_rng(1)
    noise = (random.standard_normal((RATE * seconds, 2)) * 0.1).astype(np.float32)
    excessive = 0
    print("format threads   file MB  output MB  beside output MB  beside both MB")
    with tempfile.TemporaryDirectory() as directory:
        for ending, options in FORMATS.items():
            path, short = Path(directory, f"long.{ending}"), Path(directory, f"short.{ending}")
            try:
                write(path, noise, options)
                write(short, noise[:10_000], options)
            except (mapwave.AudioError, OSError, subprocess.CalledProcessError) as error:
                print(f"{ending:6} skipped: {error}")
                continue
            num_bytes = os.path.getsize(path)
            for threads in (1, 0):
                extra, output = beside(path, short, threads)
                more = extra - num_bytes
                excessive += more > MOST
                shown = "all" if threads == 0 else "1"
                sizes = f"{num_bytes / MB:9.1f} {output / MB:10.1f} {extra / MB:17.1f} {more / MB:15.1f}"
                print(f"{ending:6} {shown:>7} {sizes}")
            path.unlink()
    return 1 if excessive else 0


if __name__ == "__main__":
    sys.exit(main())

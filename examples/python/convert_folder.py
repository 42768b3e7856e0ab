"""Converts a folder of audio files to FLAC, with their tags, on all processors.

    python convert_folder.py SOURCE TARGET

A file that cannot be read is reported and skipped. A save is atomic, so the conversion can be interrupted and started
again at any time: what exists in TARGET is complete.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mapwave.numpy as mapwave


def convert(source: Path, target: Path) -> str:
    """Converts one file, keeping the depth of a lossless source, and returns what happened in words."""
    try:
        info = mapwave.info(source)
        if target.exists():
            return f"{source}: {target} exists"
        depth = info.bit_depth if info.is_lossless and info.bit_depth in (8, 16, 24) else 16
        # One thread a file: the pool keeps all processors busy.
        audio, sr = mapwave.load(source, dtype="int32" if depth > 16 else "int16", threads=1)
        tags = {name: value for name, value in info.tags.items() if name != "encoder"}
        target.parent.mkdir(parents=True, exist_ok=True)
        mapwave.save(target, audio, sr, bit_depth=depth, tags=tags, threads=1)
        return f"{source}: {info.duration:.1f} s of {info.codec} to {depth} bits"
    except mapwave.AudioError as error:
        return f"SKIPPED {error}"


def main() -> int:
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    files = sorted(path for path in source.rglob("*") if path.is_file())
    targets = [target / path.relative_to(source).with_suffix(".flac") for path in files]
    with ThreadPoolExecutor() as executor:
        for line in executor.map(convert, files, targets):
            print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())

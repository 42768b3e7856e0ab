"""Random windows for training: batches of one second at 16 kHz in mono, as MLX arrays.

    python dataset_windows.py FOLDER

Every file is opened once and stays mapped, so a window costs microseconds (WAV) to a millisecond (MP3, FLAC), wherever
in the file it is. A window is bit-identical to the same part of a full load.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import mapwave
import mlx.core as mx

RATE = 16_000
WINDOW = RATE  # frames
EXTENSIONS = {".wav", ".flac", ".mp3", ".m4a", ".ogg"}


def batches(readers: list[mapwave.Reader], batch_size: int, seed: int = 0) -> Iterator[mx.array]:
    """Endless batches of shape (batch_size, WINDOW), files chosen by their length."""
    chance = random.Random(seed)
    weights = [reader.frames - WINDOW + 1 for reader in readers]
    while True:
        windows = []
        for reader in chance.choices(readers, weights, k=batch_size):
            start = chance.randrange(reader.frames - WINDOW + 1)
            windows.append(reader[start : start + WINDOW])
        yield mx.stack(windows)


def main() -> int:
    paths = sorted(path for path in Path(sys.argv[1]).rglob("*") if path.suffix.lower() in EXTENSIONS)
    # "best" is the quality for short windows: it reads a fraction of a second around each.
    readers = [mapwave.open(path, sr=RATE, mono=True, squeeze_mono=True, resample_quality="best") for path in paths]
    readers = [reader for reader in readers if reader.frames >= WINDOW]
    if not readers:
        print(f"no file of at least a second in {sys.argv[1]}", file=sys.stderr)
        return 1
    for number, batch in zip(range(3), batches(readers, batch_size=8), strict=False):
        print(f"batch {number}: {batch.shape}, {batch.dtype}, peak {mx.abs(batch).max().item():.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

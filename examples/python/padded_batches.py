"""Loads files of any format, rate and length into padded batches at 16 kHz in mono.

    python padded_batches.py FILE...

A file that cannot be read is reported and left out; the others are decoded straight into the batch.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import mapwave.numpy as mapwave
import numpy as np

RATE = 16_000


def report(error: Exception) -> None:
    print(f"SKIPPED {error}", file=sys.stderr)


def batches(paths: Sequence[str], batch_size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches of shape (files, frames), padded with zeros, and the number of frames of each file."""
    for first in range(0, len(paths), batch_size):
        some = paths[first : first + batch_size]
        batch, lengths, _ = mapwave.batch_load(some, stack=True, sr=RATE, mono=True, squeeze_mono=True, on_error=report)
        is_read = lengths > 0
        if is_read.any():
            yield batch[is_read], lengths[is_read]


def main() -> int:
    for batch, lengths in batches(sys.argv[1:], batch_size=32):
        print(f"{batch.shape}, {lengths.min() / RATE:.2f} to {lengths.max() / RATE:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

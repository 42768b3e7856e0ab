"""Loads files of any format, rate and length into padded batches at 16 kHz in mono.

    python padded_batches.py FILE...

`batch_load` stops at the first file that it cannot read. Here a pool of threads loads the files one by one, so that a
broken file is reported and the others are kept; decoding and resampling do not hold the interpreter.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import mapwave.numpy as mapwave
import numpy as np

RATE = 16_000


def load(path: str) -> np.ndarray | None:
    """The samples of a file, or None if it cannot be read."""
    try:
        audio, _ = mapwave.load(path, sr=RATE, mono=True, squeeze_mono=True, threads=1)
    except mapwave.AudioError as error:
        print(f"SKIPPED {error}", file=sys.stderr)
        return None
    return audio


def batches(paths: Sequence[str], batch_size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches of shape (files, frames), padded with zeros, and the number of frames of each file."""
    with ThreadPoolExecutor() as executor:
        loaded = (audio for audio in executor.map(load, paths) if audio is not None)
        while sounds := list(islice(loaded, batch_size)):
            lengths = np.array([len(sound) for sound in sounds])
            batch = np.zeros((len(sounds), lengths.max()), np.float32)
            for row, sound in zip(batch, sounds, strict=True):
                row[: len(sound)] = sound
            yield batch, lengths


def main() -> int:
    for batch, lengths in batches(sys.argv[1:], batch_size=32):
        print(f"{batch.shape}, {lengths.min() / RATE:.2f} to {lengths.max() / RATE:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

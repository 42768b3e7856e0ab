"""Resamples a file of any length to 16 kHz in mono, in bounded memory.

    python stream_and_resample.py INPUT OUTPUT

The result is bit-identical to one that loads the whole file. If the program is interrupted, OUTPUT is left as it was.
"""

from __future__ import annotations

import sys

import mapwave.numpy as mapwave
import numpy as np


def main() -> int:
    source, target = sys.argv[1:]
    stream = mapwave.stream(source, chunk_duration=10.0, sr=16_000, mono=True)
    peak = 0.0
    with mapwave.open(
        target, "w", sr=stream.sample_rate, channels=stream.channels, encoding="pcm16", dither="tpdf"
    ) as writer:
        for chunk, _ in stream:
            peak = max(peak, float(np.abs(chunk).max(initial=0.0)))
            writer.write(chunk)
    print(f"{target}: {writer.frames_written / writer.sample_rate:.1f} s, peak {peak:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

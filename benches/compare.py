"""mapwave beside its peers: `python benches/compare.py [--quick] [--filter TEXT]`.

The same as `mapwave bench`, for a checkout whose package is installed elsewhere. See docs/benchmarking.md.
"""

import sys
from pathlib import Path

from mapwave.bench.command import main

if __name__ == "__main__":
    sys.exit(main(checkout=Path(__file__).parents[1]))

"""mapwave beside its peers: `python benches/compare.py [--quick] [--filter TEXT] [--json FILE]`.

Prints a Markdown table. Needs NumPy and MLX; every rival that is installed takes part. See benches/README.md.
"""

import sys

from sidebyside.command import main

if __name__ == "__main__":
    sys.exit(main())

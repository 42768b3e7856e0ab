"""``python tests/hostile``: see measuring.py."""

import sys

from measuring import main

if __name__ == "__main__":
    sys.exit(main())

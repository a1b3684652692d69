"""``python -m tui``: the same as ``lexigrad``."""

import sys

from tui.cli import main

if __name__ == "__main__":
    sys.exit(main())

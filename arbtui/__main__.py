"""``python -m arbtui``: the same as ``arbtui``."""

import sys

from arbtui.cli import main

if __name__ == "__main__":
    sys.exit(main())

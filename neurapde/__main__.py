"""`python -m neurapde`: the command line, for those whose PATH does not have it."""

import sys

from neurapde.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

"""`python -m winlab` is the `winlab` command."""

import sys

from winlab.cli import main

sys.exit(main())

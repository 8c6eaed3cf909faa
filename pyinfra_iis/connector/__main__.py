"""``python -m pyinfra_iis.connector doctor HOST``."""

from __future__ import annotations

import sys

from .doctor import main

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] != "doctor":
        sys.exit("usage: python -m pyinfra_iis.connector doctor HOST [--user NAME] ...")
    sys.exit(main(sys.argv[2:]))

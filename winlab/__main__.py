"""The `winlab` command, also as `python -m winlab`."""

import sys


def main() -> int:
    """Entry point; gives the exit code."""
    try:
        from winlab.cli import main as command
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "winlab":
            raise
        sys.stderr.write(f"winlab: the package {error.name} is missing; install the distribution's extra 'lab'\n")
        return 1
    return command()


if __name__ == "__main__":
    sys.exit(main())

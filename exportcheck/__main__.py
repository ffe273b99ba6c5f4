"""`exportcheck`, and `python -m exportcheck`."""

from __future__ import annotations

import sys

from exportcheck.errors import EXIT_INTERRUPTED


def main() -> None:
    """Runs the command line; an interruption while it is imported is no traceback either."""
    try:
        from exportcheck.cli import main as run
    except KeyboardInterrupt:
        sys.stderr.write("exportcheck: interrupted\n")
        sys.exit(EXIT_INTERRUPTED)
    run()


if __name__ == "__main__":
    main()

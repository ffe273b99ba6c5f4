"""`exportcheck`, and `python -m exportcheck`."""

from __future__ import annotations

import atexit
import gc
import sys

from exportcheck.errors import EXIT_INTERRUPTED


def main() -> None:
    """Runs the command line; an interruption while it is imported is no traceback either."""
    # Thousands of results are made and all stay: to look through them for garbage again and again
    # was measured to take 6 % of a run whose results are known, and once more at the exit 5 %.
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)
    try:
        from exportcheck.cli import main as run
    except KeyboardInterrupt:
        sys.stderr.write("exportcheck: interrupted\n")
        sys.exit(EXIT_INTERRUPTED)
    run()


if __name__ == "__main__":
    main()

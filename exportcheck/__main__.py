"""`python -m exportcheck`."""

from __future__ import annotations

from exportcheck.cli import main

if __name__ == "__main__":
    main()

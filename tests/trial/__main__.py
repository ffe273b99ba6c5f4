"""Tries other people's modules and writes `reports/foreign-modules.md`.

    python -m tests.trial            every module of the list, then the page
    python -m tests.trial PATTERN    those whose name matches, then the page from all that was kept
    python -m tests.trial --page     the page alone

Needs the packages of `requirements.txt` beside this file; `make trial` installs them.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase

from tests.trial.listing import tried
from tests.trial.page import PAGE, page, unexplained
from tests.trial.trying import attempt

PROCESSES = 2


def main(words: list[str]) -> None:
    patterns = [word for word in words if not word.startswith("-")]
    chosen = [m for m in tried() if any(fnmatchcase(m.name, p) for p in patterns or ("*",))]
    if "--page" not in words:
        with ThreadPoolExecutor(PROCESSES) as pool:
            for module, outcome in zip(chosen, pool.map(attempt, chosen), strict=True):
                said = f"{outcome.duration_s:6.1f} s  {outcome.status}  {module.name}"
                print(f"{said}: {outcome.verdict[:150]}", flush=True)
    PAGE.write_text(page(), "utf-8")
    for name in unexplained():
        print(f"not explained: {name}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Measures how fast the tool is and writes `reports/performance.md` and `.json`.

python -m tests.bench                       every part
python -m tests.bench cold growth           these; the others stay as they were measured
python -m tests.bench cold --share 8        with an eighth of the cells
python -m tests.bench --page                the page alone
"""

from __future__ import annotations

import argparse
import json

from tests.bench import machine
from tests.bench.page import page
from tests.bench.parts import PARTS
from tests.bench.running import ROOT

FIGURES = ROOT / "reports" / "performance.json"
SHARES = {"cold": 2, "growth": 2}
"""What is taken of all unless told otherwise: the plain loop alone takes a quarter of an hour."""

PAGE = ROOT / "reports" / "performance.md"


def main() -> None:
    """Measures and writes after each part, so that what is done stays done."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--share", type=int, help="take every n-th cell or piece")
    parser.add_argument("--page", action="store_true", help="only write the page anew")
    asked = parser.parse_args()
    unknown = [name for name in asked.parts if name not in PARTS]
    if unknown:
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    known = json.loads(FIGURES.read_text("utf-8")) if FIGURES.exists() else {}
    for name in () if asked.page else asked.parts or PARTS:
        print(f"{name} …", flush=True)
        facts = machine.describe()
        known[name] = {**PARTS[name](asked.share or SHARES.get(name, 1)), "machine": facts}
        print(json.dumps(known[name]), flush=True)
        FIGURES.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")
        PAGE.write_text(page(known), "utf-8")
    PAGE.write_text(page(known), "utf-8")


if __name__ == "__main__":
    main()

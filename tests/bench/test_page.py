from __future__ import annotations

from tests.bench.page import page
from tests.bench.parts import _quarters

MACHINE = {
    "processor": "Some CPU",
    "cores": 2,
    "memory_gb": 8,
    "system": "Linux x86_64, Python 3.11.7",
    "versions": {"torch": "2.13.0"},
    "day": "2026-11-25",
    "load": 0.1,
}
LOOP = {
    "eager": 1.0,
    "export": 60.0,
    "save": 2.0,
    "load": 5.0,
    "run": 3.0,
    "seconds": 75.0,
    "cpu_s": 70.0,
}
FIGURES = {
    "cold": {
        "share": 2,
        "cases": 900,
        "exportcheck_s": 40.0,
        "exportcheck_cpu_s": 79.0,
        "stages": {"build": 2.0, "export": 61.0, "save": 2.0, "load": 9.0, "run": 3.0},
        "stock": {**LOOP, "seconds": 400.0},
        "memo": LOOP,
        "floor_s": 35.0,
        "times_faster_than_stock": 10.0,
        "times_the_floor": 1.14,
    },
    "again": {"cases": 900, "first_s": 40.0, "second_s": 0.8},
    "growth": {
        "rows": [
            {
                "jobs": 1,
                "size": 8,
                "cases": 900,
                "seconds": 80.0,
                "cases_per_s": 11.25,
                "memory_mb": [400.0, 410.0, 411.0, 411.0],
            }
        ]
    },
    "exhaustive": {
        "rows": [
            {
                "name": "silu",
                "numbers": 2**28,
                "jobs": 2,
                "plain_s": 1.0,
                "compared_s": 1.5,
                "plain_cpu_s": 2.0,
                "compared_cpu_s": 3.2,
                "peak_mb": 300.0,
            }
        ]
    },
    "whole": {"rows": [{"name": "silu", "seconds": 30.0, "peak_mb": 400.0, "said": "correct"}]},
    "commands": {"--help": {"best_s": 0.2, "median_s": 0.21}},
}
WANTED = {
    "cold": "the same stock calls, one process | 400.0 | 70.0 | 10.0 times faster",
    "again": "all from the cache (below 1 wanted) | 0.80 |",
    "growth": "| 1 | 8 | 900 | 80.0 | 11.2 | 400, 410, 411, 411 |",
    "exhaustive": "| silu | 3.73 | 5.59 | 1.50 | 1.60 | 24.0 | 300 |",
    "whole": "| silu | 30.0 | 400 | correct |",
    "commands": "| `exportcheck --help` | 0.20 | 0.21 |",
}


def with_machine(parts):
    return {name: {**part, "machine": MACHINE} for name, part in parts.items()}


def test_every_part_has_its_table_and_names_the_machine():
    text = page(with_machine(FIGURES))
    for row in WANTED.values():
        assert row in text
    assert text.count("Some CPU, 2 cores, 8 GB") == len(FIGURES)
    assert "every 2th" not in text


def test_what_was_not_measured_is_not_there():
    text = page(with_machine({"again": FIGURES["again"]}))
    assert "## Once more" in text
    assert text.count("## ") == 1


def test_memory_by_quarter_is_the_largest_of_each():
    assert _quarters([1, 2, 3, 9, 5, 6, 7, 8]) == [2, 9, 6, 8]
    assert _quarters([4]) == [0.0, 0.0, 0.0, 4]

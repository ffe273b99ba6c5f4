"""The parts of the benchmark: each measures both sides of its ratios in one run."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from exportcheck.runner import default_jobs
from tests.bench.cells import cells, selects
from tests.bench.running import exportcheck, loop

FORMS = ("hardswish", "hardswish-hardtanh", "silu", "silu-sigmoid")
PIECES = 256
GROWTH = (8, 4, 2, 1)
CALLS = ("export", "save", "load", "run")
"""What exporters and runtimes themselves take."""


def cold(share: int) -> dict:
    """`exportcheck all` without a cache, beside a plain loop, beside the floor."""
    chosen = selects(cells(share))
    with tempfile.TemporaryDirectory() as out:
        ours = exportcheck("all", "--no-cache", "-o", out, *chosen)
        stages = _stages(Path(out) / "matrix.json")
    memo = loop("single", "memo", share)
    stock = loop("single", "stock", share)
    floor = sum(memo[name] for name in CALLS) / default_jobs()
    return {
        "share": share,
        "cases": memo["cases"],
        "exportcheck_s": ours.seconds,
        "exportcheck_cpu_s": ours.cpu_s,
        "stages": stages,
        "stock": stock,
        "memo": memo,
        "floor_s": floor,
        "times_faster_than_stock": stock["seconds"] / ours.seconds,
        "times_the_floor": ours.seconds / floor,
    }


def _stages(report: Path) -> dict[str, float]:
    """Seconds that the workers spent in each stage, all cases together."""
    found: dict[str, float] = {}
    for result in json.loads(report.read_text("utf-8"))["results"]:
        for stage, seconds in result["durations_s"].items():
            found[stage] = found.get(stage, 0.0) + seconds
    return found


def again(share: int) -> dict:
    """A run into an empty cache, and the same once more."""
    chosen = selects(cells(share))
    with tempfile.TemporaryDirectory() as folder:
        words = ("all", "-o", folder, *chosen)
        first = exportcheck(*words, cache=Path(folder) / "cache").seconds
        more = [exportcheck(*words, cache=Path(folder) / "cache").seconds for _ in range(3)]
    return {"cases": len(cells(share)), "first_s": first, "second_s": sorted(more)[1]}


def growth(share: int) -> dict:
    """An eighth, a quarter, a half and all of the cases, on one worker and on two."""
    rows = []
    for jobs in (1, 2):
        for part in GROWTH:
            chosen = cells(part * share)
            with tempfile.TemporaryDirectory() as out:
                words = ("all", "--no-cache", "--jobs", str(jobs), "-o", out, *selects(chosen))
                ran = exportcheck(*words, watched=True)
            rows.append(
                {
                    "jobs": jobs,
                    "size": GROWTH[0] // part,
                    "cases": len(chosen),
                    "seconds": ran.seconds,
                    "cases_per_s": len(chosen) / ran.seconds,
                    "memory_mb": _quarters(ran.memory_mb),
                }
            )
    return {"share": share, "rows": rows}


def _quarters(memory: list[float]) -> list[float]:
    """The largest size in each quarter of the run."""
    size = len(memory)
    return [max(memory[size * q // 4 : size * (q + 1) // 4], default=0.0) for q in range(4)]


def exhaustive(share: int) -> dict:
    """Float32 numbers a second, compared and not, over pieces spread over the line."""
    jobs = default_jobs()
    return {"rows": [loop("exhaustive", name, PIECES // share, jobs) for name in FORMS]}


def whole(share: int) -> dict:
    """All 2^32 numbers through ONNX Runtime, as `exportcheck check --exhaustive` does it."""
    rows = []
    for name in FORMS if share == 1 else FORMS[:1]:
        # Two of these names are families too; as a module only the one form is meant.
        words = ("check", _spec(name), "--exhaustive", "--target", "onnx-trace-opset17")
        ran = exportcheck(*words, "--no-rewrite", watched=True)
        said = next(row for row in ran.out.splitlines() if "onnx-trace-opset17/onnxruntime:" in row)
        rows.append(
            {
                "name": name,
                "seconds": ran.seconds,
                "peak_mb": max(ran.memory_mb) * default_jobs(),  # of the largest, so at most
                "said": said.partition("onnxruntime: ")[2].strip(),
            }
        )
    return {"rows": rows}


def _spec(name: str) -> str:
    from exportcheck.catalog import activations

    module, _, what = activations()[name].module.rpartition(".")
    return f"{module}:{what}"


def commands(share: int) -> dict:
    """How long the commands take that run nothing."""
    report = str(Path(__file__).parents[2] / "reports" / "matrix.json")
    asked = {
        "--help": ("--help",),
        "list activations": ("list", "activations"),
        "report reports/matrix.json": ("report", report),
    }
    found = {}
    for name, words in asked.items():
        took = sorted(exportcheck(*words).seconds for _ in range(7))
        found[name] = {"best_s": took[0], "median_s": took[3]}
    return found


PARTS = {
    "cold": cold,
    "again": again,
    "growth": growth,
    "exhaustive": exhaustive,
    "whole": whole,
    "commands": commands,
}

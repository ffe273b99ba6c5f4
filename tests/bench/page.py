"""`reports/performance.md` from `reports/performance.json`."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench import machine
from tests.bench.parts import CALLS

ORDER = ("cold", "again", "growth", "exhaustive", "whole", "commands")


def page(parts: dict) -> str:
    """Markdown; a part that was not measured is not there."""
    lines = [
        "# How fast",
        "",
        "Written by `make bench`; `python -m tests.bench PART …` measures one part anew. Both",
        "sides of a ratio are measured in one run. A machine that does other things is slower.",
    ]
    for name in ORDER:
        if name in parts:
            lines += [
                "",
                *_PAGES[name](parts[name]),
                "",
                machine.text(parts[name]["machine"]) + ".",
            ]
    return "\n".join(lines) + "\n"


def _cold(part: dict) -> Iterator[str]:
    stock, memo = part["stock"], part["memo"]
    yield "## The whole matrix, cold"
    yield ""
    whole = (
        "all cells" if part["share"] == 1 else f"one in {part['share']} of activations and networks"
    )
    yield f"{part['cases']} cells ({whole}); seconds."
    yield ""
    yield "| what | seconds | processor time | exportcheck all is |"
    yield "| --- | ---: | ---: | --- |"
    ours = part["exportcheck_s"]
    yield f"| `exportcheck all --no-cache` | {ours:.1f} | {part['exportcheck_cpu_s']:.1f} | |"
    yield (
        f"| a plain loop of the same stock calls, one process | {stock['seconds']:.1f} "
        f"| {stock['cpu_s']:.1f} "
        f"| {part['times_faster_than_stock']:.1f} times faster (at least 4 wanted) |"
    )
    yield (
        "| the floor: exporters and runtimes alone, memoised, divided by the cores "
        f"| {part['floor_s']:.1f} | | {part['times_the_floor']:.2f} times (at most 1.25 wanted) |"
    )
    yield ""
    yield "Where the seconds go; for exportcheck over all workers, by stage:"
    yield ""
    names = ("build", "eager", *CALLS, "compare")
    yield "| | " + " | ".join(names) + " |"
    yield "| --- |" + " ---: |" * len(names)
    rows = (("stock loop", stock), ("memoised loop", memo), ("exportcheck", part["stages"]))
    for title, took in rows:
        cells = [f"{took[name]:.1f}" if name in took else "" for name in names]
        yield f"| {title} | {' | '.join(cells)} |"
    yield ""
    yield "Its build makes module, inputs, eager's answers and the truth; its load inspects the"
    yield "file and asks ONNX Runtime for the optimized graph and for what phones take."


def _again(part: dict) -> Iterator[str]:
    yield "## Once more"
    yield ""
    yield "| `exportcheck all` | seconds |"
    yield "| --- | ---: |"
    yield f"| {part['cases']} cells, the cache empty | {part['first_s']:.1f} |"
    yield f"| the same again, all from the cache (below 1 wanted) | {part['second_s']:.2f} |"


def _growth(part: dict) -> Iterator[str]:
    yield "## As the matrix grows"
    yield ""
    yield "`exportcheck all --no-cache`. Memory is the largest worker's, in MB, in each quarter of"
    yield "the run: workers live as long as it, and need not be replaced while that does not grow."
    yield ""
    yield "| workers | size | cases | seconds | cases a second | memory by quarter |"
    yield "| ---: | ---: | ---: | ---: | ---: | --- |"
    for row in part["rows"]:
        memory = ", ".join(f"{size:.0f}" for size in row["memory_mb"])
        yield (
            f"| {row['jobs']} | {row['size']} | {row['cases']} | {row['seconds']:.1f} "
            f"| {row['cases_per_s']:.1f} | {memory} |"
        )


def _exhaustive(part: dict) -> Iterator[str]:
    first = part["rows"][0]
    yield "## Every float32 number: what comparing costs"
    yield ""
    yield f"{first['numbers'] / 2**20:.0f} pieces of 2^20 numbers, spread evenly over all 2^32, by"
    yield f"{first['jobs']} processes through eager, ONNX Runtime (opset 17) and float64; the best"
    yield "of three rounds, with and without comparing by turns. Other programs disturb the times"
    yield "less when processor time is counted, of all processes."
    yield ""
    yield (
        "| form | alone, ns a number | compared | times | times, processor time "
        "| 2^32 in seconds | memory of all, MB |"
    )
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for row in part["rows"]:
        alone, compared = (1e9 * row[k] / row["numbers"] for k in ("plain_s", "compared_s"))
        yield (
            f"| {row['name']} | {alone:.2f} | {compared:.2f} | {compared / alone:.2f} "
            f"| {row['compared_cpu_s'] / row['plain_cpu_s']:.2f} "
            f"| {compared * 2**32 / 1e9:.1f} | {row['peak_mb']:.0f} |"
        )
    yield ""
    yield "At most 2 times and 1 500 MB wanted."


def _whole(part: dict) -> Iterator[str]:
    yield "## Every float32 number: all of them"
    yield ""
    yield "`exportcheck check FORM --exhaustive --target onnx-trace-opset17`, from start to end."
    yield ""
    yield "| form | seconds | memory of all, MB | ONNX Runtime is |"
    yield "| --- | ---: | ---: | --- |"
    for row in part["rows"]:
        yield f"| {row['name']} | {row['seconds']:.1f} | {row['peak_mb']:.0f} | {row['said']} |"


def _commands(part: dict) -> Iterator[str]:
    yield "## Commands that run nothing"
    yield ""
    yield "| command | best of seven, s | median, s |"
    yield "| --- | ---: | ---: |"
    for name, took in part.items():
        if name != "machine":
            yield f"| `exportcheck {name}` | {took['best_s']:.2f} | {took['median_s']:.2f} |"


_PAGES = {
    "cold": _cold,
    "again": _again,
    "growth": _growth,
    "exhaustive": _exhaustive,
    "whole": _whole,
    "commands": _commands,
}

"""Writes `reports/rewrites.md`, what stands in for what fails: `python -m tests.rewrites.table`.

What fails is read from the known failures that come with exportcheck; every form in the table has
just been proved and taken through every target that it is said to help.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

from exportcheck import exporter_memo
from exportcheck.catalog import activations
from exportcheck.limitations import SHIPPED, read_limitations
from exportcheck.rewrites import find
from exportcheck.selection import all_cases, current_toolchain
from exportcheck.subject import subject

PAGE = Path(__file__).parents[2] / "reports" / "rewrites.md"

NO_FORM = {
    ("softplus-threshold1", "conv", "coreml-fp16"): "it jumps by 0.31 at 1: a convolution rounded "
    "to float16 lands on the other side of the jump, whatever computes it",
}
"""Where no form can be equal: activation, network, target, and why."""


def failing() -> dict[tuple[str, str], tuple[str, ...]]:
    """The targets by activation and network, of PyTorch's own and of what people write."""
    patterns = [known.pattern for known in read_limitations(SHIPPED).limitations]
    found: dict[tuple[str, str], dict[str, None]] = {}
    for case in all_cases(current_toolchain(), anywhere=True):
        offered = activations()[case.activation].form != "hand-written"
        offered |= case.activation == "hardswish-hardtanh-static"
        if offered and any(fnmatchcase(case.id, p) for p in patterns):
            found.setdefault((case.activation, case.network), {})[case.target] = None
    return {key: tuple(names) for key, names in found.items()}


def rewritten(activation: str, network: str, targets: tuple[str, ...]) -> tuple[str, str, str]:
    """The replacement, the targets that pass with it, and what is left, with the reason."""
    found, _ = find(subject(activation, network), targets)
    helped = [name for name in targets if any(name in one.targets for one in found)]
    left = [name for name in targets if name not in helped]
    reasons = [f"{name}: {NO_FORM.get((activation, network, name), '?')}" for name in left]
    names = ", ".join(f"`{one.replacement}`" for one in found)
    return names, ", ".join(f"`{name}`" for name in helped), "; ".join(reasons)


def table() -> str:
    """The rows as Markdown, networks in which the same holds together."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for (activation, network), targets in failing().items():
        row = rewritten(activation, network, targets)
        rows.setdefault((activation, *row), []).append(network)
    lines = ["| fails | in | what is offered | passes then | no form |", "|---|---|---|---|---|"]
    for (activation, names, helped, left), networks in rows.items():
        lines.append(f"| `{activation}` | {', '.join(networks)} | {names} | {helped} | {left} |")
    return "\n".join(lines)


def page() -> str:
    """The table with what it means."""
    return f"""# A form for every activation that fails

Every activation of the catalogue that fails on some target of the pinned toolchain, and the form
that `exportcheck check` offers: proved equal in eager PyTorch, its gradient too, and passing the
targets that failed. `python -m tests.rewrites.table` proves them all again and writes this page.

{table()}
"""


if __name__ == "__main__":
    exporter_memo.apply()
    PAGE.write_text(page(), "utf-8")

"""The page of the trial, from what was kept of each module."""

from __future__ import annotations

from fnmatch import fnmatchcase
from importlib import metadata

from tests.trial.listing import ROOT, Tried, surprises, tried
from tests.trial.trying import GROUPS, SWAPS, Outcome, kept

PAGE = ROOT / "reports" / "foreign-modules.md"
REFUSED = 2
CAUSES = 3


def page() -> str:
    """Markdown.

    Raises:
        LookupError: a module of the list was not tried.
    """
    outcomes = {module: kept(module) for module in tried()}
    missing = [module.name for module, outcome in outcomes.items() if outcome is None]
    if missing:
        raise LookupError(f"not tried yet: {', '.join(missing)}; run python -m tests.trial first")
    done = {module: outcome for module, outcome in outcomes.items() if outcome is not None}
    packages = list(dict.fromkeys(module.package for module in done))
    ships = sum(outcome.status == 0 for outcome in done.values())
    refused = sum(outcome.status >= REFUSED or outcome.status < 0 for outcome in done.values())
    fails = len(done) - ships - refused
    return "\n".join(
        (
            "# Other people's modules",
            "",
            f"{len(done)} modules of {len(packages)} packages, each checked as its user would,",
            f"with `exportcheck check SPEC`: {ships} ship to every target, {fails} fail on some,",
            f"{refused} are not checked, for the reason given. Written by `make trial`; what is",
            "behind each cell is kept in `build/trial`. Core ML's numbers are simulated.",
            "",
            f"torch {metadata.version('torch')}; "
            + ", ".join(f"{name} {metadata.version(name)}" for name in packages),
            "",
            "✓ passes, ~ passes with a note, ✗ fails at that stage, ≠ other numbers;",
            "(1 of 2) of the targets in that group.",
            "",
            "## What was found",
            "",
            *_explanations(),
            "## Whole models made exportable",
            "",
            "`exportcheck.make_exportable` swaps, in place, what fails; the largest difference of",
            "the outputs is relative to the largest output. `python -m tests.trial.swapping`.",
            "",
            "| model | target | before | swapped | difference | afterwards |",
            "|---|---|---|---|---|---|",
            SWAPS.read_text("utf-8"),
            "## Every module",
            "",
            f"| module | {' | '.join(GROUPS)} | form offered |",
            f"|---|{'---|' * (len(GROUPS) + 1)}",
            *(_row(module, outcome) for module, outcome in done.items()),
            "",
            "## Every cause",
            "",
            *_causes(done),
        )
    )


def _explanations() -> list[str]:
    lines: list[str] = []
    for one in surprises():
        names = "" if one.modules == ("*",) else ", ".join(f"`{m}`" for m in one.modules)
        lines += [f"**{one.title}** ({one.whose}). {one.text}", ""]
        lines += [names, ""] if names else []
    return lines


def _row(module: Tried, outcome: Outcome) -> str:
    if not outcome.cells:
        return f"| `{module.name}` | {'| ' * len(GROUPS)}{_cell(outcome.verdict)} |"
    cells = " | ".join(outcome.cells[name] for name in GROUPS)
    return f"| `{module.name}` | {cells} | {len(outcome.forms) or ''} |"


def _causes(done: dict[Tried, Outcome]) -> list[str]:
    lines = []
    for module, outcome in done.items():
        distinct = dict.fromkeys(cause.split(" ", 1)[1] for cause in outcome.causes)
        for cause in distinct:
            targets = [c.split(" ", 1)[0] for c in outcome.causes if c.split(" ", 1)[1] == cause]
            lines.append(f"- `{module.name}` {', '.join(targets)}: {_cell(cause)}")
    return [*lines, ""]


def _cell(text: str, limit: int = 240) -> str:
    """`text` for a table, without the place where packages are installed."""
    words = [word.rpartition("site-packages/")[2] for word in text.split(" ")]
    plain = " ".join(words).replace("|", "\\|").replace("<", "&lt;")
    return plain if len(plain) <= limit else plain[:limit] + "…"


def unexplained() -> list[str]:
    """What was not checked at all, and failures beyond scripting that no explanation names."""
    patterns = [p for one in surprises() for p in one.modules if p != "*"]
    found = []
    for module in tried():
        outcome = kept(module)
        beyond = [c for c in outcome.causes if "torchscript-script" not in c] if outcome else []
        if outcome and not outcome.cells:
            found.append(f"{module.name}: {outcome.verdict}")
        # A bracket in a name is no set of characters.
        if beyond and not any(fnmatchcase(module.name, p.replace("[", "[[]")) for p in patterns):
            found.append(module.name)
    return found

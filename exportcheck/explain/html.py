"""One self-contained page: every function's history, and an explanation of each; no network."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

from exportcheck.explain.commands import TEMPLATE, time_again, toolchain_options
from exportcheck.explain.explanation import explain
from exportcheck.history.overview import STAND_INS, overviews
from exportcheck.history.statements import WORDS
from exportcheck.history.strips import COREML_REMARK, by_option, detail, quiet_text, uneventful
from exportcheck.pages import Pool, page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from exportcheck.explain.explanation import Explanation
    from exportcheck.explain.sentences import Sentence
    from exportcheck.explain.times import Times
    from exportcheck.history.overview import Overview
    from exportcheck.history.runs import History, Run
    from exportcheck.history.statements import Statement
    from exportcheck.history.strips import Strip

FILE_NAME = "history.html"
_SHARED = ("dom.js", "grid.js", "plots.js", "theme.js")
_OWN = ("data.js", "strips.js", "overview.js", "family.js", "main.js")


def render(
    history: History, costs: Mapping[str, Any], families: Sequence[str], matrix: str = ""
) -> str:
    """The page, the same bytes for the same measurements.

    Args:
        history: what was measured.
        costs: by family.
        families: those to explain.
        matrix: address of the page of today's matrix, to link to; empty for none.
    """
    shared = resources.files("exportcheck.render") / "html"
    own = resources.files("exportcheck.explain") / "html"
    scripts = [*(shared / name for name in _SHARED), *(own / name for name in _OWN)]
    styles = [shared / "page.css", own / "history.css"]
    return page(own / "page.html", styles, scripts, _data(history, costs, families, matrix))


def _data(
    history: History, costs: Mapping[str, Any], families: Sequence[str], matrix: str
) -> dict[str, Any]:
    pool = Pool()
    return {
        "about": f"{len(history.runs)} toolchains, "
        f"{sum(run.count for run in history.runs):,} cells measured, none inferred",
        "matrix": matrix,
        "command": TEMPLATE,
        "coreml": COREML_REMARK,
        "words": {state.value: words for state, words in WORDS.items()},
        "standIns": {one.state: one.words for one in STAND_INS.values()},
        "runs": {run.toolchain: _run(run) for run in history.runs},
        "tracks": [_overview(one, pool) for one in overviews(history, families)],
        "families": [_family(explain(name, history, costs), pool) for name in families],
        "pool": pool.values,
    }


def _run(run: Run) -> dict[str, Any]:
    facts = run.environment
    platform = " ".join(facts[k] for k in ("platform", "machine") if k in facts)
    python = f", Python {facts['python']}" if "python" in facts else ""
    return {
        "versions": dict(run.versions),
        "platform": f"{platform}{python}",
        "command": toolchain_options(run),
        "count": run.count,
    }


def _overview(overview: Overview, pool: Pool) -> dict[str, Any]:
    return {
        "name": overview.name,
        **_axis(overview.strip),
        "families": [
            {
                "name": family,
                "cells": [
                    None if one is None else [one.state, pool.place(list(one.forms))]
                    for one in supports
                ],
            }
            for family, supports in overview.rows.items()
        ],
    }


def _axis(strip: Strip) -> dict[str, Any]:
    return {
        "title": strip.title,
        "package": strip.axis.package,
        "other": strip.other,
        "heads": [list(head) for head in strip.heads],
        "runs": [run.toolchain for run in strip.axis.runs],
    }


def _family(explanation: Explanation, pool: Pool) -> dict[str, Any]:
    return {
        "name": explanation.family,
        "formula": explanation.reference.formula,
        "source": explanation.reference.source,
        "verdict": list(explanation.verdict),
        "curve": explanation.curve,
        "forms": [vars(form) for form in explanation.forms],
        "quiet": quiet_text([strip for strip in explanation.strips if uneventful(strip)]),
        "strips": [_strip(strip, pool) for strip in explanation.strips],
        "needed": _sentences(explanation.needed),
        "failed": _sentences(explanation.failed),
        "noted": _sentences(explanation.noted),
        "newest": explanation.newest,
        "now": _sentences(explanation.now),
        "times": explanation.times and _times(explanation.times),
        "timed_on": explanation.timed_on,
        "time_command": time_again(explanation.family),
        "missing": list(explanation.missing),
    }


def _strip(strip: Strip, pool: Pool) -> dict[str, Any]:
    return {
        **_axis(strip),
        "quiet": uneventful(strip),
        "rows": [
            {
                "form": row.form,
                "kind": row.kind,
                "native": row.kind in ("native", "in-place"),
                "cells": [_cell(one, pool) for one in row.statements],
            }
            for row in strip.rows
        ],
    }


def _cell(statement: Statement | None, pool: Pool) -> list[Any] | None:
    if statement is None:
        return None
    states = {option: state.value for option, state in by_option(statement).items()}
    return [
        statement.state.value,
        pool.place(detail(statement)),
        pool.place(statement.column.name),
        pool.place(states) if len(states) > 1 else 0,
    ]


def _sentences(sentences: Iterable[Sentence]) -> list[list[str]]:
    return [[one.text, one.quote, one.command] for one in sentences]


def _times(times: Times) -> dict[str, Any]:
    return {
        "reference": times.reference,
        "heads": [list(head) for head in times.heads],
        "rows": [
            [form, [None if cell is None else [cell.text, cell.differs] for cell in cells]]
            for form, cells in times.rows.items()
        ],
        "refused": [list(one) for one in times.refused],
    }

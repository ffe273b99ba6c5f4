"""Writes the generated blocks of the README anew: `python -m tests.docs`, or `make docs`.

A block stands between `<!-- begin NAME -->` and `<!-- end NAME -->`.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import typer

from exportcheck.catalog import activations
from exportcheck.cli import app
from exportcheck.render import formats
from exportcheck.targets import targets

README = Path(__file__).parents[1] / "README.md"


def commands() -> dict[str, str]:
    """Every command of the tool by its whole name, with the first line of its help."""
    found = {}

    def walk(command, name):
        children = getattr(command, "commands", None)
        if not children:
            found[name] = (command.help or "").strip().splitlines()[0]
        for child, inner in (children or {}).items():
            walk(inner, f"{name} {child}")

    walk(typer.main.get_command(app), "exportcheck")
    return found


def _table(head, rows) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)


def blocks() -> dict[str, str]:
    """Every generated block by name."""
    return {
        "commands": _table(
            ("command", "what it does"),
            [(f"`{name}`", what) for name, what in commands().items()],
        ),
        "targets": _table(
            ("target", "computes in", "run back by", "for"),
            [
                (
                    f"`{t.name}`",
                    t.precision,
                    ", ".join(
                        f"{r.name}{' (simulated)' if r.simulated else ''}" for r in t.runtimes
                    ),
                    ", ".join(f"{k} {v}" for k, v in getattr(t, "versions", {}).items()),
                )
                for t in targets().values()
            ],
        ),
        "formats": _table(
            ("format", "file"),
            [
                (f"`{name}`", f"`{form.FILE_NAME}`" if form.FILE_NAME else "standard output")
                for name, form in formats().items()
            ],
        ),
        "families": ", ".join(
            f"{family}{f' ({count} forms)' if count > 1 else ''}"
            for family, count in _families().items()
        ),
    }


def _families() -> dict[str, int]:
    found: dict[str, int] = {}
    for activation in activations().values():
        found[activation.family] = found.get(activation.family, 0) + 1
    return found


def filled(text: str) -> str:
    """`text` with the inside of every block replaced by what is generated today."""
    for name, block in blocks().items():
        pattern = re.compile(f"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        text, count = pattern.subn(partial(_refilled, block), text)
        if count != 1:
            raise SystemExit(f"README.md has {count} blocks {name!r} where one was expected")
    return text


def _refilled(block: str, found: re.Match[str]) -> str:
    return f"{found[1]}{block}\n{found[2]}"


if __name__ == "__main__":
    README.write_text(filled(README.read_text("utf-8")), "utf-8")

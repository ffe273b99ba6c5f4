"""Options that several commands share, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Select: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--select", help="Only cases whose id matches (fnmatch, repeatable)."),
]
Skip: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--skip", help="Not the cases whose id matches (fnmatch, repeatable)."),
]
Family: TypeAlias = Annotated[
    list[str] | None, typer.Option("--family", help="Only this family (repeatable).")
]
Target: TypeAlias = Annotated[
    list[str] | None, typer.Option("--target", help="Only this target (fnmatch, repeatable).")
]
Network: TypeAlias = Annotated[
    list[str] | None, typer.Option("--network", help="Only this network (repeatable).")
]
Quick: TypeAlias = Annotated[
    bool, typer.Option("--quick", help="Only the bare network, one variant of each exporter.")
]
Toolchain: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--toolchain",
        help="In this toolchain, as torch-1.7; `all`: this one and all installed (repeatable).",
    ),
]
Coremltools: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--coremltools",
        metavar="VERSION",
        help="With this coremltools in place of the toolchain's own (repeatable).",
    ),
]
NoColor: TypeAlias = Annotated[
    bool, typer.Option("--no-color", help="No colours, as with NO_COLOR in the environment.")
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Format: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        "-f",
        help="badge, csv, github, html, json, junit, markdown or terminal (repeatable).",
    ),
]
Output: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", help="Folder for the formats, or a file name with an ending for one."
    ),
]
TextFormat: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--format",
        "-f",
        help="terminal, markdown or html; without, what FILE ends in, else terminal.",
    ),
]
TextOutput: TypeAlias = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")
]
HISTORY_FILE = Path("reports/history.json")
COST_FILE = Path("reports/cost.json")

HistoryFile: TypeAlias = Annotated[
    Path, typer.Option("--history", metavar="FILE", help="The history to use.")
]
CostFile: TypeAlias = Annotated[
    Path, typer.Option("--cost", metavar="FILE", help="The costs to use.")
]

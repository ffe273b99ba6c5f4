"""Runs `exportcheck check` on a module as its user would, and keeps what it says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from exportcheck.matrix import Column, lay_out
from exportcheck.reading import read
from exportcheck.render.json import FILE_NAME
from tests.trial.listing import ROOT, Tried

FOLDER = ROOT / "build" / "trial"
SWAPS = FOLDER / "swaps.md"
TIMEOUT_S = 900
CASE_TIMEOUT_S = 60

GROUPS = {
    "TorchScript": "torch.jit",
    "torch.export": "torch export",
    "ONNX trace": "ONNX trace",
    "ONNX dynamo": "ONNX dynamo",
    "Core ML": "Core ML",
}
"""The page's columns: the headings of the matrix."""

_FORM = re.compile(r"^(?! )(?P<place>\S+: )?(?P<original>[^:]+) -> (?P<replacement>.*[^:])$")


@dataclass(frozen=True)
class Outcome:
    """What `check` said of a module.

    Attributes:
        status: its exit code.
        verdict: the first line of its answer, or of its complaint.
        used: the line beneath: where the module is, what it was fed with and gave.
        cells: what each of `GROUPS` comes to.
        causes: of each failure, its targets, stage, first line, and operators or culprit.
        forms: those that are offered, `path: original -> replacement`.
        notes: those of the cells that pass.
        duration_s: of the whole command.
    """

    status: int
    verdict: str
    used: str
    cells: dict[str, str]
    causes: list[str]
    forms: list[str]
    notes: list[str]
    duration_s: float


def attempt(module: Tried) -> Outcome:
    """Checks one module and writes its outcome, and the whole answer, to `FOLDER`."""
    folder = FOLDER / module.slug
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE_NAME).unlink(missing_ok=True)
    begun = time.monotonic()
    status, said, complaint = _run(module, folder)
    seconds = time.monotonic() - begun
    (folder / "answer.txt").write_text(said + complaint, "utf-8")
    lines = (said or complaint).splitlines() or [""]
    cells, causes, notes = _read(folder / FILE_NAME)
    forms = [line for line in lines[1:] if _FORM.match(line)]
    used = lines[1].strip() if len(lines) > 1 else ""
    outcome = Outcome(status, lines[0], used, cells, causes, forms, notes, round(seconds, 1))
    text = json.dumps(asdict(outcome), indent=1, ensure_ascii=False)
    (folder / "outcome.json").write_text(text, "utf-8")
    return outcome


def _run(module: Tried, folder: Path) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "exportcheck", "check", *module.arguments]
    command += ["--format", "json", "--output", str(folder), "--timeout", str(CASE_TIMEOUT_S)]
    environment = {**os.environ, "COLUMNS": "2000", "NO_COLOR": "1", "HF_HUB_OFFLINE": "1"}
    try:
        ended = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return -1, "", f"no answer within {TIMEOUT_S} s\n"
    said = "\n".join(line.rstrip() for line in ended.stdout.splitlines())
    return ended.returncode, said, ended.stderr


def kept(module: Tried) -> Outcome | None:
    """What became of a module when it was last tried; None where it was not."""
    file = FOLDER / module.slug / "outcome.json"
    return Outcome(**json.loads(file.read_text("utf-8"))) if file.is_file() else None


def _read(file: Path) -> tuple[dict[str, str], list[str], list[str]]:
    """Cells, causes and notes of the report in `file`; nothing where there is none."""
    if not file.is_file():
        return {}, [], []
    report = read(file)
    grid = lay_out(report)
    columns: dict[str, list[Column]] = {}
    for column in grid.columns:
        columns.setdefault(column.group, []).append(column)
    (row,) = {form for form, _ in grid.cells}
    cells = {}
    for name, group in GROUPS.items():
        mine = [grid.cells[row, column] for column in columns.get(group, ())]
        bad = [f"{c.mark} {c.figure}" for c in mine if c.worst.status.failed]
        most = max(dict.fromkeys(bad), key=bad.count) if bad else ""
        some = f" ({len(bad)} of {len(mine)})" if bad and len(bad) < len(mine) else ""
        cells[name] = f"{most}{some}" if bad else "~" if any(c.noted for c in mine) else "✓"
    causes = []
    for r in report.results:
        if r.status.failed:
            blame = r.blame.sentence if r.blame else ""
            happened = f"{r.status.value} at {r.stage.value}: {r.first_line}"
            causes.append(f"{r.case.target} {happened} [{blame}]")
    notes = [f"{r.case.target}: {note}" for r in report.results for note in r.notes]
    return cells, causes, notes

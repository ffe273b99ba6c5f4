"""Calls the command line in this process, as a user would see it."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from exportcheck.cli import main


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


class Cli:
    """`cli("report", path)`; what ends it is in the exit code, as for a process."""

    def __init__(self, monkeypatch, capsys) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments) -> Done:
        self._monkeypatch.setattr(sys, "argv", ["exportcheck", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        captured = self._capsys.readouterr()
        return Done(code, captured.out, captured.err)

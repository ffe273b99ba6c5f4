"""Figures by piece in a file beside the cache, so that a proof can be stopped and resumed.

A line is one piece, written as it is finished. What cannot be read is measured again; a file that
cannot be written costs the resuming and nothing else.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from exportcheck.cache import PROOFS, folder
from exportcheck.exhaustive import line
from exportcheck.exhaustive.figures import Figures, figures_from_json

if TYPE_CHECKING:
    from pathlib import Path

KEPT = 64
"""Files that stay, those written last: some 150 MB, for a file is one to three."""


class Journal:
    """The pieces of one proof.

    Attributes:
        pieces: the figures of those that are finished.
        trouble: why nothing is kept; empty where all is well.

    Args:
        key: of what is proved; empty for what must not be kept.
    """

    def __init__(self, key: str) -> None:
        self.trouble = ""
        self.pieces: dict[int, Figures] = {}
        self._path = folder() / PROOFS.replace("*", key) if key else None
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.exists():
                self.pieces = dict(_read(self._path))
                self._path.touch()
            # A line that was cut short must not swallow the next one.
            self._file = self._path.open("a", encoding="utf-8")
            self._file.write("\n")
        except OSError as error:
            self._give_up(error)

    def keep(self, piece: int, figures: Figures) -> None:
        """Takes note of a piece, on disk at once."""
        self.pieces[piece] = figures
        if self._path is None:
            return
        try:
            self._file.write(json.dumps({"piece": piece, **figures.to_json()}) + "\n")
            self._file.flush()
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        """Closes the file, and removes the files of other proofs that were written longest ago."""
        if self._path is None:
            return
        try:
            self._file.close()
            files = sorted(self._path.parent.glob("*.jsonl"), key=lambda f: -f.stat().st_mtime)
            for old in files[KEPT:]:
                old.unlink(missing_ok=True)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.trouble = f"{self._path} cannot be used: {error.strerror}"
        self._path = None


def _read(path: Path) -> list[tuple[int, Figures]]:
    found = []
    for text in path.read_text("utf-8", errors="replace").splitlines():
        try:
            data = json.loads(text)
            piece, figures = int(data["piece"]), figures_from_json(data)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
        if 0 <= piece < line.COUNT:
            found.append((piece, figures))
    return found

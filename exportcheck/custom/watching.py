"""Notices what a user's code does besides computing: it forks, it writes to stdout."""

from __future__ import annotations

import os
import sys
from typing import IO, Any

from exportcheck.places import caller


class Watch:
    """Watches over the code that runs inside a `with`.

    Attributes:
        forked: the line that forked; empty where none did. The child is ended before it does
            anything: it would go on as a second worker.
        written: the lines that wrote to `sys.stdout`, each once.
    """

    def __init__(self) -> None:
        self.forked = ""
        self.written: list[str] = []

    def __enter__(self) -> Watch:
        _register_once()
        _State.active = self
        self._stdout = sys.stdout
        sys.stdout = _Spy(self._stdout, self)
        return self

    def __exit__(self, *error: object) -> None:
        sys.stdout = self._stdout
        _State.active = None


class _State:
    active: Watch | None = None
    registered = False


def _register_once() -> None:
    """Hooks into `os.fork`; they stay for the life of the process and sleep when nobody watches."""
    if not _State.registered and hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_note_fork, after_in_child=_end_child)
        _State.registered = True


def _note_fork() -> None:
    if _State.active is not None:
        _State.active.forked = _State.active.forked or caller() or "?"


def _end_child() -> None:
    if _State.active is not None:
        os._exit(0)


class _Spy:
    """A stream that passes everything on and notes who writes."""

    def __init__(self, stream: IO[str], watch: Watch) -> None:
        self._stream = stream
        self._watch = watch

    def write(self, text: str) -> int:
        line = caller()
        if text.strip() and line and line not in self._watch.written:
            self._watch.written.append(line)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

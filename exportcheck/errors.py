"""Every exception of the tool, each with the exit code it ends the command line with.

| code | meaning |
|---|---|
| 0 | all as expected |
| 1 | some case failed |
| 2 | wrong usage |
| 3 | the tool or its environment is broken, or nothing could be checked |
| 130 | interrupted (Ctrl-C); what had finished is kept |
"""

from __future__ import annotations

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_BROKEN = 3
EXIT_INTERRUPTED = 130


class ExportcheckError(Exception):
    """What went wrong in one line: what was seen, what was expected, what to do."""

    exit_code = EXIT_BROKEN


class UsageError(ExportcheckError):
    """The call asked for something that does not exist or does not fit together."""

    exit_code = EXIT_USAGE


class BadModule(UsageError):
    """A module cannot be checked as it is; the message begins with its file and line."""


class DiesTraced(BadModule):
    """A module ends its process, or hangs, while it is traced; eager it need not."""


class EnvironmentBroken(ExportcheckError):
    """The machine, not the case, is at fault: a package, a permission, the disk."""


class Interrupted(ExportcheckError):
    """Ctrl-C, where there is something to say about what had been done."""

    exit_code = EXIT_INTERRUPTED


class Unavailable(ExportcheckError):
    """A class, a package or a runtime is not there; the case says nothing about the export."""


class InvalidModel(ExportcheckError):
    """A saved model cannot be read or does not accept the inputs it was given.

    On the command line the model is the user's, so it is the usage that is wrong.
    """

    exit_code = EXIT_USAGE


class UnsupportedOperator(InvalidModel):
    """A program has an operator that the evaluator does not implement."""

"""The command line: parsing, printing, exit codes. A command is a file in `cli/commands`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from exportcheck import __version__
from exportcheck.cli.console import silence
from exportcheck.cli.settings import Settings, read_settings
from exportcheck.discover import modules
from exportcheck.errors import EXIT_BROKEN, EXIT_INTERRUPTED, ExportcheckError, Interrupted


class _Commands(TyperGroup):
    """The commands; typer would end an interrupted one without a word."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command that was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            raise Interrupted("interrupted") from interrupt


app = typer.Typer(
    cls=_Commands,
    name="exportcheck",
    help="Does an activation survive export to TorchScript, ONNX and Core ML? Every exported model "
    "is run back from disk and its numbers are compared with eager PyTorch.",
    epilog="Exit codes: 0 all as expected · 1 a new failure, or a known one that passes · "
    "2 wrong usage · 3 the tool or its environment is broken · "
    "130 interrupted, finished results kept.",
    no_args_is_help=True,
    add_completion=False,
    # Boxes around the help take longer to import than all the rest of it.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"exportcheck {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Options of the tool itself; the text people see is `app`'s."""
    context.obj = Settings()
    if context.invoked_subcommand == "all":
        command = context.command.commands["all"]  # type: ignore[attr-defined]  # it is a group
        context.obj = read_settings(command.params, Path.cwd())
        context.default_map = {"all": dict(context.obj.defaults)}


for _module in modules("exportcheck.cli.commands"):
    _module.register(app)


def main() -> None:
    """Runs the command line; an error of ours is one line on stderr and its own exit code."""
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except ExportcheckError as error:
        _complain(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _complain("interrupted")
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        silence()
    except OSError as error:
        silence()
        name = f" {error.filename}" if error.filename else ""
        _complain(f"cannot write or read{name}: {error.strerror}")
        sys.exit(EXIT_BROKEN)


def _complain(message: str) -> None:
    typer.echo(f"exportcheck: {message}", err=True)

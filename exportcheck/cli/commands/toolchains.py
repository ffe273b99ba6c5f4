"""`exportcheck toolchains`: the environments of other times, for `all --toolchain`."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exportcheck.cli import options
from exportcheck.errors import EnvironmentBroken, UsageError

if TYPE_CHECKING:
    from exportcheck.toolchains.locks import Toolchain

Names = Annotated[list[str], typer.Argument(metavar="NAME…", help="As torch-1.7.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    commands = typer.Typer(no_args_is_help=True, help="The toolchains of other times.")
    commands.command("list")(list_toolchains)
    commands.command("install")(install)
    commands.command("remove")(remove)
    app.add_typer(commands, name="toolchains")


def list_toolchains(as_json: options.AsJson = False, no_color: options.NoColor = False) -> None:
    """The toolchains that can be installed, with their versions, and which of them are."""
    from exportcheck.toolchains.installed import coremltools_here
    from exportcheck.toolchains.locks import coremltools_versions, locked_toolchains

    rows = [_row(one) for one in locked_toolchains().values()]
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    from rich.table import Table

    from exportcheck.cli.console import console

    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    for column in ("name", "python", *_SHOWN, "MB", "here"):
        table.add_column(column, no_wrap=column in ("name", "here"), overflow="fold")
    for row in rows:
        versions = (row["versions"].get(name, "") for name in _SHOWN)
        size = f"{row['download_mb']} → {row['installed_mb']}"
        table.add_row(row["name"], row["python"], *versions, size, row["state"])
    screen = console(no_color=no_color)
    screen.print(table)
    screen.print("\nMB: to download → on the disk", markup=False)
    others, here = ", ".join(coremltools_versions()), ", ".join(coremltools_here())
    screen.print(f"coremltools in place of a toolchain's own: {others}", markup=False)
    screen.print(f"of those installed: {here or 'none'}", markup=False)


_SHOWN = ("torch", "onnx", "onnxruntime", "coremltools", "numpy")


def _row(one: Toolchain) -> dict[str, Any]:
    from exportcheck.toolchains.installed import Place

    place = Place(one)
    return {
        "name": one.name,
        "python": one.python,
        "versions": dict(one.versions),
        "download_mb": one.download_mb,
        "installed_mb": place.installed_mb or one.installed_mb,
        "state": place.condition,
        "folder": str(place.folder),
    }


def install(
    names: Names,
    index_url: Annotated[
        str, typer.Option("--index-url", metavar="URL", help="In place of PyPI, as pip takes it.")
    ] = "",
    extra_index_url: Annotated[
        list[str] | None,
        typer.Option("--extra-index-url", metavar="URL", help="Beside PyPI (repeatable)."),
    ] = None,
    no_color: options.NoColor = False,
) -> None:
    """Install toolchains into the cache folder; an interrupted installation is gone on with.

    Says first what each needs. With another index PyTorch's own hashes are not checked, for it may
    have another build, as PyTorch's CPU index has one without gigabytes of CUDA.
    """
    from exportcheck.cli.installing import install_all
    from exportcheck.toolchains.installing import Index

    install_all(names, Index(index_url, extra_index_url or ()), no_color=no_color)


def remove(names: Names) -> None:
    """Remove installed toolchains, or, of torch-1.7+coremltools-4.1, that coremltools only."""
    from exportcheck.toolchains.installed import Place, coremltools_folder, disk_bytes
    from exportcheck.toolchains.locks import split

    folders = {}
    for name in names:
        toolchain, coremltools = split(name)
        place = Place(toolchain)
        folders[name] = coremltools_folder(toolchain, coremltools) if coremltools else place.folder
        if not folders[name].exists():
            raise UsageError(f"{name} is not installed: exportcheck toolchains list")
    for name, folder in folders.items():
        size = round(disk_bytes(folder) / 1e6)
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise EnvironmentBroken(f"{folder} cannot be removed: {error}") from error
        typer.echo(f"removed {name}, {size} MB")

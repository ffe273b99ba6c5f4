"""Installs the toolchains that were asked for, and shows how it goes."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import typer

from exportcheck.cli.console import console
from exportcheck.errors import EnvironmentBroken, Interrupted, UsageError
from exportcheck.selection import current_toolchain
from exportcheck.toolchains.installing import Index, install, install_coremltools, plan, verify
from exportcheck.toolchains.locks import split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from exportcheck.toolchains.locks import Toolchain


def install_all(names: Sequence[str], index: Index, *, no_color: bool) -> None:
    """Installs toolchains, one after the other.

    Raises:
        UsageError: there is no such toolchain, or it is this process's own, or what names an index
            is no URL; nothing was done.
        EnvironmentBroken: a Python or room on the disk is lacking, or pip fails.
        Interrupted: by Ctrl-C.
    """
    index.check()
    if (here := current_toolchain()) in names:
        raise UsageError(f"{here} is the one you run in: `exportcheck all` is all it needs")
    wanted = [split(name) for name in names]
    screen = console(no_color=no_color, err=True)
    try:
        for toolchain, coremltools in wanted:
            _install(toolchain, index, screen)
            if coremltools:
                with _Shown(screen) as watcher:
                    install_coremltools(toolchain, coremltools, watcher)
                typer.echo(f"coremltools {coremltools} is there for {toolchain.name}")
    except KeyboardInterrupt as interrupt:
        raise Interrupted("interrupted; the same command goes on from here") from interrupt


def _install(toolchain: Toolchain, index: Index, screen: Console) -> None:
    planned = plan(toolchain)
    if planned.state == "installed":
        try:
            verify(planned.place)
        except EnvironmentBroken as error:
            typer.echo(f"{toolchain.name} is broken: {error}: made anew")
            shutil.rmtree(planned.place.folder)
            planned = plan(toolchain)
        else:
            typer.echo(f"{toolchain.name} is installed, {planned.place.installed_mb} MB")
            return
    done = f", {len(planned.done)} of its packages are there already" if planned.done else ""
    typer.echo(
        f"{toolchain.name}: {toolchain.download_mb} MB to download, {toolchain.installed_mb} MB "
        f"on the disk, at most {planned.needed_mb} MB while it is made, {planned.free_mb} MB are "
        f"free; Python {toolchain.python} from {planned.python}{done}"
    )
    if index.options:
        typer.echo("the hashes of torch itself are not checked, since another index is asked")
    with _Shown(screen) as watcher:
        size = install(planned, index, watcher)
    typer.echo(f"{toolchain.name} is installed, {size} MB in {planned.place.folder}")


class _Shown:
    """A line on a terminal that says which package is being installed; elsewhere a line each."""

    def __init__(self, screen: Console) -> None:
        self._screen = screen
        self._what = ""
        self._status = screen.status("")

    def __enter__(self) -> _Shown:
        if self._screen.is_terminal:
            self._status.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._status.stop()

    def package(self, number: int, total: int, name: str) -> None:
        """Package `number` of `total` is begun."""
        self._what = f"{number}/{total} {name}"
        self.arrived(0)
        if not self._screen.is_terminal:
            self._screen.print(self._what, markup=False)

    def arrived(self, megabytes: float) -> None:
        """So much of it has been downloaded or unpacked by now."""
        size = f", {megabytes:.0f} MB" if megabytes >= 1 else ""
        self._status.update(f"{self._what}{size}")

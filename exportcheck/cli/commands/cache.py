"""`exportcheck cache`: what earlier runs have left behind."""

from __future__ import annotations

import typer

from exportcheck.errors import EnvironmentBroken


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    cache = typer.Typer(no_args_is_help=True, help="The results of earlier runs.")
    cache.command("show")(show)
    cache.command("clear")(clear)
    app.add_typer(cache, name="cache")


def show() -> None:
    """Say where the cache is, and how much is in it."""
    from exportcheck.cache import LIMIT_BYTES, Cache, proofs

    cache = Cache()
    entries, size = cache.size()
    cache.close()
    if cache.trouble:
        raise EnvironmentBroken(cache.trouble)
    limit = LIMIT_BYTES / 1e6
    typer.echo(f"{cache.path}: results: {entries}, {size / 1e6:.1f} of at most {limit:.0f} MB")
    if files := proofs():
        size = sum(path.stat().st_size for path in files)
        typer.echo(f"{files[0].parent}: proofs over every input: {len(files)}, {size / 1e6:.1f} MB")


def clear() -> None:
    """Remove it all; the next run checks everything again."""
    from exportcheck.cache import clear as remove
    from exportcheck.cache import proofs

    count = len(proofs())
    try:
        freed = remove()
    except OSError as error:
        raise EnvironmentBroken(f"the cache cannot be removed: {error}") from error
    typer.echo(f"removed {freed / 1e6:.1f} MB{f', with proofs: {count}' if count else ''}")

"""Starts workers in the Python of a toolchain, with this package and nothing else of this one's."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from exportcheck.toolchains.installed import isolated
from exportcheck.worker_process import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from exportcheck.environment import Environment

_PACKAGE = Path(__file__).parents[1]


@contextmanager
def workers_in(
    environment: Environment, variables: Mapping[str, str]
) -> Iterator[Callable[[], WorkerProcess]]:
    """What starts a worker in `environment`, for as long as the context lasts.

    Args:
        environment: that of this process, or another toolchain's.
        variables: that the worker has besides this process's.
    """
    if environment.versions is None:
        yield partial(WorkerProcess, environment=variables)
        return
    with tempfile.TemporaryDirectory(prefix="exportcheck-path-") as folder:
        # Our own folder would bring along whatever lies beside this package.
        (Path(folder) / _PACKAGE.name).symlink_to(_PACKAGE, target_is_directory=True)
        path = ":".join(part for part in (environment.path, folder) if part)
        yield partial(
            WorkerProcess,
            (str(environment.executable), "-s", "-m", "exportcheck.worker"),
            {**variables, **isolated(path)},
            folder=folder,
        )

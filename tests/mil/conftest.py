from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.mil.packages import KINDS

Sample = tuple[Path, dict[str, np.ndarray]]


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Callable[[str], Sample]:
    """A saved package of a kind and inputs that fit, made once; not to be written to."""
    folder, known = tmp_path_factory.mktemp("made"), {}

    def make(kind: str) -> Sample:
        if kind not in known:
            package = folder / f"{kind}.mlpackage"
            known[kind] = package, KINDS[kind](package)
        return known[kind]

    return make


@pytest.fixture
def copied(made, tmp_path) -> Callable[[str], Sample]:
    """The same as a copy of one's own, to change and to damage."""

    def copy(kind: str) -> Sample:
        package, inputs = made(kind)
        own = tmp_path / package.name
        shutil.copytree(package, own)
        return own, dict(inputs)

    return copy

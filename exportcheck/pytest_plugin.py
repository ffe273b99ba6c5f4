"""The pytest plugin: a fixture `assert_exportable`. Importing it imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from exportcheck.results import Report


@pytest.fixture
def assert_exportable() -> Callable[..., Report]:
    """`exportcheck.assert_exportable`: fails the test where a module does not export.

    For example `assert_exportable(MyHardswish(), torch.randn(1, 8, 4, 4), targets=["onnx-*"])`.
    """
    __tracebackhide__ = True
    import exportcheck

    return exportcheck.assert_exportable

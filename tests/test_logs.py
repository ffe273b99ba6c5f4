from __future__ import annotations

import sysconfig
import tempfile
from pathlib import Path

import pytest

from exportcheck import logs

SITE = sysconfig.get_path("purelib")
STDLIB = sysconfig.get_path("stdlib")
PACKAGE = Path(logs.__file__).parent
TEMPORARY = tempfile.gettempdir()


@pytest.mark.parametrize(
    ("written", "tidied"),
    [
        ("", ""),
        ("nothing to do\n", "nothing to do\n"),
        (f'File "{SITE}/torch/jit/_trace.py", line 3', 'File "torch/jit/_trace.py", line 3'),
        (f"{STDLIB}/copyreg.py:105: FutureWarning", "copyreg.py:105: FutureWarning"),
        (f"{PACKAGE}/forms.py(87): forward\nx", "exportcheck/forms.py(87): forward\nx"),
        (f"{PACKAGE}/check.py(87): _take\n{PACKAGE}/worker.py(8): main\nx", "x"),
        (f"cannot read {TEMPORARY}/exportcheck-x1y2/model.onnx:", "cannot read model.onnx:"),
        (f"'{TEMPORARY}/tmpab12/weights' and {TEMPORARY}/other", "'weights' and "),
        ("W1125 02:07:27.070000 9052 torch/onnx.py:107] no", "W torch/onnx.py:107] no"),
        ("2026-01-02 03:04:05.678 [W:onnxruntime:, x.cc:3]", "[W:onnxruntime:, x.cc:3]"),
        ("<Node object at 0x7f12ab34cd56>", "<Node object at 0x…>"),
        ("mask 0xff stays", "mask 0xff stays"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("again\nagain\nagain\nother\nagain\n", "again\nother\nagain\n"),
    ],
)
def test_what_differs_between_equal_runs_goes(written, tidied):
    assert logs.tidy(written) == tidied

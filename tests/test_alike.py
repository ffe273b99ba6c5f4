"""Results are the same, byte for byte less the durations, however a run is made."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

WAYS = {
    "two workers": ("-j2", "--no-cache"),
    "one worker": ("-j1", "--no-cache"),
    "stock exporters": ("-j2", "--no-cache", "--stock-exporters"),
    "filling the cache": ("-j2",),
    "from the cache": ("-j2",),
}

# Each once had something in it that told what its worker had done before: a count in a name, a
# warning that Python shows once a process.
TELLTALES = (
    "glu/conv/torchscript-*",
    "glu/conv/coreml-fp*",
    "softshrink/linear/coreml-fp*",
    "hardswish/linear/onnx-*",
)
SELECT = tuple(part for pattern in TELLTALES for part in ("--select", pattern + "/*"))


@pytest.mark.parametrize(
    "select",
    [pytest.param(SELECT, id="telltales"), pytest.param((), id="all", marks=pytest.mark.slow)],
)
def test_however_a_run_is_made_its_results_are_the_same(tmp_path, select):
    written = {way: results(tmp_path, way, select) for way in WAYS}
    texts = dict(written)
    first = texts.pop("two workers")
    assert first.count('"stage":') > 10
    assert {way for way, text in texts.items() if text != first} == set()


def results(folder, way, select):
    """The text of `matrix.json`, without durations."""
    output = folder / way
    command = [sys.executable, "-m", "exportcheck", "all", *select, *WAYS[way], "-o", str(output)]
    env = {**os.environ, "EXPORTCHECK_CACHE": str(folder / "cache")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ("from the cache" in done.stdout) == (way == "from the cache")
    text = (output / "matrix.json").read_text()
    less, count = re.subn(r'"durations_s":\{[^}]*\}', "", text)
    assert count
    return less

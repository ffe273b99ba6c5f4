"""Apple's own operator tests as the judge: a pytest plugin that makes them predict on any machine.

The coremltools wheel ships the tests its authors run on a Mac. Elsewhere they convert and then skip
the prediction. With this plugin `MLModel.predict` runs this project's evaluator on the package that
coremltools really saved, and Apple's own comparison judges the outcome. How to use it:

    python -m tests.mil.coremltools_suite iOS14/test_activation.py         one of Apple's files
    python -m tests.mil.coremltools_suite iOS14 iOS17 -k matmul            pytest's own options
    python -m tests.mil.coremltools_suite iOS14/test_pool.py --mil-sample 2  two of each function
    python -m tests.mil.coremltools_suite          everything (10 minutes), and the report

Each run ends with a line that counts what really compared: a test that passed without predicting,
or without comparing what it predicted, counts as not compared. Options of this plugin:

    --mil-precision strict|wide   the evaluator's precision (strict)
    --mil-sample N                run of each test function only as many cases as give N comparisons
    --mil-wrong KIND,...          spoil what is predicted (scale, zeros, nan, axes), for the judge;
                                  several kinds, one after the other, in a sample only
    --mil-json FILE               write the outcome of every test there

Only fp32 ML programs are selected. At fp16 Apple's tests allow an absolute error of 0.5, which an
evaluator that is wrong by 1 % passes too; the neural network format is not this project's business.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import random
import re
import shutil
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PASSED = "passed"
FAILED = "failed"
AT_FP16_TOLERANCE = "at the tolerance of fp16"

SPOIL: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "scale": lambda y: y * 1.01,
    "zeros": np.zeros_like,
    "nan": lambda y: np.full(y.shape, np.nan),
    "axes": lambda y: np.swapaxes(y, -1, -2) if y.ndim >= 2 else y,
}
"""Ways to be wrong, by which `--mil-wrong` shows that the judge notices."""

# Newest macOS that coremltools 9.0's tests know; some of them are skipped before 15.2.
_MACOS = (15, 5)
# Tests that are skipped on one of Apple's machines because of a bug there run under this name.
_MACHINE = "reference"
_COMPARISONS = (
    (np, "allclose"),
    (np, "array_equal"),
    (np.testing, "assert_allclose"),
    (np.testing, "assert_almost_equal"),
    (np.testing, "assert_array_equal"),
    (np.testing, "assert_equal"),
)
# Some of the fp32 tests build programs that compute in fp16, and then keep the tolerance of fp32,
# 1e-4, which the rounding of their inputs alone exceeds. It is widened there, and it is counted
# where that was needed.
_FP16_TOLERANCE = {"atol": 2.0**-8, "rtol": 2.0**-10}
# A test of coremltools' speed, whose outcome depends on what else the machine does.
_BY_THE_CLOCK = "test_efficient_type_inference"
# After so many cases without a comparison a sample gives a test function up.
_SAMPLE_PATIENCE = 8
_FREEZE_EVERY = 200


class Judge:
    """What happened in the test that is running, and how to predict in it."""

    precision = "strict"
    wrong: str | None = None
    predictions = 0
    comparisons = 0
    fp16 = False
    loosened = False
    loaded = False
    refused = False
    neural_network = False

    def begin(self, name: str) -> None:
        """A new test, whose random numbers depend on its name alone."""
        self.predictions = self.comparisons = 0
        self.fp16 = self.loosened = self.loaded = self.refused = self.neural_network = False
        seed = zlib.crc32(name.encode())
        random.seed(seed)
        np.random.seed(seed)
        if "torch" in sys.modules:
            sys.modules["torch"].manual_seed(seed)

    def spoil(self, outputs: dict[str, Any]) -> dict[str, Any]:
        """`outputs`, wrong in the way asked for."""
        if self.wrong is None:
            return outputs
        change = SPOIL[self.wrong]
        return {k: change(v) if isinstance(v, np.ndarray) else v for k, v in outputs.items()}


JUDGE = Judge()


class MLModelProxy:
    """Stands for coremltools' binding to Core ML, which exists on macOS only."""

    @staticmethod
    def maximum_supported_specification_version() -> int:
        from exportcheck.mil.program import NEWEST_SPECIFICATION

        return NEWEST_SPECIFICATION

    def __init__(
        self, path: str, compute_units: str, function_name: str, hints: Any, asset: Any
    ) -> None:
        if path.endswith(".mlmodel"):
            JUDGE.neural_network = True
            raise RuntimeError("a neural network, which mil-numpy does not run")
        JUDGE.loaded = True
        self._program = _as_core_ml(lambda: _load(path, JUDGE.precision))
        self._function = function_name or None

    def predict(self, data: dict[str, Any], state: Any = None) -> dict[str, Any]:
        JUDGE.predictions += 1
        JUDGE.comparisons = 0
        JUDGE.fp16 = "fp16" in _declared_types(self._program)
        inputs = self._cast(data)
        outputs = _as_core_ml(lambda: self._program.predict(inputs, state, self._function))
        return JUDGE.spoil(outputs)

    def batchPredict(self, data: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [self.predict(one) for one in data]

    def newState(self) -> Any:
        return self._program.make_state(self._function)

    def _cast(self, data: dict[str, Any]) -> dict[str, Any]:
        """Core ML takes any number for any input; coremltools' tests feed float32 throughout."""
        name = self._function or self._program.default_function
        features = self._program.signatures[name].inputs
        return {
            k: np.asarray(v).astype(features[k].dtype) if k in features else v
            for k, v in data.items()
        }


def _load(path: str, precision: str) -> Any:
    import exportcheck.mil

    return exportcheck.mil.load(path, precision)


def _as_core_ml(action: Callable[[], Any]) -> Any:
    """What `action` gives; a refusal is raised as by Core ML's binding, whose words tests seek."""
    from exportcheck.errors import InvalidModel

    try:
        return action()
    except InvalidModel as error:
        JUDGE.refused = True
        message = f"Unable to compute the prediction using ML Program: {error}"
        raise RuntimeError(message) from error


def _declared_types(program: Any) -> set[str]:
    """The element types of a program's inputs and of all its values."""
    from exportcheck.mil import ir

    def named(block: ir.Block) -> Iterator[ir.Named]:
        for operation in block.operations:
            yield from operation.outputs
            for inner in operation.blocks:
                yield from named(inner)

    return {
        value.type.dtype
        for function in program.functions.values()
        for value in (*function.inputs, *named(function.block))
        if isinstance(value.type, ir.TensorType)
    }


def _pretend_macos() -> None:
    """Makes coremltools believe that it runs on a Mac with this Core ML."""
    os.environ["INCLUDE_MIL_FP32_UNIT_TESTS"] = "1"
    os.environ["PYMIL_TEST_TARGETS"] = "mlprogram"
    os.environ["TQDM_DISABLE"] = "1"
    import coremltools
    import coremltools.models.model

    coremltools._logger.setLevel("ERROR")
    coremltools.models.model._MLModelProxy = MLModelProxy
    lies = {"_IS_MACOS": True, "_is_macos": lambda: True, "_macos_version": lambda: _MACOS}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "coremltools":
            for attribute in lies.keys() & vars(module).keys():
                setattr(module, attribute, lies[attribute])


def _count(comparison: Callable[..., Any]) -> Callable[..., Any]:
    """`comparison`, counted where a prediction came before and there is something to compare."""

    def counted(actual: Any, *args: Any, **kwargs: Any) -> Any:
        if JUDGE.predictions and np.size(actual):
            JUDGE.comparisons += 1
        try:
            return comparison(actual, *args, **kwargs)
        except AssertionError:
            if not JUDGE.fp16 or "atol" not in kwargs:
                raise
            wider = {k: max(v, kwargs.get(k, 0)) for k, v in _FP16_TOLERANCE.items()}
            comparison(actual, *args, **{**kwargs, **wider})
            JUDGE.loosened = True
            return None

    return counted


def _skip_unless_bug(skip: Callable[..., Any]) -> Callable[..., Any]:
    """`pytest.skip`, but a test that Apple skips for a bug of its own runtime goes on here."""

    def skip_unless_bug(reason: str = "", **kwargs: Any) -> None:
        if not reason.startswith("rdar://"):
            skip(reason, **kwargs)

    return skip_unless_bug


def outcome(report: Any, excinfo: Any) -> tuple[str, str]:
    """What a finished test tells about the evaluator: (passed | failed | why it cannot, detail)."""
    if report.outcome == "skipped":
        return "skipped by Apple", str(excinfo.value)
    if JUDGE.neural_network:
        return "about the neural network format", ""
    if report.outcome == "failed" and not JUDGE.loaded:
        return "fails in coremltools before it predicts", ""
    if report.outcome == "failed":
        message = " ".join(excinfo.exconly().split())
        return FAILED, re.sub(r"0x[0-9a-f]+|/\S*/", "...", message)[:400]
    if JUDGE.refused:
        return "expects an error, and gets one", ""
    if not JUDGE.predictions:
        return "does not predict", ""
    if not JUDGE.comparisons:
        return "does not compare what it predicts", ""
    return PASSED, AT_FP16_TOLERANCE if JUDGE.loosened else ""


def _selected(item: Any) -> bool:
    """Whether a test's backend is an fp32 ML program; a test without backend is taken too."""
    if item.name == _BY_THE_CLOCK:
        return False
    backend = getattr(item, "callspec", None) and item.callspec.params.get("backend")
    if backend is None:
        return True
    if isinstance(backend, tuple):
        return backend == ("mlprogram", "fp32")
    # Where no backend suits a test, pytest itself fills in a placeholder and skips it.
    seen = (getattr(backend, "backend", None), getattr(backend, "precision", None))
    return seen == ("mlprogram", "fp32")


class Plugin:
    """The hooks, one object a process."""

    def __init__(self, config: Any) -> None:
        self._sample: int = config.getoption("mil_sample")
        self._wrong: list[str | None] = [*config.getoption("mil_wrong").split(",")]
        self._json: str | None = config.getoption("mil_json")
        self._worker = hasattr(config, "workerinput")
        self._results: dict[str, tuple[str, str]] = {}
        self._compared: Counter[str] = Counter()
        self._ran = 0
        JUDGE.precision = config.getoption("mil_precision")
        # Converted packages go where nothing else lies, to be removed after each test.
        self._packages = tempfile.mkdtemp(prefix="apple-suite-")
        self._outside = tempfile.tempdir
        tempfile.tempdir = self._packages

    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:
        dropped = [item for item in items if not _selected(item)]
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if _selected(item)]

    def pytest_collection_finish(self) -> None:
        gc.collect()
        gc.freeze()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> bool | None:
        """In a sample: the cases of each function in a scattered order, until enough compared."""
        if not self._sample:
            JUDGE.wrong = self._wrong[0] or None
            return None
        functions: dict[str, list[Any]] = {}
        for item in session.items:
            functions.setdefault(item.nodeid.partition("[")[0], []).append(item)
        for wrong in self._wrong:
            JUDGE.wrong = wrong or None
            self._compared.clear()
            for name, items in functions.items():
                items.sort(key=lambda item: zlib.crc32(item.nodeid.encode()))
                for item in items[: self._sample + _SAMPLE_PATIENCE]:
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
                    if self._compared[name] >= self._sample:
                        break
        return True

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        JUDGE.begin(item.nodeid)
        yield
        for package in Path(self._packages).glob("*.mlpackage"):
            shutil.rmtree(package)
        self._ran += 1
        if self._ran % _FREEZE_EVERY == 0:
            gc.collect()
            gc.freeze()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(platform, "machine", lambda: _MACHINE)
            patch.setattr(pytest, "skip", _skip_unless_bug(pytest.skip))
            for module, name in _COMPARISONS:
                patch.setattr(module, name, _count(getattr(module, name)))
            yield

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Iterator[None]:
        report = (yield).get_result()
        if call.when == "call" or report.outcome != PASSED:
            result = outcome(report, call.excinfo)
            report.user_properties.append(("mil", (JUDGE.wrong or "", *result)))
            if JUDGE.comparisons or result[0] == FAILED:
                self._compared[item.nodeid.partition("[")[0]] += 1

    def pytest_runtest_logreport(self, report: Any) -> None:
        for key, (wrong, *result) in (p for p in report.user_properties if p[0] == "mil"):
            name = f"{report.nodeid} {key}={wrong}" if wrong else report.nodeid
            self._results[name] = (result[0], result[1])

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        count = Counter(kind for kind, _ in self._results.values())
        compared = count.pop(PASSED, 0) + count.get(FAILED, 0)
        terminalreporter.write_line(f"compared: {compared}, failed of them: {count.pop(FAILED, 0)}")
        for reason, number in sorted(count.items()):
            terminalreporter.write_line(f"cannot compare: {number} ({reason})")

    def pytest_unconfigure(self) -> None:
        tempfile.tempdir = self._outside
        shutil.rmtree(self._packages, ignore_errors=True)
        if self._json and not self._worker:
            text = json.dumps(self._results, indent=1, sort_keys=True)
            Path(self._json).write_text(text + "\n", "utf-8")


def pytest_addoption(parser: Any) -> None:
    group = parser.getgroup("mil", "Apple's tests of MIL's operators")
    group.addoption("--mil-precision", choices=("strict", "wide"), default="strict")
    group.addoption("--mil-sample", type=int, default=0)
    group.addoption("--mil-wrong", default="")
    group.addoption("--mil-json")


def pytest_configure(config: Any) -> None:
    kinds = config.getoption("mil_wrong").split(",")
    if not {*kinds} <= {"", *SPOIL}:
        raise pytest.UsageError(f"--mil-wrong takes {', '.join(SPOIL)}")
    if len(kinds) > 1 and not config.getoption("mil_sample"):
        raise pytest.UsageError("--mil-wrong takes several kinds with --mil-sample only")
    if config.getoption("mil_sample") and config.getoption("numprocesses", None):
        raise pytest.UsageError("--mil-sample takes one process")
    _pretend_macos()
    config.pluginmanager.register(Plugin(config), "apple-suite")

"""Runs Apple's operator tests against the evaluator and writes down what they say.

    python -m tests.mil.coremltools_suite              all of them, two processes, with the report
    python -m tests.mil.coremltools_suite ARGUMENTS    pytest on them, nothing written

`apple_suite.py` beside this file describes what the arguments may be. The whole run fails where a
test fails that `coremltools_suite.json` does not list, where a listed one passes, and where fewer
tests compare than that file says.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mil.apple_suite import AT_FP16_TOLERANCE, FAILED, PASSED

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "reports/coremltools-suite.md"
EXPECTATION = Path(__file__).with_suffix(".json")

Results = Mapping[str, Sequence[str]]
"""Test -> (passed | failed | why it cannot be compared, detail)."""


@dataclass(frozen=True)
class Expectation:
    """What is known beforehand: how many compare, and which of them fail and why.

    Attributes:
        compared: the fewest comparisons by kind of run, `whole` and `sample`.
        failures: regular expression for a test's name -> the reason.
    """

    compared: Mapping[str, int]
    failures: Mapping[str, str]

    @classmethod
    def read(cls) -> Expectation:
        data = json.loads(EXPECTATION.read_text("utf-8"))
        return cls(data["compared"], {f["test"]: f["reason"] for f in data["failures"]})

    def reason(self, test: str) -> str | None:
        """Why `test` may fail; None where nothing says so."""
        reasons = (r for pattern, r in self.failures.items() if re.search(pattern, test))
        return next(reasons, None)

    def problems(self, results: Results, kind: str) -> list[str]:
        """Everything in which a run of `kind` differs from this."""
        found = []
        for test, (outcome, detail) in sorted(results.items()):
            if outcome == FAILED and self.reason(test) is None:
                found.append(f"fails: {test}: {detail}")
            if outcome == PASSED and self.reason(test) is not None:
                found.append(f"passes, though listed as a failure: {test}")
        if kind == "whole":
            unused = (p for p in self.failures if not any(re.search(p, t) for t in results))
            found.extend(f"listed as a failure, but no such test: {pattern}" for pattern in unused)
        if len(compared(results)) < self.compared[kind]:
            found.append(f"{len(compared(results))} compare, {self.compared[kind]} did before")
        return found


def compared(results: Results) -> list[str]:
    """The tests in which predictions were compared with expected values."""
    return [test for test, (outcome, _) in results.items() if outcome in (PASSED, FAILED)]


def suite_folder() -> Path:
    """Where the installed coremltools keeps its operators' tests."""
    spec = importlib.util.find_spec("coremltools")
    if spec is None or spec.origin is None:
        raise SystemExit("coremltools is not installed")
    return Path(spec.origin).parent / "converters/mil/mil/ops/tests"


def run(arguments: Sequence[str], **options: object) -> int:
    """Pytest's exit status on `arguments`, whose paths start at the tests' folder.

    It reads no configuration, leaves nothing beside the tests, and does not let off tests that are
    marked to fail because of a bug of Apple's runtime: this is another runtime.
    """
    folder = suite_folder()
    own = ["-c", os.devnull, "--rootdir", str(folder), "--confcutdir", str(folder.parents[2])]
    quiet = ["-p", "no:cacheprovider", "-W", "ignore"]
    plugin = ["--runxfail", "-p", "tests.mil.apple_suite"]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    command = [sys.executable, "-m", "pytest", *own, *quiet, *plugin, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=False, **options).returncode


def results_of(arguments: Sequence[str], **options: object) -> Results:
    """The outcome of every test that pytest runs on `arguments`.

    Raises:
        RuntimeError: it did not get through.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.json"
        status = run([*arguments, "--mil-json", str(path)], **options)
        if status not in (0, 1):
            raise RuntimeError(f"pytest ended with status {status}")
        return json.loads(path.read_text("utf-8"))


def report(results: Results, expectation: Expectation) -> str:
    """The run as Markdown; equal results give equal bytes."""
    version = importlib.metadata.version("coremltools")
    counts = Counter(outcome for outcome, _ in results.values())
    number = len(compared(results))
    lines = [
        "# Apple's tests of MIL's operators, run against mil-numpy",
        "",
        f"coremltools {version} ships the tests that Apple runs on macOS. Here they convert, save",
        "and predict as they do there, but `exportcheck.mil` runs the saved package; their own",
        "expected values, tolerances and comparison decide. Only fp32 ML programs are taken. Tests",
        "that Apple skips or expects to fail for a bug of its runtime count like any other. Of",
        f"{len(results)} tests {number} compare numbers, and {counts[PASSED]} of those pass.",
        "",
        "`make coremltools-suite` writes this file.",
        "",
        *_module_table(results),
        *_failure_table(results, expectation),
        *_reason_table(results),
    ]
    return "\n".join(lines) + "\n"


def _table(*rows: Sequence[object]) -> list[str]:
    head, *body = (f"| {' | '.join(map(str, row))} |" for row in rows)
    return [head, "|" + " --- |" * len(rows[0]), *body, ""]


def _module_table(results: Results) -> list[str]:
    modules: dict[str, Counter[str]] = {}
    for test, (outcome, detail) in results.items():
        count = modules.setdefault(test.partition("::")[0].removesuffix(".py"), Counter())
        count.update(["run", outcome, *([detail] if outcome == PASSED else [])])
    rows = [
        (name, c["run"], c[PASSED] + c[FAILED], c[PASSED], c[AT_FP16_TOLERANCE], c[FAILED])
        for name, c in sorted(modules.items())
    ]
    total = ("together", *map(sum, zip(*(row[1:] for row in rows), strict=True)))
    head = ("module", "run", "compare", "pass", "of them at fp16's tolerance", "fail")
    return [
        "## By module",
        "",
        *_table(head, *rows, total),
        "Some fp32 tests build programs with fp16 inputs or weights, yet expect the result of",
        "unrounded ones within 1e-4. Where such a program misses that, an absolute error of 2^-8",
        "and a relative one of 2^-10 count as passed; no other tolerance is touched.",
        "",
    ]


def _failure_table(results: Results, expectation: Expectation) -> list[str]:
    failed = [test for test, (outcome, _) in sorted(results.items()) if outcome == FAILED]
    known = Counter((t.partition("[")[0], expectation.reason(t) or "not known") for t in failed)
    rows = [(f"`{test}`", count, reason) for (test, reason), count in known.items()]
    return ["## Failures", "", *_table(("test", "cases", "reason"), *rows)]


def _reason_table(results: Results) -> list[str]:
    reasons = Counter(
        (outcome, detail) for outcome, detail in results.values() if outcome not in (PASSED, FAILED)
    )
    rows = [(outcome, detail, count) for (outcome, detail), count in sorted(reasons.items())]
    return [
        "## Tests that do not compare",
        "",
        *_table(("why", "detail", "tests"), *rows),
        "A test that does not predict checks coremltools' own value or type inference.",
    ]


def main(arguments: Sequence[str]) -> int:
    """The script; 0 where all is as expected."""
    if arguments:
        return run(arguments)
    expectation = Expectation.read()
    results = results_of(["-n", "2", "-q", "--tb=no", "-rN"])
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(report(results, expectation), "utf-8")
    problems = expectation.problems(results, "whole")
    print(
        "\n".join([*problems, f"{len(problems)} problems; {REPORT.relative_to(ROOT)} is written"])
    )
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

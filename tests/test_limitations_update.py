from __future__ import annotations

import pytest

from exportcheck.limitations import Limitation, LimitationFile, judge, read_limitations
from exportcheck.limitations_update import reason_of, to_toml, update
from exportcheck.results import Blame, Case, Culprit, Operator, Report, Result, Stage, Status
from tests.conftest import result

TARGETS = (("torchscript-trace", "libtorch"), ("torch-export", "torch"))
CASES = [
    Case(activation, network, target, runtime, "torch-2.13")
    for activation in ("relu", "celu", "mish")
    for network in ("bare", "conv")
    for target, runtime in TARGETS
]
ENVIRONMENT = {"versions": {"torch": "2.13.0+cpu"}}
EMPTY = LimitationFile(())


def run(failing: dict[str, str], cases=CASES) -> Report:
    """A run of `cases`, where those whose id begins with a key fail at export with its message."""
    results = []
    for case in cases:
        causes = [cause for start, cause in failing.items() if case.id.startswith(start)]
        facts = {"network": case.network, "message": causes[0] if causes else ""}
        status, stage = (Status.ERROR, Stage.EXPORT) if causes else (Status.PASS, Stage.COMPARE)
        results.append(
            result(case.activation, "f", case.target, case.runtime, status, stage, **facts)
        )
    return Report(tuple(results), ENVIRONMENT)


def patterns(file: LimitationFile) -> list[str]:
    return [one.pattern for one in file.limitations]


@pytest.mark.parametrize(
    "failing",
    [
        {},
        {"celu": "E: a"},
        {"celu/bare": "E: a", "mish/conv/torch-export": "E: b"},
        {"": "E: everything"},
        {"celu/bare": "E: a", "celu/conv": "E: b"},
    ],
)
def test_the_run_is_as_expected_afterwards(failing):
    report = run(failing)
    file = update(EMPTY, report, CASES)
    judged = judge(report, file.limitations, [c.id for c in CASES])
    assert judged.green
    assert len(judged.known) == len(report.failures)


def test_the_order_is_that_of_the_cases():
    file = update(EMPTY, run({"mish": "E: b", "celu": "E: a"}), CASES)
    assert patterns(file) == ["celu/*/torch*/*/torch-2.13", "mish/*/torch*/*/torch-2.13"]


def test_failures_of_one_cause_are_joined_and_of_two_are_not():
    report = run({"celu/bare": "E: op_1 (2, 8)", "celu/conv": "E: op_7 (4, 4)"})
    assert len(update(EMPTY, report, CASES).limitations) == 1
    report = run({"celu/bare": "E: an operator", "celu/conv": "E: another"})
    assert len(update(EMPTY, report, CASES).limitations) == 2


def test_what_a_person_wrote_stays_while_it_holds():
    mine = Limitation("celu/*", "no kernel, see below", "https://example.org/1")
    file = update(LimitationFile((mine,)), run({"celu": "E: a", "mish": "E: b"}), CASES)
    assert file.limitations[0] == mine
    assert len(file.limitations) == 2


def test_a_pattern_that_fails_in_part_is_narrowed_with_its_reason_and_issue():
    mine = Limitation("celu/*", "no kernel, see below", "https://example.org/1")
    file = update(LimitationFile((mine,)), run({"celu/conv": "E: a"}), CASES)
    assert file.limitations == (
        Limitation("celu/conv/torch*/*/torch-2.13", mine.reason, mine.issue),
    )


def test_a_pattern_whose_cases_all_pass_goes():
    mine = Limitation("celu/*", "no kernel")
    assert update(LimitationFile((mine,)), run({}), CASES) == EMPTY


def test_a_pattern_that_matches_no_case_goes_and_one_of_other_versions_stays():
    gone = Limitation("gone/*", "x")
    old = Limitation("gone/*", "x", versions={"torch": "<2"})
    assert update(LimitationFile((gone, old)), run({}), CASES).limitations == (old,)


def test_a_run_of_some_cases_says_nothing_of_the_others():
    mine = Limitation("celu/*", "no kernel")
    chosen = [case for case in CASES if case.activation == "mish"]
    file = update(LimitationFile((mine,)), run({"mish": "E: b"}, chosen), CASES)
    assert file.limitations[0] == mine
    assert len(file.limitations) == 2


def test_no_pattern_covers_a_case_that_did_not_run():
    chosen = [case for case in CASES if case.network == "bare"]
    file = update(EMPTY, run({"celu": "E: a"}, chosen), CASES)
    assert patterns(file) == ["celu/bare/torch*/*/torch-2.13"]


def test_what_is_known_from_elsewhere_is_not_written_again():
    elsewhere = Limitation("celu/*", "shipped")
    report = run({"celu": "E: a", "mish": "E: b"})
    file = update(EMPTY, report, CASES, [elsewhere])
    assert patterns(file) == ["mish/*/torch*/*/torch-2.13"]


def test_a_reason_that_was_deleted_is_written_anew():
    draft = Limitation("celu/*", "", "https://example.org/1")
    (one,) = update(LimitationFile((draft,)), run({"celu": "E: a"}), CASES).limitations
    assert one == Limitation("celu/*", "fails at export: E: a", "https://example.org/1")


def test_pinned_versions_are_brought_up_to_date():
    old = LimitationFile((), {"torch": "2.12.0"})
    assert update(old, run({}), CASES).versions == {"torch": "2.13.0"}
    assert update(EMPTY, run({}), CASES).versions == {}


def test_an_update_of_an_update_changes_nothing():
    report = run({"celu/bare": "E: a", "mish": "E: b"})
    once = update(EMPTY, report, CASES)
    assert update(once, report, CASES) == once


def failed(status=Status.ERROR, stage=Stage.EXPORT, message="E: a", blame=None):
    facts = {"message": message, "blame": blame}
    return result("celu", "celu", "torch-export", "torch", status, stage, **facts)


def blamed(culprit, *operators):
    return Blame(culprit, "text", operators=tuple(map(Operator, operators)))


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (failed(), "fails at export: E: a"),
        (failed(Status.CRASH, Stage.LOAD, "signal 11"), "crash at load: signal 11"),
        (failed(Status.TIMEOUT, Stage.RUN, ""), "hangs at run"),
        (failed(Status.MISMATCH, Stage.COMPARE, "grid: x"), "wrong numbers: grid: x"),
        (failed(message='E: x:\n  File "/home/me/f.py", line 3\n'), "fails at export: E: x"),
        (failed(blame=blamed(Culprit.EXPORTER, "aten::celu")), "fails at export: exporter: text"),
        (failed(blame=blamed(Culprit.EXPORTER)), "fails at export: E: a"),
        (failed(blame=blamed(Culprit.UNDECIDED, "aten::celu")), "fails at export: E: a"),
        (
            failed(Status.MISMATCH, Stage.COMPARE, blame=blamed(Culprit.RUNTIME_KERNEL)),
            "wrong numbers: runtime-kernel: text",
        ),
    ],
)
def test_reasons(one, reason):
    assert reason_of(one) == reason


def test_wrong_numbers_are_joined_by_culprit_whatever_convicts_it():
    def wrong(case, culprit, text):
        return Result(
            case, "f", Status.MISMATCH, Stage.COMPARE, "grid: x", blame=Blame(culprit, text)
        )

    cases = [case for case in CASES if case.activation == "celu"]
    kernel, exporter = Culprit.RUNTIME_KERNEL, Culprit.EXPORTER
    one = Report(tuple(wrong(c, kernel, f"by {c.network}, {c.target}") for c in cases))
    assert update(EMPTY, one, CASES).limitations == (
        Limitation(
            "celu/*/torchscript-trace/libtorch/torch-2.13",
            "wrong numbers: runtime-kernel: by bare, torchscript-trace",
        ),
        Limitation(
            "celu/*/torch-export/torch/torch-2.13",
            "wrong numbers: runtime-kernel: by bare, torch-export",
        ),
    )
    two = Report(
        tuple(wrong(c, kernel if c.network == "bare" else exporter, "text") for c in cases)
    )
    assert len(update(EMPTY, two, CASES).limitations) == 4


def test_a_written_file_is_read_back(tmp_path):
    file = LimitationFile(
        (
            Limitation("a/*", 'the "first"', "https://example.org/1", {"torch": "<2", "x.y": "1"}),
            Limitation("b/*", "second \\ ü"),
        ),
        {"torch": "2.13.0"},
        alone=True,
    )
    path = tmp_path / "limitations.toml"
    path.write_text(to_toml(file), "utf-8")
    assert read_limitations(path) == file
    path.write_text(to_toml(EMPTY), "utf-8")
    assert read_limitations(path) == EMPTY

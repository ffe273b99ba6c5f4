from __future__ import annotations

import dataclasses
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

import exportcheck
from exportcheck.errors import UsageError
from exportcheck.limitations import (
    SHIPPED,
    Limitation,
    judge,
    read_limitations,
)
from exportcheck.results import Known, Report, Stage, Status
from exportcheck.selection import all_cases, toolchains
from exportcheck.versions import fits, misfits
from tests.conftest import result


def one(activation, status, network="bare", **facts):
    stage = Stage.COMPARE if status in (Status.PASS, Status.MISMATCH) else Stage.EXPORT
    return result(
        activation, activation, "torch-export", "torch", status, stage, network=network, **facts
    )


FAILING = (one("celu", Status.ERROR), one("celu", Status.ERROR, "conv"))
PASSING = one("relu", Status.PASS)
REPORT = Report((*FAILING, PASSING), {"versions": {"torch": "2.13.0+cpu", "onnx": "1.23.2"}})
IDS = [r.id for r in REPORT.results]


def test_failures_that_are_named_are_known():
    judged = judge(REPORT, [Limitation("celu/*", "no kernel", "https://example.org/1")], IDS)
    assert judged.green
    assert [r.known for r in judged.known] == [
        Known("celu/*", "no kernel", "https://example.org/1")
    ] * 2


def test_a_failure_that_is_not_named_is_new():
    judged = judge(REPORT, [Limitation("celu/bare/*", "no kernel")], IDS)
    assert [r.id for r in judged.new] == [FAILING[1].id]
    assert not judged.green


def test_a_pass_that_is_named_is_fixed():
    judged = judge(REPORT, [Limitation("*", "all is lost")], IDS)
    assert [r.id for r in judged.fixed] == [PASSING.id]
    assert not judged.green


def test_what_is_unavailable_is_neither():
    absent = one("mish", Status.UNAVAILABLE)
    judged = judge(Report((absent, PASSING)), [Limitation("mish/*", "x")], [absent.id])
    assert judged.green


def test_a_pattern_is_stale_when_it_matches_none_of_all_cases_not_of_the_chosen_ones():
    limitations = [Limitation("celu/*", "x"), Limitation("gone/*", "x")]
    assert judge(REPORT, limitations, IDS).stale == ("gone/*",)
    none_chosen = Report((PASSING,))
    assert judge(none_chosen, limitations, IDS).stale == ("gone/*",)
    assert judge(none_chosen, limitations[:1], IDS).green


def test_the_first_that_names_a_result_is_the_one_it_is_known_by():
    limitations = [Limitation("celu/bare/*", "first"), Limitation("celu/*", "second")]
    judged = judge(REPORT, limitations, IDS)
    assert [r.known.reason for r in judged.known] == ["first", "second"]


def test_judging_anew_forgets_the_old_judgement():
    judged = judge(REPORT, [Limitation("celu/*", "x")], IDS)
    assert judge(judged, [], IDS).new == REPORT.new


@pytest.mark.parametrize(
    ("versions", "known"),
    [
        ({}, True),
        ({"torch": "2.13.0"}, True),
        ({"torch": "<2.13"}, False),
        ({"torch": ">=2.12,<2.14", "onnx": "==1.23.*"}, True),
        ({"onnxruntime": "<2"}, True),
        ({"onnxruntime": ">=1"}, False),
    ],
)
def test_versions_say_when_it_holds(versions, known):
    """A version that is not installed counts as the oldest there can be."""
    judged = judge(REPORT, [Limitation("celu/*", "x", versions=versions)], IDS)
    assert bool(judged.known) == known
    assert judge(REPORT, [Limitation("gone/*", "x", versions=versions)], IDS).green is False


def test_a_limitation_for_other_versions_is_never_stale():
    report = dataclasses.replace(REPORT, results=())
    stale = Limitation("gone/*", "x", versions={"torch": "<2"})
    assert judge(report, [stale], IDS).green


def test_the_versions_of_the_result_come_before_those_of_the_machine():
    """Another toolchain's worker has other packages than the host."""
    old = dataclasses.replace(FAILING[0], versions={"torch": "1.7.0"})
    limitation = Limitation("celu/*", "x", versions={"torch": "<2"})
    assert judge(Report((old,), REPORT.environment), [limitation], IDS).known
    assert judge(Report(FAILING[:1], REPORT.environment), [limitation], IDS).new


def test_misfits_are_named():
    installed = {"a": "1.0+cpu", "b": "2.0"}
    assert fits({"a": "1.0", "b": ">=1"}, installed)
    assert misfits({"a": "1.1", "b": "2.0", "c": ">=3"}, installed) == (
        "a 1.1 (here 1.0+cpu)",
        "c >=3 (here missing)",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[limitations]]", "unknown key 'limitations'; nearest: limitation"),
        ('[[limitation]]\npatern = "x"', "limitation 1: unknown key 'patern'; nearest: pattern"),
        ('[[limitation]]\nreason = "x"', "limitation 1: has no pattern"),
        ('[[limitation]]\npattern = "x"', "limitation 1 (x): has no reason"),
        ('[[limitation]]\npattern = 3\nreason = "x"', "are strings"),
        ("limitation = 3", "[[limitation]] tables"),
        ("limitation = [3]", "[[limitation]] tables"),
        ('[versions]\ntorch = "newest"', "torch = 'newest' is no version"),
        ("[versions]\ntorch = 2.13", "torch = 2.13 is no version"),
        ('alone = "yes"', "alone is true or false"),
        ('versions = "2.13"', "versions are written as"),
        (
            'limitation = [{pattern="a", reason="x"}, {pattern="b", reason="y", versions={t="~"}}]',
            "limitation 2: t = '~' is no version",
        ),
    ],
)
def test_a_mistake_in_a_file_is_placed(tmp_path, text, words):
    path = tmp_path / "limitations.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_limitations(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_reason_may_be_missing_in_a_draft(tmp_path):
    path = tmp_path / "limitations.toml"
    path.write_text('[[limitation]]\npattern = "x"')
    assert read_limitations(path, drafts=True).limitations == (Limitation("x", ""),)


def test_the_shipped_file_is_about_cases_that_there_are():
    ids = [c.id for name in toolchains() for c in all_cases(name, anywhere=True)]
    for limitation in read_limitations(SHIPPED).limitations:
        assert any(fnmatchcase(case_id, limitation.pattern) for case_id in ids), limitation


def test_the_shipped_file_is_about_the_pinned_toolchain():
    lock = Path(exportcheck.__file__).parent / "toolchains" / "torch-2.13.txt"
    pins = dict(re.findall(r"^([\w-]+)==(\S+)$", lock.read_text(), re.MULTILINE))
    versions = read_limitations(SHIPPED).versions
    assert versions
    assert versions == {name: pins[name] for name in versions}


def test_the_shipped_reasons_name_no_folder_of_anybody():
    for limitation in read_limitations(SHIPPED).limitations:
        assert not re.search(r"/(home|root|Users|work|tmp)/", limitation.reason)

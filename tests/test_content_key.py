from __future__ import annotations

import pytest

from exportcheck import content_key, environment
from exportcheck.catalog import activations
from exportcheck.catalog.interface import Activation
from exportcheck.content_key import content_keys, form_source
from exportcheck.environment import Environment
from exportcheck.selection import all_cases, current_toolchain

HERE = current_toolchain()
CASES = all_cases(HERE)


@pytest.fixture(autouse=True)
def _nothing_remembered():
    """What a test changes must be looked at, and forgotten afterwards."""
    memos = [content_key._activation, content_key._machine]
    memos += [content_key._code, content_key._definitions]
    for memo in memos:
        memo.cache_clear()
    yield
    for memo in memos:
        memo.cache_clear()


def keys(cases=CASES, *, strict=False):
    return content_keys(cases, strict=strict, environment=Environment(HERE))


def changed(before, after):
    return {case.activation for case in before if before[case] != after[case]}


def test_every_case_of_the_catalogue_has_a_key_of_its_own():
    found = keys()
    assert list(found) == CASES
    assert len(set(found.values())) == len(CASES)
    assert keys() == found


def test_other_options_and_other_toolchains():
    assert not set(keys().values()) & set(keys(strict=True).values())
    old = Environment("torch-1.7", "3.8.18", {"torch": "1.7.1"})
    assert content_keys(CASES, strict=False, environment=old) == {}


def test_cases_of_another_toolchain_depend_on_what_is_in_its_environment():
    cases = all_cases("torch-1.7")

    def keys_in(python, **versions):
        old = Environment("torch-1.7", python, {"torch": "1.7.1", **versions})
        return content_keys(cases, strict=False, environment=old)

    before = keys_in("3.8.18", onnxruntime="1.6.0")
    assert list(before) == cases
    assert keys_in("3.8.18", onnxruntime="1.6.0") == before
    assert not set(before.values()) & set(keys_in("3.8.17", onnxruntime="1.6.0").values())
    after = keys_in("3.8.18", onnxruntime="1.7.0")
    assert {c.runtime for c in cases if before[c] != after[c]} == {"onnxruntime"}


def test_a_version_changes_those_that_depend_on_it(monkeypatch):
    before = keys()
    stock = environment.version
    monkeypatch.setattr(environment, "version", lambda d: "1" if d == "onnxruntime" else stock(d))
    after = keys()
    targets = {case.target.split("-")[0] for case in before if before[case] != after[case]}
    assert targets == {"onnx"}


@pytest.mark.parametrize("what", ["_machine", "_code"])
def test_another_machine_and_other_code_change_all(monkeypatch, what):
    before = keys()
    monkeypatch.setattr(content_key, what, lambda: "another")
    assert not set(before.values()) & set(keys().values())


def test_changing_one_form_changes_its_rows_only(monkeypatch, tmp_path):
    before = keys()
    text = (content_key._PACKAGE / "forms.py").read_text("utf-8")
    name = activations()["hardswish-hardtanh"].module.rpartition(".")[2]
    assert f"class {name}(" in text
    path = tmp_path / "forms.py"
    edited = text.replace(f"class {name}(nn.Module):", f"class {name}(nn.Module):  # edited")
    assert edited != text
    path.write_text(edited, "utf-8")
    monkeypatch.setattr(content_key, "form_source", lambda name: form_source(name, path))
    content_key._activation.cache_clear()
    assert "hardswish-hardtanh" in changed(before, keys())
    module = activations()["hardswish-hardtanh"].module
    users = {a.name for a in activations().values() if a.module == module}
    assert changed(before, keys()) == users


def test_a_form_leads_to_what_it_uses(tmp_path):
    path = tmp_path / "forms.py"
    path.write_text(
        "import math\n\ndef used():\n    return deep()\n\ndef deep():\n    return 1\n\n"
        "@used\nclass Form:\n    pass\n\nclass Other:\n    pass\n",
        "utf-8",
    )
    source = form_source("Form", path)
    assert "import math" in source
    assert "def deep" in source
    assert "@used" in source
    assert "Other" not in source


def test_other_peoples_code_has_no_key(monkeypatch):
    case = CASES[0]
    plugged = Activation("theirs", "theirs", "their.module.Class", "x", "them")
    broken = Activation("broken", "broken", "torch.nn.ReLU", "x", "them", unavailable="no")
    known = {**activations(), "theirs": plugged, "broken": broken}
    monkeypatch.setattr(content_key, "activations", lambda: known)
    named = [type(case)(n, *_rest(case)) for n in ("theirs", "broken", "my.py:Module")]
    assert keys(named) == {}
    assert keys([case]) != {}


def _rest(case):
    return case.network, case.target, case.runtime, case.toolchain


def test_a_target_or_runtime_of_a_plugin_has_no_key(monkeypatch):
    class Theirs:
        runtimes = ()

    case = CASES[0]
    known = content_key.targets()
    monkeypatch.setattr(content_key, "targets", lambda: {**known, "theirs": Theirs()})
    rest = (case.runtime, case.toolchain)
    assert keys([type(case)(case.activation, case.network, "theirs", *rest)]) == {}
    assert keys([type(case)(case.activation, case.network, "none", *rest)]) == {}

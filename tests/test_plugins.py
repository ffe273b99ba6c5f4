from __future__ import annotations

import re
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from exportcheck import plugins
from exportcheck.catalog import Activation, activations
from exportcheck.catalog.interface import ALL_NETWORKS
from exportcheck.plugins import ACTIVATIONS, TARGETS, plugged_activations, plugged_targets
from exportcheck.results import Case, Stage, Status
from exportcheck.stages import check
from exportcheck.subject import FromCatalogue
from exportcheck.targets import targets
from exportcheck.targets.torchscript import TorchScript

CUBE = Activation("cube", "cube", "tests.user_code.good.Hard", "x^3", "a plug-in")


@dataclass(frozen=True)
class Traced(TorchScript):
    @property
    def name(self) -> str:
        return "traced"


@pytest.fixture
def entry_points(monkeypatch):
    """Pretends that these objects, or these errors when loaded, are installed plug-ins."""

    def install(group, **values):
        def load(entry):
            value = values[entry.name]
            if isinstance(value, BaseException):
                raise value
            return value

        found = [EntryPoint(name, f"package:{name}", group) for name in values]
        monkeypatch.setattr(EntryPoint, "load", load)
        monkeypatch.setattr(plugins.metadata, "entry_points", lambda group: found if values else ())

    return install


def test_activations_of_other_packages(entry_points):
    entry_points(ACTIVATIONS, one=CUBE, more=[replace(CUBE, name=n) for n in ("a", "b")])
    assert [a.name for a in plugged_activations(["relu"])] == ["a", "b", "cube"]
    assert not any(a.unavailable for a in plugged_activations(["relu"]))


def test_targets_of_other_packages(entry_points):
    entry_points(TARGETS, one=[Traced("trace")])
    (found,) = plugged_targets(list(targets()))
    assert found.name == "traced"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (ImportError("no module named plug"), "ImportError: no module named plug"),
        (SystemExit(3), "SystemExit: 3"),
        (AttributeError("has no ACTS"), "AttributeError"),
        (3, "package:broken holds int, which is none of exportcheck.activations"),
        ([], "package:broken holds nothing"),
        ([CUBE, replace(CUBE, name="relu")], "the name 'relu' of package:broken is taken"),
    ],
)
def test_a_broken_plug_in_of_activations_is_shown_as_unavailable(entry_points, value, words):
    entry_points(ACTIVATIONS, broken=value, good=CUBE)
    broken, good = plugged_activations(["relu"])
    assert good == CUBE
    assert (broken.name, broken.networks) == ("broken", ALL_NETWORKS)
    assert words in broken.unavailable
    assert words in broken.formula
    with pytest.raises(plugins.Unavailable, match=re.escape(words)):
        FromCatalogue(broken, "bare").build()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (ImportError("no module named plug"), "ImportError"),
        (SimpleNamespace(name="x"), "holds SimpleNamespace, which is none of exportcheck.targets"),
        ([TorchScript("trace")], "the name 'torchscript-trace' of package:broken is taken"),
    ],
)
def test_a_broken_plug_in_of_targets_is_shown_as_unavailable(
    entry_points, monkeypatch, value, words
):
    entry_points(TARGETS, broken=value)
    (broken,) = plugged_targets(list(targets()))
    (runtime,) = broken.runtimes
    assert runtime.missing() is None
    monkeypatch.setitem(targets(), broken.name, broken)
    result = check(Case("relu", "bare", broken.name, runtime.name, "here"))
    assert (result.status, result.stage) == (Status.UNAVAILABLE, Stage.EXPORT)
    assert words in result.message


def test_the_name_of_a_broken_plug_in_may_be_taken(entry_points):
    entry_points(ACTIVATIONS, relu=ImportError("no"))
    (broken,) = plugged_activations(list(activations()))
    assert broken.name == "relu-plugin"

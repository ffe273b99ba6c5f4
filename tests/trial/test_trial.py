from __future__ import annotations

import re

import pytest

from tests.trial.listing import surprises, tried
from tests.trial.page import PAGE

REQUIREMENTS = (PAGE.parents[1] / "tests/trial/requirements.txt").read_text("utf-8")
TEXT = PAGE.read_text("utf-8")
ENOUGH = 60


def test_there_are_enough_and_each_stands_once():
    names = [module.name for module in tried()]
    assert len(names) >= ENOUGH
    assert len(set(names)) == len(names)
    assert len({module.slug for module in tried()}) == len(names)


def test_the_page_has_a_row_for_each_and_no_other():
    rows = re.findall(r"^\| `([^`]+)` \|", TEXT, re.MULTILINE)
    assert rows == [module.name for module in tried()]


@pytest.mark.parametrize("package", sorted({module.package for module in tried()}))
def test_every_package_is_pinned_and_its_version_is_in_the_page(package):
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)$", REQUIREMENTS, re.MULTILINE))
    named = {name.replace("_", "-").lower(): version for name, version in pinned.items()}
    assert f"{package} {named[package]}" in TEXT


def test_every_explanation_is_in_the_page():
    for one in surprises():
        assert one.text in TEXT


def test_arguments_are_those_of_check():
    module = next(m for m in tried() if m.inputs and m.args)
    words = module.arguments
    assert words[0] == module.spec
    assert words.count("--input") == len(module.inputs)
    assert words.count("--arg") == len(module.args)


def test_the_readme_counts_as_the_page_does():
    modules, packages = len(tried()), len({module.package for module in tried()})
    readme = (PAGE.parents[1] / "README.md").read_text("utf-8")
    assert f"{modules} modules of {packages} other packages" in readme
    assert TEXT.splitlines()[2].startswith(f"{modules} modules of {packages} packages")


def test_whole_models_are_made_exportable():
    rows = [line for line in TEXT.splitlines() if line.endswith("| pass at compare |")]
    assert len(rows) >= 3
    assert all("| error at " in row for row in rows)

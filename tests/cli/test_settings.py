from __future__ import annotations

from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import typer.main

from exportcheck.cli import app
from exportcheck.cli.commands.all import check_all
from exportcheck.cli.settings import PATHS, Settings, key, read_settings
from exportcheck.custom.module_spec import ModuleSpec
from exportcheck.errors import UsageError
from exportcheck.limitations import Limitation

OPTIONS = typer.main.get_command(app).commands["all"].params
KEYS = {key(option): option for option in OPTIONS}


@pytest.fixture
def settings(tmp_path):
    """Reads a pyproject.toml of this content."""

    def read(text: str, folder: Path = tmp_path) -> Settings:
        (tmp_path / "pyproject.toml").write_text(text)
        return read_settings(OPTIONS, folder)

    return read


def complaint(settings, text: str) -> str:
    with pytest.raises(UsageError) as caught:
        settings(text)
    assert "pyproject.toml: [tool.exportcheck]" in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def value_for(option) -> tuple[str, object]:
    """A value for an option, in TOML and as it must arrive."""
    if option.is_flag:
        return "true", True
    return ('["a", "b"]', ["a", "b"]) if option.multiple else ("3", "3")


@pytest.mark.parametrize("name", sorted(set(KEYS) - {"help", *PATHS}))
def test_every_option_of_all_can_be_set(settings, name):
    written, arrived = value_for(KEYS[name])
    found = settings(f"[tool.exportcheck]\n{name} = {written}\n")
    assert found.defaults == {KEYS[name].name: arrived}


@pytest.mark.parametrize("name", PATHS)
def test_paths_count_from_the_folder_of_the_file(settings, tmp_path, name):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    found = settings(f'[tool.exportcheck]\n{name} = "x/y"', inner)
    assert found.defaults == {name: str(tmp_path / "x/y")}


def test_the_options_that_are_paths_are_named():
    hints = get_type_hints(check_all, include_extras=False)
    paths = {name for name, hint in hints.items() if Path in (hint, *get_args(hint))}
    assert paths == set(PATHS)


def test_a_single_string_is_a_list_of_one(settings):
    assert settings('[tool.exportcheck]\nselect = "relu/*"').defaults == {"select": ["relu/*"]}


def test_limitations_in_place(settings):
    found = settings('[[tool.exportcheck.limitation]]\npattern = "a/*"\nreason = "x"')
    assert found == Settings({}, (Limitation("a/*", "x"),))


@pytest.mark.parametrize("text", ["", "[tool.other]\nx = 1", "[tool.exportcheck]"])
def test_nothing_set(settings, text):
    assert settings(text) == Settings()


def test_a_file_without_our_table_does_not_hide_one_above(settings, tmp_path):
    inner = tmp_path / "package"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("[project]\nname = 'x'")
    assert settings("[tool.exportcheck]\nquick = true", inner).defaults == {"quick": True}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tragets = 'x'", "unknown key 'tragets'; nearest: target"),
        ("no_color = true", "unknown key 'no_color'; nearest: no-color"),
        ("help = true", "unknown key 'help'"),
        ("quick = 'yes'", "quick is 'yes' where true or false was expected"),
        ("select = 3", "select is 3 where a list of strings was expected"),
        ("select = ['a', 3]", "where a list of strings was expected"),
        ("jobs = [3]", "jobs is [3] where a string or a number was expected"),
        ("jobs = true", "where a string or a number was expected"),
        ("limitation = [{pattern = 'x'}]", "limitation 1 (x): has no reason"),
    ],
)
def test_mistakes_are_named(settings, text, words):
    assert words in complaint(settings, f"[tool.exportcheck]\n{text}")


def test_a_table_that_is_none(settings):
    assert "is no table" in complaint(settings, "[tool]\nexportcheck = 3")


def test_a_file_that_is_no_toml(settings):
    with pytest.raises(UsageError, match="is not TOML"):
        settings("[tool.exportcheck")


def test_modules_of_the_project(settings, tmp_path):
    found = settings(
        "[tool.exportcheck]\n"
        'modules = ["acts.py:Mine", "package.acts:Other",\n'
        '  {spec = "acts.py:Block", arg = {width = 8, mode = "a"}, input = "1x3x8x8:float16", '
        'state = "w.pt", dynamic = [0]}]\n'
    )
    first, second, third = found.modules
    assert first == ModuleSpec(f"{tmp_path}/acts.py:Mine")
    assert second == ModuleSpec("package.acts:Other")
    assert third.args == (("width", "8"), ("mode", "'a'"))
    assert [one.text for one in third.inputs] == ["1x3x8x8:float16"]
    assert (third.state, third.dynamic) == (f"{tmp_path}/w.pt", (0,))
    assert found.defaults == {}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('"acts.py:Mine"', "an array was expected"),
        ("[3]", "modules[0]: a spec, or a table with one, was expected, not 3"),
        ('[{sepc = "a.py:A"}]', "modules[0]: a spec, or a table with one"),
        ('[{spec = "a.py:A", inpt = "3"}]', "unknown key 'inpt'; nearest: input"),
        ('["acts.py"]', "'acts.py' where file.py:Name was expected"),
        ('[{spec = "a.py:A", arg = 3}]', "arg is a table"),
        ('["a.py:A", "b/a.py:A"]', "two are called 'a.py:A'"),
    ],
)
def test_modules_that_are_none(settings, value, words):
    assert words in complaint(settings, f"[tool.exportcheck]\nmodules = {value}\n")

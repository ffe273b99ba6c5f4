from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from exportcheck.catalog import activations
from exportcheck.cli import app
from exportcheck.networks import NETWORKS
from exportcheck.selection import all_cases, current_toolchain
from exportcheck.targets import targets


def run(*arguments):
    return CliRunner().invoke(app, ["list", *arguments])


@pytest.mark.parametrize(
    ("what", "names"),
    [("activations", activations()), ("networks", NETWORKS), ("targets", targets())],
)
def test_tables_and_json_name_everything(what, names):
    assert [row["name"] for row in json.loads(run(what, "--json").stdout)] == list(names)
    table = run(what).stdout
    for name in names:
        assert name in table


def test_cases_are_those_of_all():
    cases = [case.id for case in all_cases(current_toolchain())]
    assert run("cases").stdout.split() == cases
    assert json.loads(run("cases", "--json").stdout) == cases
    chosen = run("cases", "--family", "silu", "--quick").stdout.split()
    assert chosen
    assert set(chosen) < set(cases)


def test_cases_of_other_toolchains_which_need_not_be_installed():
    wanted = [case.id for name in ("torch-1.7", "torch-2.9") for case in all_cases(name)]
    assert (
        run("cases", "--toolchain", "torch-1.7", "--toolchain", "torch-2.9").stdout.split()
        == wanted
    )
    names = ("--toolchain", "torch-1.7", "--coremltools", "5.0", "--family", "silu", "--quick")
    assert (
        "silu/bare/coreml-fp32/mil-numpy/torch-1.7+coremltools-5.0" in run("cases", *names).stdout
    )


def test_activations_of_one_family():
    rows = json.loads(run("activations", "--family", "mish", "--json").stdout)
    assert {row["family"] for row in rows} == {"mish"}


def test_simulated_runtimes_are_named():
    rows = {row["name"]: row for row in json.loads(run("targets", "--json").stdout)}
    assert "mil-numpy (simulated)" in rows["coreml-fp32"]["runtimes"]

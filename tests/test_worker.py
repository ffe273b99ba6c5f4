"""The protocol and what a misbehaving export costs: its own case and nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from exportcheck.custom.module_spec import ModuleSpec
from exportcheck.errors import BadModule, EnvironmentBroken
from exportcheck.results import Case, Stage, Status
from exportcheck.runner import run
from exportcheck.worker_pipe import WorkerDied
from exportcheck.worker_process import WorkerProcess

HOSTILE = (sys.executable, "-m", "tests.hostile")


class Collected:
    def __init__(self):
        self.results = {}
        self.started_cases = []

    def started(self, worker, case):
        self.started_cases.append(case)

    def finished(self, worker, result):
        self.results[result.case] = result


def case(activation):
    return Case(activation, "bare", "torchscript-trace", "libtorch", "torch-2.13")


@pytest.fixture(scope="module")
def hostile_worker():
    """Starts workers with the hostile catalogue; the tests' folder must be importable there."""

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
        yield lambda: WorkerProcess(HOSTILE)


def test_misbehaving_modules_lose_only_their_own_case(hostile_worker):
    names = ["relu", "aborts", "tanh", "sleeps", "prints", "exits", "dies-quietly", "sigmoid"]
    collected = Collected()
    run([case(n) for n in names], collected, jobs=2, timeout_s=10.0, start_worker=hostile_worker)
    results = {c.activation: r for c, r in collected.results.items()}
    assert sorted(results) == sorted(names)
    assert {n: results[n].status for n in names} == {
        "relu": Status.PASS,
        "aborts": Status.CRASH,
        "tanh": Status.PASS,
        "sleeps": Status.TIMEOUT,
        "prints": Status.PASS,
        "exits": Status.ERROR,
        "dies-quietly": Status.CRASH,
        "sigmoid": Status.PASS,
    }
    assert {results[n].stage for n in ("aborts", "sleeps", "exits", "dies-quietly")} == {
        Stage.EXPORT
    }
    assert "SIGABRT" in results["aborts"].message
    assert "exit code 7" in results["dies-quietly"].message
    assert "10 s" in results["sleeps"].message
    assert results["exits"].message.startswith("SystemExit")
    log = results["prints"].log
    for text in ("from Python", "from C", "from a child", "a warning on stderr"):
        assert text in log
    assert "from Python" not in results["sigmoid"].log


def test_a_killed_worker_loses_only_the_case_it_had(hostile_worker):
    collected = Collected()
    workers = []

    def start():
        workers.append(hostile_worker())
        return workers[-1]

    def kill_the_sleeper():
        while not any(c.activation == "sleeps" for c in collected.started_cases):
            time.sleep(0.05)
        time.sleep(1.0)
        os.kill(workers[0].pid, signal.SIGKILL)

    threading.Thread(target=kill_the_sleeper, daemon=True).start()
    names = ["relu", "sleeps", "tanh"]
    run([case(n) for n in names], collected, jobs=1, timeout_s=60.0, start_worker=start)
    statuses = {c.activation: r.status for c, r in collected.results.items()}
    assert statuses == {"relu": Status.PASS, "sleeps": Status.CRASH, "tanh": Status.PASS}
    assert "SIGKILL" in collected.results[case("sleeps")].message
    assert len(workers) == 2


def test_a_worker_killed_while_idle_costs_nothing(hostile_worker):
    first = hostile_worker()
    os.kill(first.pid, signal.SIGKILL)
    with pytest.raises(WorkerDied):
        first.check(case("relu"), 10.0)
    workers = iter([first])
    collected = Collected()
    run(
        [case("relu")],
        collected,
        jobs=1,
        timeout_s=30.0,
        start_worker=lambda: next(workers, None) or hostile_worker(),
    )
    assert collected.results[case("relu")].status is Status.PASS


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("raise ImportError('no module named torch')", "no module named torch"),
        ("import sys; sys.exit(5)", "exit code 5"),
        ("import os; os.abort()", "SIGABRT"),
        ("import os; os.kill(os.getpid(), 9)", "SIGKILL"),
    ],
)
def test_a_worker_that_cannot_start_is_one_error_and_no_loop(program, words):
    starts = []

    def start():
        starts.append(1)
        return WorkerProcess((sys.executable, "-c", program))

    with pytest.raises(EnvironmentBroken, match=words):
        run([case("relu"), case("tanh")], Collected(), jobs=1, start_worker=start)
    assert len(starts) == 1


def test_an_interrupt_ends_the_workers_and_keeps_what_is_finished(hostile_worker):
    workers = []

    class Interrupting(Collected):
        def finished(self, worker, result):
            super().finished(worker, result)
            raise KeyboardInterrupt

    def start():
        workers.append(hostile_worker())
        return workers[-1]

    collected = Interrupting()
    with pytest.raises(KeyboardInterrupt):
        run([case("relu"), case("sleeps")], collected, jobs=1, start_worker=start)
    assert [c.activation for c in collected.results] == ["relu"]
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker.pid, 0)


def test_the_protocol_line_by_line():
    asked = json.dumps({"case": vars(case("relu")), "strict": False}) + "\n"
    done = subprocess.run(
        [sys.executable, "-m", "exportcheck.worker"],
        input=asked,
        capture_output=True,
        text=True,
        check=True,
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["event"] == "ready"
    assert [e["stage"] for e in events if e["event"] == "stage"] == [s.value for s in Stage]
    assert events[-1]["event"] == "result"
    assert events[-1]["result"]["status"] == "pass"
    assert events[-1]["result"]["id"] == case("relu").id


def test_an_unknown_activation_is_unavailable(hostile_worker):
    worker = hostile_worker()
    result = worker.check(case("no-such"), 30.0)
    worker.close()
    assert result.status is Status.UNAVAILABLE
    assert "no-such" in result.message


BAD = Path(__file__).parent / "user_code" / "bad.py"


def bad(name):
    return ModuleSpec(f"{BAD}:{name}")


def line_of(name):
    lines = BAD.read_text().splitlines()
    return f"bad.py:{next(i for i, one in enumerate(lines, 1) if f'# line of {name}' in one)}"


@pytest.mark.parametrize(
    ("name", "timeout_s", "words"),
    [
        ("Dies", 60.0, "forward ends the process, with exit code 7"),
        ("Aborts", 60.0, "forward ends the process, of signal SIGABRT"),
        ("Sleeps", 3.0, "forward gives no answer within 3 s"),
        ("Spins", 3.0, "the constructor gives no answer within 3 s"),
    ],
)
def test_user_code_that_ends_or_hangs_the_worker_is_named_with_its_line(name, timeout_s, words):
    worker = WorkerProcess()
    with pytest.raises(BadModule) as caught:
        worker.inspect(bad(name), "bare", timeout_s)
    assert line_of(name) in str(caught.value)
    assert words in str(caught.value)
    with pytest.raises(ProcessLookupError):
        os.kill(worker.pid, 0)


@pytest.fixture(scope="module")
def worker():
    started = WorkerProcess()
    yield started
    started.close()


@pytest.mark.parametrize("name", ["Exits", "Forks", "Constructor", "NoSuchThing"])
def test_a_refused_module_costs_no_worker(worker, name):
    with pytest.raises(BadModule, match=r"bad\.py"):
        worker.inspect(bad(name), "bare", 60.0)
    facts = worker.inspect(ModuleSpec("tests.user_code.good:Hard"), "bare", 60.0)
    assert facts["elementwise"]


def test_what_a_module_prints_is_no_answer(worker):
    facts = worker.inspect(bad("Prints"), "bare", 60.0)
    assert facts["notes"] == [f"tests/user_code/{line_of('Prints')} writes to stdout"]


def test_a_users_module_is_a_case_like_any_other(worker):
    spec = ModuleSpec("tests.user_code.good:Block")
    mine = Case(spec.name, "bare", "coreml-fp32", "mil-numpy", "torch-2.13")
    result = worker.check(mine, 60.0, module=spec)
    assert (result.status, result.stage, result.family) == (Status.ERROR, Stage.EXPORT, spec.name)
    (operator,) = result.blame.operators
    assert (operator.name, operator.module) == ("aten::log_sigmoid", "act")
    assert operator.source.startswith("tests/user_code/good.py:")


def test_a_users_module_that_is_bad_is_an_error_at_build(worker):
    spec = bad("Constructor")
    mine = Case(spec.name, "bare", "torch-export", "torch", "torch-2.13")
    result = worker.check(mine, 60.0, module=spec)
    assert (result.status, result.stage) == (Status.ERROR, Stage.BUILD)
    assert result.message.startswith(f"tests/user_code/{line_of('Constructor')}: the constructor")


def test_a_form_is_found_and_a_claim_is_proved_or_refuted(worker):
    spec = ModuleSpec("tests.user_code.good:Block")
    mine = Case(spec.name, "bare", "", "", "")
    answer = worker.rewrite(spec, mine, ["coreml-fp32"], 120.0)
    assert [one["path"] for one in answer["found"]] == ["act"]
    hard = ModuleSpec("tests.user_code.good:Hard")
    mine = Case(hard.name, "bare", "", "", "")
    assert worker.hold_against("torch.nn.Hardswish", hard, mine, 60.0)["proof"]
    refuted = worker.hold_against("torch.nn.Hardsigmoid", hard, mine, 60.0)["refuted"]
    assert "where the reference gives" in refuted["why"]
    with pytest.raises(BadModule, match="there is no 'Hardswich' in it"):
        worker.hold_against("torch.nn.Hardswich", hard, mine, 60.0)

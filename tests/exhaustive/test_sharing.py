"""Workers that share pieces: stand-ins for what may go wrong, two real ones for the figures."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from exportcheck.errors import BadModule, EnvironmentBroken
from exportcheck.exhaustive.figures import figures_from_json
from exportcheck.exhaustive.preparing import prepare
from exportcheck.exhaustive.sharing import BATCH, Team
from exportcheck.subject import subject
from exportcheck.worker_pipe import WorkerDied
from exportcheck.worker_process import WorkerProcess

PIECES = list(range(5 * BATCH + 3))


class StandIn:
    """A worker that answers `answers`, refuses and dies of some pieces."""

    def __init__(self, answers="a", refused=(), deadly=()):
        self.answers, self.refused, self.deadly = answers, refused, deadly
        self.killed, self.asked = False, []
        self.meet = lambda: None

    def prove(self, pieces, timeout_s):
        self.meet()
        self.asked += pieces
        for piece in pieces:
            if piece in self.refused:
                raise BadModule("no such number")
            if piece in self.deadly:
                raise WorkerDied
            yield piece, {"of": piece}

    def kill(self):
        self.killed = True


def team(workers, given, lanes=None):
    """Of so many lanes, of as many as there are workers where not said, which begin together."""
    waiting, lanes = list(workers), lanes or len(workers)
    together = threading.Barrier(lanes)
    for worker in workers:
        worker.meet = partial(_meet, worker, together)
    return Team(lambda w: {"answers": w.answers}, lambda: waiting.pop(0), given.append, lanes)


def _meet(worker, together):
    """Once only: a lane that is quick must not be through before another one has begun."""
    worker.meet = lambda: None
    together.wait(60)


def tried(several, pieces=PIECES):
    with several:
        several.ready()
        return dict(several.prove(pieces, 9.0))


def test_each_piece_is_tried_once_and_all_are_idle_afterwards():
    workers, given = [StandIn(), StandIn(), StandIn()], []
    with team(workers, given) as several:
        assert several.ready() == {"answers": "a"}
        found = dict(several.prove(PIECES, 9.0))
    assert found == {piece: {"of": piece} for piece in PIECES}
    assert sorted(piece for worker in workers for piece in worker.asked) == PIECES
    assert sorted(map(id, given)) == sorted(map(id, workers))
    assert not any(worker.killed for worker in workers)


def test_nothing_to_try_is_nothing_asked():
    workers, given = [StandIn(), StandIn()], []
    with team(workers, given) as several:
        several.ready()
        assert list(several.prove([], 9.0)) == []
    assert not any(worker.asked for worker in workers)


def test_one_that_dies_is_replaced_and_nothing_is_tried_twice():
    first, second, given = StandIn(deadly={5}), StandIn(), []
    several = team([first, second], given, lanes=1)
    assert set(tried(several)) == set(PIECES)
    assert first.asked == PIECES[:BATCH]
    assert second.asked == PIECES[5:]
    assert given == [second]


def test_what_kills_two_in_a_row_is_said_with_its_place():
    workers, given = [StandIn(deadly={0x3F8}), StandIn(deadly={0x3F8})], []
    several = team(workers, given, lanes=1)
    with pytest.raises(BadModule, match="twice, at numbers from 1 on"):
        tried(several, [0x3F8])


def test_two_that_die_idle_are_the_environments_fault():
    several = Team(dead, StandIn, [].append, 1)
    with pytest.raises(EnvironmentBroken, match="died idle"):
        tried(several)


def dead(worker):
    raise WorkerDied


def test_what_one_refuses_is_said_and_ends_all():
    workers, given = [StandIn(refused={1}), StandIn(refused={1})], []
    with pytest.raises(BadModule, match="no such number"):
        tried(team(workers, given))
    assert all(worker.killed for worker in workers)
    assert given == []


def test_one_that_answers_otherwise_is_refused():
    workers, given = [StandIn("a"), StandIn("b")], []
    with pytest.raises(BadModule, match="otherwise in another"):
        tried(team(workers, given))
    assert all(worker.killed for worker in workers)


def test_one_that_has_not_started_is_not_waited_for():
    first, late, given = StandIn(), StandIn(), []
    may_start, started = threading.Event(), threading.Event()
    calls = iter(range(2))

    def take():
        if next(calls) == 0:
            return first
        may_start.wait(60)
        started.set()
        return late

    with Team(lambda w: {"answers": w.answers}, take, given.append, 2) as several:
        several.ready()
        assert len(dict(several.prove(PIECES, 9.0))) == len(PIECES)
    assert given == [first]
    may_start.set()
    assert started.wait(60)
    for lane in several._lanes:
        lane.join(60)
    assert late.killed


def test_two_processes_come_to_what_one_does():
    runs = [("torchscript-trace", "libtorch")]
    pieces = [0x3F8, 0x3F9, 0x408, 0xC04]
    alone = prepare(subject("hardswish", "bare"), runs, None).prover
    workers = []

    def take():
        workers.append(WorkerProcess())
        return workers[-1]

    given = []
    with Team(lambda w: w.prepare(None, "hardswish", runs, 60), take, given.append, 2) as two:
        key = two.ready()["key"]
        found = dict(two.prove(pieces, 60))
    for worker in given:
        worker.close()
    assert key
    assert given
    for piece in pieces:
        assert figures_from_json(found[piece]) == alone.measure(piece)

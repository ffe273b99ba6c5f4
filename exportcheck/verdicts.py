"""What a report comes to, in words: where a module ships, where not and why, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exportcheck.escaping import brief
from exportcheck.matrix import Column, Failure, failures
from exportcheck.results import INCOMPARABLE, TRACE_FIXES, Culprit, Report, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_GROUPS = {"torch.jit": "TorchScript", "torch export": "torch.export"}
"""What people call the exporters whose heading in the matrix is another."""

_CAUSE = 80
"""Characters of a cause in a verdict, which is to stay one line."""

_VERBS = {
    Status.MISMATCH: ("gives wrong numbers", "give wrong numbers"),
    Status.ERROR: ("fails", "fail"),
    Status.CRASH: ("crashes", "crash"),
    Status.TIMEOUT: ("hangs", "hang"),
}


def verdict(report: Report, activation: str) -> str:
    """`ships to TorchScript and ONNX; Core ML fails: no translation for aten::celu`, in one line.

    Args:
        report: of which only the results of `activation` count.
        activation: as the cases name it.
    """
    results = [r for r in report.results if r.case.activation == activation]
    asked = list(dict.fromkeys(Column(r.case.target, r.case.runtime) for r in results))

    def columns(*statuses: Status) -> list[Column]:
        """Those in which the worst of all networks has one of the statuses."""
        return [c for c in asked if _status_in(c) in statuses]

    def _status_in(column: Column) -> Status:
        found = [r.status for r in results if (r.case.target, r.case.runtime) == _key(column)]
        order = [*_VERBS, Status.UNAVAILABLE, Status.PASS]
        return min(found, key=order.index)

    shipped = columns(Status.PASS)
    parts = ["ships nowhere"]
    if shipped:
        parts = [f"ships to {listed(names(shipped, asked, simulated=True))}"]
    for (status, cause), failed in _causes(report, activation).items():
        called = names([c for c in asked if c.target in failed], asked)
        several = len(called) > 1 or _several(called[-1])
        verb = ("gives", "give") if status is None else _VERBS[status]
        said = f" {cause}" if status is None else f": {cause}" if cause else ""
        parts.append(f"{listed(called)} {verb[several]}{said}")
    if absent := columns(Status.UNAVAILABLE):
        parts.append(f"{listed(names(absent, asked))} not tried here")
    return "; ".join(parts)


def _key(column: Column) -> tuple[str, str]:
    return column.target, column.runtime


def _several(name: str) -> bool:
    return " and " in name


def _causes(report: Report, activation: str) -> dict[tuple[Status | None, str], list[str]]:
    """Status and cause to the targets that fail so; no status where no number is compared."""
    found: dict[tuple[Status | None, str], list[str]] = {}
    for failure in failures(report):
        if failure.activation == activation:
            key = (_status(failure), brief(_cause(failure), _CAUSE))
            found.setdefault(key, []).extend(failure.targets)
    return found


def _status(failure: Failure) -> Status | None:
    kinds = {k for r in failure.results for c in r.comparisons.values() for k in c.kinds}
    other = failure.status is Status.MISMATCH and kinds & {*INCOMPARABLE}
    return None if other else failure.status


def _cause(failure: Failure) -> str:
    """Who and what, shorter than the exporter says it."""
    blame = failure.blame
    if blame and blame.operators:
        return blame.text
    if _status(failure) is Status.MISMATCH:
        return blame.culprit.value if blame else ""
    return " ".join(failure.cause.partition(". ")[0].split())


def names(
    columns: Sequence[Column], asked: Sequence[Column], *, simulated: bool = False
) -> list[str]:
    """`ONNX trace 13 and 17`, `Core ML (simulated)`: exporters, with variants where only some.

    Args:
        columns: those to name.
        asked: all those that an exporter's bare name would mean.
        simulated: whether to say whose numbers are a reference evaluator's.
    """
    found = []
    for group in dict.fromkeys(column.group for column in columns):
        mine = [c for c in columns if c.group == group]
        whole = [c for c in asked if c.group == group]
        remark = " (simulated)" if simulated and all(c.simulated for c in mine) else ""
        labels = list(dict.fromkeys(c.label for c in mine))
        some = len(labels) < len({c.label for c in whole})
        name = _GROUPS.get(group, group)
        found.append(f"{name}{' ' + listed(labels) if some else ''}{remark}")
    both = ["ONNX trace", "ONNX dynamo"]
    if all(name in found for name in both):
        found[found.index(both[0])] = "ONNX"
        found.remove(both[1])
    return found


def listed(words: Sequence[str]) -> str:
    """`a, b and c`."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def advice(failure: Failure, report: Report) -> list[str]:
    """What whoever wants to ship the module may do about a failure, the best first.

    Args:
        failure: of `report`.
        report: says which other targets pass.
    """
    found = [*_by_culprit(failure, report), *(rule(failure, report) for rule in _RULES)]
    return list(dict.fromkeys(filter(None, found)))


def passing(failure: Failure, report: Report) -> list[str]:
    """The targets that pass for the same module, in the order of the matrix."""
    results = [r for r in report.results if r.case.activation == failure.activation]
    failed = {r.case.target for r in results if r.status is not Status.PASS}
    return list(dict.fromkeys(r.case.target for r in results if r.case.target not in failed))


def _by_culprit(failure: Failure, report: Report) -> list[str]:
    """Something for each culprit, the chief one first."""
    blame = failure.blame
    culprits = (blame.culprit, *blame.also) if blame else ()
    return [text for one in culprits if (text := _for_culprit(one, culprits, failure, report))]


def _for_culprit(
    culprit: Culprit, culprits: Sequence[Culprit], failure: Failure, report: Report
) -> str:
    if culprit is Culprit.EAGER:
        return "nothing: the export is the more accurate side"
    if culprit is Culprit.RANDOM:
        return "make it deterministic in eval mode"
    if culprit is Culprit.PRECISION:
        if "coreml-fp32" in passing(failure, report):
            return "keep float32: compute_precision=ct.precision.FLOAT32 passes"
        if not failure.targets[0].endswith("fp16"):
            return "write the formula so that it keeps its digits, with expm1 or log1p for example"
    right = "where the file is right" if Culprit.EXPORTER in culprits else "the file is right"
    if culprit is Culprit.RUNTIME_OPTIMIZER:
        return f"{right}: switch that optimization off, or report it"
    if culprit is Culprit.RUNTIME_KERNEL:
        return f"{right}: another runtime may compute it rightly; report this one"
    return ""


def _by_decision(failure: Failure, report: Report) -> str:
    """What a trace fixed, where it did: no operator is at fault then."""
    found = (n for r in failure.results for n in r.notes if n.startswith(TRACE_FIXES))
    return next((f"{note}: compute it with tensors, as by torch.where" for note in found), "")


def _by_operator(failure: Failure, report: Report) -> str:
    operators = [o.name for o in failure.blame.operators] if failure.blame else []
    if "dictconstruct" in operators:
        return "return a tuple instead of a dictionary"
    if any(name.rpartition("::")[2].endswith("_") for name in operators):
        return "write it out of place"
    return ""


_BY_WORDS = (
    ("data-dependent", "a branch or a size depends on data: use torch.where, or torch._check"),
    ("Tracer cannot infer type", "return tensors in tuples, lists or one dictionary, no None"),
    ("Only tensors, lists, tuples of tensors", "return tensors alone: no numbers and no None"),
    ("input mutation", "write it out of place"),
    ("Required inputs", "a default argument became an input: make it an attribute"),
    ("was not annotated", "annotate it with its type, as `beta: float = 1.0`"),
    ("strict=False", "return a tuple instead of a dictionary"),
)


def _by_words(failure: Failure, report: Report) -> str:
    return next((todo for words, todo in _BY_WORDS if words in failure.cause), "")


def _by_other_route(failure: Failure, report: Report) -> str:
    """Another way to the same format, where one passes."""
    right = passing(failure, report)
    if failure.targets == ("torchscript-script",) and "torchscript-trace" in right:
        return "trace it instead (torchscript-trace passes); a trace has no branches"
    for prefix in ("torchscript-", "onnx-", "coreml-"):
        if all(name.startswith(prefix) for name in failure.targets):
            others = [name for name in right if name.startswith(prefix)]
            if others:
                return f"export by {listed(others)}, which {'pass' if others[1:] else 'passes'}"
    return ""


_RULES: Sequence[Callable[[Failure, Report], str]] = (
    _by_decision,
    _by_operator,
    _by_words,
    _by_other_route,
)


def notes(report: Report, activation: str) -> Iterator[tuple[str, list[Column]]]:
    """Each note once, with the columns it is about."""
    found: dict[str, list[Column]] = {}
    for result in report.results:
        if result.case.activation == activation and result.status is Status.PASS:
            for note in result.notes:
                found.setdefault(note, []).append(Column(result.case.target, result.case.runtime))
    yield from found.items()

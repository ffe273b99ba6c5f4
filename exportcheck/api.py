"""From Python, in this process: `exportcheck.check` and `exportcheck.assert_exportable`."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import io
import logging
import random
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from exportcheck.custom.calling import function_module, with_structure
from exportcheck.custom.guessing import Guess, guess
from exportcheck.custom.importing import defined_at
from exportcheck.custom.inspecting import steady_outputs
from exportcheck.custom.module_spec import InputSpec
from exportcheck.custom.modules import FromModule, forward_of
from exportcheck.custom.resolving import Resolved
from exportcheck.environment import describe
from exportcheck.errors import BadModule, UsageError
from exportcheck.logs import NEWSMONGER, is_news, tidy
from exportcheck.matrix import failures
from exportcheck.results import Case, Report, Result
from exportcheck.selection import current_toolchain, runnable
from exportcheck.stages import check as check_case
from exportcheck.subject import Subject
from exportcheck.verdicts import advice, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import nn


class ModuleReport(Report):
    """A report of one module, which prints as its verdict, the matrix and the failures."""

    def __str__(self) -> str:
        from exportcheck.render.terminal import render

        names = dict.fromkeys(r.case.activation for r in self.results)
        heads = [f"{name} {verdict(self, name)}" for name in names]
        width = shutil.get_terminal_size((160, 24)).columns
        return "\n".join([*heads, "", render(self, width=width).rstrip()])


def check(
    module: nn.Module | Callable[..., Any],
    example_inputs: Any = None,
    *,
    targets: Sequence[str] | str = (),
    dynamic: Sequence[int] = (),
    strict: bool = False,
    name: str = "",
) -> ModuleReport:
    """Exports a module by every target, runs each file back and compares it with eager.

    In this process: a crash of an exporter is yours too. The module is copied and not touched; its
    copy runs in eval mode on the CPU.

    Args:
        module: an `nn.Module`, or a function of tensors.
        example_inputs: a tensor, a tuple of arguments, or a dictionary of keyword arguments, nested
            as you like; guessed where there are none: NCHW, then (N, C), then (N, L, C).
        targets: names or patterns such as `onnx-*`, or one of them; all targets that run here when
            empty.
        dynamic: axes, of every input, whose size may change after the export.
        strict: whether what is else only noted fails too: NaN, signed zeros, huge inputs.
        name: in the report; that of the class or function when empty.

    Raises:
        UsageError: there is no such target.
        BadModule: a `UsageError`: the module takes no such inputs, returns no tensor, or is not
            deterministic; the message has the line.
    """
    name = (name or _name(module)).replace("/", "_")
    with _undisturbed() as said:
        source = _source(module, example_inputs, name, tuple(dynamic))
        example = tuple(tensor.numpy() for tensor in source.example())
        try:
            steady_outputs(source, example)
        except BadModule as refusal:
            raise BadModule(f"{refusal}{_hint(example_inputs, str(refusal))}") from refusal
        what = Subject(source)
        toolchain = current_toolchain()
        results = [
            _logged(Case(name, "bare", target, runtime, toolchain), what, strict, said)
            for target, runtime in runnable(targets)
        ]
    return ModuleReport(tuple(results), describe())


def assert_exportable(
    module: nn.Module | Callable[..., Any],
    example_inputs: Any = None,
    *,
    targets: Sequence[str] | str = (),
    dynamic: Sequence[int] = (),
    strict: bool = False,
    name: str = "",
) -> ModuleReport:
    """The report of `check`, all of it green; arguments as there.

    Raises:
        AssertionError: a target fails; the message has the worst point, the operator, the blame and
            what to do.
        UsageError: as `check`.
    """
    report = check(
        module, example_inputs, targets=targets, dynamic=dynamic, strict=strict, name=name
    )
    if report.failures:
        raise AssertionError(explained(report))
    return report


def explained(report: Report) -> str:
    """The verdict, and for each failure the worst point, the operator, the blame, what to do."""
    lines = [
        f"{activation} {verdict(report, activation)}"
        for activation in dict.fromkeys(r.case.activation for r in report.results)
    ]
    for failure in failures(report):
        lines.append(f"{', '.join(failure.targets)}: {failure.status.value} at {failure.stage}")
        lines.append(f"    {failure.cause}")
        if failure.blame:
            lines.append(f"    blame: {failure.blame.sentence}")
            for operator in failure.blame.operators:
                where = ", ".join(filter(None, (operator.module, operator.source)))
                lines.append(f"    {operator.name}{f' in {where}' if where else ''}")
        lines += [f"    do: {text}" for text in advice(failure, report)]
    lines.append("exportcheck.make_exportable swaps what fails for forms that are proved equal")
    return "\n".join(lines)


def _name(module: Any) -> str:
    names = (getattr(module, name, "") for name in ("__name__", "original_name"))
    return next(filter(None, names), type(module).__name__)


def _source(module: Any, example_inputs: Any, name: str, dynamic: tuple[int, ...]) -> FromModule:
    import torch

    args, kwargs = _call(example_inputs)
    where = defined_at(module) or _name(module)
    if not isinstance(module, torch.nn.Module):
        if not callable(module) or isinstance(module, type):
            kind = type(module).__name__
            raise UsageError(f"{module!r} is {kind}; an nn.Module or a function was expected")
        module = function_module(module, {}, len(args) + len(kwargs))
    module = copy.deepcopy(module).cpu().eval()
    if example_inputs is None:
        found = guess(module, forward_of(module) or where)
        return FromModule(name, _ready(module, where), found, dynamic=dynamic)
    module, tensors = with_structure(module, args, kwargs)
    values = tuple(tensor.detach().cpu().numpy() for tensor in tensors)
    given = Guess(tuple(InputSpec(v.shape, str(v.dtype)) for v in values), "given")
    return FromModule(name, _ready(module, where), given, dynamic=dynamic, values=values)


def _ready(module: nn.Module, where: str) -> Resolved:
    return Resolved(lambda: copy.deepcopy(module).eval(), where, ready=True)


def _call(example_inputs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and keyword arguments."""
    if example_inputs is None:
        return (), {}
    if isinstance(example_inputs, dict):
        return (), dict(example_inputs)
    if isinstance(example_inputs, tuple):
        return example_inputs, {}
    return (example_inputs,), {}


def _hint(example_inputs: Any, refusal: str) -> str:
    """How several arguments are written, where they may have been written otherwise."""
    if isinstance(example_inputs, list):
        return "; a list is one argument: several arguments go in a tuple, as (x, y)"
    if isinstance(example_inputs, tuple) and "positional argument" in refusal:
        return "; a tuple is the arguments: one that is itself a tuple goes in another, ((x, y),)"
    return ""


def _logged(case: Case, what: Subject, strict: bool, said: io.StringIO) -> Result:
    start = said.tell()
    result = check_case(case, strict=strict, find=lambda: what)
    return dataclasses.replace(result, log=tidy(said.getvalue()[start:]))


@contextlib.contextmanager
def _undisturbed() -> Iterator[io.StringIO]:
    """Leaves the caller's random numbers as they are, and keeps what exporters print."""
    import torch

    said = io.StringIO()
    states = random.getstate(), np.random.get_state()
    logger = logging.getLogger(NEWSMONGER)
    logger.addFilter(is_news)
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(torch.random.fork_rng(devices=[]))
            stack.enter_context(contextlib.redirect_stdout(said))
            stack.enter_context(contextlib.redirect_stderr(said))
            yield said
    finally:
        logger.removeFilter(is_news)
        random.setstate(states[0])
        np.random.set_state(states[1])

"""Why an exporter refuses a module: every operator it lacks, and the line that calls each."""

from __future__ import annotations

import re
import traceback
from typing import Sequence

from exportcheck.judge import described
from exportcheck.places import is_theirs, place, short
from exportcheck.results import Blame, Culprit, Evidence, Operator, Stage
from exportcheck.subject import Subject
from exportcheck.targets.interface import Target
from exportcheck.targets.torchscript import trace


def blame_failure(what: Subject, target: Target, stage: Stage, error: BaseException) -> Blame:
    """Which operators stand in the way of an export, and where the module calls them."""
    if stage is Stage.RUN and _MORE_INPUTS in str(error):
        text = "the file asks for more inputs than forward was called with"
        return Blame(Culprit.EXPORTER, text)
    if stage not in (Stage.EXPORT, Stage.SAVE):
        text = f"it fails at stage {stage.value}, after the export"
        return Blame(Culprit.UNDECIDED, text)
    evidence = []
    try:
        missing = list(target.untranslated(what.build(), what.example()))
        evidence.append(
            Evidence(
                f"{target.name}: every operator looked up", ", ".join(missing) or "none missing"
            )
        )
    except (Exception, SystemExit) as trouble:  # the look-up is a help, not the verdict
        missing = []
        evidence.append(Evidence("looking up every operator", described(trouble).splitlines()[0]))
    calls = _calls(what)
    names = missing or _operators_in(str(error)) or _in_place(str(error), calls)
    operators = tuple(dict.fromkeys(_located(name, calls) for name in names))
    if missing:
        text = f"no translation for {', '.join(o.name for o in operators)}"
    elif operators:
        text = f"it refuses {operators[0].name}"
    else:
        where = raised_at(error)
        text = f"it raises{f' at {where}' if where else ''}, and names no operator"
    return Blame(Culprit.EXPORTER, text, tuple(evidence), operators)


_MORE_INPUTS = "Required inputs"
"""How ONNX Runtime's complaint begins where one that the file has is not given."""


def raised_at(error: BaseException) -> str:
    """The user's line that an exporter's exception passed through, or that its message names."""
    chain: list[BaseException] = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) and cause not in chain:
        chain.append(cause)
    for one in reversed(chain):
        if found := place(one):
            return found
        for file, line in re.findall(r'File "([^"\n]+)", line (\d+)', str(one))[::-1]:
            if is_theirs(file):
                return f"{short(file)}:{line}"
    return ""


_OPERATOR_PATTERNS = (
    r"OpOverload\(op='(aten\.\w+)'",
    r"operator '?(?:aten::)?(\w+)'?(?:,| to ONNX)",
    r"function for op '(\w+)' not",
    r"Unsupported fx node (\w+)",
    r"Python function call '(\w+)'",
    r"^\s*(\w+)\(Tensor ",
    r"In op, of type (\w+), ",
    r"^(\w+) op: ",
)


def _in_place(message: str, calls: Sequence[Operator]) -> Sequence[str]:
    """The operators that write to their input, where the message complains of that."""
    return [call.name for call in calls if call.name.endswith("_")] if "mutation" in message else []


def _operators_in(message: str) -> Sequence[str]:
    """The operators that an exporter's message names."""
    return [m for pattern in _OPERATOR_PATTERNS for m in re.findall(pattern, message, re.MULTILINE)]


def _located(name: str, calls: Sequence[Operator]) -> Operator:
    """The call whose operator is `name`, give or take namespace, overload and in-place mark."""
    wanted = re.split(r"::|\.", name)[-1].strip("_")
    while wanted:
        for call in calls:
            if call.name.split("::")[-1].strip("_") == wanted:
                return call
        # rrelu_with_noise_functional is what became of rrelu.
        wanted = wanted.rpartition("_")[0]
    return Operator(name)


def _calls(what: Subject) -> Sequence[Operator]:
    """Every operator that a trace of the module contains, with the place that calls it."""
    try:
        graph = trace(what.build(), what.example()).inlined_graph
    except (Exception, SystemExit):  # what cannot be traced is located nowhere; its error says why
        traceback.print_exc()
        return ()
    return [
        Operator(
            name=node.pyname() if node.kind() == "prim::PythonOp" else node.kind(),
            module=node.scopeName()
            .rpartition("/")[2]
            .replace("__module.", "")
            .replace("__module", ""),
            source=_source(node.sourceRange()) or what.place,
        )
        for node in graph.nodes()
    ]


def _source(frames: str) -> str:
    """The innermost line outside PyTorch, else that of PyTorch's own module: `file.py:12`.

    Args:
        frames: a node's source range: one `file(line): function` a line, the innermost first.
    """
    called = frames.partition("torch/jit/_trace.py")[0]
    found = re.findall(r"^(.+)\((\d+)\): (\S+)$", called, re.MULTILINE)
    outside = [f for f in found if "/torch/" not in f[0] and not f[0].startswith("<")]
    forwards = [f for f in found if f[2] == "forward"]
    chosen = (outside or forwards or found or [("", "", "")])[0]
    return f"{short(chosen[0])}:{chosen[1]}" if chosen[0] else ""

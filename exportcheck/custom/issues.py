"""The text of an issue about a failure, ready to be filed."""

from __future__ import annotations

import platform

from exportcheck.custom.reducing import Reduced
from exportcheck.results import TRACE_FIXES, Blame, Case, Culprit, Stage, Status
from exportcheck.targets import targets

_HOMES = {
    ".onnx": "https://github.com/pytorch/pytorch/issues (torch.onnx)",
    ".pt": "https://github.com/pytorch/pytorch/issues (torch.jit)",
    ".pt2": "https://github.com/pytorch/pytorch/issues (torch.export)",
    ".mlpackage": "https://github.com/apple/coremltools/issues",
}


def issue(small: Reduced, case: Case, code: str, script: str) -> str:
    """A report ready to be filed.

    Args:
        small: what fails.
        case: how it was checked.
        code: defines the module.
        script: the name of the file to run.
    """
    result = small.result
    target = targets()[case.target]
    blame = result.blame
    addressed = " and ".join(_homes(blame, target.suffix))
    addressed = addressed if result.reportable else "nobody: no exporter or runtime is at fault"
    versions = {"python": platform.python_version(), **result.versions}
    wrong = result.status is Status.MISMATCH
    lines = [
        f"<!-- to: {addressed} -->",
        f"# {_title(small, case)}",
        "",
        "### What happens",
        "",
        "```",
        _without_us(result.message) or result.status.value,
        "```",
        "",
        "### What was expected",
        "",
        f"That it {'runs' if wrong else 'exports, and runs'} like eager PyTorch.",
        "",
        "### How to see it",
        "",
        f"`python {script}` in this folder; it ends with 0 once nothing is wrong"
        + (", with 2 where only macOS could tell." if target.suffix == ".mlpackage" else "."),
        "",
        "```python",
        code.rstrip(),
        "```",
        "",
    ]
    if small.path:
        lines += [f"The module is `{small.path}` of a larger one, which fails the same way.", ""]
    if blame:
        lines += ["### What is known", "", f"- {blame.sentence}"]
        lines += [f"- {e.tried}: {e.found}" for e in blame.evidence]
        lines += [f"- {note}" for note in result.notes if note.startswith(TRACE_FIXES)]
        lines += [
            "- " + " in ".join(filter(None, (o.name, _without_us(o.source))))
            for o in blame.operators
        ]
        lines.append("")
    lines += ["### Versions", ""]
    lines += [f"- {name} {version}" for name, version in versions.items()]
    lines.append(f"- {platform.system()} {platform.machine()}")
    return "\n".join(lines) + "\n"


def _homes(blame: Blame | None, suffix: str) -> list[str]:
    """Where those are told who made numbers wrong."""
    culprits = (blame.culprit, *blame.also) if blame else ()
    runtime = (Culprit.RUNTIME_KERNEL, Culprit.RUNTIME_OPTIMIZER)
    if suffix != ".onnx" or not any(one in runtime for one in culprits):
        return [_HOMES[suffix]] if suffix in _HOMES else []
    exporter = [_HOMES[suffix]] if Culprit.EXPORTER in culprits else []
    return [*exporter, "https://github.com/microsoft/onnxruntime/issues"]


def _without_us(message: str) -> str:
    """The message without the lines of a stack that are this package's."""
    return "\n".join(line for line in message.strip().splitlines() if "exportcheck/" not in line)


def _title(small: Reduced, case: Case) -> str:
    result = small.result
    operators = result.blame.operators if result.blame else ()
    what = operators[0].name if operators else type(small.what.build()).__name__
    if result.stage is Stage.COMPARE:
        return f"{what}: wrong numbers from {case.target}"
    return f"{what}: {case.target} fails at {result.stage.value}"

"""Which cases there are and which are asked for."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from exportcheck.catalog import activations
from exportcheck.catalog.interface import ALL_NETWORKS
from exportcheck.environment import version
from exportcheck.errors import EnvironmentBroken, UsageError
from exportcheck.results import Case
from exportcheck.targets import targets
from exportcheck.toolchains.locks import JOINT, locked_versions
from exportcheck.versions import fits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from exportcheck.targets import Target


@dataclass(frozen=True)
class Selection:
    """What the command line asks for; empty means everything.

    Attributes:
        select: fnmatch patterns on case ids, at least one must match.
        skip: fnmatch patterns on case ids, none may match.
        families: names of families.
        targets: names of targets, or fnmatch patterns on them.
        networks: names of networks.
        quick: only the bare network and one variant of each exporter.
    """

    select: Sequence[str] = ()
    skip: Sequence[str] = ()
    families: Sequence[str] = ()
    targets: Sequence[str] = ()
    networks: Sequence[str] = ()
    quick: bool = False


def current_toolchain() -> str:
    """The name of the toolchain installed here, for example `torch-2.13`.

    Raises:
        EnvironmentBroken: there is no PyTorch.
    """
    try:
        version = metadata.version("torch")
    except metadata.PackageNotFoundError as error:
        raise EnvironmentBroken("torch is not installed here: pip install torch") from error
    return "torch-" + ".".join(version.split(".")[:2])


def toolchains() -> list[str]:
    """The names of the toolchains that cases may be of, that of this machine first."""
    folder = Path(__file__).with_name("toolchains")
    locked = sorted(p.stem for p in folder.glob("torch-*.in"))
    return list(dict.fromkeys((current_toolchain(), *locked)))


def all_cases(toolchain: str, *, anywhere: bool = False, modules: Iterable[str] = ()) -> list[Case]:
    """Every case that can run on this machine, those of one activation and network together.

    Args:
        toolchain: the toolchain of all of them; the targets are those that its versions have. Where
            another coremltools stands in for its own, only Core ML's.
        anywhere: also the cases that can run on other machines only.
        modules: the names of a user's own, which are checked bare.
    """
    rows = [(a.name, network) for a in activations().values() for network in a.networks]
    rows += [(name, "bare") for name in modules]
    columns = runnable(anywhere=anywhere, toolchain=toolchain)
    return [
        Case(name, network, target, runtime, toolchain)
        for name, network in rows
        for target, runtime in columns
    ]


def runnable(
    patterns: Sequence[str] | str = (), *, anywhere: bool = False, toolchain: str = ""
) -> list[tuple[str, str]]:
    """Each target with each runtime that this machine has for it.

    Args:
        patterns: names of targets, or fnmatch patterns on them, or one; all targets where there are
            none.
        anywhere: also the runtimes of other machines.
        toolchain: whose targets; this process's own without.

    Raises:
        UsageError: a pattern matches no target, or none that is for this toolchain.
    """
    patterns = (patterns,) if isinstance(patterns, str) else patterns
    _check_names("target", patterns, list(targets()))
    fitting = [t for t in targets().values() if _is_for(t, toolchain)]
    _check_fitting(patterns, [target.name for target in fitting], toolchain)
    return [
        (target.name, runtime.name)
        for target in fitting
        for runtime in target.runtimes
        if _any(target.name, patterns) and (anywhere or runtime.missing() is None)
    ]


def _is_for(target: Target, toolchain: str) -> bool:
    """Whether a target is for the versions of a toolchain."""
    if JOINT in toolchain and "coremltools" not in target.distributions:
        return False  # it would be the toolchain's own results again
    wanted: Mapping[str, str] = getattr(target, "versions", {})
    locked = locked_versions(toolchain) or {}
    # What is missing here is taken for new: its cases say that it is.
    return fits(wanted, {n: locked.get(n) or version(n) or "9999" for n in wanted})


def _check_fitting(patterns: Sequence[str], fitting: Sequence[str], toolchain: str) -> None:
    """Raises UsageError where a pattern matches only targets of other toolchains."""
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in fitting):
            one = next(t for n, t in targets().items() if fnmatchcase(n, pattern))
            wanted: Mapping[str, str] = getattr(one, "versions", {})
            needs = ", ".join(f"{name} {wish}" for name, wish in wanted.items())
            raise UsageError(
                f"target {one.name} is for {needs}, not for {toolchain or current_toolchain()}"
            )


def choose(selection: Selection, cases: Sequence[Case]) -> list[Case]:
    """The cases that `selection` asks for.

    Raises:
        UsageError: a name or pattern matches nothing, or nothing is left.
    """
    family_of = {name: activation.family for name, activation in activations().items()}
    ids = [case.id for case in cases]
    for pattern in (*selection.select, *selection.skip):
        if not any(fnmatchcase(case_id, pattern) for case_id in ids):
            raise UsageError(_nothing_matches(pattern, cases))
    own = {case.activation for case in cases} - set(family_of)
    _check_names("family", selection.families, sorted({*family_of.values(), *own}))
    _check_names("target", selection.targets, list(targets()))
    of = ", ".join(dict.fromkeys(case.toolchain for case in cases))
    _check_fitting(selection.targets, [case.target for case in cases], of)
    _check_names("network", selection.networks, list(ALL_NETWORKS))
    chosen = [
        case
        for case in cases
        if _any(case.id, selection.select)
        and not (selection.skip and _any(case.id, selection.skip))
        and _any(family_of.get(case.activation, case.activation), selection.families)
        and _any(case.target, selection.targets)
        and _any(case.network, selection.networks)
        and (not selection.quick or (case.network == "bare" and targets()[case.target].quick))
    ]
    if not chosen:
        raise UsageError("no case fits all options together; `exportcheck list cases` shows them")
    return chosen


def _any(text: str, patterns: Iterable[str]) -> bool:
    """Whether a pattern matches, which no patterns at all do too."""
    patterns = tuple(patterns)
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)


def _check_names(kind: str, asked: Sequence[str], known: Sequence[str]) -> None:
    for name in asked:
        if not any(fnmatchcase(one, name) for one in known):
            raise UsageError(f"no {kind} {name!r}{nearest(name, known)}")


def _nothing_matches(pattern: str, cases: Sequence[Case]) -> str:
    """Says so, with the nearest names to each part of the pattern that no case has."""
    columns = ("activation", "network", "target", "runtime", "toolchain")
    hints = []
    asked = list(dict.fromkeys(case.toolchain for case in cases))
    for column, part in zip(columns, pattern.split("/"), strict=False):
        if part in toolchains() and part not in asked:
            hints.append(f"{part} is not among the toolchains asked for: {', '.join(asked)}")
            continue
        known = sorted({getattr(case, column) for case in cases})
        if not any(fnmatchcase(name, part) for name in known):
            hints.append(f"no {column} {part!r}{nearest(part, known)}")
    if "/" not in pattern:
        hints.append(f"a case id has five parts, so try '{pattern}/*' or '*/{pattern}/*'")
    return f"pattern {pattern!r} matches no case: {'; '.join(hints) or 'not in this combination'}"


def family_named(name: str) -> str:
    """The family of this name, or that of the form of this name.

    Raises:
        UsageError: there is neither; says which are near.
    """
    forms = activations()
    families = {one.family for one in forms.values()}
    if name in families:
        return name
    if name in forms:
        return forms[name].family
    near = nearest(name, sorted({*families, *forms}))
    raise UsageError(f"no family {name!r}{near} (all: exportcheck list activations)")


def nearest(name: str, known: Sequence[str]) -> str:
    """`; nearest: a, b` for a message; where nothing is near, all there are, if they are few."""
    near = difflib.get_close_matches(name.strip("*"), known, n=3, cutoff=0.5)
    if near:
        return f"; nearest: {', '.join(near)}"
    return f"; there are: {', '.join(known)}" if 0 < len(known) <= _FEW else ""


_FEW = 20
"""Names that still fit in a message."""

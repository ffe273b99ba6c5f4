"""Activations and targets of other packages, found through entry points.

A plug-in that cannot be used is not lost: something stands for it in every list and matrix, as
unavailable, with its error.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, Sequence

from exportcheck.catalog.interface import Activation
from exportcheck.errors import Unavailable
from exportcheck.results import Culprit
from exportcheck.targets.interface import Agrees, Arrays, Axes, Inspection, Loaded, Opinion

ACTIVATIONS = "exportcheck.activations"
TARGETS = "exportcheck.targets"
"""The groups; an entry point is an `Activation` or a `Target`, or a sequence of them."""


@dataclass(frozen=True)
class Plugin:
    """What an entry point gave.

    Attributes:
        name: of the entry point.
        found: the objects.
        error: why there are none; empty where there are.
    """

    name: str
    found: tuple[Any, ...]
    error: str = ""


def plugins(group: str, fits: Callable[[Any], bool], taken: Sequence[str]) -> Iterator[Plugin]:
    """Every plug-in of a group, loaded.

    Args:
        group: of entry points.
        fits: whether an object is what was expected.
        taken: names that are given already; an object may not have one of them.
    """
    names = set(taken)
    for entry in _entry_points(group):
        try:
            loaded = entry.load()
            found = tuple(loaded) if isinstance(loaded, (tuple, list)) else (loaded,)
        except (Exception, SystemExit) as error:  # somebody's package may raise anything
            yield Plugin(entry.name, (), f"{type(error).__name__}: {error}")
            continue
        wrong = [one for one in found if not fits(one)]
        if wrong or not found:
            what = type(wrong[0]).__name__ if wrong else "nothing"
            yield Plugin(entry.name, (), f"{entry.value} holds {what}, which is none of {group}")
            continue
        double = [one.name for one in found if one.name in names]
        if double:
            yield Plugin(entry.name, (), f"the name {double[0]!r} of {entry.value} is taken")
            continue
        names.update(one.name for one in found)
        yield Plugin(entry.name, found)


def _entry_points(group: str) -> Sequence[Any]:
    """In the order of their names, whichever package was installed first."""
    try:
        found: Any = metadata.entry_points(group=group)
    except TypeError:  # Python before 3.10 gives a dictionary of all groups
        found = metadata.entry_points().get(group, ())
    return sorted(found, key=lambda entry: (entry.name, entry.value))


def plugged_activations(taken: Sequence[str]) -> list[Activation]:
    """The activations of other packages; one that is unavailable for each plug-in that is broken.

    Args:
        taken: the names of our own.
    """
    made: list[Activation] = []
    for plugin in plugins(ACTIVATIONS, lambda one: isinstance(one, Activation), taken):
        made += plugin.found
        if plugin.error:
            name = _free(plugin.name, [*taken, *(a.name for a in made)])
            told = f"unavailable: {plugin.error}"
            source = f"a plug-in, {ACTIVATIONS}"
            made.append(Activation(name, name, "", told, source, unavailable=plugin.error))
    return made


def plugged_targets(taken: Sequence[str]) -> list[Any]:
    """The targets of other packages; one that is unavailable for each plug-in that is broken.

    Args:
        taken: the names of our own.
    """
    made: list[Any] = []
    for plugin in plugins(TARGETS, _is_target, taken):
        made += plugin.found
        if plugin.error:
            name = _free(plugin.name, [*taken, *(t.name for t in made)])
            made.append(BrokenTarget(name, plugin.error, (BrokenRuntime(plugin.error),)))
    return made


def _is_target(one: Any) -> bool:
    return all(hasattr(one, name) for name in dir(BrokenTarget) if not name.startswith("_"))


def _free(name: str, taken: Sequence[str]) -> str:
    """The name in the manner of ours, another one where it is taken."""
    name = name.replace("/", "-")
    return name if name not in taken else f"{name}-plugin"


@dataclass(frozen=True)
class BrokenRuntime:
    """Stands for the runtime of a target that is not there."""

    broken: str
    name: str = "unavailable"
    simulated: bool = False
    distributions: tuple[str, ...] = ()

    def missing(self) -> str | None:
        """None, so that its cases are shown; each of them is unavailable."""
        return None

    def load(self, path: Path) -> Loaded:
        """Raises Unavailable: always."""
        raise Unavailable(self.broken)

    def opinions(self, path: Path) -> Sequence[Opinion]:
        """None."""
        return ()

    def pinpoint(self, path: Path, culprit: Culprit, agrees: Agrees, inputs: Arrays) -> str:
        """Empty."""
        return ""


@dataclass(frozen=True)
class BrokenTarget:
    """Stands for the targets of a plug-in that cannot be used."""

    name: str
    broken: str
    runtimes: tuple[BrokenRuntime, ...]
    group: str = "plug-in"
    suffix: str = ""
    precision: str = "float32"
    quick: bool = True
    distributions: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Its name."""
        return self.name

    @property
    def siblings(self) -> Mapping[str, Culprit]:
        """None."""
        return {}

    def export(self, module: Any, example: tuple[Any, ...], dynamic: Axes = ()) -> Any:
        """Raises Unavailable: always, with the plug-in's error."""
        raise Unavailable(self.broken)

    def save(self, exported: Any, path: Path) -> None:
        """Raises Unavailable: always."""
        raise Unavailable(self.broken)

    def inspect(self, path: Path) -> Inspection:
        """Raises Unavailable: always."""
        raise Unavailable(self.broken)

    def untranslated(self, module: Any, example: tuple[Any, ...]) -> Sequence[str]:
        """None."""
        return ()

"""Whether installed versions are the wanted ones, as pip writes them: `>=1.8,<2`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

if TYPE_CHECKING:
    from collections.abc import Mapping


def fits(wanted: Mapping[str, str], installed: Mapping[str, str]) -> bool:
    """Whether every installed version is one of the wanted ones."""
    return not misfits(wanted, installed)


def misfits(wanted: Mapping[str, str], installed: Mapping[str, str]) -> tuple[str, ...]:
    """What is not as wanted: `onnxruntime 1.31.1 (here 1.30.0)`."""
    return tuple(
        f"{name} {wish} (here {installed.get(name, 'missing')})"
        for name, wish in wanted.items()
        if not specifier(wish).contains(installed.get(name, "0"), prereleases=True)
    )


def specifier(text: str) -> SpecifierSet:
    """`1.2` means `==1.2`. Raises `InvalidSpecifier`."""
    return SpecifierSet(text if not text[:1].isdigit() else f"=={text}")

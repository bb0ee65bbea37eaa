"""Probes, detectors and providers, looked up by name among the installed entry points.

Groups: `depose.probes`, `depose.detectors`, `depose.providers`. The value of each entry point is a
plain function; built-ins are registered the same way. Only the names in use are imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from typing import Any, Literal

from depose.errors import PluginError
from depose.model import Fact

Kind = Literal["probes", "detectors", "providers"]


@lru_cache(maxsize=8)
def _installed(_path: tuple[str, ...], group: str) -> EntryPoints:
    """Read the entry points of all packages, once for each search path: each reading opens a file for each package."""
    return entry_points(group=group)


def _points(kind: Kind) -> EntryPoints:
    return _installed(tuple(sys.path), f"depose.{kind}")


def names(kind: Kind) -> tuple[str, ...]:
    """Names of all installed plugins of a kind, sorted, without importing them."""
    return tuple(sorted({point.name for point in _points(kind)}))


def _find(kind: Kind, name: str) -> EntryPoint:
    found = tuple(_points(kind).select(name=name))
    if not found:
        raise PluginError(
            f"unknown {kind[:-1]} {name!r}",
            hint=f"known: {', '.join(names(kind)) or 'none; is depose installed?'} (depose list {kind})",
        )
    if len({point.value for point in found}) > 1:
        owners = ", ".join(sorted(str(point.dist and point.dist.name) for point in found))
        raise PluginError(f"{kind[:-1]} {name!r} is offered by several packages: {owners}", hint="uninstall one")
    return found[0]


def load(kind: Kind, name: str) -> Callable[..., Any]:
    """Import one plugin; a plugin that does not load stops the run."""
    point = _find(kind, name)
    try:
        loaded = point.load()
    except Exception as error:  # importing runs code of others, which may raise anything
        raise PluginError(
            f"{kind[:-1]} {name!r} does not load: {error or type(error).__name__}", hint="reinstall its package"
        ) from error
    if not callable(loaded):
        raise PluginError(f"{kind[:-1]} {name!r} is not a function", hint=f"see {point.value}")
    function: Callable[..., Any] = loaded
    return function


def measures(kind: Kind, name: str) -> str:
    """Say in a sentence what a plugin is for, by the first one of its module; nothing where that says nothing."""
    load(kind, name)
    text = getattr(sys.modules.get(_find(kind, name).module), "__doc__", None) or ""
    words = " ".join(text.strip().partition("\n\n")[0].split())
    return words.partition(". ")[0].rstrip(".")


def provenance(kind: Kind, name: str) -> Fact:
    """Name the distribution and version that a plugin comes from, for the log."""
    dist = _find(kind, name).dist
    return Fact(name=f"{kind[:-1]} {name}", value=f"{dist.name} {dist.version}" if dist else "unknown")

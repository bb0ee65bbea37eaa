"""Sort many models into lineages by their weights, and hold what is declared of them against what is measured.

Two models are linked where their weights are not independent, with the level divided by the number of pairs
(Bonferroni), so that among strangers no link at all is expected; a lineage is what links connect. A model that is
linked with two that are not linked with each other, as one merged from both, is of both lineages and joins none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from math import log10
from pathlib import Path

from depose.endpoints.weights import PACKAGED
from depose.errors import DeposeError, EndpointError
from depose.model import Record
from depose.model.weights import EMBEDDINGS_ALONE
from depose.weights.compare import ALPHA, Named, Progress, compare
from depose.weights.layout import layout
from depose.weights.stores import is_first_part, open_weights

LAYERS = 6
"""Layers of one model of each pair that are looked at, in all layers of the other."""


class Link(Record, frozen=True, kw_only=True):
    """One pair of models."""

    left: str
    right: str
    log10_p: float
    linked: bool
    embeddings_alone: bool = False
    """Not independent by a table of embeddings alone, which makes no lineage."""


class NotCompared(Record, frozen=True, kw_only=True):
    """A model or a pair that could not be compared, and why."""

    models: tuple[str, ...]
    reason: str


class Lineage(Record, frozen=True, kw_only=True):
    """Models that links connect."""

    name: str
    """As declared by most of its models, unless another lineage has more of them; else that of its first model."""
    models: tuple[str, ...]
    merged: tuple[str, ...]
    """Those of them that are linked with models that are strangers to each other, such as merges."""


class Conflict(Record, frozen=True, kw_only=True):
    """What is declared of two models and their weights do not go together."""

    models: tuple[str, str]
    declared: tuple[str, str]
    measured: str
    log10_p: float


class Lineages(Record, frozen=True, kw_only=True):
    """Lineages of weights, measured."""

    alpha: float
    """Level of one pair: a millionth, divided by the number of pairs."""
    lineages: tuple[Lineage, ...]
    links: tuple[Link, ...]
    not_compared: tuple[NotCompared, ...]
    conflicts: tuple[Conflict, ...]


def models_in(folder: Path) -> tuple[Named, ...]:
    """Find the models of a folder: its folders of safetensors or GGUF, and its .gguf files; sorted by name."""
    if not folder.is_dir():
        raise EndpointError(f"{folder}: not a folder", hint="name a folder that holds one folder for each model")
    found = [
        Named(name=one.name, path=one)
        for one in sorted(folder.iterdir())
        if (one.suffix == ".gguf" and is_first_part(one))
        or (one.is_dir() and (any(one.glob("*.safetensors")) or any(one.glob("*.gguf"))))
    ]
    if len(found) < 2:
        raise EndpointError(
            f"{folder}: {len(found)} models in it",
            hint=f"it needs two at least; {' or '.join(PACKAGED)} is compared alone",
        )
    return tuple(found)


def lineages(
    models: Sequence[Named],
    declared: Mapping[str, str],
    progress: Progress = lambda done, total: None,
    say: Callable[[str], None] = lambda line: None,
) -> Lineages:
    """Compare every two models and sort them; what cannot be compared is listed with its reason, in no lineage."""
    failed = [one for model in models if (one := _unreadable(model)) is not None]
    for one in failed:
        say(f"{one.models[0]}: {one.reason}")
    unread = {one.models[0] for one in failed}
    pairs = list(combinations([one for one in models if one.name not in unread], 2))
    level = log10(ALPHA) - log10(max(len(pairs), 1))
    links = []
    for done, (left, right) in enumerate(pairs):
        progress(done, len(pairs))
        try:
            found = compare(left, right, layers=LAYERS)
        except DeposeError as error:
            failed.append(NotCompared(models=(left.name, right.name), reason=error.message))
            say(f"{left.name}, {right.name}: {error.message}")
            continue
        alone = any(said.startswith(EMBEDDINGS_ALONE) for said in found.cautions)
        linked = found.reading != "not testable" and found.log10_p <= level
        links.append(
            Link(
                left=left.name,
                right=right.name,
                log10_p=found.log10_p,
                linked=linked and not alone,
                embeddings_alone=alone,
            )
        )
    progress(len(pairs), len(pairs))
    measured = {name for one in links for name in (one.left, one.right)}
    groups, merged = _grouped([one.name for one in models if one.name in measured], links)
    called = _names(groups, declared)
    return Lineages(
        alpha=10**level,
        lineages=tuple(
            Lineage(name=name, models=tuple(group), merged=tuple(sorted(merged & {*group})))
            for name, group in zip(called, groups, strict=True)
        ),
        links=tuple(links),
        not_compared=tuple(failed),
        conflicts=tuple(_conflicts(groups, links, declared)),
    )


def _unreadable(model: Named) -> NotCompared | None:
    """Say why a model cannot be compared with any other, by its files and the names of its tensors; None if it can."""
    try:
        with open_weights(model.path, model.adapter) as store:
            layout(store, model.name)
    except DeposeError as error:
        return NotCompared(models=(model.name,), reason=error.message)
    return None


def _grouped(names: Sequence[str], links: Sequence[Link]) -> tuple[list[list[str]], set[str]]:
    """Sort models into lineages, and name those that are linked with strangers."""
    linked = {frozenset((one.left, one.right)) for one in links if one.linked}
    strangers = {frozenset((one.left, one.right)) for one in links if not one.linked}
    beside = {name: {other for other in names if frozenset((name, other)) in linked} for name in names}
    merged = {
        name for name in names if any(frozenset(pair) in strangers for pair in combinations(sorted(beside[name]), 2))
    }
    group = {name: {name} for name in names}
    for left, right in (sorted(pair) for pair in sorted(linked, key=sorted)):
        if not merged & {left, right}:
            joined = group[left] | group[right]
            for name in joined:
                group[name] = joined
    pure = {tuple(sorted(one - merged)) for one in group.values()} - {()}
    whole = [sorted({*each, *(name for name in merged if beside[name] & {*each})}) for each in pure]
    left_over = [[name] for name in sorted(merged) if not any(name in each for each in whole)]
    return sorted(whole + left_over), merged


def _names(groups: Sequence[Sequence[str]], declared: Mapping[str, str]) -> list[str]:
    """Call each lineage what most of its models are declared, the surer ones first, and no two of them the same."""
    said = [Counter(declared[name] for name in group if declared.get(name)) for group in groups]
    called: dict[int, str] = {}
    for place in sorted(range(len(groups)), key=lambda one: -max(said[one].values(), default=0)):
        wanted = sorted(said[place], key=lambda one: (-said[place][one], one))
        free = [name for name in (*wanted, *groups[place]) if name not in called.values()]
        called[place] = free[0] if free else f"{groups[place][0]} {place + 1}"
    return [called[place] for place in range(len(groups))]


def _conflicts(groups: Sequence[Sequence[str]], links: Sequence[Link], declared: Mapping[str, str]) -> list[Conflict]:
    """Declared as different and of one lineage; declared as one, with nothing against independence."""
    places = {one: {number for number, group in enumerate(groups) if one in group} for group in groups for one in group}
    found = []
    for one in links:
        said = declared.get(one.left, ""), declared.get(one.right, "")
        together = bool(places[one.left] & places[one.right])
        if all(said) and (said[0] == said[1]) != together:
            found.append(
                Conflict(
                    models=(one.left, one.right),
                    declared=said,
                    measured=_measured(one, together=together),
                    log10_p=one.log10_p,
                )
            )
    return found


def _measured(link: Link, *, together: bool) -> str:
    if together:
        return "one lineage"
    return "embeddings alone" if link.embeddings_alone else "nothing against independence"

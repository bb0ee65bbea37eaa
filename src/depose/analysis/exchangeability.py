"""Could suspect and reference be two more of the controls? What speaks for and against it, by bag and detector.

Pure. Dates decide by a rule (`statistics.era`), the number of lineages by names and by likeness (`statistics.clades`);
what lies outside the hull of the controls becomes a row among the conditions, beside those of the validation study.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from depose.analysis.opinion import FEWEST_LINEAGES
from depose.analysis.scored_bags import Bench
from depose.model import Condition, Era, Exchangeability, ModelSpec, Peculiar, Protocol, Result, setting
from depose.model.random_streams import stream
from depose.statistics import specification
from depose.statistics.clades import clades, independent, rank_in_lineages
from depose.statistics.era import WINDOW, era
from depose.statistics.lineage import Controls
from depose.statistics.ranks import DIGITS
from depose.statistics.rounding import tidy
from depose.statistics.subsets import peculiar, subsets

DRAWS = 1_000
"""Random subsets of the controls."""
SCALES = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def examine(
    bench: Bench, specs: Mapping[str, ModelSpec], bag: tuple[str, ...], controls: Controls, detector: str
) -> Exchangeability:
    """Examine the controls of one bag under the detector that decides."""
    suspect, reference = specs[bag[0]], specs[bag[1]]
    dates = era(suspect.released, reference.released, {code: specs[code].released for code in bag[2:]})
    if (bag, detector) not in bench.draws:
        return Exchangeability(
            era=dates, k_by_name=controls.k_eff, k_by_likeness=None, clades=(), peculiar=(), subsets=None
        )
    scored = bench.scored(bag, detector)
    found = clades(scored.scores.t, bag)
    mute = bench.mute(bag[2:])
    everything = specification.parts(bench.bag(bag).prompts, stream(bench.protocol.seed, "subsets", "halves"))[:1]
    averages = [one[0] for one in specification.means(scored.measured, everything)]
    return Exchangeability(
        era=dates,
        k_by_name=controls.k_eff,
        k_by_likeness=independent(bag[2:], found, mute),
        clades=found,
        peculiar=peculiar(scored.scores.t, bag),
        subsets=subsets(
            averages,
            FEWEST_LINEAGES,
            DRAWS,
            bench.protocol.alpha,
            stream(bench.protocol.seed, "subsets", detector),
        ),
        mute=mute or UNSET,
    )


def p_lineages(primary: Result | None, stood: Exchangeability, alpha: float) -> float | UnsetType:
    """Count p of the primary result in lineages, over references as its own; unset where p decides alone."""
    if primary is None or primary.p_holm > alpha or stood.k_eff >= len(primary.reference_side):
        return UNSET
    value = np.round(primary.value, DIGITS)
    reached = [
        [one.model for one in side if np.round(one.value, DIGITS) >= value]
        for side in (primary.reference_side, primary.suspect_side)
    ]
    if not any(reached):
        return UNSET
    return tidy(min(1.0, rank_in_lineages(reached, stood.clades, stood.k_eff) * primary.p_holm / primary.p))


def rows(
    found: Exchangeability, specs: Mapping[str, ModelSpec], bag: Sequence[str], protocol: Protocol
) -> tuple[Condition, ...]:
    """Set suspect and reference beside the hull of their controls."""
    suspect, reference = specs[bag[0]], specs[bag[1]]
    controls = [specs[code] for code in bag[2:]]
    made = [
        _dates(found.era, len(controls)),
        _route(suspect, controls, specs),
        _settings(suspect, reference, controls, protocol),
        *_stated(suspect, reference, controls),
    ]
    if found.peculiar:
        made.append(_peculiarity(found.peculiar))
    return tuple(made)


def _dates(dates: Era, controls: int) -> Condition:
    undated = f"; not dated: {', '.join(dates.undated)}" if dates.undated else ""
    return Condition(
        name="release dates",
        validated=f"at least {dates.needed} of {controls} controls released within {WINDOW} months of "
        "suspect and reference, or between them",
        case=f"{dates.near} of {controls}; suspect {dates.suspect or 'not dated'}, reference "
        f"{dates.reference or 'not dated'}, controls {dates.oldest or 'not dated'} to {dates.newest or 'not dated'}"
        f"{undated}",
        inside=dates.inside,
    )


def _route(suspect: ModelSpec, controls: Sequence[ModelSpec], specs: Mapping[str, ModelSpec]) -> Condition:
    """Ask for live controls beside a live suspect: what one session has in common is else seen in the pair alone.

    Where controls were asked again, the quality checks say whether asking anew moved them; then this row only says so.
    """
    again = {spec.repeats for spec in specs.values() if spec.repeats}
    live = sum(one.provider != "recorded" or one.code in again for one in controls)
    asked = suspect.provider != "recorded"
    return Condition(
        name="route",
        validated=f"{FEWEST_LINEAGES} controls or more asked live, if the suspect is",
        case=f"suspect {'asked live' if asked else 'recorded'}; {live} of {len(controls)} controls asked live",
        inside=not asked or live >= FEWEST_LINEAGES,
        decides=not again,
    )


def _settings(suspect: ModelSpec, reference: ModelSpec, controls: Sequence[ModelSpec], protocol: Protocol) -> Condition:
    """Compare temperature, length and system prompt with those of the controls.

    How recorded answers were asked the protocol does not know: where the case file does not say it either, and nothing
    that it does say stands out, the row says so and decides nothing.
    """
    said, outside = [], []
    for name in ("temperature", "max_tokens"):
        theirs = sorted(float(setting(one, protocol, name)) for one in controls)
        own = [float(setting(one, protocol, name)) for one in (suspect, reference)]
        said.append(f"{name} {own[0]:g} and {own[1]:g}")
        if theirs and not all(theirs[0] <= value <= theirs[-1] for value in own):
            outside.append(name)
    prompted = [one.code for one in (suspect, reference) if one.system]
    if prompted and not any(one.system for one in controls):
        outside.append("system prompt")
    said.append(f"system prompt: {', '.join(prompted) or 'neither'}")
    unsaid = _unsaid((suspect, reference), controls)
    row = Condition(
        name="sampling settings",
        validated="those of the controls, or between them",
        case=f"outside: {', '.join(outside)} ({'; '.join(said)})" if outside else "; ".join(said),
        inside=not outside,
    )
    if outside or not unsaid:
        return row
    case = f"not stated of {unsaid}, whose answers are recorded; else {'; '.join(said)}"
    return msgspec.structs.replace(row, case=case, inside=False, decides=False)


def _unsaid(pair: Sequence[ModelSpec], controls: Sequence[ModelSpec]) -> str:
    """Name the recorded models whose settings nobody states; those of a pack stand in it."""

    def silent(one: ModelSpec) -> bool:
        packed = one.file.startswith("pack:") or one.file.endswith(".pack")
        return one.provider == "recorded" and not packed and None in (one.temperature, one.max_tokens)

    named = [one.code for one in pair if silent(one)]
    count = sum(map(silent, controls))
    return " and ".join(filter(None, (", ".join(named), f"{count} of {len(controls)} controls" if count else "")))


def _stated(suspect: ModelSpec, reference: ModelSpec, controls: Sequence[ModelSpec]) -> Iterator[Condition]:
    """Compare size, language and tuning, as far as the case states them."""
    sizes = sorted(size for one in controls if (size := parameters(one.size)) is not None)
    own = [size for one in (suspect, reference) if (size := parameters(one.size)) is not None]
    if sizes and own:
        yield Condition(
            name="size",
            validated=f"{_between(sizes)} parameters, those of the controls",
            case=f"suspect {suspect.size or 'not stated'}, reference {reference.size or 'not stated'}",
            inside=all(sizes[0] <= size <= sizes[-1] for size in own),
        )
    for name in ("language", "tuning"):
        theirs = sorted({getattr(one, name).casefold() for one in controls} - {""})
        mine = [getattr(one, name).casefold() for one in (suspect, reference)]
        if theirs and any(mine):
            yield Condition(
                name=name,
                validated=f"{', '.join(theirs)}: those of the controls",
                case=f"suspect {mine[0] or 'not stated'}, reference {mine[1] or 'not stated'}",
                inside=all(one in theirs for one in mine if one),
            )


def _peculiarity(found: Sequence[Peculiar]) -> Condition:
    """Refuse where both are more peculiar than every control: one side at least must be like a control."""
    return Condition(
        name="peculiarity",
        validated="suspect or reference no further from the controls than one of these is",
        case="; ".join(f"{one.model} rank {one.rank} of {one.of}" for one in found),
        inside=not all(one.rank == 1 for one in found),
    )


def _between(sizes: Sequence[float]) -> str:
    """Write the least and the largest of some numbers of parameters as makers do, such as `135M to 7B`."""
    ends = []
    for size in (sizes[0], sizes[-1]):
        letter = max((one for one in SCALES if SCALES[one] <= size), key=SCALES.__getitem__, default="K")
        ends.append(f"{size / SCALES[letter]:.4g}{letter}")
    return " to ".join(dict.fromkeys(ends))


def parameters(size: str) -> float | None:
    """Read a number of parameters such as `135M`, `7B` or `8x22B`; None for anything else."""
    found = re.fullmatch(
        r"(?:(\d{1,3})\s*[x×]\s*)?(\d{1,6}(?:\.\d{1,3})?)\s*([KMBT])(?:-A[\d.]+B)?", size.strip(), re.I
    )
    if found is None:
        return None
    return int(found[1] or 1) * float(found[2]) * SCALES[found[3].upper()]

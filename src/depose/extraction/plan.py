"""The case file of an extraction case, `extraction.toml`: what is tested, when, against whom; read strictly."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from depose.case import casefile, written
from depose.errors import CaseError, UsageError
from depose.model import CaseHead, Record, Text

NAME = casefile.OF_LOGS
WRITTEN = ("events", "events/texts", "events/day=*", "events/texts/day=*", "out/tables", "out/lineup")
"""Where an extraction case keeps what it can make again, and removes it."""
LARGEST = 16 * 1024**2
HINT = "the format: docs/reference/files/extraction.md, or depose extraction begin DIR"
Day = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")]
Hex = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]


class Period(Record, frozen=True, kw_only=True):
    """Which days are looked at."""

    tested: tuple[Day, Day]
    """First and last day, in UTC, of the traffic in question."""
    clean: tuple[Day, Day] | None = None
    """First and last day of an earlier stretch: what stands out there already is a standing community, no campaign."""


class Strata(Record, frozen=True, kw_only=True):
    """Among whom an account is unusual."""

    by: tuple[Literal["tier", "country", "volume"], ...] = ("tier", "volume")
    """What accounts of one stratum share, the last given up first where a stratum is too small."""
    fewest: Annotated[int, Meta(ge=19, le=1_000_000)] = 999
    """Controls that a stratum needs; with n of them no p-value is below 1/(n+1)."""
    accused_alone: bool = False
    """Whether the logs hold accused accounts and no others, however many: then there is no population, nothing is
    tested, and a request for one is drafted."""


class Templates(Record, frozen=True, kw_only=True):
    """Which shared prompts count."""

    most: Annotated[int, Meta(ge=2, le=100_000)] = 300
    """A template of more accounts is common property and is left out."""
    share: Annotated[float, Meta(gt=0, le=1)] = 0.05
    """The same as a share of all accounts, where that is fewer: what many ask is not rare in a small population."""
    known: Annotated[int, Meta(ge=1, le=100_000)] = 1
    """A template that so many accounts or more used in the clean period is no new one, and does not count."""
    grid: Annotated[tuple[tuple[int, int], ...], Meta(min_length=1, max_length=16)] = (
        *((300, 2), (300, 4), (30, 1), (30, 2), (30, 4), (8, 1), (8, 2)),
    )
    """Graphs that are looked at: pairs of accounts that share at least so many (second) templates of at most so many
    accounts (first). The best of them is one statistic, and pays for the choice."""


class Tests(Record, frozen=True, kw_only=True):
    """Error rates and numbers of draws."""

    alpha: Annotated[float, Meta(gt=0, le=0.2)] = 0.05
    """Of the primary test (groups), over all rounds."""
    placebo: Annotated[float, Meta(gt=0, le=1)] = 0.2
    """A core of the clean period with a p of at most this is a standing community; setting it aside costs power."""
    fdr: Annotated[float, Meta(gt=0, le=0.5)] = 0.01
    """False-discovery rate of accounts and of pairs."""
    swaps: Annotated[int, Meta(ge=99, le=100_000)] = 999
    """Random tables with the same margins; the smallest p-value is one over this plus one."""
    draws: Annotated[int, Meta(ge=99, le=100_000)] = 999
    """Random sets and random shifts of the tests inside a group."""
    rounds: Annotated[int, Meta(ge=1, le=20)] = 4
    """Groups that are looked for, one after the other; Holm pays for all of them."""
    slot: Annotated[int, Meta(ge=1, le=180)] = 10
    """Minutes of a slot; two accounts are active together in one."""
    window: Annotated[int, Meta(ge=2, le=1_440)] = 60
    """Minutes of a window, a multiple of `slot`: given in which windows each is active, is it in the same slots?"""
    times: Annotated[float, Meta(ge=1, le=100)] = 1.25
    """Synchrony asks whether accounts are in the same slot more than so many times as often as their hours explain: a
    task that is set to all of a course at one time makes it up to a tenth more."""
    seed: Annotated[int, Meta(ge=0, lt=2**53)] = 7
    """Of all random draws."""


class Benign(Record, frozen=True, kw_only=True):
    """Accounts that are known to belong together for a good reason: they are one, as those of one organisation are."""

    accounts: Annotated[tuple[Hex, ...], Meta(min_length=1, max_length=100_000)]
    """Names of accounts as the events have them, 16 hexadecimal digits."""
    reason: Text
    """Such as: a university course."""


class Release(Record, frozen=True, kw_only=True):
    """A model that came out in the period."""

    model: Text
    """As `model_served` has it."""
    at: Day
    """The day, in UTC."""


class Retention(Record, frozen=True, kw_only=True):
    """What becomes of the data."""

    until: Day = "9999-12-31"
    """Last day on which events may be kept."""
    fewest: Annotated[int, Meta(ge=1, le=1_000)] = 10
    """A tier or a country of fewer accounts is called `few` in every table; of fewer, no descriptives are written."""


class ExtractionFile(Record, frozen=True, kw_only=True):
    """A whole case file of an extraction case."""

    case: CaseHead
    """What the case is called, and on what right the logs are looked at. The title makes the names of accounts."""
    period: Period
    """Which days."""
    strata: Strata = Strata()
    """Among whom."""
    templates: Templates = Templates()
    """Which prompts."""
    tests: Tests = Tests()
    """Error rates."""
    benign: Annotated[tuple[Benign, ...], Meta(max_length=10_000)] = ()
    """One [[benign]] for each set of accounts."""
    releases: Annotated[tuple[Release, ...], Meta(max_length=1_000)] = ()
    """One [[releases]] for each model."""
    retention: Retention = Retention()
    """What becomes of the data."""


def folder_of(path: Path) -> Path:
    """Return the folder of a case, given it or its file; raise UsageError for what is neither."""
    folder = path.parent if path.name == NAME else path
    if not (folder / NAME).is_file():
        raise UsageError(f"{path}: no extraction case: there is no {NAME}", hint="depose extraction begin DIR ...")
    return casefile.own_places(folder, WRITTEN)


def is_extraction(path: Path) -> bool:
    """Tell whether this is the folder, or the file, of an extraction case."""
    return path.name == NAME or (path / NAME).is_file()


def read(path: Path) -> ExtractionFile:
    """Read the case file of a folder."""
    file = folder_of(path) / NAME
    return parse(written.text_of(file, HINT), str(file))


def parse(text: str, name: str) -> ExtractionFile:
    """Read the text of a case file; `name` is for messages."""
    found = written.record_of(text, name, ExtractionFile, HINT)
    tested = _days(found.period.tested, f"{name}: $.period.tested")
    if found.period.clean is not None:
        clean = _days(found.period.clean, f"{name}: $.period.clean")
        if clean[1] >= tested[0]:
            raise CaseError(f"{name}: $.period.clean: does not end before the tested days", hint="an earlier stretch")
    for place, (most, least) in enumerate(found.templates.grid):
        if not 2 <= most <= found.templates.most or not 1 <= least <= 100:
            raise CaseError(
                f"{name}: $.templates.grid[{place}]: [{most}, {least}] is no graph",
                hint=f"[accounts of a template, from 2 to {found.templates.most}, templates of a pair, from 1]",
            )
    if found.tests.window % found.tests.slot or found.tests.window == found.tests.slot:
        raise CaseError(
            f"{name}: $.tests.window: {found.tests.window} minutes are not two slots of {found.tests.slot} or more",
            hint="a multiple of slot",
        )
    for place, one in enumerate(found.releases):
        _days((one.at, one.at), f"{name}: $.releases[{place}].at")
    taken: set[str] = set()
    for place, group in enumerate(found.benign):
        if taken & set(group.accounts):
            raise CaseError(f"{name}: $.benign[{place}]: an account stands in two", hint="name each once")
        taken |= set(group.accounts)
    return found


def _days(span: tuple[str, str], where: str) -> tuple[date, date]:
    try:
        first, last = (date.fromisoformat(one) for one in span)
    except ValueError as error:
        raise CaseError(f"{where}: {error}", hint="YYYY-MM-DD, first and last day") from error
    if last < first or last - first > timedelta(days=1_100) or last == date.max:
        raise CaseError(
            f"{where}: {span[0]} to {span[1]} is no stretch of days", hint="first day, then last, in 3 years"
        )
    return first, last


def days(span: tuple[str, str]) -> int:
    """Return how many days a stretch has."""
    return (date.fromisoformat(span[1]) - date.fromisoformat(span[0])).days + 1


def each_day(span: tuple[str, str]) -> tuple[str, ...]:
    """List the days of a stretch."""
    first = date.fromisoformat(span[0])
    return tuple((first + timedelta(days=number)).isoformat() for number in range(days(span)))


def before(span: tuple[str, str]) -> str:
    """Return the moment at which a stretch ends: the day after its last."""
    return (date.fromisoformat(span[1]) + timedelta(days=1)).isoformat()

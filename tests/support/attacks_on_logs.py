"""Traps in the folder of a case: links in the place of what is written, and days of watching that never were."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

import line_ups
from depose.case import casefile
from depose.errors import CaseError
from depose.evidence.log import Log, log_path, write_whole
from depose.extraction import onward, plan
from depose.model import Exchange
from depose.statistics.substitution import Look, Substitution
from depose.watch.days import FOLDER, Day, Paired, Planned, history
from fakes import Clock
from traps import Place, Traps

ON_LOGS = Traps("a log that is not where it stands, or says what did not happen")


# --- links ------------------------------------------------------------------------------------------


def _in_place(name: str, says: str, lay: Callable[[Path, Path], object], folder: str = "") -> None:
    """Add something that stands where a log is written; `lay` gets the folder of the log and a private file."""

    def spring(place: Place) -> object:
        place.canary.write_bytes(place.canary.read_bytes())
        case = place.folder / "case"
        with Log(case, Clock()) as log:
            log.append("protocol", {})
        lay(case, place.canary)
        with Log(case / folder, Clock()) as log:
            return log.append("watch", {})

    ON_LOGS.add(name, says)(spring)


def _moved(path: Path) -> None:
    """Put a link in the place of a folder, which leads to where its content now is."""
    path.rename(path.parent / "moved")
    path.symlink_to(path.parent / "moved")


def _hard(case: Path, private: Path) -> None:
    log_path(case).unlink()
    os.link(private, log_path(case))


def _soft(case: Path, private: Path) -> None:
    log_path(case).unlink()
    log_path(case).symlink_to(private)


def _watched(case: Path, private: Path) -> None:
    log_path(case / FOLDER).parent.mkdir(parents=True)
    _soft_of(case / FOLDER, private)


def _soft_of(case: Path, private: Path) -> None:
    log_path(case).symlink_to(private)


_link = "a symbolic link; nothing is written there"
_in_place("a private file linked in the place of a log", f"log.jsonl: {_link}", _soft)
_in_place("a private file that a log is another name of", "has another name elsewhere", _hard)
_in_place("a private file linked in the place of a log of watching", f"log.jsonl: {_link}", _watched, FOLDER)
_in_place("evidence that is a link", f"evidence: {_link}", lambda case, _: _moved(case / "evidence"))
_in_place("blobs that are a link", f"blobs: {_link}", lambda case, _: _moved(case / "evidence" / "blobs"))
_in_place(
    "a folder of watching that is another case",
    f"watch: {_link}",
    lambda case, _: (case / FOLDER).symlink_to(case),
    FOLDER,
)


def _led_out(name: str, place_of: str) -> None:
    def spring(place: Place) -> object:
        case = place.folder / "case"
        (case / place_of).parent.mkdir(parents=True)
        (case / place_of).symlink_to(place.canary.parent)
        return casefile.folder_of(case)

    ON_LOGS.add(f"a case whose {name} lead elsewhere", f"{place_of}: {_link}")(spring)


@ON_LOGS.add("an extraction case whose results lead elsewhere", f"out: {_link}")
def _(place: Place) -> object:
    (place.folder / plan.NAME).write_text("")
    (place.folder / "out").symlink_to(place.canary.parent)
    return plan.read(place.folder)


_led_out("results", "out")
_led_out("tokens", "evidence/seals")
_led_out("packs", "packs")
_led_out("sealed bundles", "sealed")


@ON_LOGS.add("a private file linked where a file is made that is then renamed", "not JSON")
def _(place: Place) -> object:
    goal = place.folder / "findings.json"
    goal.with_name(f".{goal.name}.{os.getpid()}.tmp").symlink_to(place.canary)
    write_whole(goal, b"[")
    if goal.is_symlink() or goal.read_bytes() != b"[":
        raise AssertionError("the link was written through")
    raise CaseError("not JSON", hint="-")


@ON_LOGS.add("a pipe in the place of a log", "No such device|is no regular file")
def _(place: Place) -> object:
    log_path(place.folder).parent.mkdir()
    os.mkfifo(log_path(place.folder))
    with Log(place.folder, Clock()) as log:
        return log.append("protocol", {})


def _put(name: str, says: str, lay: Callable[[Path, Path], object]) -> None:
    """Add a case file in the place of that of a line-up into which a scan puts its accounts."""

    def spring(place: Place) -> object:
        case = place.folder / "case"
        case.mkdir()
        lay(case, place.canary)
        return onward.into(case, onward.table_of({"0a": "G1", "0b": "G2"}, {}, "f" * 64, 500))

    ON_LOGS.add(f"accounts of a scan put into {name}", says)(spring)


def _registered(case: Path, _: Path) -> None:
    (case / casefile.NAME).write_text(line_ups.CASE.format(more="", limits=""))
    with Log(case, Clock()) as log:
        log.append("protocol", {})


_put("a line-up that is registered", "is registered, and whom it tests is fixed", _registered)
_put(
    "a line-up that names others",
    r"\$\.lineup\.accounts: stands there already",
    lambda case, _: (case / casefile.NAME).write_text(line_ups.CASE.format(more="", limits="")),
)
_put("a link", "a symbolic link", lambda case, private: (case / casefile.NAME).symlink_to(private))


# --- days of watching -------------------------------------------------------------------------------

PAIR = Paired(model="S1", against="S1", since="", prompts=("p",), kept=20, rounds=2, settings=())
DAY = Day(
    at="2026-11-28T04:00:00.000000Z",
    model="S1",
    against="S1",
    since="",
    kept_from="",
    outcome="no difference found",
    alpha=0.01,
    p=0.4,
    p_holm=0.4,
    tested=Substitution(calls=2, prompts=1, p=0.4, log10_e=0.0, looks=(Look(calls=2, p=0.4),), rejected_at=None),
    planned=2,
    asked=2,
    failed=0,
    tokens=None,
    discrepancy=None,
    p_all_days=0.4,
    days=1,
    settings=(),
    named=(),
    power=(),
    stopped="",
)


def _answer(sample: int) -> Exchange:
    return Exchange(
        model="S1",
        prompt="p",
        sample=sample,
        replicate=0,
        outcome="answered",
        text="yes",
        finish="stop",
        reason="",
        source="",
        request="",
        response="",
        started="2026-11-28T04:00:00.000000Z",
        ended="2026-11-28T04:00:01.000000Z",
    )


def _day(
    name: str,
    says: str,
    *,
    asked: int = 2,
    twice: bool = False,
    answer: Callable[[int], Exchange] | None = None,
    **change: Any,
) -> None:
    """Add a day of watching whose finding was changed, in a chain that holds."""
    answer = answer or _answer

    def spring(place: Place) -> object:
        home = place.folder / FOLDER
        with Log(place.folder, Clock()) as log:
            head = log.append("protocol", {})
        with Log(home, Clock()) as log:
            log.append("watch", Planned(case_head=head, sealed=False, alpha=0.01, seed=1, pairs=(PAIR,)))
            for sample in range(asked):
                log.append("exchange", answer(sample))
            for _ in range(1 + twice):
                log.append("watched", msgspec.structs.replace(DAY, **change))
        return history(home)

    ON_LOGS.add(f"a day of watching {name}", says)(spring)


_day("from which an answer was left out", "counts 2 calls to S1, and the log has 1", asked=1)
_day("to which an answer was added", "counts 2 calls to S1, and the log has 3", asked=3)
_day("that is there twice", "a second finding of S1", twice=True)
_day("of a model that was not planned", "which the plan of the day does not compare so", model="S2")
_day("against other answers than were planned", "which the plan of the day does not compare so", against="R1")


def _tested(**change: Any) -> Substitution:
    return msgspec.structs.replace(DAY.tested, **change)


_day("whose p is not that of its test", "tested 0.001 and 0.4 in all, which cannot be", tested=_tested(p=0.001))
_day("whose p in all is below its p", "with p = 0.4, tested 0.4 and 0.2 in all, which cannot be", p_holm=0.2)
_day("with a p of two", "which cannot be", p=2.0, p_holm=2.0, tested=_tested(p=2.0))
_day("that compares more answers than came", "compares 999 of 2 calls", tested=_tested(calls=999))
_day("that compares answers that failed", "compares 2 of 2 calls", failed=2)
_day("that planned more than was asked for", "compares 2 of 2000 calls", planned=2_000)
_day("that is said to be the four hundredth", "calls S1's day 1 its day 400", days=400)
_day("that calls a difference none", "is no difference found with p = 0.001", p=0.001, p_holm=0.001)
_day("that calls chance a difference", "is different with p = 0.4", outcome="different")
_day("with another alpha than was planned", "planned with alpha 0.01", alpha=0.2)
_day(
    "with an answer to what was not planned",
    "to another, which the plan of the day does not ask",
    answer=lambda sample: msgspec.structs.replace(_answer(sample), prompt="another"),
)
_day("with one answer twice", "answered twice on one day", answer=lambda sample: _answer(0))

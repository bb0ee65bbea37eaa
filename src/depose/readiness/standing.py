"""Where a case stands: what is done, and what comes next. Nothing is asked and nothing written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from depose import pipeline
from depose.analysis.results import FINDINGS
from depose.asking import collect
from depose.case import casefile
from depose.errors import DeposeError, few, shell
from depose.evidence import ledger
from depose.evidence.ledger import Entries
from depose.evidence.log import is_sealed, log_path, read_log
from depose.lineup.acts import act_due
from depose.model import Record
from depose.registering import seedless

REPORTS = ("report", "compliance")
"""Names of the reports that people read, without their suffixes."""


class Step(Record, frozen=True, kw_only=True):
    """One step of a case."""

    name: str
    done: bool
    said: str


class Answered(Record, frozen=True, kw_only=True):
    """How far a model is asked."""

    model: str
    role: str
    answered: int
    """Settled, in whatever way: nothing of it is asked again."""
    failed: int
    of: int


class Standing(Record, frozen=True, kw_only=True):
    """Where a case stands."""

    folder: str
    steps: tuple[Step, ...]
    models: tuple[Answered, ...]
    next: str
    """The command that comes next; where it holds a word in capitals, only a person can fill that in."""


def standing(path: Path) -> Standing:
    """Tell where a case stands; raises CaseError where it cannot be read."""
    folder = casefile.folder_of(path)
    name = shell(path)
    case = casefile.read(folder)
    if not log_path(folder).is_file() or not any(True for _ in read_log(folder)):
        first = Step(name="registered", done=False, said=f"{len(case.models)} models, nothing asked yet")
        return Standing(folder=str(folder), steps=(first,), models=(), next=f"depose check {name}")
    entries = ledger.entries(folder)
    models = _models(entries)
    left = sum(one.questions for one in collect.estimate_of(entries))
    spent = collect.exhausted(entries) if left else ""
    lost = sum(one.of - one.answered for one in models) - left
    waiting = [one.model for one in models if one.answered == 0 and _imported(entries, one.model)]
    test = entries.selftest
    tested = test is not None and test.passed and test.software == version("depose")
    analyzed = _analyzed(folder, entries)
    reports = sorted(one.name for one in (folder / "out").iterdir() if one.stem in REPORTS) if analyzed else []
    changed = entries.written.case != case
    sealed = is_sealed(folder)
    asked = bool(entries.registration.prompts) or entries.waits_for_seed
    steps = (
        Step(
            name="registered",
            done=not changed,
            said="the case file was changed since"
            if changed
            else f"{entries.registered_at[:16]}, " + ("time-stamped" if entries.stamped else "not time-stamped"),
        ),
        *_seed(entries),
        Step(name="answered", done=not left, said=_open(left, lost, waiting, spent)),
        Step(name="self-test", done=tested, said=_tested(entries)),
        Step(
            name="analyzed",
            done=analyzed,
            said="findings of this state of the log" if analyzed else "no findings of this state of the log",
        ),
        Step(name="reported", done=bool(reports), said=", ".join(reports[:4]) or "no report"),
        Step(name="sealed", done=sealed, said=_bundle(folder) if sealed else "not sealed"),
    )
    following = (
        (changed, f"depose amend {name} --reason TEXT"),
        (entries.waits_for_seed, seedless(Path(name), entries).hint if entries.waits_for_seed else ""),
        (asked and bool(waiting), f"depose import {name} FILES"),
        (bool(spent) and not sealed, f"depose amend {name} --reason TEXT"),
        (bool(left) and not sealed, f"depose probe {name}"),
        (asked and not tested and not sealed, f"depose selftest {name}"),
        (not asked and not analyzed and not sealed, act_due(folder)),
        (not analyzed and not sealed, f"depose analyze {name}"),
        (not reports, f"depose report {name}"),
        (not sealed, _seal(path)),
        (sealed, verify_command(folder / "sealed" / _bundle(folder), key_for(path))),
    )
    return Standing(
        folder=str(folder),
        steps=tuple(one for one in steps if asked or one.name not in ("answered", "self-test")),
        models=models,
        next=next((said for due, said in following if due), ""),
    )


def _seed(entries: Entries) -> tuple[Step, ...]:
    """Say where the seed stands of a protocol that draws it."""
    if entries.waits_for_seed:
        return (Step(name="seed", done=False, said="not drawn yet"),)
    drawn = [f"{one.drawn.seed.seed}, drawn by the {one.drawn.seed.by}" for one in entries.draws[-1:]]
    return tuple(Step(name="seed", done=True, said=said) for said in drawn)


def key_for(case: Path) -> Path:
    """Name the file that the key of a case is proposed to be: beside its folder, and never in it."""
    return case.with_name(f"{case.resolve().name}-key.pem")


def _seal(case: Path) -> str:
    key = key_for(case)
    made = "" if key.exists() else f"depose keygen {shell(key)} && "
    return f"{made}depose seal {shell(case)} --key {shell(key)}"


def verify_command(bundle: Path | str, key: Path) -> str:
    """Name the command that checks a bundle, with the public part of a key where that lies beside it."""
    public = key.with_name(f"{key.name}.pub")
    return f"depose verify {shell(bundle)}" + (f" --public-key {shell(public)}" if public.is_file() else "")


def _models(entries: Entries) -> tuple[Answered, ...]:
    planned = Counter(ask.model for ask in collect.plan(entries.registration))
    settled = {ledger.key(one) for one in entries.exchanges if one.outcome != "failed"}
    failed = {ledger.key(one) for one in entries.exchanges} - settled
    done, lost = Counter(key[0] for key in settled), Counter(key[0] for key in failed)
    return tuple(
        Answered(
            model=spec.code,
            role=spec.role,
            answered=min(done[spec.code], planned[spec.code]),
            failed=lost[spec.code],
            of=planned[spec.code],
        )
        for spec in entries.registration.case.models
    )


def _open(left: int, lost: int, waiting: Sequence[str], spent: str) -> str:
    said = f"{left} question{'s are' if left > 1 else ' is'} open" if left else "nothing is open"
    said += (
        f"; {len(waiting)} model{'s wait' if len(waiting) > 1 else ' waits'} for files: {few(waiting)}"
        if waiting
        else ""
    )
    said += f"; {spent}: raise [budget] in the case file" if spent else ""
    return said + (
        f"; {lost} {'has' if lost == 1 else 'have'} no answer in {'its' if lost == 1 else 'their'} file" if lost else ""
    )


def _imported(entries: Entries, code: str) -> bool:
    spec = next(one for one in entries.registration.case.models if one.code == code)
    return spec.provider == "recorded" and not spec.file


def _tested(entries: Entries) -> str:
    found = entries.selftest
    if found is None:
        return "not run: without it every opinion is inconclusive (quality)"
    if found.software != version("depose"):
        return f"by depose {found.software}, this is {version('depose')}"
    return "passed" if found.passed else "failed"


def _analyzed(folder: Path, entries: Entries) -> bool:
    if not (folder / "out" / FINDINGS).is_file():
        return False
    try:
        return pipeline.read_findings(folder)[1].log_head == entries.head
    except DeposeError:
        return False


def _bundle(folder: Path) -> str:
    return next((one.name for one in sorted((folder / "sealed").glob("*.zip"), reverse=True)), "no bundle")

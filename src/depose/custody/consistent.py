"""Checks that what a bundle says in two places is the same: each place is signed, but only one of them is the log."""

from __future__ import annotations

from importlib.metadata import version

from depose.analysis import results
from depose.case import casefile, protocol
from depose.custody import instructions
from depose.custody.bundle import HINT, LOG, Read, content
from depose.custody.stamp import CLOCK_TOLERANCE
from depose.errors import CaseError, EvidenceError, PluginError
from depose.evidence import timestamp
from depose.model.canonical import sha256


def consistent(read: Read) -> tuple[list[str], list[str]]:
    """Compare case file, scores, names, dates, prompts and instructions with the log; say what could not be."""
    _case(read)
    _scores(read)
    _dates(read)
    checks = ["case file, digest of the scores, names and dates are those of the log"]
    if written_by(read) != version("depose"):
        return checks, [
            f"VERIFY.md, VERIFY.py, SCORE.py and the drawing of the prompts: made by depose {written_by(read)}"
        ]
    _instructions(read)
    try:
        drawn = protocol.drawn(read.entries.registration.case)
    except PluginError as error:
        return checks, [f"that the prompts were drawn from the seed: {error.message}"]
    if tuple(drawn) != read.entries.registration.prompts[: len(drawn)]:
        raise EvidenceError(
            f"{LOG}: the registered prompts are not those that the seed draws", hint="they were picked, not drawn"
        )
    return [*checks, f"{len(drawn)} prompts drawn again from the seed"], []


def written_by(read: Read) -> str:
    """Version of depose that registered the case."""
    return next((fact.value for fact in read.entries.registration.software if fact.name == "depose"), "")


def _case(read: Read) -> None:
    try:
        case = casefile.decoded(content(read.bundle, "case.toml").decode("utf-8-sig"), "case.toml")
    except (KeyError, OSError, UnicodeDecodeError, CaseError) as error:
        raise EvidenceError(f"case.toml: missing or unreadable: {error}", hint=HINT) from error
    if case != read.entries.registration.case:
        raise EvidenceError("case.toml: is not the case that was registered", hint=HINT)


def _scores(read: Read) -> None:
    name = f"out/{results.SCORES}"
    digests = [one.scores for one in read.entries.scored[-1:]]
    if name not in read.bundle.sizes() or sha256(content(read.bundle, name)) not in digests:
        raise EvidenceError(f"{name}: not the scores whose digest was recorded before the names were known", hint=HINT)
    vectors = f"out/{results.VECTORS}"
    there = sha256(content(read.bundle, vectors)) if vectors in read.bundle.sizes() else ""
    if there != read.entries.scored[-1].vectors:
        raise EvidenceError(f"{vectors}: not the sentence vectors whose digest was recorded with the scores", hint=HINT)


def _dates(read: Read) -> None:
    sealed = read.seal.sealed_at
    if timestamp.seconds_between(sealed, read.ended_at) > CLOCK_TOLERANCE:
        raise EvidenceError(f"seal.json: sealed {sealed}, before the last record of {read.ended_at}", hint=HINT)
    if read.entries.registration.case.protocol.phase == "confirmatory" and not read.entries.stamped:
        raise EvidenceError(
            f"{LOG}: a confirmatory protocol without the time-stamp that it cannot be without", hint=HINT
        )


def _instructions(read: Read) -> None:
    text = instructions.text(read.key, read.entries.stamps, read.seal.depose)
    for name, expected in (("VERIFY.md", text), *((one, instructions.script(one)) for one in instructions.SCRIPTS)):
        if name not in read.bundle.sizes() or content(read.bundle, name) != expected:
            raise EvidenceError(f"{name}: is not the one that depose writes: do not run it", hint=HINT)

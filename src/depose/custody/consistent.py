"""Checks that what a bundle says in two places is the same: each place is signed, but only one of them is the log."""

from __future__ import annotations

import re
from importlib.metadata import version

from msgspec import UnsetType

from depose.analysis import results
from depose.case import casefile, controls, mixes, packs, toml_text
from depose.custody import format_1, instructions, key_ledger
from depose.custody.bundle import FORMAT_1, FORMAT_2, FORMS, HINT, Read, content
from depose.custody.keys import PublicKey
from depose.custody.kinds import LOG
from depose.custody.seed_again import secret_half
from depose.custody.stamp import CLOCK_TOLERANCE
from depose.errors import CaseError, EvidenceError, PluginError
from depose.evidence import timestamp
from depose.evidence.records import Stamp
from depose.model import Case
from depose.model.canonical import sha256
from depose.model.file_names import KEY_OF_HALF

_VERSION = r"(?:[0-9][\w.+!-]{0,40}|None)"
_ADDED = re.compile(
    rf"[\w-]{{0,20}} numpy {_VERSION}(?: [a-z_]{{1,20}} {_VERSION}(?: (?!scipy )[\w.()+-]{{1,24}})?)*"
    rf"(?: (?:scipy|pyarrow|jinja2|matplotlib) {_VERSION})*"
)
"""Form of the name of what adds: machine, numpy with its BLAS, libraries; no sentence."""
_ENCODED = re.compile(
    r"(?:[\w.-]{1,80} [0-9a-f]{64} (?:bfloat16|float32) products(?: on \w{1,8})?"
    rf"(?: [\w-]{{1,40}} {_VERSION})*)?"
)


def consistent(read: Read) -> tuple[list[str], list[str]]:
    """Compare case file, scores, names, dates, prompts and instructions with the log; say what could not be."""
    _case(read)
    _scores(read)
    _dates(read)
    _instructions(read)
    return ["case file, digest of the scores, names, dates and instructions are those of the log"], _ledger(read)


def drawn(read: Read) -> tuple[list[str], list[str]]:
    """Draw the prompts again from the seed; say where a plugin that drew them is not here."""
    try:
        found = mixes.drawn(read.entries.registration.case.protocol, secret_half(read, read.entries.registration))
    except PluginError as error:
        return [], [f"that the prompts were drawn from the seed: {error.message}"]
    if tuple(found) != read.entries.registration.prompts[: len(found)]:
        raise EvidenceError(
            f"{LOG}: the registered prompts are not those that the seed draws{elsewhere(read)}",
            hint="they were picked, not drawn; or another version drew them: verify with that one",
        )
    return [f"{len(found)} prompts drawn again from the seed"] if found else [], _chosen_alone(read)


def _chosen_alone(read: Read) -> list[str]:
    """Say whose word it is that the secret half of a mix was not picked among many."""
    asked = read.entries.registration.case.protocol
    if not mixes.mixed(asked):
        return []
    if read.entries.draws:  # the seed came after the digest of the secret: nobody chose the half
        return []
    if isinstance(asked.nonce, UnsetType) or isinstance(asked.nonce_by, UnsetType):
        return ["that the secret half of the prompts is the first that was drawn: the signer alone chose its secret"]
    digest = next((one.value for one in read.entries.registration.files if one.name == KEY_OF_HALF), "")
    return [
        f"that {asked.nonce_by[:80]!r} gave the nonce of the secret half after the digest of its secret, "
        f"{digest[:16]}...: only they can say"
    ]


def elsewhere(read: Read) -> str:
    """Say with what other versions a bundle was made: it is the word of its signer, and excuses nothing."""
    known = version("depose")
    facts = (fact.value for fact in read.entries.registration.software if fact.name == "depose")
    made = sorted({read.seal.depose[:20], next(facts, "none")[:20]} - {known})
    if read.seal.format in (FORMAT_1, FORMAT_2):
        by = f"which an earlier depose {read.seal.depose[:20]} did; this one makes other findings"
        return f" (sealed as {read.seal.format!r}, {by})"
    return f" (made, it says, by depose {' and '.join(made)}; this is {known})" if made else ""


def _case(read: Read) -> None:
    try:
        text = content(read.bundle, "case.toml").decode("utf-8-sig")
        case = _with_controls(read, casefile.decoded(text, "case.toml"), text)
    except (KeyError, OSError, UnicodeDecodeError, CaseError) as error:
        raise EvidenceError(f"case.toml: missing or unreadable: {error}", hint=HINT) from error
    if case != read.entries.written.case:
        raise EvidenceError("case.toml: is not the case that was registered", hint=HINT)


def _with_controls(read: Read, case: Case, text: str) -> Case:
    """List the controls of the pack that a case names, from the pack that was registered."""
    wanted = case.protocol.controls
    if isinstance(wanted, UnsetType):
        return case
    registered = {fact.name: fact.value for fact in read.entries.registration.files}
    name = controls.kept_as(wanted, registered)
    blob = f"evidence/blobs/{registered.get(name, '')}"
    if not name or blob not in read.bundle.sizes():
        raise EvidenceError(f"case.toml: the control pack {wanted!r} is not in the bundle", hint=HINT)
    pack = packs.parsed(content(read.bundle, blob), name)
    said, pin = read.entries.registration.pack, wanted.partition("@")[2]
    if (not isinstance(said, UnsetType) and said != controls.pin_of(pack)) or (pin and pin != pack.sha256):
        raise EvidenceError(f"{LOG}: record 0 names another control pack, or signer of it, than {name}", hint=HINT)
    return controls.with_models(case, pack.manifest, name, toml_text.loads(text)["protocol"])


def _scores(read: Read) -> None:
    name = f"out/{results.SCORES}"
    digests = [one.scores for one in read.entries.scored[-1:]]
    if name not in read.bundle.sizes() or sha256(content(read.bundle, name)) not in digests:
        raise EvidenceError(f"{name}: not the scores whose digest was recorded before the names were known", hint=HINT)
    for one in read.entries.scored:
        if not _ADDED.fullmatch(one.arithmetic) or not _ENCODED.fullmatch(one.encoder):
            raise EvidenceError(
                f"{LOG}: scores that were made by something that is no machine, library or encoder", hint=HINT
            )
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


def _ledger(read: Read) -> list[str]:
    """Check the place of the registration in the ledger of the key, and say what a ledger cannot show."""
    one = read.entries.ledger
    if one is None:
        return []
    key_ledger.check(one, read.key, f"{LOG}: its place in the ledger of the key")
    if one.line.protocol != read.entries.protocol_digest:
        raise EvidenceError(f"{LOG}: the ledger of the key holds another protocol", hint=HINT)
    for earlier, later in ((read.entries.registered_at, one.line.at), (one.line.at, read.ended_at)):
        if timestamp.seconds_between(later, earlier) > CLOCK_TOLERANCE:
            raise EvidenceError(
                f"{LOG}: entered into the ledger of the key at {one.line.at}, which fits neither the registration at "
                f"{read.entries.registered_at} nor the end at {read.ended_at}",
                hint=HINT,
            )
    return [
        f"that {one.count} protocols are all that were registered with this key: its signer keeps the ledger, and "
        "could set it back before"
    ]


def _instructions(read: Read) -> None:
    """Compare the instructions with those of the format by which the bundle was sealed."""
    if read.seal.format == FORMAT_1:
        wanted = format_1.SCRIPTS | {"VERIFY.md": sha256(format_1.text(*_of(read)))}
    else:
        wanted = {name: sha256(instructions.script(name)) for name in instructions.SCRIPTS}
        wanted["VERIFY.md"] = sha256(instructions.text(*_of(read)))
    for name, expected in wanted.items():
        held = sha256(content(read.bundle, name)) if name in read.bundle.sizes() else ""
        before = instructions.before(name, FORMS[read.seal.format]) if read.seal.format != FORMAT_1 else ()
        if held not in (expected, *before):
            raise EvidenceError(f"{name}: is not the one that depose writes: do not run it", hint=HINT)


def old_scripts(read: Read) -> tuple[str, ...]:
    """Warn of scripts in a bundle that depose wrote before with a fault."""
    return instructions.cautions(content(read.bundle, "COPY.py")) if "COPY.py" in read.bundle.sizes() else ()


def _of(read: Read) -> tuple[PublicKey, tuple[Stamp, ...], str]:
    return read.key, read.entries.stamps, read.seal.depose

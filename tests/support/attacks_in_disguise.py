"""Traps that pass for what they are not: an unpacked bundle for a case, a pack, a ledger or a log for another."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from depose import pipeline
from depose.cli.options import now
from depose.custody import key_ledger, keys
from depose.custody.passages import Wanted
from depose.custody.redact import redact
from depose.endpoints.anthropic import open_anthropic
from depose.endpoints.google import open_google
from depose.endpoints.openai import open_openai
from depose.errors import EndpointError
from depose.evidence import ledger
from depose.model import ModelSpec
from depose.model.canonical import canonical, sha256
from depose.packs import build
from depose.readiness.checking import check
from depose.watch.days import history
from fakes import case_of, model, recorded_case, write_case
from tampering import Records, unpack
from traps import VARIABLE, Place, Traps

IN_DISGUISE = Traps("what passes for something else")


# --- a bundle that was unpacked, asked as one's own case ---------------------------------------------


def _unpacked(name: str, says: str, ask: Callable[[Path, ModelSpec], object], kind: str = "bundle") -> None:
    def spring(place: Place) -> object:
        own = {"provider": "openai", "model": "m", "base_url": place.server.url, "allow_private": True}
        spec = msgspec.convert(model("S1", "suspect") | own | {"api_key_env": VARIABLE}, ModelSpec)
        folder = unpack(place.target, place.folder / "theirs")
        if kind == "copy":
            redact(place.target.bundle, place.folder / "copy", Wanted(words=(b"number",)), "x", now())
            folder = place.folder / "copy"
        return ask(folder, spec)

    IN_DISGUISE.add(name, says)(spring)


GOES = "whose protocol says where keys go: its models are not asked"
_unpacked("an unpacked bundle, asked by the format of OpenAI", GOES, lambda folder, spec: open_openai(spec, folder))
_unpacked("an unpacked bundle, asked by that of Anthropic", GOES, lambda folder, spec: open_anthropic(spec, folder))
_unpacked("an unpacked bundle, asked by that of Google", GOES, lambda folder, spec: open_google(spec, folder))
_unpacked("a copy of a bundle, asked as a case", GOES, lambda folder, spec: open_openai(spec, folder), "copy")


@IN_DISGUISE.add("an unpacked bundle, looked through with check --ask", GOES)
def _(place: Place) -> object:
    own = {"provider": "openai", "model": "m", "base_url": place.server.url, "allow_private": True}
    models = [model("S1", "suspect", **own, api_key_env=VARIABLE), model("R1", "reference", **own)]
    work = write_case(place.folder / "theirs", case_of(models))
    shutil.copyfile(unpack(place.target, place.folder / "bundle") / "SEAL", work / "SEAL")
    found = check(work, now, ask=True)
    said = next(one for one in found.points if one.about == "endpoints" and one.state == "wrong")
    raise EndpointError(said.said, hint=said.next)


# --- packs and ledgers that pass for others -----------------------------------------------------------


def _pack(goal: Path, at: Path, version: str = "1") -> Path:
    """Make a pack called like the one that ships, signed by a stranger."""
    recorded_case(at, suspect="somebody", controls=3, prompts=3)
    goal.parent.mkdir(parents=True, exist_ok=True)
    build.write(build.from_case(at), build.Label("lab", version), keys.load(_key(at.parent)), goal, now())
    return goal


def _key(folder: Path) -> Path:
    path = folder / "stranger.pem"
    if not path.is_file():
        keys.make(path)
    return path


def _names_pack(place: Place, wanted: str) -> Path:
    folder = place.folder / "theirs"
    models = [model("S1", "suspect"), model("R1", "reference")]
    case = case_of(models, probes=[], controls=wanted)
    for name in ("temperature", "max_tokens", "samples", "detectors"):
        case["protocol"].pop(name, None)
    return write_case(folder, case)


@IN_DISGUISE.add("a pack in a case, called like one that ships", "one passes for the other")
def _(place: Place) -> object:
    folder = _names_pack(place, "pack:lab")
    _pack(folder / "packs/lab-1.pack", place.folder / "made")
    return pipeline.register_case(folder, now)


@IN_DISGUISE.add("a pack in a case, of a higher version than one that ships", "one passes for the other")
def _(place: Place) -> object:
    folder = _names_pack(place, "pack:lab")
    _pack(folder / "packs/lab-99.pack", place.folder / "made", "99")
    return pipeline.register_case(folder, now)


@IN_DISGUISE.add("a pack of another digest than the case names", "here has the SHA-256")
def _(place: Place) -> object:
    folder = _names_pack(place, f"pack:lab@{'0' * 64}")
    return pipeline.register_case(folder, now)


def _entered(place: Place, *names: str) -> Path:
    """Register cases and enter each in the ledger of one key."""
    key = _key(place.folder)
    for name in names:
        case = case_of([model("S1", "suspect"), model("R1", "reference")])
        case["case"]["title"] = name
        folder = write_case(place.folder / name, case)
        pipeline.register_case(folder, now)
        key_ledger.enter(folder, key, keys.load(key), now)
    return key


def _back(name: str, says: str, change: Callable[[list[bytes]], list[bytes]]) -> None:
    def spring(place: Place) -> object:
        key = _entered(place, "one", "two", "three")
        file = key_ledger.path_of(key)
        file.write_bytes(b"".join(change(file.read_bytes().splitlines(keepends=True))))
        return key_ledger.enter(place.folder / "three", key, keys.load(key), now)

    IN_DISGUISE.add(name, says)(spring)


_back("a ledger of a key that was set back by one", "does not hold entry 3", lambda lines: lines[:2])
_back("a ledger of a key that was emptied", "does not hold entry 3", lambda lines: [])
_back("a ledger of a key without its first line", "does not follow the line before it", lambda lines: lines[1:])


def _watching(name: str, says: str, change: Callable[[Records], None]) -> None:
    """Forge the log of watching of the target's case, well chained."""

    def spring(place: Place) -> object:
        case = place.folder / "case"
        shutil.copytree(place.target.case, case)
        head = ledger.entries(case).end
        planned = {"case_head": head, "sealed": True, "alpha": 0.01, "seed": 1, "pairs": []}
        records: Records = [{"at": now(), "kind": "watch", "body": planned} for _ in range(2)]
        change(records)
        made, last = [], "0" * 64
        for number, one in enumerate(records):
            line = canonical({**one, "seq": number, "prev": one.pop("prev", last)})
            made.append(line + b"\n")
            last = sha256(line)
        (case / "watch/evidence").mkdir(parents=True)
        (case / "watch/evidence/log.jsonl").write_bytes(b"".join(made))
        return history(case / "watch")

    IN_DISGUISE.add(name, says)(spring)


_watching(
    "a log of watching from another case", "no such record", lambda found: found[0]["body"].update(case_head="a" * 64)
)
_watching(
    "a day of watching on a log that is gone",
    "no such record",
    lambda found: found[1]["body"].update(case_head="b" * 64),
)
_watching("a log of watching with a day cut out", "does not follow", lambda found: found[1].update(prev="c" * 64))

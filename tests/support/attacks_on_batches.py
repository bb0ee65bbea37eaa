"""Traps in case folders that a command takes answers from, and that somebody else may change between two runs."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import msgspec

from attacks_on_packs import made, parts, whole
from batches import write as write_batch
from depose import pipeline
from depose.batch import confirm
from depose.batch.casetext import lay_adapters, pinned_adapter_of
from depose.batch.run import Manner
from depose.batch.run import batch as run_batch
from depose.case import bundled, packs
from depose.cli.options import now
from depose.custody import keys
from depose.custody.replicate import Consent, replicate
from depose.custody.seal import seal
from depose.custody.stamp import Source
from depose.custody.unsealed import follows
from depose.evidence.log import Entry, chained
from depose.extraction import conduct
from depose.model import ModelSpec
from depose.model.canonical import canonical, sha256
from depose.model.file_names import ADAPTER
from depose.packs import build
from depose.packs.asked import Gateway, Limits, ask_again
from depose.watch.plan import Wanted
from depose.watch.run import watch
from fakes import answer, case_of, model, write_case
from mixed_bundles import mixed_case
from traps import Harm, Place, Traps

ON_BATCHES = Traps("findings or answers changed without a trace")
PROMPTS = {f"q{n}": f"Tell me about the number {n}." for n in range(4)}
ROLES = {"S1": "suspect", "R1": "reference", "C1": "control", "C2": "control", "C3": "control"}
LOG, MARK, FINDINGS = "evidence/log.jsonl", "evidence/seals/sealed.json", "out/findings.json"


# --- folders that depose keeps, laid out by somebody else -------------------------------------------


def _spared(place: Place, act: Callable[[], object]) -> object:
    """Do something, and raise Harm where it took files from a folder of the victim, or put some there."""
    letters = place.folder / "letters"
    before = sorted(letters.rglob("*"))
    try:
        return act()
    finally:
        if sorted(letters.rglob("*")) != before:
            raise Harm("files of the victim are gone, or others there")


def _link(place: Place, at: Path) -> None:
    """Lead a place to a folder of the victim."""
    letters = place.folder / "letters"
    (letters / "day=2026-05-01").mkdir(parents=True)
    for name in ("a.txt", "b.parquet", "day=2026-05-01/c.parquet"):
        (letters / name).write_text("mine")
    at.parent.mkdir(parents=True, exist_ok=True)
    at.symlink_to(letters)


for _place in ("out/tables", "events/day=2026-05-01", "events/texts", "out/lineup"):

    @ON_BATCHES.add(f"an extraction case whose {_place} leads to a folder of the victim's", "link; nothing is written")
    def _(place: Place, at: str = _place) -> object:
        folder = place.folder / "case"
        bundled.copy("extraction", folder)
        shutil.rmtree(folder / at, ignore_errors=True)
        _link(place, folder / at)
        return _spared(place, lambda: conduct.scan_case(folder, now))


@ON_BATCHES.add("a folder of the victim's among the tables of an extraction case", "a folder among the tables")
def _(place: Place) -> object:
    folder = place.folder / "case"
    bundled.copy("extraction", folder)
    (folder / "out/tables/letters").mkdir(parents=True)
    (folder / "out/tables/letter.txt").write_text("mine")
    try:
        return conduct.scan_case(folder, now)
    finally:
        if not (folder / "out/tables/letter.txt").exists():
            raise Harm("a letter is gone")


for _place in ("base", "rows", "cases", "asked", "weights"):

    @ON_BATCHES.add(f"a folder of a batch whose {_place} leads to a folder of the victim's", "link; nothing is written")
    def _(place: Place, at: str = _place) -> object:
        path = write_batch(place.folder / "batch")
        _link(place, place.folder / "out" / at)
        return _spared(
            place,
            lambda: run_batch(path, place.folder / "out", Manner(workers=1), now, lambda _: None, lambda *_: None),
        )


@ON_BATCHES.add("a line-up whose folder of scores leads to a folder of the victim's", "link; nothing is written")
def _(place: Place) -> object:
    folder = place.folder / "case"
    shutil.copytree(_made()[0], folder)
    _link(place, folder / ".lineup")
    return _spared(place, lambda: pipeline.analyze_case(folder, lambda _: None, now))


def _asked_again(place: Place) -> object:
    path = place.folder / "acme-1.pack"
    path.write_bytes(whole())
    found = packs.read(path)
    gateway = Gateway(base_url=place.server.url, allow_private=True)
    return ask_again(found, path, [found.manifest.models[0].spec.code], 2, gateway, Limits(), place.folder / "a", now)


@ON_BATCHES.add("a folder in which a pack was asked for, with another pack in its place", "is another pack than")
def _(place: Place) -> object:
    other = parts()
    other.answers[0]["text"] = "Words of somebody else, which are signed by a stranger."
    (place.folder / "a/packs").mkdir(parents=True)
    (place.folder / "a/packs/acme-1.pack").write_bytes(made(other))
    return _asked_again(place)


@ON_BATCHES.add("a folder in which a pack was asked for that leads elsewhere", "link; nothing is written")
def _(place: Place) -> object:
    _link(place, place.folder / "a/packs")
    return _spared(place, lambda: _asked_again(place))


@lru_cache(maxsize=1)
def _made() -> tuple[Path, Path]:
    """Make a case as a batch makes it for a hit, audited and not sealed, and another that is sealed."""
    folder = Path(tempfile.mkdtemp(prefix="depose-batch-"))
    case = folder / "audited"
    case.mkdir()
    (case / "prompts.csv").write_text("prompt_id,prompt\n" + "".join(f"{n},{t}\n" for n, t in PROMPTS.items()))
    rows = [
        {"prompt_id": name, "prompt": text, "model": code, "output": answer(code, text)}
        for code in ROLES
        for name, text in PROMPTS.items()
    ]
    data = "".join(json.dumps(row) + "\n" for row in rows)
    file = f"{sha256(data.encode())[:16]}.jsonl"
    (case / file).write_text(data)
    models = [model(code, role, file=file, model=code) for code, role in ROLES.items()]
    write_case(case, case_of(models, probes=[], prompts="prompts.csv"))
    confirm.run(case, _digest(case), now, lambda _: None)
    sealed = folder / "sealed"
    shutil.copytree(case, sealed)
    keys.make(folder / "key.pem")
    seal(sealed, keys.load(folder / "key.pem"), now, {})
    return case, sealed


def _digest(case: Path) -> str:
    return sha256((case / "case.toml").read_bytes())


def _changed(name: str, says: str, change: Callable[[Path], object], *, sealed: bool) -> None:
    """Add a trap: the case of a hit is another one when the batch takes it."""

    def spring(place: Place) -> object:
        made = _made()[sealed]
        case, digest = place.folder / "case", _digest(made)
        shutil.copytree(made, case)
        (case / LOG).chmod(0o644)
        change(case)
        return confirm.run(case, digest, now, lambda _: None)

    ON_BATCHES.add(f"the case of a hit, {name}", says, slow=True)(spring)


def _rewrite(case: Path, change: Callable[[Entry], Entry | None]) -> None:
    """Write the log anew, with each entry changed as somebody wishes, in one chain."""
    prev, made = "0" * 64, list[bytes]()
    with (case / LOG).open("rb") as file:
        for one in chained(list(file), LOG):
            if entry := change(one.entry):
                made.append(canonical(msgspec.structs.replace(entry, prev=prev, seq=len(made))))
                prev = sha256(made[-1])
    (case / LOG).write_bytes(b"".join(line + b"\n" for line in made))


def _until_scored(entry: Entry) -> Entry | None:
    return None if entry.kind in ("scores", "unblinding", "checkpoint") else entry


def _as_the_reference(entry: Entry) -> Entry | None:
    """Let the suspect say what the reference says."""
    body = entry.body
    if entry.kind == "exchange" and body["model"] == "S1":
        words = answer("R1", PROMPTS[body["prompt"]])
        return msgspec.structs.replace(entry, body={**body, "text": words})
    return _until_scored(entry)


def _edit_findings(case: Path) -> None:
    file = case / FINDINGS
    found = json.loads(file.read_bytes())
    for one in found["findings"]:
        one["opinion"]["verdict"] = "indication"
    file.write_bytes(canonical(found))


def _mark(case: Path, bundle: str) -> None:
    (case / MARK).parent.mkdir(exist_ok=True)
    (case / MARK).write_bytes(canonical({"sealed_at": now(), "contents": "0" * 64, "bundle": bundle}))


def _marked(case: Path) -> None:
    _edit_findings(case)
    _mark(case, "case-000000000000.zip")


def _marked_as_nothing(case: Path) -> None:
    _mark(case, "")
    (case / MARK).write_bytes(b"{}")


def _of_another(case: Path) -> None:
    """Seal a case with the suspect's answers changed, and mark this one as sealed into that bundle."""
    other = case.with_name("other")
    shutil.copytree(_made()[0], other)
    file = next(other.glob("*.jsonl"))
    file.write_text(file.read_text().replace(answer("S1", PROMPTS["q1"]), answer("R1", PROMPTS["q1"])))
    shutil.rmtree(other / "evidence")
    shutil.rmtree(other / "out")
    pipeline.register_case(other, now)
    pipeline.probe(other, now, lambda *_: None)
    pipeline.analyze_case(other, lambda _: None, now)
    key = case.with_name("own.pem")
    keys.make(key)
    seal(other, keys.load(key), now, {})
    for name in ("evidence", "out", "sealed"):
        shutil.rmtree(case / name, ignore_errors=True)
        shutil.copytree(other / name, case / name)


LOOKED_UP = "another answer than .*jsonl holds"
_changed(
    "with an answer of another model in its log", LOOKED_UP, lambda at: _rewrite(at, _as_the_reference), sealed=False
)
_changed("marked as sealed, with findings made up", "is marked as sealed, and its bundle", _marked, sealed=False)
_changed(
    "marked as sealed into no bundle at all",
    "not the mark of a seal",
    _marked_as_nothing,
    sealed=False,
)
_changed(
    "marked as sealed under a name too long for a file",
    "is marked as sealed, and its bundle",
    lambda at: _mark(at, f"{'a' * 5_000}.zip"),
    sealed=False,
)
_changed("sealed, with another verdict", "findings.json: is not the one in", _edit_findings, sealed=True)
_changed(
    "sealed, with another log",
    "log.jsonl: is not the one in",
    lambda at: _rewrite(at, _until_scored),
    sealed=True,
)
_changed(
    "sealed again by somebody else, with other answers", "is not the one that was registered", _of_another, sealed=True
)
_changed(
    "with a case file whose digest begins as it should",
    "case.toml: is not what batch wrote",
    lambda at: (at / "case.toml").write_bytes((at / "case.toml").read_bytes() + b"# 2\n"),
    sealed=False,
)


def _tuned() -> dict[str, object]:
    """Describe a local model with an adapter, which a batch lays into the folder of a hit."""
    return model("S1", "suspect", provider="transformers", model="SmolLM2-135M-Instruct", adapter="tuned")


@ON_BATCHES.add("the case of a hit, with another adapter", "adapters/S1-.*: is not what batch wrote", slow=True)
def _another_adapter(place: Place) -> object:
    case = place.folder / "case"
    (case / "tuned").mkdir(parents=True)
    for name in ADAPTER:
        (case / "tuned" / name).write_bytes(b"{}")
    spec = msgspec.convert(_tuned(), type=ModelSpec)
    at = pinned_adapter_of(spec, case)
    lay_adapters([spec], case, case, lambda _: at)
    (case / "prompts.csv").write_text("prompt_id,prompt\nq0,Why?\n")
    models = [{**_tuned(), "adapter": at}, model("R1", "reference"), model("C1", "control")]
    write_case(case, case_of(models, probes=[], prompts="prompts.csv"))
    (case / at / ADAPTER[1]).write_bytes(b"another's")
    return confirm.run(case, _digest(case), now, lambda _: None)


# --- what live models answered before ---------------------------------------------------------------


@lru_cache(maxsize=1)
def _asked() -> Path:
    """Make a case of models that were asked over a network, as a batch keeps it in `asked`."""
    return mixed_case(Path(tempfile.mkdtemp(prefix="depose-asked-"))).case


def _answered(name: str, says: str, change: Callable[[Path], object]) -> None:
    """Add a trap: an answer of a live model is another one in the next run."""

    def spring(place: Place) -> object:
        case = place.folder / "asked"
        shutil.copytree(_asked(), case)
        (case / LOG).chmod(0o644)
        change(case)
        return follows(case)

    ON_BATCHES.add(f"answers that a batch asked for, {name}", says, slow=True)(spring)


def _reworded(entry: Entry) -> Entry | None:
    body = entry.body
    if entry.kind == "exchange" and body["model"] == "S1":
        return msgspec.structs.replace(entry, body={**body, "text": "Something else."})
    return _until_scored(entry)


def _raw_bytes(case: Path) -> None:
    file = next(one for one in (case / "evidence/blobs").iterdir() if b"chatcmpl" in one.read_bytes())
    file.chmod(0o644)
    file.write_bytes(file.read_bytes().replace(b"chatcmpl", b"chatcmpx"))


_answered("reworded", "not the one in its raw bytes", lambda at: _rewrite(at, _reworded))
_answered("with other raw bytes", "its bytes do not have the digest of its name", _raw_bytes)


def _from_another(name: str, take: Callable[[Path, Path], object]) -> None:
    """Add a trap: the log of a folder from which a command takes answers says others than its files."""

    def spring(place: Place) -> object:
        case = place.folder / "case"
        shutil.copytree(_made()[0], case)
        return take(case, place.folder)

    ON_BATCHES.add(f"{name} where somebody changed an answer", LOOKED_UP, slow=True)(spring)


def _spoil(case: Path) -> Path:
    (case / LOG).chmod(0o644)
    _rewrite(case, _as_the_reference)
    return case


def _watched(case: Path, _: Path) -> object:
    wanted = Wanted(models=("S1",), against="R1", recorded=True)
    return watch(_spoil(case), wanted, now, lambda *_: None)


def _replicated(case: Path, folder: Path) -> object:
    bundle = next((_made()[1] / "sealed").glob("*.zip"))
    for _ in range(2):
        consent = Consent(yes=True, unknown_signer=True)
        goal = folder / "mine"
        replicate(bundle, goal, b"", consent, Source(), now, lambda *_: None, lambda _: None, lambda _: None)
        _spoil(goal)
    return None


_from_another("a pack made from a case", lambda case, _: build.from_case(_spoil(case)))
_from_another("a watch over a case", _watched)
_from_another("a replication that goes on in a folder", _replicated)

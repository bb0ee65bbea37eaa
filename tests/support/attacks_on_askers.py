"""Traps in a case of the other side, for whoever asks its protocol again or works on its files as on one's own."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from depose import pipeline
from depose.batch import plan
from depose.case import bundled, casefile
from depose.cli.options import now
from depose.custody.described import DIALECTS
from depose.custody.replicate import Consent, replicate
from depose.custody.stamp import Source
from depose.endpoints import remote
from depose.endpoints.keys import origin_of
from depose.endpoints.local import SAMPLING
from depose.endpoints.openai import open_openai
from depose.evidence import ledger
from depose.model import Fact, ModelSpec
from fakes import case_of, model, write_case
from tampering import Records, edit, rechain, relist, restamp, unpack
from traps import VARIABLE, Place, Traps

ON_ASKERS = Traps("the other side's case run as one's own")


def forged(place: Place, change: Callable[[dict[str, Any]], None]) -> Path:
    """Seal the target anew with another registered case, as whoever has its key can."""
    work = unpack(place.target, place.folder / "bundle")

    def changed(records: Records) -> None:
        drawn = next(one["body"]["registration"] for one in records if one["kind"] == "seed")
        drawn["case"]["protocol"] |= {"phase": "registered"}
        drawn["case"]["protocol"].pop("seed_from")
        records[0]["body"] = drawn
        change(drawn)
        described(records, drawn["case"]["models"])
        records[:] = [one for one in records if one["kind"] not in ("seed", "scores", "unblinding")]

    rechain(work, changed)
    relist(work, place.target.key)
    return work


def facts_of_local(*more: Fact) -> tuple[Fact, ...]:
    """Say what local weights of one file say of themselves, and more."""
    said = {
        **{"file config.json": "a" * 64, "weights model.safetensors": "b" * 64, "chat template": "none"},
        **{"sampling": SAMPLING, "dtype": "float32", "device": "cpu", "threads": "2"},
        **{"torch": "2.13.0+cpu", "transformers": "5.1.0"},
    }
    said |= {fact.name: fact.value for fact in more}
    return tuple(Fact(name=name, value=value) for name, value in said.items() if value)


def described(records: Records, models: list[dict[str, Any]]) -> None:
    """Let endpoints say of themselves what follows from another case: its signer would."""
    for one in records:
        spec = next((spec for spec in models if one["kind"] == "endpoint" and spec["code"] == one["body"]["model"]), {})
        if dialect := DIALECTS.get(spec.get("provider", "")):
            of = msgspec.convert(spec, ModelSpec)
            one["body"]["facts"] = msgspec.to_builtins(remote.said(of, dialect, origin_of(of)))
        elif spec.get("provider") == "transformers":
            one["body"]["facts"] = msgspec.to_builtins(facts_of_local())


def asked(place: Place, bundle: Path, public: bytes | None = None, **consent: Any) -> object:
    """Replicate a bundle, by default with the key known and without a word more."""
    known = place.target.public if public is None else public
    said = Consent(**consent)
    goal = place.folder / "mine"
    return replicate(bundle, goal, known, said, Source(), now, lambda *_: None, lambda _: None, lambda _: None)


def endpoints(place: Place, text: str) -> Path:
    """Write endpoints.toml of one's own."""
    file = place.folder / "endpoints.toml"
    file.write_text(text)
    return file


# --- names of files -------------------------------------------------------------------------------


def _named(name: str, says: str, **places: str) -> None:
    def spring(place: Place) -> object:
        def change(body: dict[str, Any]) -> None:
            for field, value in places.items():
                if field in ("prompts", "calibration"):
                    body["case"]["protocol"][field] = value
                elif field == "terms":
                    body["case"]["terms"] = {"file": value}
                else:
                    body["case"]["models"][0][field] = value
                body["files"].append({"name": value, "value": "0" * 64})

        return asked(place, forged(place, change), yes=True)

    ON_ASKERS.add(f"a registered case that names {name}", says)(spring)


_named("its prompts in a folder above", "leads out of the case folder", prompts="../home/private.csv")
_named("its terms by a name in full", "is a name in full", terms="/etc/cron.d/depose")
_named("its answers in the home folder", "is a name in full", file="~/.profile")
_named("an adapter above", "leads out of the case folder", adapter="adapters/../../../lib")
_named("a calibration above", "leads out of the case folder", calibration="x/../../y.json")
_named("a hidden file that a shell runs", "is hidden", prompts=".envrc")
_named("a hook of git", "is hidden", file="a/.git/hooks/post-checkout")
_named("the log of the new case itself", "is among what depose keeps in evidence", prompts="evidence/log.jsonl")
_named("the case file, in capitals", "is among what depose keeps in", file="CASE.toml")
_named("waivers, which a report heeds", "is among what depose keeps in", file="waivers.toml")
_named("a file with a backslash", "a backslash", file="a\\..\\..\\b")
_named("a file with a line break", "a control character", file="a\nb.csv")
_named("a device of Windows", "Windows", terms="docs/nul.txt")


@ON_ASKERS.add(
    "a digest that is a path, in a bundle that is unpacked", "which is not in it|names the blob .* which is missing"
)
def _(place: Place) -> object:
    def change(body: dict[str, Any]) -> None:
        body["case"]["protocol"]["prompts"] = "p.csv"
        body["files"].append({"name": "p.csv", "value": f"../../../{place.canary.relative_to(place.folder.parent)}"})

    return asked(place, forged(place, change), yes=True)


@ON_ASKERS.add("an amendment that names a file above", "record [0-9]+: .* leads out of the case folder")
def _(place: Place) -> object:
    work = unpack(place.target, place.folder / "bundle")

    def change(records: Records) -> None:
        body = {**records[0]["body"], "case": {**records[0]["body"]["case"], "terms": {"file": "../x"}}}
        said = {"reason": "x", "changes": [], "scored": False, "registration": body}
        records.insert(2, {**records[1], "kind": "amendment", "body": said, "was": "amended"})

    rechain(work, change)
    relist(work, place.target.key)
    return asked(place, work, yes=True)


@ON_ASKERS.add("a log in a case folder whose record 0 names a file above", "record 0: .*leads out of the case folder")
def _(place: Place) -> object:
    def change(body: dict[str, Any]) -> None:
        body["case"]["protocol"]["prompts"] = "../x.csv"

    return ledger.entries(forged(place, change))


@ON_ASKERS.add("a bundle whose findings are of pairs that it does not ask for", "a finding that its protocol does not")
def _(place: Place) -> object:
    work = unpack(place.target, place.folder / "bundle")
    file = work / "out/findings.json"
    file.write_bytes(file.read_bytes().replace(b'"suspect":"S1"', b'"suspect":"S9"'))
    relist(work, place.target.key)
    return asked(place, work, yes=True)


# --- endpoints and keys ---------------------------------------------------------------------------


def _remote(place: Place, consent: dict[str, Any], own: str = "", **fields: Any) -> object:
    """Replicate a bundle whose suspect is asked over a network."""

    def change(body: dict[str, Any]) -> None:
        spec = body["case"]["models"][0]
        spec |= {"provider": "openai", "model": "m", "timeout": 2.0, "attempts": 1, **fields}

    given = {**consent, **({"endpoints": endpoints(place, own)} if own else {})}
    return asked(place, forged(place, change), **given)


def _reaching(name: str, says: str, fields: Callable[[Place], dict[str, Any]], own: str = "", **consent: Any) -> None:
    ON_ASKERS.add(name, says)(lambda place: _remote(place, consent, own, **fields(place)))


def _loopback(place: Place) -> dict[str, Any]:
    return {"base_url": f"{place.server.url}/v1", "allow_private": True}


_reaching(
    "a bundle that names a cloud secret for its key",
    f"names the variable {VARIABLE} for a key, which is never read",
    lambda place: {**_loopback(place), "api_key_env": VARIABLE},
    yes=True,
)
_reaching(
    "a bundle that names a private file for its key",
    "names the file .* for a key, which is never read",
    lambda place: {**_loopback(place), "api_key_file": str(place.canary)},
    yes=True,
)
_reaching("a bundle that leads to this machine", "which is no public address", _loopback, yes=True)
_reaching(
    "a bundle that leads to the metadata of a cloud",
    "which is no public address",
    lambda place: {"base_url": "https://169.254.169.254/v1", "allow_private": True},
    yes=True,
)
_reaching(
    "a bundle that leads to this machine in an odd way of writing",
    "which is no public address",
    lambda place: {"base_url": f"https://0x7f.1:{place.server.port}/v1", "allow_private": True},
    yes=True,
)
_reaching(
    "a bundle that is asked without a word",
    "nothing was sent or written",
    lambda _: {"base_url": "https://example.com/v1"},
)
_reaching(
    "a bundle whose private address is mapped without the asker's word",
    "a private address",
    _loopback,
    own='[models.S1]\nbase_url = "https://127.0.0.1/v1"\n',
)
_reaching(
    "a bundle with one model more than the asker has mapped",
    "endpoints.toml: S1 is missing",
    lambda place: {**_loopback(place), "api_key_env": VARIABLE},
    own="[models]\n",
)
_reaching(
    "an address that the asker left to the bundle",
    "S1: no base_url, and the case asks at",
    _loopback,
    own=f'[models.S1]\napi_key_env = "{VARIABLE}"\n',
)
_reaching(
    "weights on the asker's machine that the bundle names",
    "names a folder of weights on another machine",
    lambda place: {"provider": "transformers", "model": str(place.canary.parent)},
    yes=True,
)
_reaching(
    "another model than the protocol's, in endpoints.toml",
    "the protocol says which model is asked",
    _loopback,
    own='[models.S1]\nbase_url = "https://example.com/v1"\napi_key_env = "X"\nmodel = "cheaper"\n',
)


@ON_ASKERS.add("a bundle that anybody may have sealed", "signed with a key that nobody here knows, sha256 [0-9a-f]{64}")
def _(place: Place) -> object:
    return asked(place, place.target.bundle, public=b"", yes=True)


@ON_ASKERS.add("a bundle whose findings its signer changed", "statement.json: says something else than the findings")
def _(place: Place) -> object:
    work = unpack(place.target, place.folder / "bundle")
    edit(work / "out/findings.json", b'"verdict":"', b'"verdict":"indication","was":"')
    file = work / "out/findings.json"
    file.write_bytes(re.sub(rb'"verdict":"indication","was":"[^"]*"', b'"verdict":"indication"', file.read_bytes()))
    relist(work)
    restamp(work, place.target.authority.reply)
    relist(work, place.target.key)
    return asked(place, work, yes=True)


@ON_ASKERS.add("a bundle whose answers its signer changed", "the log says that there is this token, and there is none")
def _(place: Place) -> object:
    work = unpack(place.target, place.folder / "bundle")

    def change(records: Records) -> None:
        next(one for one in records if one["kind"] == "exchange")["body"]["text"] = "Something else."

    rechain(work, change)
    relist(work, place.target.key)
    return asked(place, work, yes=True)


@ON_ASKERS.add("endpoints.toml that is a link", "a symbolic link")
def _(place: Place) -> object:
    (place.folder / "endpoints.toml").symlink_to(place.canary)
    return asked(place, place.target.bundle, endpoints=place.folder / "endpoints.toml")


@ON_ASKERS.add("a folder where another case was laid out before", "is another case, or has other endpoints")
def _(place: Place) -> object:
    write_case(place.folder / "mine", case_of([model("S1", "suspect"), model("R1", "reference")]))
    return asked(place, place.target.bundle, yes=True)


# --- files beside a case --------------------------------------------------------------------------


def _case_with(place: Place, **protocol: Any) -> Path:
    models = [model("S1", "suspect"), model("R1", "reference")]
    return write_case(place.folder / "theirs", case_of(models, probes=[], **protocol))


@ON_ASKERS.add("a case whose prompts are a link to a private file", "is a symbolic link, or leads through one")
def _(place: Place) -> object:
    folder = _case_with(place, prompts="p.csv")
    (folder / "p.csv").symlink_to(place.canary)
    return pipeline.register_case(folder, now)


@ON_ASKERS.add("a case whose prompts lie behind a linked folder", "is a symbolic link, or leads through one")
def _(place: Place) -> object:
    folder = _case_with(place, prompts="data/private.csv")
    (folder / "data").symlink_to(place.canary.parent)
    return pipeline.register_case(folder, now)


@ON_ASKERS.add("a case to be copied, with a link beside its file", "a symbolic link among the files of a case")
def _(place: Place) -> object:
    folder = write_case(place.folder / "theirs", case_of([model("S1", "suspect"), model("R1", "reference")]))
    (folder / "notes.csv").symlink_to(place.canary)
    return bundled.copy(str(folder), place.folder / "copy")


@ON_ASKERS.add("a case file that is a link", "a symbolic link")
def _(place: Place) -> object:
    (place.folder / "case.toml").symlink_to(place.canary)
    return casefile.read(place.folder)


@ON_ASKERS.add("a calibration that is a link", "neither bundled nor a file: a symbolic link")
def _(place: Place) -> object:
    folder = write_case(
        place.folder / "theirs", case_of([model("S1", "suspect"), model("R1", "reference")], calibration="mine.json")
    )
    (folder / "mine.json").symlink_to(place.canary)
    return pipeline.register_case(folder, now)


def _batch(place: Place, **fields: Any) -> object:
    one = {"developer": "d", "weight_lineage": "w", "data_lineage": "l", "released": "2025"}
    roles = ("suspect", "reference", "control")
    models = [
        {"code": f"M{n}", "role": role, "provider": "recorded", "file": "a.csv", **one} for n, role in enumerate(roles)
    ]
    models[0] |= fields
    screening = {"prompts": fields.pop("prompts", "p.csv")}
    lines = ['[batch]\ntitle = "x"\nauthority = "x"\n', f"[screening]\nprompts = {screening['prompts']!r}\n"]
    lines += [
        "[[models]]\n" + "".join(f"{key} = {value!r}\n" for key, value in spec.items() if key != "prompts")
        for spec in models
    ]
    file = place.folder / "batch.toml"
    file.write_text("\n".join(lines))
    return plan.read(file)


ON_ASKERS.add("a batch whose answers lie above", "models.0..file: .*leads out")(lambda p: _batch(p, file="../x.csv"))
ON_ASKERS.add("a batch whose prompts are named in full", "prompts: .*a name in full")(
    lambda p: _batch(p, prompts=str(p.canary))
)


@ON_ASKERS.add("a batch that is a pipe", "not a file but a pipe")
def _(place: Place) -> object:
    os.mkfifo(place.folder / "batch.toml")
    return plan.read(place.folder / "batch.toml")


# --- a case folder of a stranger, asked as one's own ------------------------------------------------


def _sent(name: str, says: str, **fields: Any) -> None:
    def spring(place: Place) -> object:
        more = {name: value.format(home=place.folder) for name, value in fields.items()}
        own = {"provider": "openai", "model": "m", "base_url": place.server.url, "allow_private": True}
        return open_openai(msgspec.convert(model("S1", "suspect") | own | more, ModelSpec), place.folder)

    ON_ASKERS.add(name, says)(spring)


_sent(
    "a case that sends a maker's key to its author",
    "is a key for anthropic.com, .* sends it",
    api_key_env="ANTHROPIC_API_KEY",
)
_sent(
    "a case that sends a maker's second key to another maker",
    "is a key for openai.com",
    api_key_env="OPENAI_API_KEY_2",
    base_url="https://api.deepseek.com/v1",
)
_sent(
    "a case whose address only begins like its owner's",
    "is a key for openai.com",
    api_key_env="OPENAI_API_KEY",
    base_url="https://api.openai.com.example.net/v1",
)
_sent("a case that sends a key of a cloud", "holds no key of a model", api_key_env="AWS_SECRET_ACCESS_KEY")
_sent("a case that sends a token of a forge", "is a key for github.ai", api_key_env="GITHUB_TOKEN")
_sent("a case that sends the passphrase of a signing key", "holds no key of a model", api_key_env="MY_PASSPHRASE")
_sent("a case that sends what git keeps", "keep what opens something else", api_key_file="{home}/.git-credentials")
_sent(
    "a case that sends what a cloud's tool keeps",
    "keep what opens something else",
    api_key_file="{home}/.config/gh/hosts.yml",
)

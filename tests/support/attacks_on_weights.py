"""Attacks by whoever signs on what was recorded of two models' weights, for a reader who has no weights.

Findings, chains, trees, seals and tokens agree: what refuses them is that each part of a comparison follows from the
parts below it, and that it is of the models of the case.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

import weight_changes as changes
from attacks_with_key import stamped_anew
from authority import Authority
from depose import pipeline
from depose.cli.options import now
from depose.custody import keys, weights_follow
from depose.custody.seal import seal
from depose.custody.stamp import Source, stamp
from depose.model import WeightFinding
from depose.model.canonical import canonical, sha256
from depose.weights import exact_tails
from depose.weights.compare import Tests, together
from fakes import recorded_case
from tampering import Attacks, Records, Target, lines, rechain

ON_WEIGHTS = Attacks()
AFTERWARDS = ("scores", "unblinding")


def sealed_weights(folder: Path) -> Target:
    """Take a case with the weights of strangers from registration to a sealed bundle."""
    folder.mkdir(parents=True)
    for number, code in enumerate(("S1", "R1")):
        changes.save(folder / code, *changes.initialised(number, num_hidden_layers=2))
    case = recorded_case(folder / "case", suspect="somebody", controls=3, prompts=3)
    held = "".join(f"{code} = {json.dumps(str(folder / code))}\n" for code in ("S1", "R1"))
    (case / "case.toml").write_text((case / "case.toml").read_text() + "[weights.files]\n" + held)
    authority = Authority(folder / "tsa")
    pipeline.register_case(case, now)
    public = keys.make(folder / "key.pem")
    key = keys.load(folder / "key.pem")
    with authority.serve() as url:
        source = Source(url=url, roots=authority.roots.read_bytes())
        stamp(case, source, now)
        pipeline.probe(case, now, lambda *_: None)
        pipeline.analyze_case(case, lambda _: None, now)
        done = seal(case, key, now, {}, source)
    return Target(
        folder=folder, case=case, bundle=Path(done.bundle), key=key, public=public.read_bytes(), authority=authority
    )


def _attack(name: str, says: str) -> Callable[[Callable[[dict[str, Any], Records], object]], None]:
    """Add an attack that changes the record of the comparison, and makes all that is signed agree with it."""

    def added(change: Callable[[dict[str, Any], Records], object]) -> None:
        def act(work: Path, target: Target) -> None:
            def everywhere(records: Records) -> None:
                change(next(one for one in records if one["kind"] == "weights")["body"], records)

            rechain(work, everywhere, target.authority.reply)
            records = [json.loads(line) for line in lines(work)]
            before = [line for line, one in zip(lines(work), records, strict=True) if one["kind"] not in AFTERWARDS]
            weighed = {(one["body"]["suspect"], one["body"]["reference"]): one["body"] for one in _weights(records)}
            file = work / "out/findings.json"
            value = json.loads(file.read_bytes())
            value |= {"log_head": sha256(before[-1][:-1]), "protocol_digest": sha256(before[0][:-1])}
            file.write_bytes(canonical(value | {"weights": list(weighed.values())}))
            stamped_anew(work, target)

        ON_WEIGHTS.add(f"weights: {name}", says)(act)

    return added


def _weights(records: Records) -> Records:
    return [one for one in records if one["kind"] == "weights"]


_attack("a result that its tests do not give", "log10 p -300.0 in all, and its tests give")(
    lambda said, _: said.update(log10_p=-300.0, reading="not independent")
)
_attack("a reading that its result does not give", "is read as 'not independent', and log10 p is")(
    lambda said, _: said.update(reading="not independent")
)
_attack("a level of one half", "a level of 0.5, not 1e-06")(
    lambda said, _: said.update(alpha=0.5, reading="not independent")
)


@_attack("tests that its layers do not give", "the order of units: log10 p -90.0 of")
def _tests(said: dict[str, Any], _: Records) -> None:
    said["tests"][0]["log10_p"] = -90.0
    said.update(log10_p=-80.0, reading="not independent")


@_attack("a layer that is counted no more", "the order of units: log10 p")
def _uncounted(said: dict[str, Any], _: Records) -> None:
    next(one for one in said["layers"] if one["kind"] == "mlp")["counted"] = False


@_attack("a kind of test that stands twice", "a kind of test stands twice")
def _twice(said: dict[str, Any], _: Records) -> None:
    said["tests"].append(said["tests"][0])


_attack("of a model that is no suspect", "are not those of a suspect and a reference")(
    lambda said, _: said.update(suspect="C1")
)


def _refollowed(said: dict[str, Any]) -> None:
    """Make tests, result and reading follow from the layers as they now are."""
    one = msgspec.convert(said, WeightFinding)
    logs = weights_follow._logs(one)
    for test in (test for test in said["tests"] if test["kind"] in logs):
        each = logs[test["kind"]]
        again = None if each.again is None else exact_tails.fisher(each.again)
        test |= {"n": len(each.logs), "log10_p": exact_tails.fisher(each.logs), "again_log10_p": again}
    rest = [
        Tests([test["log10_p"]], None if test["again_log10_p"] is None else [test["again_log10_p"]])
        for test in said["tests"]
        if test["kind"] not in logs
    ]
    said["log10_p"] = together([*logs.values(), *rest])
    said["reading"] = "not independent" if said["log10_p"] <= -6 else "nothing against independence"


def _layers(name: str, says: str, change: Callable[[dict[str, Any]], object], kind: str = "mlp") -> None:
    """Add an attack that changes the layers of a kind, and lets all else follow from them."""

    @_attack(name, says)
    def _(said: dict[str, Any], _: Records) -> None:
        for one in said["layers"]:
            if one["kind"] == kind:
                change(one)
        _refollowed(said)


def _dimensions(**change: Any) -> Callable[[dict[str, Any], Records], object]:
    def changed(said: dict[str, Any], _: Records) -> None:
        next(one for one in said["tests"] if one["kind"] == weights_follow.DIMENSIONS).update(change)
        _refollowed(said)

    return changed


_attack("a second look that its layers do not give", "log10 p -50.0 at the second look, and its layers give")(
    lambda said, _: said["tests"][0].update(again_log10_p=-50.0)
)
_attack("a test without its second look", "log10 p None at the second look")(
    lambda said, _: said["tests"][0].update(again_log10_p=None)
)
_layers(
    "kin at the first look, and no second one",
    "an order without its second look",
    lambda one: one.update(order_log10_p=-60.0, again_log10_p=None),
)
_layers(
    "an order less likely than any",
    "less likely than any order or signs of",
    lambda one: one.update(order_log10_p=-5_000.0, again_log10_p=-90.0),
)
_layers(
    "signs less likely than any", "less likely than any order or signs", lambda one: one.update(signs_log10_p=-40.0)
)
_layers(
    "a second look less likely than any",
    "less likely than any order at the second look",
    lambda one: one.update(order_log10_p=-60.0, again_log10_p=-300.0),
)
_layers("more matches than units", "which cannot be", lambda one: one.update(units=3))
_layers("units that are more alike than equal", "which cannot be", lambda one: one.update(cosine=7.0))
_layers(
    "one layer of the reference that counts twice",
    "counts twice among those of the kind attention",
    lambda one: one.update(closest="0", counted=True),
    "attention",
)
_attack("an order of the model's dimensions less likely than any", "tests of log10 p -500.0, which cannot be")(
    _dimensions(log10_p=-500.0, again_log10_p=-500.0)
)
_attack("the dimensions tested 77 times", "77 tests of log10 p")(_dimensions(n=77))
_attack("the dimensions without a second look", "the order of the model's dimensions without its second look")(
    _dimensions(log10_p=-60.0, again_log10_p=None)
)
_attack("a map without rows", "a map of other MLPs than it names")(lambda said, _: said["map"].update(margins=[]))
_attack("a map of other layers", "a map of other MLPs than were compared")(
    lambda said, _: said["map"].update(suspect=["7", "8"])
)


@_attack("a layer that stands twice", "a layer of the kind attention stands twice")
def _layer_twice(said: dict[str, Any], _: Records) -> None:
    said["layers"].append(copy.deepcopy(said["layers"][-1]))
    _refollowed(said)


@_attack("a layer beside another than the map says is closest", "the map has another closest one")
def _other_closest(said: dict[str, Any], _: Records) -> None:
    said["map"]["margins"][0] = [0.99, 0.0] if said["layers"][0]["closest"] == "1" else [0.0, 0.99]


@_attack("a chance above one in the map", "a logarithm of a probability above 0 in the map")
def _above_one(said: dict[str, Any], _: Records) -> None:
    said["map"]["order_log10_p"][0][0] = 5.0


_attack("of no files", "files of S1 without names and digests")(lambda said, _: said.update(suspect_files={}))
_attack("of a file that has no digest", "files of R1 without names and digests")(
    lambda said, _: said.update(reference_files={"model.safetensors": "genuine"})
)


@_attack("compared a second time", "were compared before, and of two comparisons the better one could be kept")
def _again(said: dict[str, Any], records: Records) -> None:
    place = next(place for place, one in enumerate(records) if one["kind"] == "weights")
    records.insert(place, copy.deepcopy(records[place]))

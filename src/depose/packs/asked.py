"""Cases that ask for a pack: many models through one gateway, or some controls of a pack once more.

Both are cases like any other, in a folder of their own: registered before they are asked, resumed after a kill, held
to a budget, with every byte in their log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from depose import pipeline
from depose.analysis.scored_bags import Bench
from depose.asking import collect
from depose.case import casefile, packs
from depose.case.casetext import described, table
from depose.case.packs import Pack
from depose.custody.unsealed import follows
from depose.errors import AnalysisError, CaseError, UsageError
from depose.evidence.log import Clock, write_whole
from depose.features.extract import Features
from depose.model import ModelSpec, Prompt, Record
from depose.model.random_streams import stream
from depose.packs import given
from depose.statistics.rounding import tidy

DETECTOR = "phrases"
"""Compares what a control answers now with what it answered then, as in the quality checks of a case."""
PROMPTS = "prompts.jsonl"
PRICES = ("price_input", "price_output")
"""Columns of a table of models: the price of a million tokens."""
LEAST = 3
"""Controls beside the one that is compared, without which nothing can be said."""


class Gateway(Record, frozen=True, kw_only=True):
    """One address behind which many models are asked, in the format of OpenAI."""

    base_url: str
    api_key_env: str = ""
    allow_private: bool = False


class Limits(Record, frozen=True, kw_only=True):
    """Where asking stops."""

    requests: int | None = None
    tokens: int | None = None
    money: float | None = None


class Again(Record, frozen=True, kw_only=True):
    """One control of a pack, asked once more."""

    model: str
    prompts: int
    """To how many prompts it answered then and now."""
    own: float
    """T of its answers now with those of then; higher: more alike."""
    next: float
    """The highest T of its answers now with those of any other control."""
    p: float
    """Share of the controls, itself counted, that its answers now are at least as much like: 1/K at best."""
    moved: bool
    """Whether another control is as close to its answers now as its own answers of then."""
    problem: str = ""
    """Why nothing can be said."""


Meter = Callable[[int], Any]
Say = Callable[[str], None]


def ask_gateway(
    models: Sequence[dict[str, str]],
    gateway: Gateway,
    protocol: dict[str, Any],
    head: dict[str, str],
    limits: Limits,
    folder: Path,
    clock: Clock,
    meter: Meter | None = None,
    say: Say = lambda _: None,
) -> Path:
    """Ask models through a gateway in a case at `folder`, and return it; a run that stopped goes on.

    Raises UsageError for fewer than two models, CaseError where the folder holds another case.
    """
    if len(models) < 2:
        raise UsageError("a pack of fewer than two models", hint="name more: --model NAME, or --models TABLE")
    specs, prices = [], {}
    for number, fields in enumerate(models, 1):
        code = fields.get("code", f"K{number:03}")
        plain = {name: value for name, value in fields.items() if name not in (*PRICES, "code", "role")}
        role = "suspect" if number == 1 else "reference" if number == 2 else "control"
        reach = {"provider": "openai", **_reach(gateway), **plain}
        specs.append(given.spec_of({**reach, "code": code, "role": role}, f"model {number}"))
        if any(name in fields for name in PRICES):
            prices[code] = {name.partition("_")[2]: _price(fields.get(name, "0"), code) for name in PRICES}
    asked = {"questions": ["same"], "replicates": 1, "calibration": "", "detectors": ["phrases"], **protocol}
    return _ask(_text(head, asked, limits, prices, specs), folder, clock, meter, say)


def _price(text: str, code: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise UsageError(
            f"{code}: {text!r} is no price", hint="price_input and price_output: of a million tokens"
        ) from error


def _reach(gateway: Gateway) -> dict[str, str]:
    return {
        "base_url": gateway.base_url,
        "api_key_env": gateway.api_key_env,
        "allow_private": "true" if gateway.allow_private else "false",
    }


def _text(
    head: dict[str, str],
    protocol: dict[str, Any],
    limits: Limits,
    prices: dict[str, Any],
    specs: Sequence[ModelSpec],
) -> str:
    parts = [table("[case]", head), table("[protocol]", {"primary": {"same": DETECTOR}, **protocol})]
    budget = {name: value for name, value in msgspec.to_builtins(limits).items() if value is not None}
    parts += [table("[budget]", budget)] * bool(budget)
    parts += [table(f"[prices.{code}]", price) for code, price in prices.items()]
    return "\n".join([*parts, *(table("[[models]]", described(spec)) for spec in specs)])


def _ask(text: str, folder: Path, clock: Clock, meter: Meter | None, say: Say) -> Path:
    casefile.parse(text, str(folder / casefile.NAME), folder)
    file = casefile.own_places(folder) / casefile.NAME
    if file.is_file() and file.read_text(encoding="utf-8") != text:
        raise CaseError(f"{file}: another case lies there", hint="name another folder, or ask as the first time")
    folder.mkdir(parents=True, exist_ok=True)
    if not file.is_file():
        write_whole(file, text.encode())
    pipeline.register_case(folder, clock)
    left = sum(row.questions for row in pipeline.estimate(folder))
    say(f"{left} questions, recorded in {folder}")
    shown = meter(left) if meter else None
    done = pipeline.probe(folder, clock, shown.advance if shown else lambda *_: None, shown)
    if shown:
        shown.finish()
    for line in (*done.notices, *([f"stopped: {done.stopped}"] if done.stopped else [])):
        say(line)
    return folder


def ask_again(
    pack: Pack,
    path: Path,
    codes: Sequence[str],
    count: int,
    gateway: Gateway,
    limits: Limits,
    folder: Path,
    clock: Clock,
    meter: Meter | None = None,
    say: Say = lambda _: None,
) -> tuple[Again, ...]:
    """Ask some controls of a pack as many of its prompts again, and say of each whether it is still itself.

    For each the answers of now are scored among all answers of then: T with its own against T with every other one's.
    Raises EvidenceError where an answer that lies in the folder does not follow from its raw bytes.
    """
    manifest = pack.manifest
    kept = casefile.own_places(folder) / "packs" / manifest.file
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_whole(kept, path.read_bytes())
    elif packs.read(kept).sha256 != pack.sha256:
        raise CaseError(f"{kept}: is another pack than {path}", hint="name another folder, or ask as the first time")
    prompts, _ = packs.contents(pack, str(path))
    chosen = _drawn(prompts, count)
    write_whole(folder / PROMPTS, given.prompt_lines(chosen))
    by_code = {one.spec.code: one for one in manifest.models}
    live = []
    for number, code in enumerate(codes, 1):
        one = by_code[code]
        own = {name: value for name, value in described(one.spec).items() if name in SAME}
        reach = {name: value for name, value in _reach(gateway).items() if value}
        fields = {**own, **reach, "allow_private": gateway.allow_private, "model": one.asked_as}
        live.append(ModelSpec(code=_live(number), role="suspect", provider="openai", **fields))
    stand_in = next(one.spec for one in manifest.models if one.spec.code not in codes)
    reference = msgspec.structs.replace(stand_in, code="R", role="reference", file=f"packs/{manifest.file}")
    protocol = {
        "questions": ["same"],
        "calibration": "",
        "detectors": ["phrases"],
        "controls": f"pack:{manifest.name}-{manifest.version}",
        "prompts": PROMPTS,
    }
    head = {"title": f"pack {manifest.name} {manifest.version}, asked again", "authority": manifest.authority}
    _ask(_text(head, protocol, limits, {}, [*live, reference]), folder, clock, meter, say)
    for unread in follows(folder):
        say(f"{folder.name}: not checked: {unread}")
    found = collect.dossier(folder)
    bench = Bench(found, Features(), lambda _: None)
    recorded = [one.spec.code for one in manifest.models]
    return tuple(_moved(bench, _live(number), code, recorded) for number, code in enumerate(codes, 1))


SAME = ("system", "temperature", "max_tokens", "seed", "developer")
"""What a control is asked with again."""


def _live(number: int) -> str:
    return f"Now{number:03}"


def _drawn(prompts: Sequence[Prompt], count: int) -> list[Prompt]:
    if not 1 <= count <= len(prompts):
        raise UsageError(f"{count} prompts of {len(prompts)}", hint=f"--prompts 1 to {len(prompts)}")
    places = stream(7, "pack", "again").permutation(len(prompts))[:count]
    return [prompts[int(place)] for place in sorted(places.tolist())]


def _moved(bench: Bench, live: str, code: str, recorded: Sequence[str]) -> Again:
    others = [one for one in recorded if one != code and not bench.silent([one])]
    both = {prompt for model, prompt in bench.answering if model == live}
    both &= {prompt for model, prompt in bench.answering if model == code}
    nothing = Again(model=code, prompts=len(both), own=0.0, next=0.0, p=1.0, moved=False)
    if bench.silent([live, code]) or len(others) < LEAST:
        problem = "no answer of then or now" if len(others) >= LEAST else f"fewer than {LEAST} other controls answered"
        return msgspec.structs.replace(nothing, problem=problem)
    try:
        t = bench.scored((live, code, *others), DETECTOR).scores.t[0, 1:]
    except AnalysisError as error:
        return msgspec.structs.replace(nothing, problem=str(error))
    own, rest = float(t[0]), t[1:]
    return Again(
        model=code,
        prompts=len(both),
        own=tidy(own),
        next=tidy(float(rest.max())),
        p=tidy((1 + int((rest >= own).sum())) / (len(rest) + 1)),
        moved=bool((rest >= own).any()),
    )

"""Looks at the cases of answers from endpoints, and of texts that are no answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cases_frame import (
    Look,
    Ran,
    Seen,
    asked,
    depose,
    exchanges,
    live_case,
    log,
    python,
    scores,
    served,
    told,
)

REPOSITORY = Path(__file__).parents[1]


# --- what is no evidence ----------------------------------------------------------------------------


def _alike(folder: Path, work: Path, names: tuple[str, ...], right: str) -> Iterator[Seen]:
    """Compare the scores of the variants that a script writes beside each other."""
    (work / "casefiles" / "recorded").mkdir(parents=True)
    text = (REPOSITORY / "casefiles" / "recorded" / "case.toml").read_text()
    (work / "casefiles" / "recorded" / "case.toml").write_text(text)
    python(folder / "gen.py", cwd=work)
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for name in names:
        for command in ("register", "probe", "analyze"):
            ran = depose(command, work / name)
            if ran.code:
                yield Seen(right=right, came=f"{name}: {command}: exit {ran.code}: {ran.err}", ok=False)
                return
        found[name] = scores(work / name)
    shown = "; ".join(f"{name}: " + _scored(one) for name, one in found.items())
    yield Seen(right=right, came=shown, ok=all(one == found[names[0]] for one in found.values()))


def _scored(found: dict[str, tuple[float, float]]) -> str:
    return ", ".join(f"{question} T {t:z.2f} p_R {p:.3f}" for question, (t, p) in found.items())


def line_ends(folder: Path, work: Path) -> Iterator[Seen]:
    """Line ends are no evidence."""
    names = ("lf", "suspect_crlf", "pair_crlf")
    yield from _alike(folder, work, names, "LF, the suspect's CRLF and both CRLF give the same T and p")


def think_block(folder: Path, work: Path) -> Iterator[Seen]:
    """Think blocks are no evidence."""
    yield from _alike(folder, work, ("plain", "think"), "with and without <think> the same T and p")


# --- what endpoints say -----------------------------------------------------------------------------


def _asked(folder: Path, work: Path, reply: str = "reply.py", provider: str = "openai", more: str = "") -> Ran:
    """Let a script of a case answer a small case."""
    with served(folder / reply, work) as url:
        return asked(live_case(work / "case", url, provider, more))


def broken_off(folder: Path, work: Path) -> Iterator[Seen]:
    """Half a text with an error, or with `abort`, is asked again."""
    _asked(folder, work, more="attempts = 2\n")
    found = exchanges(work / "case")
    for prompt, word in (("p1", "upstream went away"), ("p2", "abort")):
        tries = found[prompt]
        ok = [one["outcome"] for one in tries] == ["failed", "failed"] and word in tries[0]["reason"]
        yield Seen(right=f"{prompt}: failed ({word}), asked again", came=told(tries), ok=ok)


def chunk_without_delta(folder: Path, work: Path) -> Iterator[Seen]:
    """Chunks without a delta say nothing."""
    _asked(folder, work, more="stream = true\n")
    found = exchanges(work / "case")
    for prompt, text in (("p1", "Water it."), ("p2", "Bake."), ("p3", "Bake.")):
        ok = [one["text"] for one in found[prompt]] == [text]
        yield Seen(right=f"{prompt}: {text}", came=found[prompt][-1]["text"] or told(found[prompt]), ok=ok)


def empty_200(folder: Path, work: Path) -> Iterator[Seen]:
    """Nothing was run, and thinking that used up the tokens."""
    first = _asked(folder, work, more="attempts = 3\n")
    found = exchanges(work / "case")
    ok = [one["outcome"] for one in found["p1"]] == ["failed"] * 3
    yield Seen(right="p1: failed, asked again", came=told(found["p1"]), ok=ok)
    last = found["p2"][-1]
    ok = last["outcome"] == "empty" and "length" in last["reason"] and last["reasoning"] == "I could say bake bread."
    yield Seen(right="p2: told with its cause, finish length", came=told(found["p2"]), ok=ok)
    summary = (first.err + first.out).strip()
    yield Seen(right="no `answered` in words of what is none", came=summary, ok="9 answered" not in summary)
    with served(folder / "reply.py", work / "case") as _:
        again = depose("probe", work / "case")
    yield Seen(
        right="no old 429 that was repeated with success", came=again.err[-300:], ok="slow down" not in again.err
    )


def filtered(folder: Path, work: Path) -> Iterator[Seen]:
    """Half sentences of filters are no answers, and count with the refusals."""
    for provider, reply in (("openai", "reply.py"), ("google", "g_reply.py"), ("anthropic", "a_reply.py")):
        (work / provider).mkdir()
        ran = _asked(folder, work / provider, reply, provider)
        found = exchanges(work / provider / "case")["p1"]
        ok = [one["outcome"] for one in found] == ["blocked"] and "9 blocked" in ran.out + ran.err
        yield Seen(right=f"{provider}: blocked, not an answer", came=told(found) + "; " + ran.err[-120:], ok=ok)


def google_parameters(folder: Path, work: Path) -> Iterator[Seen]:
    """`parameters` stand at the top of the body."""
    more = 'parameters = { safetySettings = [{ category = "X", threshold = "BLOCK_NONE" }] }\n'
    ran = _asked(folder, work, provider="google", more=more)
    body = (work / "seen.json").read_text()
    ok = ran.code == 0 and '"safetySettings"' in body
    yield Seen(right="safetySettings at the top of the body", came=f"exit {ran.code}: {body}", ok=ok)


def ratelimit_reset(folder: Path, work: Path) -> Iterator[Seen]:
    """A limit that says when it is reset is waited for."""
    start = time.monotonic()
    ran = _asked(folder, work)
    took = time.monotonic() - start
    tries = [one["outcome"] for one in exchanges(work / "case")["p1"]]
    came = f"{', '.join(tries)} after {took:.0f} s; {ran.out[:60]}"
    yield Seen(right="waits 25 s and is answered", came=came, ok=tries == ["failed", "answered"])


def reasoning_tokens(folder: Path, work: Path) -> Iterator[Seen]:
    """Reasoning that stands apart is counted, and paid."""
    tail = "[budget]\nmoney = 2.0\n[prices]\n" + "".join(
        f"{code} = {{ input = 0.0, output = 1000.0 }}\n" for code in ("S1", "R1", "C1")
    )
    with served(folder / "reply.py", work) as url:
        ran = asked(live_case(work / "case", url, more="concurrency = 1\n", end=tail))
    wires = [one["body"]["wire"] for one in log(work / "case") if one["kind"] == "exchange"]
    tokens = sorted({one["output_tokens"] for one in wires})
    ok = tokens == [2009] and len(wires) < 9 and "budget of 2 money" in ran.out + ran.err
    yield Seen(
        right="2009 output tokens a question; stops after the first answers",
        came=f"{tokens} output tokens, {len(wires)} asked; {ran.out[-120:]}",
        ok=ok,
    )


def sibling_model(folder: Path, work: Path) -> Iterator[Seen]:
    """Another model is told, a snapshot is not."""
    for line in python(folder / "t.py", cwd=work).splitlines():
        yield Seen(right="as t.py says", came=line, ok=not line.startswith("WRONG"))
    ran = _asked(folder, work, provider="anthropic", more="")
    yield Seen(right="MODEL MISMATCH", came=ran.out, ok="MODEL MISMATCH" in ran.out)


LOOKS: dict[str, Look] = {
    "broken-off": broken_off,
    "chunk-without-delta": chunk_without_delta,
    "empty-200": empty_200,
    "filtered": filtered,
    "google-parameters": google_parameters,
    "line-ends": line_ends,
    "ratelimit-reset": ratelimit_reset,
    "reasoning-tokens": reasoning_tokens,
    "sibling-model": sibling_model,
    "think-block": think_block,
}

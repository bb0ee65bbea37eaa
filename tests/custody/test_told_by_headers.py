"""What goes with an answer over the network does not tell it: headers, counts, and what a service said of a failure."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from attacks_on_asked_line_ups import sealed_asked_line_up
from depose import pipeline
from depose.cli.options import now
from depose.custody import keys, lengths
from depose.custody.kinds import LOG
from depose.custody.passages import Wanted
from depose.custody.redact import redact
from depose.custody.seal import seal
from fakes import answer, case_of, model, write_case
from faults import Server
from faulty import remote
from tampering import Target

PROMPTS = {f"q{n}": f"Tell me about the number {n}." for n in range(4)}


@pytest.fixture(scope="module")
def lined_up(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """The bundle of a line-up whose models were asked."""
    return sealed_asked_line_up(tmp_path_factory.mktemp("lined-up") / "target")


def test_an_answer_of_a_line_up_shows_no_length(lined_up: Target, tmp_path: Path) -> None:
    """Its tokens and its Content-Length stood beside the mark: only those of an audit were withheld."""
    redact(lined_up.bundle, tmp_path / "copy", Wanted(models=("S1",)), "not ours", now())
    lines = [line for line in (tmp_path / "copy" / LOG).read_text().splitlines() if '"kind":"lineup_answer"' in line]
    assert lines and all('"text":"[REDACTED]' in line for line in lines)
    shown = [re.findall(r'"output_tokens":[0-9]|"Content-Length","[0-9]', line) for line in lines]
    assert not any(shown)


@pytest.mark.parametrize(
    "name", ["Content-MD5", "ETag", "Repr-Digest", "x-ratelimit-remaining-tokens", "X-Response-Length", "Server-Timing"]
)
def test_a_header_that_may_tell_of_a_body_is_withheld(name: str) -> None:
    """A digest of the body lets a short secret be tried; a count of tokens tells its length."""
    headers = [["Content-Type", "application/json"], [name, "1B2M2Y8AsgTpgAmY7PhCfg=="], ["x-request-id", "req-1"]]
    line = json.dumps({"body": {"response_headers": headers}}, separators=(",", ":")).encode()
    assert [line[start:end] for start, end in lengths.told(LOG, line)] == [b"1B2M2Y8AsgTpgAmY7PhCfg=="]


def test_what_a_service_says_of_a_failure_goes_with_its_model(tmp_path: Path) -> None:
    """Its words stand in the reason, which is made of the raw bytes that are withheld; those of others stay."""
    case = tmp_path / "case"
    case.mkdir()
    rows = "".join(f"{name},{text}\n" for name, text in PROMPTS.items())
    (case / "prompts.csv").write_text(f"prompt_id,prompt\n{rows}")
    lines = [
        {"prompt_id": name, "prompt": text, "model": code, "output": answer(code, text)}
        for code in ("R1", "C2", "C3", "C4")
        for name, text in PROMPTS.items()
    ]
    (case / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    recorded = [
        model(code, "reference" if code == "R1" else "control", file="answers.jsonl", model=code)
        for code in ("R1", "C2", "C3", "C4")
    ]
    with Server(lambda seen: "400" if b"number 2" in seen.body else "") as server:
        write_case(case, case_of([remote(server.url), *recorded], probes=[], prompts="prompts.csv"))
        pipeline.register_case(case, now)
        pipeline.probe(case, now, lambda answered, failed: None)
    pipeline.analyze_case(case, lambda line: None, now)
    keys.make(tmp_path / "key.pem")
    done = seal(case, keys.load(tmp_path / "key.pem"), now, {})
    reasons = {
        json.loads(line)["body"]["reason"]
        for line in (case / LOG).read_text().splitlines()
        if '"kind":"exchange"' in line
    } - {""}
    assert reasons == {"HTTP 400: not now"}
    redact(Path(done.bundle), tmp_path / "copy", Wanted(models=("S1",)), "not ours", now())
    shown = "".join(
        one.read_bytes().decode("utf-8", "replace") for one in (tmp_path / "copy").rglob("*") if one.is_file()
    )
    assert not [reason for reason in reasons if reason in shown]


TELLS = {
    "the letters of a token": b'"bytes": [45, 55, 55, 51, 49]',
    "the numbers of all tokens": b'"context":[3121,88,12]',
    "where tokens stand": b'"text_offset":[0, 4]',
    "a count by another name": b'"eval_count":19',
    "how long it took": b'"eval_duration": 123000',
    "its characters": b'"output_characters":28',
    "its length": b'"contentLength":28',
}


@pytest.mark.parametrize("name", TELLS)
def test_numbers_of_a_raw_body_that_tell_its_words_are_withheld(name: str) -> None:
    """Beside a word that was withheld stood the letters of its last token, or how many there are."""
    said = TELLS[name]
    shown = [said[start:end] for start, end in lengths.told(f"evidence/blobs/{'a' * 64}", said)]
    assert shown == [re.findall(rb"[0-9][0-9, ]*", said)[0]]

"""What is withheld stands nowhere else in a copy: not as a thought, a cut quotation, a value, a digest or a length."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import msgspec
import pytest

from depose import pipeline
from depose.cli.options import now
from depose.custody import keys, lengths, passages, text_digests
from depose.custody.passages import Target, Wanted, windows
from depose.custody.redact import redact
from depose.custody.seal import seal
from depose.evidence.log import read_log
from depose.model import Findings
from depose.model.canonical import digest, sha256
from depose.model.lineup import Context, Turn
from fakes import recorded_case

PIN = "48w213"


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed case: prompts named by their digests, thoughts, and one sentence longer than an exhibit shows."""
    folder = tmp_path_factory.mktemp("told")
    made = recorded_case(folder / "case", suspect="same", controls=3, prompts=4)
    rows = [json.loads(line) for line in (made / "answers.jsonl").read_text().splitlines()]
    first = rows[0]["prompt"]
    for row in rows:
        row.pop("prompt_id")
        who, asked = row["model"], row["prompt"]
        endless = " ".join(f"{who.lower()} ran over hill {number} of {len(asked)}" for number in range(60))
        row["output"] = f"<think>Nobody may know that {who} hides kohlrabi.</think>{endless} {row['output']}"
        row["prompt"] = asked + f" My PIN is {PIN}." * (asked == first)
    (made / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    prompts = dict.fromkeys(row["prompt"] for row in rows)
    (made / "prompts.csv").write_text("prompt,category\n" + "".join(f"{json.dumps(one)},x\n" for one in prompts))
    pipeline.register_case(made, now)
    pipeline.probe(made, now, lambda answered, failed: None)
    pipeline.analyze_case(made, lambda line: None, now)
    pipeline.report_case(made, pipeline.Order(formats=("html",)))
    keys.make(folder / "key.pem")
    seal(made, keys.load(folder / "key.pem"), now, {})
    return made


def redacted(case: Path, goal: Path, wanted: Wanted) -> str:
    """Make a copy and return all that it shows, as text and as text of pages."""
    redact(next((case / "sealed").glob("*.zip")), goal, wanted, "not ours to show", now())
    shown = [one.read_bytes().decode("utf-8", "replace") for one in sorted(goal.rglob("*")) if one.is_file()]
    names = [str(one.relative_to(goal)) for one in goal.rglob("*")]
    return "\n".join((*names, *shown, *map(plain, shown)))


def plain(page: str) -> str:
    """Return the text of a page."""
    return html.unescape(re.sub("<[^>]*>", "", page))


def test_the_thoughts_of_a_model_are_withheld_with_its_answers(case: Path, tmp_path: Path) -> None:
    """In the log, in the files of answers and in the report; those of others stay."""
    shown = redacted(case, tmp_path / "copy", Wanted(models=("S1",)))
    assert "S1 hides kohlrabi" not in shown and "R1 hides kohlrabi" in shown


def test_a_prompt_takes_the_thoughts_on_it_along(case: Path, tmp_path: Path) -> None:
    """All thoughts on one prompt are gone from the log, and those on others stand there."""
    exchanges = [one.entry for one in read_log(case) if one.entry.kind == "exchange"]
    chosen = exchanges[0].body["prompt"]
    redacted(case, tmp_path / "copy", Wanted(prompts=(chosen,)))
    lines = (tmp_path / "copy/evidence/log.jsonl").read_text().splitlines()
    # All thoughts are alike here, so that those on other prompts go as well; the words in the file of answers too.
    assert not [one for one in exchanges if one.body["prompt"] == chosen and "kohlrabi" in lines[one.seq]]


@pytest.mark.parametrize("how", ["model", "passage", "words"])
def test_a_quotation_that_is_cut_within_a_sentence_is_withheld(case: Path, tmp_path: Path, how: str) -> None:
    """An exhibit shows a part of an endless sentence: no five words of it are left."""
    record, text = next(
        (one.entry.seq, one.entry.body["text"])
        for one in read_log(case)
        if one.entry.kind == "exchange" and one.entry.body["model"] == "S1"
    )
    quoted = text[: text.rindex("of ") + 2]
    target = Target(record=record, start=0, end=len(quoted))
    wanted = {
        "model": Wanted(models=("S1",)),
        "passage": Wanted(passages=(target,)),
        "words": Wanted(words=(quoted.encode(),)),
    }[how]
    report = plain((case / "out/report.html").read_text())
    mine = [part for part in windows(quoted) if " " in part]
    assert any(part in report for part in mine) and quoted not in report
    shown = redacted(case, tmp_path / "copy", wanted)
    assert not [part for part in mine if part in shown]


def test_the_id_of_a_prompt_that_is_its_digest_is_withheld_with_a_word_of_it(case: Path, tmp_path: Path) -> None:
    """Who knows all of a prompt but a PIN tried each against the twelve digits; the ids of others stay."""
    prompts = next(iter(read_log(case))).entry.body["prompts"]
    ids = {one["id"]: PIN in one["text"] for one in prompts}
    assert all(one["id"].removeprefix("p-") == sha256(one["text"].encode())[:12] for one in prompts)
    shown = redacted(case, tmp_path / "copy", Wanted(words=(PIN.encode(),)))
    for name, hidden in ids.items():
        assert (name[2:10] in shown) != hidden


def test_the_pages_do_not_say_how_long_an_answer_is_of_which_something_is_withheld(case: Path, tmp_path: Path) -> None:
    """Its characters in all, less those that are shown, were the length of what was withheld."""
    said = re.compile(r"</b> [a-z]+, [0-9,]+ char|\[[0-9,]+ (?:more|before)\]")
    assert said.search((case / "out/report.html").read_text())
    redacted(case, tmp_path / "copy", Wanted(models=("S1",)))
    assert not said.search((tmp_path / "copy/out/report.html").read_text())


def test_counts_and_the_seed_in_raw_bytes_are_numbers_that_tell() -> None:
    """Tokens of any provider, and the seed, which follows from the prompt's id."""
    raw = (
        b'{"seed": 1717, "max_tokens":200,"usage":{"completion_tokens":57,"total_tokens" : 99},'
        b'"usageMetadata":{"candidatesTokenCount":12},"token":"a","index":3}'
    )
    found = [raw[start:end] for start, end in lengths.told("evidence/blobs/" + "0" * 64, raw)]
    assert sorted(found) == [b"12", b"1717", b"200", b"57", b"99"]


def test_digests_of_a_text_and_of_its_context_are_named(case: Path) -> None:
    """Of the text, the list and the object that hold what is withheld, and of a context as line-ups name it."""
    turns = (Turn(role="user", content=f"My PIN is {PIN}."),)
    line = msgspec.json.encode({"id": "d1", "messages": turns, "tools": [], "text": "other"})
    place = line.index(PIN.encode())
    found = set(text_digests.of_texts(line, [(place, place + 6)]))
    assert sha256(turns[0].content.encode()) in found and digest(Context(messages=turns)) in found
    assert sha256(b"other") not in found and not set(text_digests.of_texts(line, []))


def test_values_that_withheld_answers_give_are_words_to_withhold(case: Path) -> None:
    """Findings and report set them out apart from the answers, in a spelling of their own."""
    made = msgspec.json.decode((case / "out/findings.json").read_bytes())
    prompt = {"id": "p1", "family": "long_tail", "cluster": "p1", "text": "When?"}
    row = {"prompt": prompt, "kind": "year", "value": "1912", "controls": 0, "of": 3}
    row["answers"] = [{"model": "S1", "text": "In nineteen twelve", "spans": []}]
    counts = {"prompts": 1, "shared": 1, "alone": 1, "reference_side": [], "suspect_side": [], "rule": "any"}
    made["shared_values"] = [{"suspect": "S1", "reference": "R1", "values": [row], **counts}]
    data = msgspec.json.encode(made)
    assert msgspec.json.decode(data, type=Findings)
    for wanted, said in (
        (Wanted(models=("S1",)), True),
        (Wanted(prompts=("p1",)), True),
        (Wanted(models=("C1",)), False),
    ):
        assert ([*passages.values_of(data, wanted)] == [b'"value":"1912"', b"year 1912"]) is said

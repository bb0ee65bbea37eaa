"""Derived copies and single records: what they show is proved, what they withhold cannot be guessed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depose import pipeline
from depose.cli.options import now
from depose.custody import commitment, keys, leaves, merkle
from depose.custody.bundle import opened
from depose.custody.consistent import elsewhere
from depose.custody.passages import Target as Passage
from depose.custody.passages import Wanted, sentences
from depose.custody.redact import KEPT, Redacted, produce, redact
from depose.custody.seal import seal
from depose.custody.verify import verify
from depose.errors import EvidenceError, UsageError
from depose.evidence.log import log_path, read_log
from depose.model.canonical import sha256
from fakes import depose, recorded_case
from tampering import Target, sealed_case, unpack

SOAK = bool(os.environ.get("DEPOSE_SOAK"))
BUNDLES = Path(__file__).parent / "bundles"
WORD = re.compile(rb"[a-z]+")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A sealed bundle."""
    return sealed_case(tmp_path_factory.mktemp("copies") / "target")


def first_word(target: Target) -> str:
    """First word of the first answer."""
    exchange = next(one for one in read_log(target.case) if one.entry.kind == "exchange")
    return str(exchange.entry.body["text"]).split()[0]


@pytest.fixture(scope="module")
def copy(target: Target, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which one word is withheld."""
    goal = tmp_path_factory.mktemp("copy") / "copy"
    redact(target.bundle, goal, Wanted(words=(first_word(target).encode(),)), "a name", now())
    return goal


# --- leaves -----------------------------------------------------------------------------------------

LINES = st.binary(max_size=200).map(lambda data: data.replace(b"\n", b" ") + b"\n")


@settings(max_examples=400 if SOAK else 60, deadline=None)
@given(line=LINES, data=st.data())
def test_whatever_is_withheld_the_root_follows_and_what_is_shown_cannot_change(
    line: bytes, data: st.DataObject
) -> None:
    """Any ranges may be withheld later; one changed byte of what is shown leads to another root or to none."""
    secret = data.draw(st.binary(min_size=32, max_size=32))
    place = st.integers(0, len(line) - 1)
    spans = [(min(a, b), max(a, b)) for a, b in data.draw(st.lists(st.tuples(place, place), max_size=4))]
    opened = leaves.withhold(line, secret, spans)
    root = leaves.piece(line, secret)
    assert leaves.read(opened.tree, opened.shown, 0, "line") == (
        root,
        len(opened.shown),
        opened.shown.count(leaves.MARK),
    )
    changed = bytearray(opened.shown)
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1
    try:
        assert leaves.read(opened.tree, bytes(changed), 0, "line").root != root
    except EvidenceError as error:
        assert "holds words where some were withheld" in error.message


def test_a_leaf_is_a_word_and_cutting_loses_nothing() -> None:
    """Words, escapes and what stands between; joined they are the line."""
    line = b'{"text":"My PIN is 123456.\\nCall \\u00e9t\xc3\xa9"}\n'
    cut = leaves.parts(line)
    assert b"".join(cut) == line
    assert [one for one in cut if b"123456" in one] == [b"123456."]
    assert b"\\n" in cut and b"\\u00e9" in cut


# --- what a copy withholds --------------------------------------------------------------------------


@pytest.mark.criterion(54, 58)
def test_a_copy_verifies_against_the_untouched_seal(target: Target, copy: Path) -> None:
    """Words are gone from all but depose's own programs; what is withheld is listed, the rest proved."""
    word = first_word(target).encode()
    for file in copy.rglob("*"):
        assert file.name in KEPT or not file.is_file() or word not in file.read_bytes(), file
    options = ("--public-key", target.folder / "key.pem.pub", "--tsa-root", target.authority.roots)
    ran = depose("verify", copy, *options)
    assert (ran.code, "each byte that is shown is proved" in ran.out, "time-stamp of COMMITMENT" in ran.out) == (
        0,
        True,
        True,
    )
    rows = [json.loads(line) for line in (copy / "redactions.jsonl").read_text().splitlines()]
    assert {"a name", "evidence/log.jsonl"} <= {row["reason"] for row in rows} | {row["file"] for row in rows}
    done = subprocess.run([sys.executable, "-I", "COPY.py"], cwd=copy, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1][:8]) == (0, "verified"), done.stderr
    work = unpack(target, copy.parent / "work")
    log = (copy / "evidence/log.jsonl").read_bytes().split(b"\n")
    for shown, sealed in zip(log, (work / "evidence/log.jsonl").read_bytes().split(b"\n"), strict=True):
        parts = [re.escape(part) for part in shown.split(leaves.MARK)]
        assert re.fullmatch(b".+".join(parts), sealed)


def test_no_digest_in_a_copy_covers_what_is_withheld(target: Target, copy: Path) -> None:
    """Neither whole nor cut short: of touched lines, of all lines after them, of files, of the tree."""
    work = unpack(target, copy.parent / "digests")
    lines = (work / "evidence/log.jsonl").read_bytes().splitlines()
    shown = (copy / "evidence/log.jsonl").read_bytes().splitlines()
    covered = {sha256(line) for line, seen in zip(lines, shown, strict=True) if line != seen}
    covered.add(sha256(lines[-1]))
    covered |= {merkle.leaf(line).hex() for line in lines} | {merkle.root([merkle.leaf(x) for x in lines]).hex()}
    for file in work.rglob("*"):
        name = file.relative_to(work).as_posix()
        if file.is_file() and (not (copy / name).is_file() or (copy / name).read_bytes() != file.read_bytes()):
            covered.add(sha256(file.read_bytes()))
    covered -= {sha256((work / "SHA256SUMS").read_bytes())}  # SALTS stands in it: nobody guesses that
    everything = b"".join(file.read_bytes() for file in copy.rglob("*") if file.is_file())
    everything += "\n".join(str(file.relative_to(copy)) for file in copy.rglob("*")).encode()
    assert len(covered) > 40
    runs = set(re.findall(rb"[0-9a-f]{8,}", everything))  # eight digits within a longer run may be chance
    for one in covered:
        assert not any(one.encode().startswith(run) for run in runs)
        assert one[:12].encode() not in everything
        assert bytes.fromhex(one) not in everything
    master = commitment.master((work / commitment.SALTS).read_bytes())
    assert master.hex().encode() not in everything
    assert leaves.secret_of(master, "evidence/log.jsonl").hex().encode() not in everything


# no digest holds their letter by chance
SECRETS = ("042w37", "042w37042w37042w37042w37042w370")


def with_secret(folder: Path, secret: str) -> Path:
    """Seal a case whose answers hold a secret, and whose files are alike but for that."""
    case = recorded_case(folder / "case", suspect="same", controls=3, prompts=4)
    answers = (case / "answers.jsonl").read_text().replace('"output": "', f'"output": "My PIN is {secret}, keep it. ')
    (case / "answers.jsonl").write_text(answers)
    pipeline.register_case(case, lambda: "2026-01-01T00:00:00.000000Z")
    pipeline.probe(case, now, lambda answered, failed: None)
    pipeline.analyze_case(case, lambda line: None, now)
    keys.make(folder / "key.pem")
    return Path(seal(case, keys.load(folder / "key.pem"), now, {}).bundle)


@pytest.mark.slow
def test_the_length_of_a_secret_does_not_show(tmp_path: Path) -> None:
    """A copy of six signs and one of thirty-one show the same, but for salts, dates and hashes."""
    seen = []
    for number, secret in enumerate(SECRETS):
        (tmp_path / str(number)).mkdir()
        bundle, goal = with_secret(tmp_path / str(number), secret), tmp_path / f"copy-{number}"
        redact(bundle, goal, Wanted(words=(secret.encode(),)), "a number", now())
        everything = {p.relative_to(goal).as_posix(): p.read_bytes() for p in goal.rglob("*") if p.is_file()}
        shown = {
            name: re.sub(rb"[0-9]{4}-[0-9-]*T[0-9:.]*Z?|[0-9a-f]{12,}|[0-9]+\.[0-9]+|e-[0-9]+", b"", data)
            for name, data in everything.items()
            if name.startswith(("evidence/blobs/withheld", "evidence/log", "out/exhibits", "seal.json", "redactions"))
        }
        lines = shown["evidence/log.jsonl"].split(b"\n")
        shown["evidence/log.jsonl"] = b"\n".join(one for one in lines if b'"kind":"run"' not in one)
        seen.append({re.sub("withheld-[0-9]+", "withheld", name): data for name, data in shown.items()})
        assert secret.encode() not in b"".join(everything.values())
    assert seen[0] == seen[1]


FORMS = (
    "Nadia Kowalski",
    "NADIA kowalski",
    "Nadia\nKowalski",
    "Nadia   Kowalski",
    "Nadia\u00a0Kowalski",
    "**Nadia** _Kowalski_",
    "Na\u00addia Kowal\u00adski",
    "Nadia &#75;owalski",
    "Nadia%20Kowalski",
    "\\u004eadia Kowalski",
    "Na\u200bdia Kowalski",
    "TmFkaWEgS293YWxza2k=",
    "4e61646961204b6f77616c736b69",
    "＊Ｎａｄｉａ Ｋｏｗａｌｓｋｉ",
)


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed case in whose answers a name stands in many forms, and near misses of it."""
    folder = tmp_path_factory.mktemp("named")
    case = recorded_case(folder / "case", suspect="same", controls=3, prompts=4)
    rows = [json.loads(line) for line in (case / "answers.jsonl").read_text().splitlines()]
    for number, row in enumerate(rows):
        row["output"] += f" Ask {FORMS[number % len(FORMS)]} about it; Nadja Kowalski and Mrs Kowalski know too."
    (case / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pipeline.register_case(case, now)
    pipeline.probe(case, now, lambda answered, failed: None)
    pipeline.analyze_case(case, lambda line: None, now)
    pipeline.report_case(case, pipeline.Order(formats=("html",)))
    keys.make(folder / "key.pem")
    return Path(seal(case, keys.load(folder / "key.pem"), now, {}).bundle)


@pytest.mark.slow
def test_words_are_found_in_every_form_and_near_ones_are_listed(named: Path, tmp_path: Path) -> None:
    """In any case, over line breaks and marks, in escapes and encodings; what is like them is told, and stays."""
    done = redact(named, tmp_path / "copy", Wanted(words=(b"Nadia Kowalski",)), "a person", now())
    for file in (tmp_path / "copy").rglob("*"):
        text = file.read_bytes().decode("utf-8", "replace") if file.is_file() else ""
        plain = re.sub(r"[\s\u00ad\u200b\u00a0*_\\]|<[^>]*>", "", text).lower()
        assert "nadiakowalski" not in plain, file
        for form in FORMS:
            assert form not in text and json.dumps(form)[1:-1] not in text, (file, form)
    assert {"Nadja Kowalski", "Kowalski"} <= {one.shown for one in done.near}
    assert "Nadja" in (tmp_path / "copy/evidence/log.jsonl").read_text()


@pytest.mark.slow
def test_one_passage_is_withheld_and_what_stands_around_it_shown(named: Path, tmp_path: Path) -> None:
    """Of one record, by its characters; wherever the same answer is quoted the passage is gone too."""
    record, text = next(
        (one.entry.seq, one.entry.body["text"]) for one in read_log(named.parents[1]) if one.entry.kind == "exchange"
    )
    start = text.index(" ", 40) + 1
    end = text.index(" ", start + 12)
    redact(named, tmp_path / "copy", Wanted(passages=(Passage(record=record, start=start, end=end),)), "private", now())
    shown = (tmp_path / "copy/evidence/log.jsonl").read_bytes().splitlines()[record].decode()
    assert text[start:end] not in shown
    assert text[:start] in shown and text[end + 1 : end + 20] in shown
    for file in (tmp_path / "copy").rglob("*"):
        assert not file.is_file() or text[start - 8 : end + 8].encode() not in file.read_bytes(), file


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["model", "prompt"])
def test_a_model_or_a_prompt_is_withheld_with_all_its_answers(named: Path, tmp_path: Path, kind: str) -> None:
    """No sentence of them is left in any file."""
    exchanges = [one.entry.body for one in read_log(named.parents[1]) if one.entry.kind == "exchange"]
    chosen = exchanges[0][kind]
    wanted = Wanted(models=(chosen,)) if kind == "model" else Wanted(prompts=(chosen,))
    redact(named, tmp_path / "copy", wanted, "not ours to show", now())
    everything = b"".join(file.read_bytes() for file in (tmp_path / "copy").rglob("*") if file.is_file())
    mine = {part for one in exchanges if one[kind] == chosen for part in sentences(one["text"])}
    others = {part for one in exchanges if one[kind] != chosen for part in sentences(one["text"])} - mine
    assert mine and not [part for part in mine if part.encode() in everything]
    assert [part for part in others if part.encode() in everything]


def test_what_is_not_text_is_left_out_and_said(target: Target, tmp_path: Path) -> None:
    """A table of scores in Parquet cannot be searched; the copy says that it is not there."""
    done: Redacted = redact(target.bundle, tmp_path / "copy", Wanted(words=(first_word(target).encode(),)), "x", now())
    assert "out/scores.parquet: it is not text and cannot be searched" in done.left_out
    assert not (tmp_path / "copy/out/scores.parquet").exists()
    rows = (tmp_path / "copy/redactions.jsonl").read_text()
    assert '"file":"out/scores.parquet","line":0' in rows


# --- single records ---------------------------------------------------------------------------------


@pytest.mark.criterion(48)
def test_a_record_is_produced_with_all_that_proves_it_and_no_other(target: Target, tmp_path: Path) -> None:
    """Seal, signature and key are in it; depose and the enclosed script take it, and no other record is there."""
    records = [one.entry for one in read_log(target.case) if one.entry.kind == "exchange"]
    first, texts = records[0].seq, {one.seq: str(one.body["text"]) for one in records}
    produce(target.bundle, tmp_path / "out", [first, records[-1].seq])
    options = ("--public-key", target.folder / "key.pem.pub", "--tsa-root", target.authority.roots)
    for path in (tmp_path / "out", tmp_path / f"out/proof-{first}.json"):
        ran = depose("verify", path, *options)
        assert ran.code == 0, ran.err
        assert f"record {first} stands in the sealed log" in ran.out and "time-stamp of COMMITMENT" in ran.out
    script = [sys.executable, "-I", "COPY.py", f"proof-{first}.json"]
    assert subprocess.run(script, cwd=tmp_path / "out", capture_output=True, check=False).returncode == 0
    signed = "openssl dgst -sha256 -verify signer.pem -signature SEAL.sig SEAL"
    assert subprocess.run(signed.split(), cwd=tmp_path / "out", capture_output=True, check=False).returncode == 0
    everything = b"".join(one.read_bytes() for one in (tmp_path / "out").iterdir())
    shown = {texts[first], texts[records[-1].seq]}
    assert all(text in shown or text.encode() not in everything for text in texts.values())
    for line in log_path(target.case).read_bytes().splitlines():
        assert sha256(line)[:8].encode() not in everything, "no digest tells of another record"


@pytest.mark.slow
def test_a_copy_needs_words_that_are_there(target: Target, tmp_path: Path) -> None:
    """Nothing is written for words that stand nowhere, for no words, or over a folder that is there."""
    for options in (
        ("--find", "nowhere at all", "--reason", "x"),
        ("--find", "made-up"),
        ("--record", "99999"),
        ("--model", "Z9", "--reason", "x"),
        ("--prompt", "no-such", "--reason", "x"),
        ("--passage", "1:2", "--reason", "x"),
        ("--passage", "0:1-5", "--reason", "x"),
        ("--find", "made-up", "--record", "1", "--reason", "x"),
        (),
    ):
        assert depose("redact", target.bundle, tmp_path / "copy", *options).code == 2, options
        assert not (tmp_path / "copy").exists()
    assert depose("redact", target.bundle, tmp_path, "--record", "1").code == 2


# --- of a bundle of before --------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 2])
def test_of_an_older_bundle_it_is_said_that_findings_are_made_otherwise_now(number: int) -> None:
    """And not that somebody changed them, though its version may have the same name."""
    with opened(BUNDLES / f"format-{number}.zip", b"") as read:
        assert f"(sealed as 'depose seal {number}', which an earlier depose" in elsewhere(read)


def test_a_bundle_of_format_1_verifies_by_its_rules_and_gives_no_copies() -> None:
    """It has no salts: what it proves is proved as before; a copy of it could be made up."""
    bundle, roots = BUNDLES / "format-1.zip", BUNDLES / "format-1-roots.pem"
    ran = depose("verify", bundle, "--public-key", BUNDLES / "format-1.pub", "--tsa-root", roots, "--no-recompute")
    assert (ran.code, "sealed by the rules of 'depose seal 1'" in ran.out) == (0, True), ran.err
    whole = depose("verify", bundle, "--public-key", BUNDLES / "format-1.pub", "--tsa-root", roots)
    assert whole.code == 0 or "verify with the version that made it" in whole.err
    with pytest.raises(UsageError, match="without salted leaves"):
        redact(bundle, Path("nowhere"), Wanted(words=(b"Tell",)), "x", now())
    with pytest.raises(UsageError, match="without salted leaves"):
        produce(bundle, Path("nowhere"), [1])


@pytest.mark.slow
def test_without_a_time_stamp_roots_are_not_passed_over(tmp_path: Path) -> None:
    """Whoever gives --tsa-root and gets no token to check is told so, with 3."""
    bundle = with_secret(tmp_path, SECRETS[0])
    redact(bundle, tmp_path / "copy", Wanted(words=(SECRETS[0].encode(),)), "x", now())
    produce(bundle, tmp_path / "out", [2])
    roots = BUNDLES / "format-1-roots.pem"
    for path in (tmp_path / "copy", tmp_path / "out", tmp_path / "out/proof-2.json", bundle):
        assert verify(path, recompute=False).checks
        ran = depose("verify", path, "--tsa-root", roots, "--no-recompute")
        assert (ran.code, "tsr: is missing" in ran.err) == (3, True), ran.err


@pytest.mark.parametrize("script", ["VERIFY.py", "SCORE.py", "COPY.py"])
def test_a_script_does_not_run_without_isolation(target: Target, copy: Path, tmp_path: Path, script: str) -> None:
    """A module that somebody put beside it is never imported."""
    shutil.copyfile(unpack(target, tmp_path / "work") / script, tmp_path / script)
    (tmp_path / "hashlib.py").write_text("print('taken over')")
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "begin with python3 -I" in done.stderr, "taken over" in done.stdout) == (1, True, False)

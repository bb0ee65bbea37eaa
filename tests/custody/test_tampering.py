"""Every attack on a sealed bundle is refused with its own message, by depose and, where they can see it, by others."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attacks import BY_ANYBODY
from attacks_on_answers import ON_ANSWERS
from attacks_on_copied_files import ON_COPIES
from attacks_on_forms import IN_TWO_FORMS
from attacks_on_records import ON_RECORDS
from attacks_on_seeds import ON_SEEDS
from attacks_on_signed_files import ON_SIGNED_FILES
from attacks_on_wires import ON_WIRES
from attacks_with_key import BY_SIGNER, reanalyzed, stamped_anew
from depose.custody.verify import verify
from depose.errors import EvidenceError
from fakes import files_in
from mixed_bundles import mixed_case
from tampering import LOG, Attack, Records, Target, met, rechain, sealed_case, seen_by, unpack
from thinned import thinned

ATTACKS = (*BY_ANYBODY, *BY_SIGNER, *ON_SIGNED_FILES, *ON_COPIES, *ON_RECORDS, *IN_TWO_FORMS, *ON_SEEDS)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A sealed bundle."""
    return sealed_case(tmp_path_factory.mktemp("tampering") / "target")


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A sealed bundle of answers over HTTP and from a file."""
    return mixed_case(tmp_path_factory.mktemp("mixed") / "target")


@pytest.mark.parametrize("one", thinned((*ON_ANSWERS, *ON_WIRES), 2), ids=lambda one: one.name)
def test_changed_evidence_of_the_signer_is_refused(one: Attack, mixed: Target, tmp_path: Path) -> None:
    """However well it is chained, signed and stamped: every answer is read again, every file and date looked at."""
    message = met(one, mixed, tmp_path)
    assert re.search(one.says, message), message


def test_the_untouched_bundle_of_answers_verifies(mixed: Target) -> None:
    """Every exchange is read again from its raw bytes or looked up again in its file."""
    done = verify(mixed.bundle, public_key=mixed.public, roots=mixed.authority.roots.read_bytes())
    assert "9 exchanges: request and answer follow from the registered question and the raw bytes" in done.checks
    assert "16 exchanges: looked up again in the registered files" in done.checks
    with pytest.raises(EvidenceError, match="which is yet to come"):
        verify(mixed.bundle, recompute=False, clock=lambda: "2020-01-01T00:00:00.000000Z")


def test_a_model_that_cannot_exist_and_was_not_asked_for_is_said(mixed: Target, tmp_path: Path) -> None:
    """An endpoint that takes any name for a model may be the signer's own: that it was not looked at is no secret."""
    said = "whether the endpoint of S1, C1 takes any name for a model: the protocol asks for one that cannot exist"
    work, roots = unpack(mixed, tmp_path / "work"), mixed.authority.roots.read_bytes()
    done = verify(work, public_key=mixed.public, roots=roots, recompute=False)
    assert not any(line.startswith(said) for line in done.not_verified)

    def unasked(records: Records) -> None:
        """Take out each such question, and that it was about to be sent."""
        for place in [n for n, one in enumerate(records) if one["kind"] == "control"][::-1]:
            del records[place - 1 : place + 1]

    rechain(work, unasked, mixed.authority.reply)
    for blob in (work / "evidence/blobs").iterdir():
        if blob.name not in (work / LOG).read_text():
            blob.unlink()
    reanalyzed(work)
    stamped_anew(work, mixed)
    done = verify(work, public_key=mixed.public, roots=roots, recompute=False)
    assert any(line.startswith(said) for line in done.not_verified)


@pytest.mark.parametrize("one", thinned(ATTACKS, 2), ids=lambda one: one.name)
def test_every_attack_is_refused_with_its_message(one: Attack, target: Target, tmp_path: Path) -> None:
    """An attack ends in EvidenceError (exit 3) that says what it is about."""
    message = met(one, target, tmp_path)
    assert re.search(one.says, message), message


def test_there_are_enough_attacks_under_different_names() -> None:
    """At least a hundred and eighty, each named once."""
    everything = (*ATTACKS, *ON_ANSWERS, *ON_WIRES)
    assert len({one.name for one in everything}) == len(everything) >= 180


@pytest.mark.criterion(46)
def test_the_untouched_bundle_verifies_zipped_and_unpacked_and_stays_as_it_is(target: Target, tmp_path: Path) -> None:
    """Nothing is left unverified but what no bundle can show, and nothing is written."""
    work = unpack(target, tmp_path / "work")
    before = files_in(work), target.bundle.read_bytes()
    for path in (work, target.bundle):
        done = verify(path, public_key=target.public, roots=target.authority.roots.read_bytes())
        assert len([line for line in done.checks if line.startswith("time-stamp of")]) >= 4
        assert "computed again from the log, to the byte: out/exhibits.csv" in done.checks[-1]
        assert "20 answers: their words stand in their raw bytes" in done.checks
        missing = [line for line in done.not_verified if not line.startswith("the times of the log")]
        assert missing.pop(0).startswith("that the token which drew the seed is the first over this protocol: CN=Test")
        assert missing == ["that the answers came from the models named: only their providers can say"]
    assert (files_in(work), target.bundle.read_bytes()) == before


def test_what_was_not_given_is_said_not_to_be_verified(target: Target) -> None:
    """Without key, roots and recomputation each gap is named."""
    missing = " ".join(verify(target.bundle, recompute=False).not_verified)
    for gap in ("no --public-key was given", "no --tsa-root was given", "not computed again"):
        assert gap in missing


# --- with nothing but sha256sum, openssl, diff and python3 -------------------------------------------


@pytest.mark.criterion(39, 40, 42)
def test_the_commands_of_the_instructions_pass_on_the_untouched_bundle(target: Target, tmp_path: Path) -> None:
    """They are the ones that VERIFY.md prints, and they end well."""
    work = unpack(target, tmp_path / "work")
    assert list(seen_by(work, target)) == []
    text = (work / "VERIFY.md").read_text()
    for command in (
        "sha256sum --strict --quiet -c SEAL SHA256SUMS",
        "python3 -I VERIFY.py",
        "openssl ts -verify -digest",
    ):
        assert command in text
    assert len((work / "VERIFY.py").read_text().splitlines()) < 70


def test_the_script_waits_for_no_pipe(target: Target, tmp_path: Path) -> None:
    """A pipe in a file's place is told before anything is read."""
    work = unpack(target, tmp_path / "work")
    (work / "case.toml").unlink()
    os.mkfifo(work / "case.toml")
    ran = subprocess.run([sys.executable, "-I", "VERIFY.py"], cwd=work, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (1, "NOT VERIFIED: there is a pipe, a socket or a device\n")


@pytest.mark.parametrize(
    "one", [one for one in IN_TWO_FORMS if re.search("record|answer|seal.json", one.name)], ids=lambda one: one.name
)
def test_the_script_refuses_what_says_a_thing_twice(one: Attack, target: Target, tmp_path: Path) -> None:
    """A record or a seal in two forms says one thing to the script and another to whoever reads the file."""
    work = unpack(target, tmp_path / "work")
    one.act(work, target)
    ran = subprocess.run([sys.executable, "-I", "VERIFY.py"], cwd=work, capture_output=True, text=True, check=False)
    if "two million" not in one.name:  # its form is the one form
        assert (ran.returncode, ran.stderr) == (1, "NOT VERIFIED: JSON that is not in its one form\n")


SOAK = bool(os.environ.get("DEPOSE_SOAK"))
"""Under `make soak` more examples are tried, and findings are computed again."""
BY_EDITOR = [one for one in BY_ANYBODY if not one.unseen]
AFTER_THE_TOKEN = ("all sealed anew", "an authority of one's own", "with the old token", "note was taken out")


@pytest.mark.criterion(39, 40, 41)
@pytest.mark.parametrize("one", thinned(BY_EDITOR, 2), ids=lambda one: one.name)
def test_other_tools_see_what_an_editor_did(one: Attack, target: Target, tmp_path: Path) -> None:
    """Whatever somebody without the key does to an unpacked bundle, one of the printed commands ends badly."""
    work = unpack(target, tmp_path / "work")
    assert one.act(work, target) is None
    assert list(seen_by(work, target)), one.name


@pytest.mark.criterion(43)
@pytest.mark.parametrize("one", [a for a in BY_SIGNER if a.name.endswith(AFTER_THE_TOKEN)], ids=lambda one: one.name)
def test_other_tools_see_what_a_signer_did_after_the_token(one: Attack, target: Target, tmp_path: Path) -> None:
    """With the key, but after the time-stamp, the token tells, or the script that looks for its record."""
    work = unpack(target, tmp_path / "work")
    one.act(work, target)
    assert {"openssl ts", "python3"} & set(seen_by(work, target))


# --- any byte ---------------------------------------------------------------------------------------


@settings(max_examples=400 if SOAK else 60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_of_the_zip_is_detected(target: Target, tmp_path: Path, data: st.DataObject) -> None:
    """One byte changed anywhere, in a file or between files, ends in EvidenceError."""
    whole = target.bundle.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[place]))
    changed = tmp_path / "changed.zip"
    changed.write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
    with pytest.raises(EvidenceError):
        verify(changed, public_key=target.public, recompute=SOAK)


@pytest.mark.criterion(39)
@settings(max_examples=400 if SOAK else 60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_byte_changed_dropped_or_added_in_a_file_is_detected(
    target: Target, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """So it is in the unpacked folder."""
    work = tmp_path_factory.mktemp("work") / "bundle"
    unpack(target, work)
    files = sorted(file for file in work.rglob("*") if file.is_file())
    file = data.draw(st.sampled_from(files))
    whole = file.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    new = data.draw(st.binary(max_size=2).filter(lambda new: new != whole[place : place + 1]))
    file.write_bytes(whole[:place] + new + whole[place + 1 :])
    if file.read_bytes() == whole:
        return
    with pytest.raises(EvidenceError):
        verify(work, public_key=target.public, recompute=SOAK)


@pytest.mark.slow
@pytest.mark.criterion(50)
def test_kills_at_random_moments_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    """Ten kills of a run with four endpoints; `make soak` does two hundred."""
    script = Path(__file__).parents[2] / "benchmarks" / "soak.py"
    done = subprocess.run([sys.executable, script, "--kills", "10"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 logs that verify, 0 that do not, 0 answers lost, 0 questions answered twice, 0 unanswered" in done.stdout
    assert "; 0 asked anew without such a record" in done.stdout

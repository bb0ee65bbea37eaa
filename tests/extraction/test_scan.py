"""A case from events to verified findings: the bundled log, its seal, what a change meets, a small production."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import request_logs as logs
from attacks_on_extractions import ON_EXTRACTIONS, OnExtraction, met
from depose.case import bundled
from depose.custody import keys
from depose.errors import CaseError, DeposeError, EvidenceError, ProtocolChanged
from depose.evidence.log import Log, utc_now, write_whole
from depose.extraction import (
    beginning,
    conduct,
    deliveries,
    importing,
    plan,
    reporting,
    sealing,
    tables,
    unsealing,
    watching,
)
from depose.extraction.findings import Opinion, named
from depose.model.canonical import canonical, sha256


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, conduct.Ran]:
    """The bundled case, scanned once."""
    folder = tmp_path_factory.mktemp("bundled") / "case"
    bundled.copy("extraction", folder)
    return folder, conduct.scan_case(folder, utc_now)


def test_the_bundled_campaign_is_found_and_the_courses_are_set_aside(scanned: tuple[Path, conduct.Ran]) -> None:
    """One group, most of the 30 planted, borne out by their own templates; two standing communities."""
    found = scanned[1].findings
    assert found.opinion.verdict == "indication"
    assert [len(group.accounts) for group in found.groups] == [29]
    assert sum(one.supported for one in found.groups[0].accounts) >= 27
    assert found.standing is not None
    assert found.standing.communities == 2
    assert {layer.name for layer in found.groups[0].layers} >= {"groups", "synchrony", "pivot", "infrastructure"}
    assert all(layer.p >= layer.floor for layer in found.groups[0].layers)


@pytest.mark.slow
def test_a_scan_again_gives_the_same_bytes(scanned: tuple[Path, conduct.Ran], tmp_path: Path) -> None:
    """Also where its tables are gone, as a kill leaves it; a changed event is found before anything is computed."""
    folder = tmp_path / "again"
    shutil.copytree(scanned[0], folder)
    before = (folder / "out" / conduct.FINDINGS).read_bytes()
    (folder / "out" / "tables" / "made.json").unlink()
    assert canonical(conduct.scan_case(folder, utc_now).findings) == before
    shutil.rmtree(folder / "out" / "tables")
    event = next((folder / "events").rglob("*.parquet"))
    event.write_bytes(event.read_bytes()[:-1] + b"?")
    with pytest.raises(EvidenceError, match="was changed after it was imported"):
        conduct.scan_case(folder, utc_now)
    (folder / plan.NAME).write_text((folder / plan.NAME).read_text().replace("swaps = 299", "swaps = 199"))
    with pytest.raises(ProtocolChanged, match="differs from the registered protocol"):
        conduct.scan_case(folder, utc_now)


@pytest.mark.slow
def test_seal_and_verify_and_what_a_change_meets(scanned: tuple[Path, conduct.Ran], tmp_path: Path) -> None:
    """The bundle verifies to the same bytes; any changed file, another key and forged findings do not."""
    folder = tmp_path / "sealed"
    shutil.copytree(scanned[0], folder)
    keys.make(tmp_path / "key.pem")
    private, public = keys.load(tmp_path / "key.pem"), (tmp_path / "key.pem.pub").read_bytes()
    done = sealing.seal(folder, private, utc_now)
    said = unsealing.verify(Path(done.bundle), public_key=public)
    assert any("to the same bytes" in line for line in said.checks)
    assert sealing.seal(folder, private, utc_now).sha256 == done.sha256
    keys.make(tmp_path / "other.pem")
    with pytest.raises(EvidenceError, match=r"signed with the key .*, not with"):
        unsealing.verify(Path(done.bundle), public_key=(tmp_path / "other.pem.pub").read_bytes(), recompute=False)
    data = bytearray(Path(done.bundle).read_bytes())
    for place in range(100, len(data), len(data) // 12):
        changed = bytearray(data)
        changed[place] ^= 1
        (tmp_path / "changed.zip").write_bytes(changed)
        with pytest.raises(DeposeError):
            unsealing.verify(tmp_path / "changed.zip", public_key=public, recompute=False)
    with pytest.raises(CaseError, match="sealed"):
        conduct.scan_case(folder, utc_now)
        deliveries.write(folder, None, 10, utc_now)


@pytest.fixture(scope="module")
def sealed(scanned: tuple[Path, conduct.Ran], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The scanned case, sealed, and its key."""
    folder = tmp_path_factory.mktemp("sealed")
    shutil.copytree(scanned[0], folder / "case")
    keys.make(folder / "key.pem")
    return Path(sealing.seal(folder / "case", keys.load(folder / "key.pem"), utc_now).bundle), folder / "key.pem"


@pytest.mark.parametrize(
    "one",
    [pytest.param(one, id=one.name, marks=[pytest.mark.slow] * one.recompute) for one in ON_EXTRACTIONS],
)
def test_every_attack_on_its_bundle_is_refused(sealed: tuple[Path, Path], tmp_path: Path, one: OnExtraction) -> None:
    """Nothing of a bundle may be made up, added or dated otherwise, whoever signs it."""
    assert re.search(one.says, met(one, *sealed, tmp_path), re.DOTALL)


def test_what_of_its_results_is_not_computed_again_is_said(sealed: tuple[Path, Path]) -> None:
    """Tables for people, queries and reports are signed and no more; verify names them."""
    said = unsealing.verify(sealed[0], recompute=False).not_verified
    assert any("out/exhibits.csv" in line and "not computed again" in line for line in said)


def run_alone(bundle: Path, folder: Path, changed: dict[str, bytes] | None = None) -> subprocess.CompletedProcess[str]:
    """Unpack a bundle, change files in it, and run its script as VERIFY.md says."""
    shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(bundle) as packed:
        packed.extractall(folder)
    for name, data in (changed or {}).items():
        (folder / name).write_bytes(data)
    return subprocess.run([sys.executable, "-I", "VERIFY.py"], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_bundle_is_checked_by_python_alone_and_holds_no_name(
    scanned: tuple[Path, conduct.Ran], tmp_path: Path
) -> None:
    """The script ends well on the bundle, says what does not hold of a changed one, and finds a p that does not follow.

    Neither the key nor anybody's name is in it: what a table holds is a number.
    """
    folder = tmp_path / "sealed"
    shutil.copytree(scanned[0], folder)
    keys.make(tmp_path / "key.pem")
    bundle = Path(sealing.seal(folder, keys.load(tmp_path / "key.pem"), utc_now).bundle)
    alone = tmp_path / "alone"
    assert run_alone(bundle, alone).stdout.splitlines()[-1].startswith("verified")
    openssl = ["openssl", "dgst", "-sha256", "-verify", "signer.pem", "-signature", "SEAL.sig", "SEAL"]
    assert subprocess.run(openssl, cwd=alone, capture_output=True, check=True).stdout == b"Verified OK\n"
    for one in (alone / "out" / "tables").glob("*.parquet"):
        for field in pq.read_schema(one):
            assert not pa.types.is_string(field.type) or field.name in ("tier", "country", "kind", "model"), one.name
    findings = (alone / "out" / conduct.FINDINGS).read_bytes()
    table = next((alone / "out" / "tables").glob("rare.parquet")).read_bytes()
    for changed, said in (
        ({"out/tables/rare.parquet": table + b" "}, "rare.parquet was changed"),
        ({"more.txt": b"x"}, "there and not listed"),
        ({f"out/{conduct.FINDINGS}": findings.replace(b'"tied_by":["', b'"tied_by":["x')}, "was changed"),
        ({"SHA256SUMS": b""}, "not the list that was sealed"),
    ):
        ran = run_alone(bundle, alone, changed)
        assert (ran.returncode, said in ran.stderr) == (1, True), ran.stderr
    ran = subprocess.run([sys.executable, "VERIFY.py"], cwd=alone, capture_output=True, text=True, check=False)
    assert "NOT RUN" in ran.stderr


@pytest.mark.slow
def test_findings_that_do_not_follow_are_named(scanned: tuple[Path, conduct.Ran], tmp_path: Path) -> None:
    """Who signs a better p than the tables give is found by computing again."""
    folder = tmp_path / "forged"
    shutil.copytree(scanned[0], folder)
    found = conduct.read_findings(folder)
    forged = msgspec.structs.replace(found, next_p=found.next_p / 2)
    write_whole(folder / "out" / conduct.FINDINGS, canonical(forged))
    with Log(folder, utc_now) as log:
        log.append("extraction-findings", conduct.Found(findings=sha256(canonical(forged)), groups=1, accounts=29))
    keys.make(tmp_path / "key.pem")
    done = sealing.seal(folder, keys.load(tmp_path / "key.pem"), utc_now)
    with pytest.raises(EvidenceError, match="does not follow from the tables"):
        unsealing.verify(Path(done.bundle))
    assert run_alone(Path(done.bundle), tmp_path / "alone").returncode == 0


@pytest.mark.slow
def test_python_alone_finds_concert_that_does_not_follow(scanned: tuple[Path, conduct.Ran], tmp_path: Path) -> None:
    """Who signs that concert is shown by a layer whose p is .9 is found without depose."""
    folder = tmp_path / "forged"
    shutil.copytree(scanned[0], folder)
    found = conduct.read_findings(folder)
    weak = [msgspec.structs.replace(one, p=0.9) if one.name == "synchrony" else one for one in found.groups[0].layers]
    forged = msgspec.structs.replace(found, groups=(msgspec.structs.replace(found.groups[0], layers=tuple(weak)),))
    write_whole(folder / "out" / conduct.FINDINGS, canonical(forged))
    with Log(folder, utc_now) as log:
        body = conduct.Found(findings=sha256(canonical(forged)), groups=1, accounts=29)
        log.append("extraction-findings", body)
    keys.make(tmp_path / "key.pem")
    done = sealing.seal(folder, keys.load(tmp_path / "key.pem"), utc_now)
    assert "concert does not follow by Holm" in run_alone(Path(done.bundle), tmp_path / "alone").stderr


def test_prompts_in_common_alone_name_nobody(scanned: tuple[Path, conduct.Ran], tmp_path: Path) -> None:
    """The report calls the group a lead, and what looks like it; no line-up takes it; standing members are marked."""
    folder = tmp_path / "lead"
    shutil.copytree(scanned[0], folder)
    found = conduct.read_findings(folder)
    first, *rest = found.groups[0].accounts
    group = msgspec.structs.replace(
        found.groups[0], tied_by=(), accounts=(msgspec.structs.replace(first, standing=True, supported=False), *rest)
    )
    opinion = Opinion(verdict="shared prompts, concert not shown", reasons=())
    lead = msgspec.structs.replace(found, groups=(group,), opinion=opinion)
    write_whole(folder / "out" / conduct.FINDINGS, canonical(lead))
    with pytest.raises(CaseError, match="no group in which concert is shown"):
        deliveries.write(folder, None, 10, utc_now)
    page = reporting.render(lead, tables.read(folder / "out" / "tables"), "extraction.html", None).decode()
    for wanted in (
        "shared prompts, concert not shown",
        "Concert is not shown",
        "run one benchmark",
        "they are not meant",
    ):
        assert wanted in page
    assert "consistent with coordinated collection" not in page
    short = reporting.render(lead, tables.read(folder / "out" / "tables"), "extraction-page.html", None).decode()
    assert "Nobody is named" in short
    assert "line-up" not in short
    assert first.account not in named(lead.groups)
    assert f'{first.account}","no","yes"'.replace('"', "") in conduct.exhibits(lead).decode().replace('"', "")


def test_the_report_says_what_was_found_and_no_word_too_many(scanned: tuple[Path, conduct.Ran], tmp_path: Path) -> None:
    """Opinion, p with its floor, the figures, the limits; with a line-up both ratios; hostile names as text."""
    folder = tmp_path / "report"
    shutil.copytree(scanned[0], folder)
    (tmp_path / "exposure.json").write_text(json.dumps({"results": [{"log10_e": 12.5}]}))
    reporting.write(folder, ("html",), str(tmp_path / "exposure.json"))
    html = (folder / "out" / "report-extraction.html").read_text()
    for wanted in ("<b>indication</b>", "Group G1: 29 accounts", "consistent with coordinated collection", "12.5",
                   "<svg", "a core is a lead", "Limits"):  # fmt: skip
        assert wanted in html
    assert "<b>indication</b>" in (folder / "out" / "compliance-extraction.html").read_text()
    again = reporting.render(scanned[1].findings, tables.read(folder / "out" / "tables"), "extraction.html", None)
    assert again == reporting.render(
        scanned[1].findings, tables.read(folder / "out" / "tables"), "extraction.html", None
    )
    hostile = msgspec.structs.replace(scanned[1].findings, title="<script>stole</script>\u202e", warnings=())
    page = reporting.render(hostile, tables.read(folder / "out" / "tables"), "extraction.html", None).decode()
    assert "<script>" not in page


def test_few_accounts_are_no_population(tmp_path: Path) -> None:
    """Descriptives, `inconclusive`, and a request for what is missing; a case without events is named."""
    folder = logs.case(tmp_path / "case")
    with pytest.raises(CaseError, match="no events"):
        conduct.scan_case(folder, utc_now)
    log = logs.lines(tmp_path / "log.jsonl", logs.litellm(60))
    manner = importing.Manner(format="litellm", hash_key=str(logs.key_of(folder)))
    importing.load(folder, [log], manner)
    done = conduct.scan_case(folder, utc_now).findings
    assert (done.opinion.verdict, done.opinion.reasons) == ("inconclusive", ("population", "templates"))
    assert (done.totals.requests, done.totals.accounts) == (60, 5)
    text = (folder / "out" / "request.md").read_text()
    assert "at least 999 accounts for each stratum" in text
    with pytest.raises(CaseError, match="no group"):
        deliveries.write(folder, None, 10, utc_now)


def test_a_case_is_begun_with_a_key_that_stays_outside(tmp_path: Path) -> None:
    """Case file and key are made; a key that is there is kept; what cannot be is refused before anything is written."""
    said = beginning.Said(title='the "spring"', authority="own", tested=("2026-05-01", "2026-05-28"), fewest=99,
                          clean=("2026-04-01", "2026-04-28"), releases=("vendor/model=2=2026-05-09",))  # fmt: skip
    key = tmp_path / "custodian"
    assert beginning.begin(tmp_path / "case", said, key).key_made
    assert (key.stat().st_mode & 0o777, len(key.read_bytes())) == (0o600, 32)
    case = plan.read(tmp_path / "case")
    assert (case.case.title, case.releases[0].model, case.strata.fewest) == ('the "spring"', "vendor/model=2", 99)
    before = key.read_bytes()
    assert not beginning.begin(tmp_path / "second", said, key).key_made
    assert key.read_bytes() == before
    late = msgspec.structs.replace(said, clean=("2026-05-01", "2026-05-02"))
    none = msgspec.structs.replace(said, releases=("model",))
    for goal, what, file, why in (
        (tmp_path / "case", said, key, "holds a case already"),
        (tmp_path / "new", said, tmp_path / "new" / "key", "would lie in the case"),
        (tmp_path / "new", late, key, "does not end before"),
        (tmp_path / "new", none, key, "no release"),
        (tmp_path / "new", said, tmp_path / "no" / "folder", "No such file"),
    ):
        with pytest.raises(DeposeError, match=why):
            beginning.begin(goal, what, file)
    assert not (tmp_path / "new").exists()


def test_accounts_that_a_log_makes_one_are_named_as_the_reason(tmp_path: Path) -> None:
    """A team that stands in every row leaves one node: inconclusive, and the report says what to look at."""
    folder = logs.case(tmp_path / "case")
    rows = [{**row, "user": f"u{n}", "team_id": "everybody"} for n, row in enumerate(logs.litellm(40))]
    manner = importing.Manner(format="litellm", hash_key=str(logs.key_of(folder)))
    importing.load(folder, [logs.lines(tmp_path / "log.jsonl", rows)], manner)
    done = conduct.scan_case(folder, utc_now).findings
    assert (done.totals.accounts, done.totals.nodes) == (40, 1)
    assert done.opinion.reasons == ("population", "templates", "organisation")


def test_a_folder_is_watched(tmp_path: Path) -> None:
    """A new log is imported and scanned, none is read twice."""
    folder = logs.case(tmp_path / "case")
    (tmp_path / "in").mkdir()
    looks = watching.Folder(watch=tmp_path / "in", format="litellm", hash_key=str(logs.key_of(folder)))
    assert watching.look(folder, looks, utc_now, lambda _: None).ran is None
    logs.lines(tmp_path / "in" / "a.jsonl", logs.litellm(20))
    first = watching.look(folder, looks, utc_now, lambda _: None)
    assert first.imported == ("a.jsonl",)
    assert first.ran is not None
    assert watching.look(folder, looks, utc_now, lambda _: None).imported == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (logs.CASE.replace("2026-05-28", "2026-04-01"), "is no stretch of days"),
        (re.sub(r'"2026-0\d-\d\d"', '"9999-12-31"', logs.CASE), "is no stretch of days"),
        (logs.CASE.replace("2026-05-28", "2026-02-31"), r"\$.period.tested"),
        (logs.CASE + "[tests]\nalhpa = 0.1\n", "alhpa"),
        (logs.CASE + "[templates]\ngrid = [[1, 2]]\n", r"\$.templates.grid\[0\]"),
        (logs.CASE + '[[benign]]\naccounts = ["someone@example.org"]\nreason = "x"\n', "benign"),
        (logs.CASE.replace("tested =", 'clean = ["2026-05-01", "2026-05-02"]\ntested ='), "does not end before"),
        ("[case", "not TOML"),
    ],
)
def test_case_files_are_read_strictly(text: str, said: str) -> None:
    """What is wrong is named by its place."""
    with pytest.raises(CaseError, match=said):
        plan.parse(text, "extraction.toml")

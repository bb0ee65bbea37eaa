"""Keys, tree, time-stamps, amendments, seals, replication."""

from __future__ import annotations

import base64
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authority import Authority, openssl
from depose import pipeline
from depose.case import calibration
from depose.cli.options import now
from depose.custody import container, keys, leaks, manifest, merkle
from depose.custody.seal import seal
from depose.custody.stamp import Source, stamp
from depose.custody.verify import verify
from depose.errors import CaseError, EndpointError, EvidenceError, ProtocolChanged, SecretFound, UsageError
from depose.evidence import ledger, timestamp
from depose.evidence.log import log_path, read_log, seals_folder
from depose.model.canonical import sha256
from fakes import Clock, Ran, audit, depose, files_in, recorded_case, scripted_case
from tampering import Target, sealed_case
from thinned import thinned

pytestmark = pytest.mark.usefixtures("site")

SCRIPTS = {"S1": "same", "R1": "same", "C1": "one", "C2": "two", "C3": "three"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A time-stamping authority."""
    return Authority(tmp_path_factory.mktemp("authority") / "tsa")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A sealed bundle whose reference was asked twice."""
    return sealed_case(tmp_path_factory.mktemp("custody") / "target", replicates=2)


def analyzed(folder: Path, **protocol: Any) -> Path:
    """Run a scripted case up to its findings."""
    scripted_case(folder, SCRIPTS, **protocol)
    pipeline.register_case(folder, now)
    return finished(folder)


def finished(folder: Path) -> Path:
    """Ask and analyze."""
    pipeline.probe(folder, now, lambda answered, failed: None)
    pipeline.analyze_case(folder, lambda line: None, now)
    return folder


def change(folder: Path, old: str, new: str) -> None:
    """Edit a case file."""
    file = folder / "case.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


# --- keys and tree ----------------------------------------------------------------------------------


def test_a_key_of_any_changed_byte_is_a_key_or_an_error_that_names_it(tmp_path: Path) -> None:
    """A changed byte can name a curve that nobody supports, which is not the error of a damaged key."""
    secret = tmp_path / "key.pem"
    public = keys.make(secret)
    whole, causes = (public.read_bytes(), secret.read_bytes()), set()
    for place in range(len(whole[0])):
        changed = bytearray(whole[0])
        changed[place] = ord("A")
        try:
            keys.load_public(bytes(changed), "signer.pem")
        except EvidenceError as error:
            assert error.message.startswith("signer.pem: not a ")
            causes.add(type(error.__cause__).__name__)
    for place in range(len(whole[1])):
        changed = bytearray(whole[1])
        changed[place] = ord("A")
        secret.write_bytes(changed)
        try:
            keys.load(secret)
        except UsageError as error:
            assert error.message.startswith(f"{secret}: not a ")
            causes.add(f"private {type(error.__cause__).__name__}")
    assert causes >= {"ValueError", "UnsupportedAlgorithm", "private ValueError", "private UnsupportedAlgorithm"}


@pytest.mark.criterion(42)
def test_a_key_is_private_never_written_over_and_openssl_takes_its_signatures(tmp_path: Path) -> None:
    """The file is for its owner alone; openssl verifies what it signs and prints the same fingerprint."""
    public = keys.make(tmp_path / "key.pem", "a long passphrase")
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError, match="is there already"):
        keys.make(tmp_path / "key.pem")
    with pytest.raises(UsageError, match="not a key that can be opened"):
        keys.load(tmp_path / "key.pem", "another")
    key = keys.load(tmp_path / "key.pem", "a long passphrase")
    (tmp_path / "data").write_bytes(b"data")
    (tmp_path / "sig").write_bytes(keys.sign(key, b"data"))
    assert keys.sign(key, b"data") == (tmp_path / "sig").read_bytes()
    openssl("dgst", "-sha256", "-verify", public, "-signature", tmp_path / "sig", tmp_path / "data")
    der = openssl("pkey", "-pubin", "-in", public, "-outform", "DER").stdout
    assert keys.fingerprint(key.public_key()) == container.digest(container.open_source(der))[0]


def test_a_key_inside_a_case_is_refused(target: Target) -> None:
    """A key that would travel with the case is neither made nor used."""
    for act in (keys.make, keys.load):
        with pytest.raises(UsageError, match="inside the case folder"):
            act(target.case / "evidence" / "key.pem")
    keys.make(target.case / ".." / "beside.pem")


@pytest.mark.criterion(48)
@given(count=st.integers(1, 40), data=st.data())
def test_every_leaf_climbs_to_the_root_and_no_other_does(count: int, data: st.DataObject) -> None:
    """The path of a leaf leads to the root; with another leaf it leads elsewhere."""
    leaves = [merkle.leaf(str(n).encode()) for n in range(count)]
    place = data.draw(st.integers(0, count - 1))
    path = merkle.path(leaves, place)
    assert merkle.climb(leaves[place], path) == merkle.root(leaves)
    assert merkle.climb(merkle.leaf(b"other"), path) != merkle.root(leaves)


def test_the_root_is_that_of_rfc_6962() -> None:
    """Known answers of certificate-transparency-go for the first leaves of its test vectors."""
    leaves = [merkle.leaf(bytes.fromhex(data)) for data in ("", "00", "10", "2021", "3031", "40414243")]
    assert merkle.root(leaves[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle.root(leaves[:3]).hex() == "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"
    assert merkle.root(leaves).hex() == "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../a", "a/..", "a/./b", "/a", "a//b", "a\\b", "a\nb", "é", "a/", "C:a"]
)
def test_a_manifest_names_no_file_outside(name: str) -> None:
    """Names that could lead elsewhere, or be two files on another system, are refused."""
    with pytest.raises(EvidenceError, match="not a name that may stand in a bundle"):
        manifest.safe(name)


@pytest.mark.parametrize("text", ["", "x", "0" * 64 + " a\n", "0" * 64 + "  b\n" + "0" * 64 + "  a\n", "\n"])
def test_a_manifest_of_another_form_is_refused(text: str) -> None:
    """A manifest is read strictly: sorted, each name once, two blanks."""
    with pytest.raises(EvidenceError):
        manifest.read(text.encode(), "SHA256SUMS")


@pytest.mark.slow
def test_other_programs_read_the_container(tmp_path: Path) -> None:
    """A written container opens with zipfile, and the parts for more than 4 GiB or 65,535 files are those of zip64."""
    files: dict[str, Path | bytes] = {f"d/{n}": bytes([n % 256]) * n for n in range(70_000)}
    container.write_zip(tmp_path / "many.zip", {name: data[:9] for name, data in files.items()})  # type: ignore[index]
    with zipfile.ZipFile(tmp_path / "many.zip") as opened:
        assert len(opened.namelist()) == 70_000
        assert opened.read("d/300") == bytes([44]) * 9
    bundle = container.open_bundle(tmp_path / "many.zip")
    assert len(bundle.sizes()) == 70_000
    bundle.close()


# --- time-stamps ------------------------------------------------------------------------------------


@pytest.mark.criterion(43)
def test_tokens_are_verified_alike_by_openssl_and_here(authority: Authority, tmp_path: Path) -> None:
    """Both take a token over the right data and refuse it over other data and under other roots."""
    other = Authority(tmp_path / "other", "Other")
    query = timestamp.request(b"data")
    token = authority.reply(query)
    (tmp_path / "token").write_bytes(token)
    assert timestamp.answers(token, query)
    assert not timestamp.answers(token, timestamp.request(b"data"))
    for data, roots, holds in ((b"data", authority, True), (b"date", authority, False), (b"data", other, False)):
        (tmp_path / "data").write_bytes(data)
        args = ("ts", "-verify", "-data", tmp_path / "data", "-in", tmp_path / "token", "-CAfile", roots.roots)
        assert (openssl(*args, check=False).returncode == 0) == holds
        if holds:
            said = timestamp.verify(token, data, roots.roots.read_bytes(), "token")
            assert said.authority == "CN=Test time-stamping,O=depose tests"
            assert abs(timestamp.seconds_between(said.time, now())) < 60
        else:
            with pytest.raises(EvidenceError, match=r"over other data|not signed by"):
                timestamp.verify(token, data, roots.roots.read_bytes(), "token")
    with pytest.raises(EvidenceError, match="not a time-stamp reply"):
        timestamp.verify(b"junk", b"data", authority.roots.read_bytes(), "token")


def test_an_authority_that_does_not_answer_is_an_error(authority: Authority, tmp_path: Path) -> None:
    """No connection, an error page and junk end in an error with the URL, and nothing is recorded."""
    folder = scripted_case(tmp_path / "case", SCRIPTS)
    pipeline.register_case(folder, now)
    before = files_in(folder)
    roots = authority.roots.read_bytes()
    with authority.serve(b"<html>") as junk, authority.serve(b"", 500) as broken:
        for url, kind in ((junk, EvidenceError), (broken, EndpointError), ("http://127.0.0.1:1/", EndpointError)):
            with pytest.raises(kind):
                stamp(folder, Source(url=url, roots=roots), now)
    replay = authority.reply(timestamp.request(b"else"))
    with authority.serve(replay) as url, pytest.raises(EvidenceError, match="answers another request"):
        stamp(folder, Source(url=url, roots=roots), now)
    assert files_in(folder) == before


@pytest.mark.criterion(25)
def test_a_confirmatory_protocol_is_asked_only_after_its_time_stamp(authority: Authority, tmp_path: Path) -> None:
    """Without a token nothing is asked; with one from a file, fetched offline, it is, and the findings say so."""
    folder = scripted_case(tmp_path / "case", SCRIPTS, phase="confirmatory")
    digest = pipeline.register_case(folder, now).digest
    ran = depose("probe", folder)
    assert (ran.code, "not asked before it has a time-stamp" in ran.err) == (1, True)
    query, token = tmp_path / "q.tsq", tmp_path / "q.tsr"
    openssl("ts", "-query", "-digest", digest, "-sha256", "-cert", "-out", query)
    token.write_bytes(authority.reply(query.read_bytes()))
    ran = depose("register", folder, "--token", token, "--tsa-root", authority.roots)
    assert (ran.code, "time-stamped 20" in ran.out) == (0, True)
    assert depose("register", folder, "--token", token, "--tsa-root", authority.roots).code == 0
    assert [one.entry.kind for one in read_log(folder)] == ["protocol", "timestamp", "seed"]
    assert json.loads(finished(folder).joinpath("out/findings.json").read_text())["time_stamped"] is True


def test_a_clock_that_disagrees_with_the_authority_is_refused(authority: Authority, tmp_path: Path) -> None:
    """A record dated in the future of its own token is not stamped."""
    folder = scripted_case(tmp_path / "case", SCRIPTS)
    pipeline.register_case(folder, lambda: "2999-01-01T00:00:00.000000Z")
    with authority.serve() as url, pytest.raises(CaseError, match="is dated 2999"):
        source = Source(url=url, roots=authority.roots.read_bytes())
        stamp(folder, source, lambda: "2999-01-01T00:00:00.000000Z")


# --- amendments, blind codes ------------------------------------------------------------------------


@pytest.mark.criterion(26)
def test_an_amendment_keeps_what_it_does_not_touch(tmp_path: Path) -> None:
    """Another temperature of one model asks that model again; the others keep their answers, and the report is told."""
    folder = analyzed(tmp_path / "case")
    change(folder, 'code = "C3"', 'code = "C3"\ntemperature = 0.1')
    with pytest.raises(ProtocolChanged, match="differs"):
        pipeline.probe(folder, now, lambda *_: None)
    ran = depose("amend", folder, "--reason", "C3 is hot")
    assert ran.code == 0
    assert "$.case.models.C3.temperature: nothing -> 0.1" in ran.out
    assert "4 earlier answers no longer count" in ran.out
    done = pipeline.probe(folder, now, lambda *_: None)
    assert done.asked == 4
    (amended,) = ledger.entries(folder).amendments
    assert amended.scored, "scores were known"
    findings, _ = pipeline.analyze_case(folder, lambda line: None, now)
    assert "C3 is hot" in findings.amendments[0]
    assert "made after scores were computed" in findings.amendments[0]


@pytest.mark.criterion(27)
def test_pilot_answers_never_count_in_another_phase(tmp_path: Path) -> None:
    """After the change of phase everything is asked again; the pilot stays in the log."""
    folder = analyzed(tmp_path / "case", phase="pilot")
    change(folder, 'phase = "pilot"', 'phase = "registered"')
    pipeline.amend(folder, "the pilot is over", now)
    found = ledger.entries(folder)
    assert (found.exchanges, len(found.superseded)) == ((), 20)
    assert pipeline.probe(folder, now, lambda *_: None).asked == 20


def test_an_amendment_needs_a_reason_and_a_change(tmp_path: Path) -> None:
    """Neither is recorded without the other."""
    folder = analyzed(tmp_path / "case")
    before = log_path(folder).read_bytes()
    assert depose("amend", folder, "--reason", "why").code == 2
    change(folder, "bootstrap = 99", "bootstrap = 199")
    assert depose("amend", folder, "--reason", " ").code == 2
    assert log_path(folder).read_bytes() == before


@pytest.mark.criterion(29)
def test_names_are_known_after_the_scores_were_recorded(tmp_path: Path) -> None:
    """The digest of the scores precedes the unblinding, names come in the latter alone, and once."""
    folder = analyzed(tmp_path / "case")
    pipeline.analyze_case(folder, lambda line: None, now)
    kinds = [one.entry.kind for one in read_log(folder)]
    assert kinds[-2:] == ["scores", "unblinding"]
    assert kinds.count("scores") == 1
    last = list(read_log(folder))[-2:]
    assert last[0].entry.body["scores"] == sha256((folder / "out/scores.parquet").read_bytes())
    assert {"name": "C1", "value": "one"} in last[1].entry.body["names"]


def test_recorded_files_and_the_calibration_are_kept_as_blobs(tmp_path: Path) -> None:
    """What a case names is in its evidence, once, whoever moves the file afterwards."""
    folder = recorded_case(tmp_path / "case", suspect="same", controls=2, prompts=4)
    change(folder, 'calibration = ""', 'calibration = "alpaca_eval"')
    pipeline.register_case(folder, Clock())
    blobs = {one.name for one in (folder / "evidence/blobs").iterdir()}
    assert blobs == {fact.value for fact in ledger.entries(folder).registration.files}
    assert len(blobs) == 4


# --- sealing ----------------------------------------------------------------------------------------


@pytest.mark.criterion(53)
def test_a_sealed_case_takes_no_further_record_and_seals_to_the_same_bytes(tmp_path: Path) -> None:
    """Asking, amending and changing results are refused; sealing again gives the same bundle."""
    folder = analyzed(tmp_path / "case")
    keys.make(tmp_path / "k")
    key = keys.load(tmp_path / "k")
    first = seal(folder, key, now, {})
    before = Path(first.bundle).read_bytes()
    assert seal(folder, key, now, {}) == msgspec.structs.replace(first, unchanged=True)
    assert Path(first.bundle).read_bytes() == before
    assert log_path(folder).stat().st_mode & 0o222 == 0
    for command in (("probe",), ("import", "--model", "S1", tmp_path / "k"), ("amend", "--reason", "x")):
        ran = depose(command[0], folder, *command[1:])
        assert (ran.code, "the case is sealed" in ran.err) == (1, True)
    assert depose("analyze", folder).code == 0
    (folder / "out/findings.json").write_text("{}")
    refused = depose("analyze", folder).err
    assert "was sealed, and would be changed" in refused and "remove out/findings.json in the copy" in refused


@pytest.mark.slow
def test_a_refused_production_of_a_sealed_case_uses_up_no_number(tmp_path: Path) -> None:
    """Nothing is written where a sealed report would change; as the hint says, a copy without it is produced."""
    folder = analyzed(tmp_path / "case")
    order = ("--format", "pdf", "--flavour", "compliance", "--bates", "DEP-Z-0000001")
    assert depose("report", folder, *order[:4]).code == 0
    keys.make(tmp_path / "k")
    seal(folder, keys.load(tmp_path / "k"), now, {})
    before = sorted(path.name for path in (folder / "out").iterdir())
    refused = depose("report", folder, *order)
    assert refused.code == 1 and "remove out/compliance.pdf in the copy" in refused.err
    assert sorted(path.name for path in (folder / "out").iterdir()) == before
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy/out/compliance.pdf").unlink()
    assert depose("report", tmp_path / "copy", *order).code == 0
    assert (tmp_path / "copy/out/bates.csv").is_file()


@pytest.mark.slow
def test_a_token_fetched_later_is_added_to_the_same_manifest(authority: Authority, tmp_path: Path) -> None:
    """Offline: seal, stamp SHA256SUMS elsewhere, seal again with the token; the contents stay the same."""
    folder = analyzed(tmp_path / "case")
    keys.make(tmp_path / "k")
    first = depose("seal", folder, "--key", tmp_path / "k", "--json")
    assert first.code == 0
    with zipfile.ZipFile(json.loads(first.out)["bundle"]) as file:
        listing = file.read("SHA256SUMS")
    (tmp_path / "t.tsr").write_bytes(authority.reply(timestamp.request(listing)))
    options = ("--token", tmp_path / "t.tsr", "--tsa-root", authority.roots)
    second = json.loads(depose("seal", folder, "--key", tmp_path / "k", *options, "--json").out)
    assert second["stamped"].startswith("20")
    ran = depose("verify", second["bundle"], *("--public-key", tmp_path / "k.pub", "--tsa-root", authority.roots))
    assert (ran.code, "verified: time-stamp of the whole" in ran.out) == (0, True)
    third = json.loads(depose("seal", folder, "--key", tmp_path / "k", "--json").out)
    assert third == {**second, "unchanged": True}, "sealing again without an authority loses no token"
    assert first_of(folder) == Path(json.loads(first.out)["bundle"]).name


def first_of(folder: Path) -> str:
    """The bundle without a number, which is never written over."""
    return min((path.name for path in (folder / "sealed").glob("*.zip")), key=len)


def test_nothing_is_sealed_before_there_is_something_to_seal(tmp_path: Path) -> None:
    """A case without answers, without findings, or with findings of an older log is refused."""
    keys.make(tmp_path / "k")
    folder = scripted_case(tmp_path / "case", SCRIPTS)
    for act, says in (
        (lambda: None, "nothing is registered yet"),
        (lambda: pipeline.register_case(folder, now), "nothing is answered"),
        (lambda: pipeline.probe(folder, now, lambda *_: None), "findings.json: not there"),
    ):
        act()
        ran = depose("seal", folder, "--key", tmp_path / "k")
        assert (ran.code, says in ran.err) == (1, True), ran.err
    assert not (folder / "sealed").exists()
    assert depose("seal", folder).code == 2


CANARY = "sk-canary/+ 0123456789é"


@pytest.mark.criterion(56)
@pytest.mark.parametrize(
    "planted",
    thinned(
        [
            CANARY,
            CANARY.encode().hex(),
            CANARY.encode().hex().upper(),
            quote(CANARY),
            quote(CANARY, safe=""),
            json.dumps(CANARY),
            base64.b64encode(CANARY.encode()).decode(),
            base64.b64encode(b"x" + CANARY.encode() + b"y").decode(),
            base64.b64encode(b"xx" + CANARY.encode() + b"yy").decode(),
            base64.urlsafe_b64encode(b"xx?" + CANARY.encode()).decode(),
        ],
        5,
    ),
)
def test_a_planted_secret_stops_the_seal(tmp_path: Path, planted: str) -> None:
    """Raw, in JSON, URL-encoded, in hex or in base64 at any offset: exit 6, nothing written, the secret not shown."""
    folder = analyzed(tmp_path / "case")
    keys.make(tmp_path / "k")
    (folder / "out" / "notes.txt").write_text("x" * (1024**2 - 7) + planted)
    with pytest.raises(SecretFound, match=r"notes.txt: byte .* begins the secret ACME_API_KEY") as caught:
        seal(folder, keys.load(tmp_path / "k"), now, {"ACME_API_KEY": CANARY})
    assert caught.value.exit_code == 6
    assert CANARY not in str(caught.value)
    assert not (folder / "sealed").exists()
    assert not (seals_folder(folder) / "sealed.json").exists()


def test_the_signing_key_itself_is_looked_for(tmp_path: Path) -> None:
    """A private key that somebody copied into the case stops the seal."""
    folder = analyzed(tmp_path / "case")
    keys.make(tmp_path / "k")
    (folder / "out" / "notes.txt").write_bytes((tmp_path / "k").read_bytes())
    assert depose("seal", folder, "--key", tmp_path / "k").code == 6


def test_short_values_and_other_variables_are_no_secrets() -> None:
    """A variable that is not named like a secret, or holds too little, is not searched for."""
    assert leaks.of_environment([], {"HOME": "/home/somebody", "MY_KEY": "short", "A_TOKEN": "long enough"}) == {
        "A_TOKEN": b"long enough"
    }


# --- replication ------------------------------------------------------------------------------------


def replicated(target: Target, folder: Path) -> Ran:
    """Replicate with a time-stamp of one's own."""
    with target.authority.serve() as url:
        own = ("--yes", "--unknown-signer", "--tsa", url, "--tsa-root", target.authority.roots)
        return depose("replicate", target.bundle, folder, *own, "--json")


def test_the_other_side_asks_the_same_and_sees_what_changed(target: Target, tmp_path: Path) -> None:
    """With the same scripts nothing drifts; the case of the other side is its own and verifies as such."""
    ran = replicated(target, tmp_path / "mine")
    assert ran.code == 0, ran.err
    done = json.loads(ran.out)
    assert {one["model"] for one in done["models"]} == set(SCRIPTS)
    for one in done["models"]:
        assert one["then"] == one["now"]
        assert (one["alike"], one["noise"], one["high"]) == pytest.approx((1.0, 1.0, 0.0))
    assert all(one["then"] == one["now"] and one["opinion_then"] == one["opinion_now"] for one in done["pairs"])
    assert done["protocol_then"] != done["protocol_now"], "registered at another time"


def test_a_model_that_changed_shows_as_drift(target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that now answers otherwise lies below the noise, the others do not."""
    import fakes

    real = fakes.answer
    monkeypatch.setattr(fakes, "answer", lambda truth, prompt: real("new" if truth == "two" else truth, prompt))
    done = json.loads(replicated(target, tmp_path / "mine").out)
    assert [one["model"] for one in done["models"] if one["low"] > 1e-9] == ["C2"]


def test_replication_of_what_does_not_verify_is_refused(target: Target, tmp_path: Path) -> None:
    """Nothing is asked on the word of a bundle that was changed."""
    changed = tmp_path / "changed.zip"
    changed.write_bytes(target.bundle.read_bytes().replace(b"made-up", b"made_up"))
    assert depose("replicate", changed, tmp_path / "mine").code == 3
    assert not (tmp_path / "mine").exists()


@pytest.mark.slow
def test_audit_says_whether_it_sealed(tmp_path: Path) -> None:
    """Without a key audit says `not sealed`; with one it ends with a bundle that verifies."""
    folder = scripted_case(tmp_path / "case", SCRIPTS)
    assert "not sealed\nnext: depose keygen " in audit(folder, "--format", "html").out
    assert depose("keygen", tmp_path / "k").code == 0
    ran = depose("audit", folder, "--format", "html", "--key", tmp_path / "k")
    (bundle,) = (folder / "sealed").iterdir()
    assert (ran.code, str(bundle) in ran.out) == (0, True)
    assert verify(bundle, public_key=(tmp_path / "k.pub").read_bytes()).checks


@pytest.mark.slow
def test_a_confirmatory_case_is_audited_in_one_go_with_an_authority(authority: Authority, tmp_path: Path) -> None:
    """With --tsa the protocol is stamped before anything is asked, then a checkpoint and the whole; all verify."""
    folder = scripted_case(tmp_path / "case", SCRIPTS, phase="confirmatory")
    assert depose("keygen", tmp_path / "k").code == 0
    with authority.serve() as url:
        options = ("--format", "html", "--key", tmp_path / "k", "--tsa", url, "--tsa-root", authority.roots)
        assert audit(folder, *options).code == 0
    (bundle,) = (folder / "sealed").iterdir()
    done = verify(bundle, public_key=(tmp_path / "k.pub").read_bytes(), roots=authority.roots.read_bytes())
    stamps = [line.partition(" by ")[0] for line in done.checks if line.startswith("time-stamp of")]
    assert stamps[0] == "time-stamp of record 0 (protocol)"
    assert stamps[1].endswith("(checkpoint)")
    assert stamps[2] == "time-stamp of the whole"


@pytest.mark.slow
def test_error_rates_and_waivers_are_sealed_and_computed_again(tmp_path: Path) -> None:
    """What the report prints beside the calibration follows from the bundle; rates that changed later are refused."""
    folder = scripted_case(tmp_path / "case", SCRIPTS)
    change(folder, 'calibration = ""', 'calibration = "mine.json"')
    data = calibration.raw("alpaca_eval", folder)
    (folder / "mine.json").write_bytes(data)
    known = json.loads(calibration.beside("alpaca_eval", folder) or b"{}")
    (folder / "performance.json").write_text(json.dumps(known | {"calibration": sha256(data)}))
    (folder / "checked.toml").write_text('[[check]]\nid = "enfsi-2015"\nchecked_on = 2026-11-20\nchecked_by = "JD"\n')
    pipeline.register_case(folder, now)
    finished(folder)
    pipeline.report_case(folder, pipeline.Order(formats=("html",)))
    assert pipeline.read_findings(folder)[1].performance is not None
    keys.make(tmp_path / "k")
    done = verify(Path(seal(folder, keys.load(tmp_path / "k"), now, {}).bundle))
    assert any("out/findings.json" in line and "out/report.html" in line for line in done.checks)
    (folder / "performance.json").write_text(json.dumps(known | {"calibration": sha256(data), "command": "other"}))
    with pytest.raises(ProtocolChanged, match=r"error rates mine\.json: its digest differs"):
        pipeline.analyze_case(folder, lambda line: None, now)

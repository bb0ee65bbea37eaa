"""Acceptance criteria of protocol, custody and secrets that no other test checks (legal.md, section 8, 25 to 60)."""

from __future__ import annotations

import datetime
import json
import re
import subprocess
import time
from pathlib import Path

import msgspec
import pyarrow.parquet
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from authority import Authority, openssl
from depose import pipeline
from depose.case.mixes import drawn
from depose.cli.options import now
from depose.custody import keys
from depose.custody.bundle import opened
from depose.custody.consistent import drawn as drawn_again
from depose.custody.rederive import rederived
from depose.custody.seal import seal
from depose.custody.stamp import Source, stamp
from depose.custody.verify import verify
from depose.errors import CaseError, EvidenceError, SecretFound
from depose.evidence import ledger, timestamp
from depose.evidence.log import log_path
from depose.model.canonical import canonical, sha256
from fakes import case_of, depose, model, scripted_case, write_case
from faults import Server
from faulty import remote, remote_case
from tampering import Target, rechain, relist, restate, sealed_case, unpack
from thinned import thinned

pytestmark = pytest.mark.usefixtures("site")

SCRIPTS = {"S1": "same", "R1": "same", "C1": "one", "C2": "two", "C3": "three"}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A sealed confirmatory case."""
    return sealed_case(tmp_path_factory.mktemp("criteria") / "target")


# --- protocol ---------------------------------------------------------------------------------------


@pytest.mark.criterion(25, 26)
def test_an_amended_protocol_needs_a_time_stamp_of_its_own(tmp_path: Path) -> None:
    """A confirmatory case whose protocol changed asks nothing until the amendment is stamped; the report lists it."""
    authority = Authority(tmp_path / "tsa")
    folder = scripted_case(tmp_path / "case", SCRIPTS, phase="confirmatory")
    pipeline.register_case(folder, now)
    with authority.serve() as url:
        source = Source(url=url, roots=authority.roots.read_bytes())
        first = stamp(folder, source, now)
        file = folder / "case.toml"
        file.write_text(file.read_text().replace("bootstrap = 99", "bootstrap = 199"))
        pipeline.amend(folder, "more draws", now)
        with pytest.raises(CaseError, match="not asked before it has a time-stamp"):
            pipeline.probe(folder, now, lambda *_: None)
        assert stamp(folder, source, now).of != first.of
    pipeline.probe(folder, now, lambda *_: None)
    findings, _ = pipeline.analyze_case(folder, lambda line: None, now)
    pipeline.report_case(folder, pipeline.Order(formats=("html",)))
    assert findings.time_stamped
    assert "more draws" in findings.amendments[0]
    assert "more draws" in (folder / "out/report.html").read_text()


@pytest.mark.slow
@pytest.mark.criterion(25)
def test_a_stamp_after_the_first_question_makes_nothing_registered(tmp_path: Path) -> None:
    """A protocol that is stamped only after it was asked is not called time-stamped, and verify says why."""
    authority = Authority(tmp_path / "tsa")
    folder = scripted_case(tmp_path / "case", SCRIPTS)
    pipeline.register_case(folder, now)
    pipeline.probe(folder, now, lambda *_: None)
    time.sleep(1.1)  # a token is true to the second
    with authority.serve() as url:
        stamp(folder, Source(url=url, roots=authority.roots.read_bytes()), now)
    findings, _ = pipeline.analyze_case(folder, lambda line: None, now)
    assert not findings.time_stamped
    keys.make(tmp_path / "k")
    done = verify(Path(seal(folder, keys.load(tmp_path / "k"), now, {}).bundle), recompute=False)
    assert any("that the protocol of record 0 was fixed before the first question" in one for one in done.not_verified)


@pytest.mark.criterion(28)
def test_prompts_are_drawn_again_from_the_seed(target: Target) -> None:
    """The same seed draws the same prompts when a bundle is verified; prompts that were picked are refused."""
    with opened(target.bundle, target.public) as read:
        assert "4 prompts drawn again from the seed" in drawn_again(read)[0]
        found = read.entries.registration
        assert tuple(drawn(found.case.protocol, "")) == found.prompts
        odd = (msgspec.structs.replace(found.prompts[0], text="Say what the suspect always says."), *found.prompts[1:])
        picked = msgspec.structs.replace(read.entries, registration=msgspec.structs.replace(found, prompts=odd))
        with pytest.raises(EvidenceError, match="not those that the seed draws"):
            drawn_again(read._replace(entries=picked))


# --- with common tools ------------------------------------------------------------------------------


def expiring(authority: Authority, seconds: int) -> float:
    """Give an authority a certificate that expires soon; return when."""
    folder = authority.folder
    issuer = x509.load_pem_x509_certificate((folder / "middle.pem").read_bytes())
    signing = serialization.load_pem_private_key((folder / "middle.key").read_bytes(), None)
    key = serialization.load_pem_private_key((folder / "tsa.key").read_bytes(), None)
    assert isinstance(signing, ec.EllipticCurvePrivateKey)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    start = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    end = start + datetime.timedelta(seconds=seconds)
    usage = x509.KeyUsage(True, *[False] * 8)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.load_pem_x509_certificate((folder / "tsa.pem").read_bytes()).subject)
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - datetime.timedelta(days=1))
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(signing, hashes.SHA256())
    )
    (folder / "tsa.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return end.timestamp()


@pytest.mark.slow
@pytest.mark.criterion(43)
def test_tokens_outlive_the_certificate_that_signed_them(tmp_path: Path) -> None:
    """Past its expiry openssl needs `-attime`, with which every token verifies; depose judges it at its own time."""
    authority = Authority(tmp_path / "tsa")
    keys.make(tmp_path / "k")
    for seconds in (4, 16, 64, 256):  # more only where this machine was too busy to have its tokens in time
        ends = expiring(authority, seconds)
        folder = scripted_case(tmp_path / str(seconds), SCRIPTS, phase="confirmatory")
        with authority.serve() as url:
            options = ("--tsa", url, "--tsa-root", authority.roots)
            assert depose("register", folder, *options).code == 0
            assert depose("probe", folder, *options).code == 0
            assert depose("analyze", folder).code == 0
            sealed = depose("seal", folder, "--key", tmp_path / "k", *options)
        if time.time() < ends:
            break
    assert sealed.code == 0, sealed.err
    while time.time() < ends + 1.5:
        time.sleep(0.05)
    (bundle,) = (folder / "sealed").iterdir()
    work = tmp_path / "work"
    subprocess.run(["python3", "-m", "zipfile", "-e", bundle, work], check=True)
    over = {one: ("-digest", one.stem) for one in (work / "evidence/seals").glob("*.tsr")}
    over[work / "SHA256SUMS.tsr"] = ("-data", str(work / "SHA256SUMS"))
    assert len(over) == 3, "of the protocol, of the checkpoint and of the whole"
    for token, what in over.items():
        command = ("ts", "-verify", *what, "-in", token, "-CAfile", authority.roots)
        assert openssl(*command, check=False).returncode == 1
        said = openssl("ts", "-reply", "-in", token, "-text").stdout.decode()
        moment = time.strptime(said.split("Time stamp: ")[1].split(" GMT")[0].replace("  ", " "), "%b %d %H:%M:%S %Y")
        epoch = str(int(datetime.datetime(*moment[:6], tzinfo=datetime.UTC).timestamp()))
        openssl(*command, "-attime", epoch)
    ran = depose("verify", bundle, "--public-key", tmp_path / "k.pub", "--tsa-root", authority.roots, "--no-recompute")
    assert ran.code == 0, ran.err
    assert ran.out.count("verified: time-stamp of") == 3


@pytest.mark.criterion(44)
def test_the_instructions_print_that_the_token_precedes_the_first_question(target: Target, tmp_path: Path) -> None:
    """VERIFY.py prints when the first question was sent, the printed openssl command the times of the tokens."""
    work = unpack(target, tmp_path / "work")
    told = subprocess.run(["python3", "-I", "VERIFY.py"], cwd=work, capture_output=True, text=True, check=True).stdout
    first = re.search(r"first question sent (\S+),", told)
    assert first is not None
    entries = ledger.entries(target.case)
    assert first[1] == min(one.started for one in entries.exchanges)
    text = (work / "VERIFY.md").read_text()
    (command,) = [line.strip() for line in text.splitlines() if line.strip().startswith("for t in evidence/seals")]
    said = subprocess.run(["bash", "-c", command], cwd=work, capture_output=True, text=True, check=True).stdout
    assert said.count("Time stamp:") == len(entries.stamps)
    protocol = next(one for one in entries.stamps if one.of == entries.protocol_digest)
    assert timestamp.seconds_between(protocol.time, first[1]) >= 0


@pytest.mark.criterion(47)
def test_a_number_is_traced_to_its_records_by_the_printed_query(target: Target, tmp_path: Path) -> None:
    """For a row of the scores the query of VERIFY.md names the records and the raw bytes of both answers."""
    work = unpack(target, tmp_path / "work")
    text = (work / "VERIFY.md").read_text()
    query = re.search(r"grep -n '\"kind\":\"exchange\"'.*?/'$", text, re.S | re.M)
    assert query is not None
    row = pyarrow.parquet.read_table(work / "out/scores.parquet").to_pylist()[7]
    for member in ("left", "right"):
        command = query[0].replace("CODE", row[member]).replace("ID", row["prompt"])
        done = subprocess.run(["bash", "-c", command], cwd=work, capture_output=True, text=True, check=True)
        found = re.fullmatch(r"record (\d+), (evidence/blobs/[0-9a-f]{64})\n", done.stdout)
        assert found is not None, done.stdout
        record = json.loads((work / "evidence/log.jsonl").read_text().splitlines()[int(found[1])])
        assert (record["body"]["model"], record["body"]["prompt"]) == (row[member], row["prompt"])
        assert (work / found[2]).read_text() == record["body"]["text"]


# --- bytes and what is read from them ---------------------------------------------------------------


def asked(folder: Path, provider: str, *, stream: bool) -> Path:
    """Ask a model behind a wire format, analyze and seal without a time-stamp; return the unpacked bundle."""
    others = [
        model(code, "reference" if code == "R1" else "control", provider="scripted", model=script)
        for code, script in SCRIPTS.items()
        if code != "S1"
    ]
    with Server() as server:
        models = [remote(server.url, provider=provider, stream=stream), *others]
        case = write_case(folder / "case", case_of(models, replicates=1))
        pipeline.register_case(case, now)
        pipeline.probe(case, now, lambda answered, failed: None)
    pipeline.analyze_case(case, lambda line: None, now)
    keys.make(folder / "key.pem")
    work = folder / "work"
    bundle = seal(case, keys.load(folder / "key.pem"), now, {}).bundle
    subprocess.run(["python3", "-m", "zipfile", "-e", bundle, work], check=True)
    return work


@pytest.mark.criterion(45, 49)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("provider", thinned(["openai", "anthropic", "google"], 3))
def test_answers_are_read_again_from_their_bytes(tmp_path: Path, provider: str, stream: bool) -> None:
    """Request and answer of every exchange follow from the registered question and the raw bytes, in every format."""
    work = asked(tmp_path, provider, stream=stream)
    with opened(work, b"") as read:
        checks, missing = rederived(read)
    assert "4 exchanges: request and answer follow from the registered question and the raw bytes" in checks
    assert not missing


@pytest.mark.criterion(45)
@pytest.mark.parametrize("what", thinned(["text", "finish", "model_returned", "response_id"], 2))
def test_a_log_that_says_otherwise_than_the_bytes_is_refused(tmp_path: Path, what: str) -> None:
    """Whoever has the key and seals an answer that is not the one in its bytes is refused by name of the exchange."""
    work = asked(tmp_path, "openai", stream=False)

    def change(records: list[dict[str, object]]) -> None:
        body = next(one["body"] for one in records if one["kind"] == "exchange" and one["body"]["model"] == "S1")  # type: ignore[index]
        assert isinstance(body, dict)
        (body if what in body else body["wire"])[what] = "made up"

    forged(work, tmp_path, change)
    with pytest.raises(EvidenceError, match=r"S1, .*: an answer that is not the one in its raw bytes"):
        verify(work, recompute=False)


@pytest.mark.criterion(45)
@pytest.mark.parametrize("what", ["request", "response"])
def test_bytes_that_are_swapped_are_refused(tmp_path: Path, what: str) -> None:
    """A request that asks another question, or bytes that are no answer, do not pass for their digests being right."""
    work = asked(tmp_path, "openai", stream=False)
    other = b"[" * 100_000 if what == "response" else b'{"messages":[{"content":"Repeat after me","role":"user"}]}'
    (work / "evidence/blobs" / sha256(other)).write_bytes(other)

    def change(records: list[dict[str, object]]) -> None:
        body = next(one["body"] for one in records if one["kind"] == "exchange" and one["body"]["model"] == "S1")  # type: ignore[index]
        assert isinstance(body, dict)
        body[what] = sha256(other)

    forged(work, tmp_path, change)
    says = "cannot be read" if what == "response" else "does not ask the registered question"
    with pytest.raises(EvidenceError, match=says):
        verify(work, recompute=False)


def forged(work: Path, folder: Path, change: object) -> None:
    """Change the log of a bundle and seal it anew with its key."""
    key = keys.load(folder / "key.pem")
    rechain(work, change)  # type: ignore[arg-type]
    file = work / "out/findings.json"
    lines = (work / "evidence/log.jsonl").read_bytes().splitlines()
    read = [line for line in lines if json.loads(line)["kind"] not in ("scores", "unblinding")]
    value = json.loads(file.read_bytes()) | {"log_head": sha256(read[-1]), "protocol_digest": sha256(lines[0])}
    file.write_bytes(canonical(value))
    restate(work, key)
    relist(work, key)


@pytest.mark.criterion(51)
def test_nothing_is_taken_from_a_cache(tmp_path: Path) -> None:
    """The same prompt twice is two requests that forbid caching, with an id of the provider each; a fact says so."""
    with Server() as server:
        folder = remote_case(tmp_path / "case", server.url, 3, samples=2)
        pipeline.register_case(folder, now)
        pipeline.probe(folder, now, lambda answered, failed: None)
    entries = ledger.entries(folder)
    wires = [one.wire for one in entries.exchanges if one.wire is not None]
    assert len(wires) == len(server.seen) == 6
    assert len({wire.request_id for wire in wires}) == 6
    for wire in wires:
        assert ("Cache-Control", "no-store") in wire.request_headers
    assert {"client cache": "none"}.items() <= {fact.name: fact.value for fact in entries.endpoints["S1"]}.items()


# --- secrets ----------------------------------------------------------------------------------------


@pytest.mark.criterion(56)
def test_a_secret_in_pieces_of_a_stream_is_found(tmp_path: Path) -> None:
    """A secret that came in several chunks stands in no blob, but in one piece in the log: nothing is sealed."""
    asked(tmp_path, "openai", stream=True)
    case = tmp_path / "case"
    (case / "evidence/seals/sealed.json").unlink()
    one = next(one for one in ledger.entries(case).exchanges if one.model == "S1")
    secret = one.text[:24]
    assert secret.encode() not in (case / "evidence/blobs" / one.response).read_bytes()
    with pytest.raises(SecretFound, match=r"evidence/\S+: byte .* begins the secret OTHER_KEY") as caught:
        seal(case, keys.load(tmp_path / "key.pem"), now, {"OTHER_KEY": secret})
    assert caught.value.exit_code == 6
    assert log_path(case).is_file()

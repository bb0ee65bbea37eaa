"""Cases whose seed is drawn after registration, by a token or a beacon, and what verify says of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from asn1crypto import keys as asn1_keys
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from authority import Authority
from depose import pipeline
from depose.cli.options import now
from depose.custody import keys
from depose.custody.bundle import opened
from depose.custody.seal import seal
from depose.custody.seed_again import representatives_again, seed_again
from depose.custody.stamp import Source, stamp
from depose.custody.verify import verify
from depose.errors import CaseError, EvidenceError, UsageError
from depose.evidence import ledger, timestamp
from depose.evidence.log import read_log
from depose.evidence.seed import derived, of_token
from depose.model.canonical import canonical
from fakes import case_of, depose, model, scripted_case, to_toml, write_case

pytestmark = pytest.mark.usefixtures("site")

SCRIPTS = {"S1": "same", "R1": "same", "C1": "one", "C2": "two", "C3": "three"}
ROUND = 657_413
SIGNATURE = "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A time-stamping authority."""
    return Authority(tmp_path_factory.mktemp("drawn") / "tsa")


def change(folder: Path, old: str, new: str) -> None:
    """Edit a case file."""
    text = (folder / "case.toml").read_text()
    assert old in text
    (folder / "case.toml").write_text(text.replace(old, new, 1))


def token_for(authority: Authority, digest_of: Path) -> Source:
    """Fetch a token over record 0 of a case by `openssl ts`, as somebody without a network does."""
    first = next(iter(read_log(digest_of)))
    token = authority.reply(timestamp.request(canonical(first.entry)))
    return Source(token=token, roots=authority.roots.read_bytes())


def registry(folder: Path) -> None:
    """Write a registry of scripted controls: three lineages, one of them of three models."""
    names = ("one", "two", "three", "three", "three")
    models = [
        model(f"C{n}", "control", provider="scripted", model=name, revision="1", data_lineage=name, source="list")
        for n, name in enumerate(names, 1)
    ]
    text = to_toml({"registry": {"name": "List", "source": "here"}, "models": models})
    (folder / "registry.toml").write_text(text)


def test_a_token_draws_prompts_and_controls_and_verify_draws_them_again(source: Authority, tmp_path: Path) -> None:
    """Nothing is asked before; record 0 has no drawn prompt and no control; the bundle shows all of it again."""
    folder = scripted_case(tmp_path / "case", {"S1": "same", "R1": "same"}, phase="confirmatory")
    change(folder, "[protocol]", '[protocol]\nregistry = "registry.toml"')
    registry(folder)
    ran = depose("controls", folder)
    assert "0 drawn, 5 eligible of 5" in ran.out
    assert depose("controls", folder, "--write").first.endswith("the seed draws the controls")
    said = depose("register", folder)
    assert "registered: 0 prompts, 2 models" in said.out
    assert "nothing is asked before the time-stamp token draws its seed" in said.out
    with pytest.raises(CaseError, match="a confirmatory protocol is not asked"):
        pipeline.probe(folder, now, lambda *_: None)
    assert "not drawn yet" in depose("status", folder).out
    first = ledger.entries(folder)
    assert (first.registration.prompts, first.waits_for_seed, first.draws) == ((), True, ())
    got = token_for(source, folder)
    stamp(folder, got, now)
    found = ledger.entries(folder)
    drawn = found.draws[0].drawn.seed
    assert drawn.seed == derived(found.protocol_digest, of_token(got.token, "token"))
    assert found.registration.case.protocol.seed == drawn.seed
    assert len(found.registration.prompts) == 4
    codes = [spec.code for spec in found.registration.case.models]
    assert codes[:4] == ["S1", "R1", "C1", "C2"]
    assert len(codes) == 5
    assert [one.drawn for one in found.registration.pool].count(True) == 3
    pipeline.probe(folder, now, lambda *_: None)
    findings, _ = pipeline.analyze_case(folder, lambda _: None, now)
    assert findings.seed == drawn
    pipeline.report_case(folder, pipeline.Order(formats=("html",)))
    assert f"the seed {drawn.seed} was drawn" in (folder / "out/report.html").read_text().replace("\n", " ")
    keys.make(tmp_path / "k")
    bundle = Path(seal(folder, keys.load(tmp_path / "k"), now, {}).bundle)
    done = verify(bundle)
    assert any(one.startswith(f"seed {drawn.seed} drawn again from the token") for one in done.checks)
    with opened(bundle, b"") as read:
        entries = read.entries
        less = entries.draws[0]
        models = less.drawn.registration.case.models[:-1]
        set_ = msgspec.structs.replace
        fewer = set_(less.drawn.registration, case=set_(less.drawn.registration.case, models=models))
        picked = set_(entries, draws=(set_(less, drawn=set_(less.drawn, registration=fewer)),))
        with pytest.raises(EvidenceError, match="controls and settings are not those that the seed draws"):
            seed_again(read._replace(entries=picked))
        typed = set_(entries.written.case.protocol, seed_from=msgspec.UNSET)
        old = set_(entries.written, case=set_(entries.written.case, protocol=typed))
        with pytest.raises(EvidenceError, match="a confirmatory protocol whose seed was typed"):
            seed_again(read._replace(entries=set_(entries, written=old, draws=())))
        before = read.seal.__class__(**{**msgspec.structs.asdict(read.seal), "format": "depose seal 2"})
        said_ = seed_again(read._replace(entries=set_(entries, written=old, draws=()), seal=before))
        assert said_ == ([], ["that the seed was not picked among many: it was typed into the protocol"])


@pytest.mark.slow
def test_verify_draws_the_representatives_of_lineages_again(tmp_path: Path) -> None:
    """A typed seed draws them, too; another order is refused, and a case registered before says that nobody drew."""
    controls = [
        model(f"C{n}", "control", provider="scripted", model=f"s{n}", revision="1", data_lineage=f"set {n % 2}")
        for n in range(4)
    ]
    pair = [
        model(c, r, provider="scripted", model="same", revision="1")
        for c, r in (("S1", "suspect"), ("R1", "reference"))
    ]
    folder = write_case(tmp_path / "case", case_of([*pair, *controls], replicates=1))
    assert "registered" in depose("register", folder).out
    pipeline.probe(folder, now, lambda *_: None)
    findings, _ = pipeline.analyze_case(folder, lambda _: None, now)
    assert findings.chosen
    assert [len(one.models) for one in findings.chosen.lineages] == [2, 2]
    keys.make(tmp_path / "k")
    bundle = Path(seal(folder, keys.load(tmp_path / "k"), now, {}).bundle)
    again = "representatives of 2 control lineages of several models drawn again by seed 7"
    assert again in verify(bundle).checks
    with opened(bundle, b"") as read:
        set_, frozen = msgspec.structs.replace, read.entries.registration
        assert frozen.drawn
        picked = set_(frozen, drawn=tuple(reversed(frozen.drawn)))
        with pytest.raises(EvidenceError, match="representatives of lineages are not those that seed 7 draws"):
            representatives_again(read._replace(entries=set_(read.entries, registration=picked)))
        before = set_(frozen, drawn=msgspec.UNSET)
        _, missing = representatives_again(read._replace(entries=set_(read.entries, registration=before)))
        assert "the first that is listed does, as before 0.2.0" in missing[0]


def test_a_typed_seed_is_refused_where_one_is_drawn(tmp_path: Path) -> None:
    """In the protocol, at a model, beside a moment that draws nothing; and in a confirmatory case at all."""
    for name, (old, new, says) in {
        "typed": ("[protocol]", "[protocol]\nseed = 7", "$.protocol.seed: typed"),
        "model": ('code = "C1"', 'code = "C1"\nseed = 3', "seed: typed"),
        "moment": ("[protocol]", '[protocol]\nbeacon_at = "2027-03-01T12:00Z"', "goes with a beacon"),
        "without": ('seed_from = "token"', 'seed_from = "beacon"', "beacon_at: missing"),
        "no day": ('seed_from = "token"', 'seed_from = "beacon"\nbeacon_at = "2027-02-30T12:00Z"', "is no moment"),
        "lone": ('seed_from = "token"', 'beacon_at = "2027-03-01T12:00Z"', "nothing is drawn then"),
        "confirmatory": ('seed_from = "token"', "seed = 7", "a confirmatory case draws its seed"),
    }.items():
        folder = scripted_case(tmp_path / name, SCRIPTS, phase="confirmatory")
        change(folder, old, new)
        ran = depose("register", folder)
        assert (ran.code, says in ran.err.replace("\n", " ")) == (1, True), (name, ran.err)
    folder = scripted_case(tmp_path / "explored", SCRIPTS, phase="registered", seed=11)
    assert depose("register", folder).code == 0
    assert ledger.entries(folder).registration.case.protocol.seed == 11


def test_an_amendment_keeps_the_seed(source: Authority, tmp_path: Path) -> None:
    """More prompts after the draw are drawn by the same seed, and the first questions stay what they were."""
    folder = scripted_case(tmp_path / "case", SCRIPTS, seed_from="token")
    pipeline.register_case(folder, now)
    stamp(folder, token_for(source, folder), now)
    before = ledger.entries(folder)
    pipeline.probe(folder, now, lambda *_: None)
    change(folder, "open_howto:4", "open_howto:6")
    pipeline.amend(folder, "more prompts", now)
    after = ledger.entries(folder)
    assert [one.drawn.seed for one in after.draws] == [before.draws[0].drawn.seed] * 2
    assert (len(before.registration.prompts), len(after.registration.prompts)) == (4, 6)
    assert len(after.exchanges) == len(before.registration.prompts) * len(SCRIPTS)
    assert not after.waits_for_seed
    assert pipeline.draw_seed(folder, now) == before.draws[0].drawn.seed
    with pytest.raises(UsageError, match="draws its seed from no beacon"):
        pipeline.draw_seed(folder, now, b"{}")


def dated(moment: datetime, query: bytes) -> tuple[bytes, bytes]:
    """Answer a request with a token of that moment, and give the certificate of who signed it."""
    key = rsa.generate_private_key(65_537, 2_048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority of then")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(key, hashes.SHA256())
    )
    der = made.public_bytes(serialization.Encoding.DER)
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificate = asn1_x509.Certificate.load(der)
    store = SimpleCertificateStore.from_certs([certificate])
    signer = DummyTimeStamper(certificate, asn1_keys.PrivateKeyInfo.load(private), store, fixed_dt=moment)
    reply = signer.request_tsa_response(tsp.TimeStampReq.load(query))
    return reply.dump(), made.public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize("minutes_before", [20, -20], ids=["before", "after"])
def test_a_beacon_draws_the_seed_of_a_case_that_was_stamped_before_its_moment(
    tmp_path: Path, minutes_before: int
) -> None:
    """A round of drand quicknet of 2023; a protocol that was stamped after it is refused, as is any other round."""
    moment = datetime(2023, 9, 15, 11, 0, 3, tzinfo=UTC) - timedelta(minutes=minutes_before)
    at = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    folder = scripted_case(tmp_path / "case", SCRIPTS, seed_from="beacon", beacon_at="2023-09-15T11:00:03Z")
    pipeline.register_case(folder, lambda: at)
    file = tmp_path / "round.json"
    file.write_text(json.dumps({"round": ROUND, "signature": SIGNATURE}))
    assert pipeline.draw_seed(folder, lambda: at, file.read_bytes()) is None, "not stamped yet"
    reply, roots = dated(moment, timestamp.request(canonical(next(iter(read_log(folder))).entry)))
    stamp(folder, Source(token=reply, roots=roots), lambda: at)
    assert ledger.entries(folder).waits_for_seed
    with pytest.raises(CaseError, match="nothing is asked before round 657413 of drand quicknet"):
        pipeline.probe(folder, lambda: at, lambda *_: None)
    with pytest.raises(EvidenceError, match="is round 1000 of drand quicknet"):
        pipeline.draw_seed(folder, lambda: at, json.dumps({"round": 1000, "signature": SIGNATURE}).encode())
    if minutes_before < 0:
        with pytest.raises(EvidenceError, match=r"was there at .*, before the time-stamp"):
            pipeline.draw_seed(folder, lambda: at, file.read_bytes())
        return
    ran = depose("register", folder, "--beacon", file)
    assert (ran.code, "drawn by the beacon of 2023-09-15T11:00:03" in ran.out) == (0, True)
    pipeline.probe(folder, now, lambda *_: None)
    pipeline.analyze_case(folder, lambda _: None, now)
    pipeline.report_case(folder, pipeline.Order(formats=("html",)))
    keys.make(tmp_path / "k")
    done = verify(Path(seal(folder, keys.load(tmp_path / "k"), now, {}).bundle), recompute=False)
    assert any("drawn again from the beacon" in one and "round 657413" in one for one in done.checks)
    assert not any("first over this protocol" in one for one in done.not_verified), "a beacon leaves no choice"


@pytest.mark.slow
def test_a_seed_that_came_after_the_digest_of_a_secret_leaves_no_choice_of_it(
    source: Authority, tmp_path: Path
) -> None:
    """The secret half of a mix hangs on the drawn seed too, so that verify needs nobody's word for it."""
    folder = scripted_case(tmp_path / "case", SCRIPTS, seed_from="token", samples=1, max_tokens=8)
    change(folder, '"open_howto:4"', '"mix:short"')
    pipeline.register_case(folder, now)
    stamp(folder, token_for(source, folder), now)
    assert len(ledger.entries(folder).registration.prompts) == 20
    pipeline.probe(folder, now, lambda *_: None)
    pipeline.analyze_case(folder, lambda _: None, now)
    pipeline.report_case(folder, pipeline.Order(formats=("html",)))
    keys.make(tmp_path / "k")
    done = verify(Path(seal(folder, keys.load(tmp_path / "k"), now, {}).bundle))
    assert "20 prompts drawn again from the seed" in done.checks
    assert not any("secret half" in one for one in done.not_verified)

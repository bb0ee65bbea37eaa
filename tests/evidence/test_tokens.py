"""Time-stamp tokens as real authorities give them: what `openssl ts -verify` says is what depose says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authority import Authority, openssl
from depose.errors import DeposeError, EvidenceError
from depose.evidence import timestamp
from depose.evidence.token_form import readable
from fuzzing import examples

DATA = b"what was stamped"


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A time-stamping authority: a root, an intermediate, a certificate."""
    return Authority(tmp_path_factory.mktemp("tokens") / "tsa")


@pytest.fixture(scope="module")
def replies(tsa: Authority) -> dict[str, bytes]:
    """Replies in the shapes that are about."""
    folder = tsa.folder
    (folder / "data").write_bytes(DATA)
    queries: dict[str, list[str]] = {"with": ["-cert"], "without": [], "policy": ["-tspolicy", "1.9.9"]}
    for name, wanted in queries.items():
        openssl("ts", "-query", "-data", folder / "data", "-sha256", *wanted, "-out", folder / f"{name}.q")
    config = ("-config", folder / "tsa.cnf")
    chain = folder / "chain.pem"
    chain.write_bytes(b"".join((folder / f"{one}.pem").read_bytes() for one in ("middle", "root")))
    made: dict[str, bytes] = {}
    shapes: tuple[tuple[str, str, tuple[str | Path, ...]], ...] = (
        ("certificate", "with", ()),
        ("chain, leaf first", "with", ("-chain", chain)),
        ("no certificate", "without", ()),
        ("refused", "policy", ()),
    )
    for name, query, more in shapes:
        out = folder / "reply"
        openssl("ts", "-reply", *config, "-queryfile", folder / f"{query}.q", *more, "-out", out)
        made[name] = out.read_bytes()
    made["granted, with modifications"] = made["certificate"].replace(b"\x02\x01\x00", b"\x02\x01\x01", 1)
    return made


SHAPES = ("certificate", "chain, leaf first", "no certificate", "refused", "granted, with modifications")
ROOTS: Mapping[str, tuple[str, ...]] = {
    "root": ("root",),
    "root and intermediate": ("root", "middle"),
    "all three": ("root", "middle", "tsa"),
    "the leaf alone": ("tsa",),
    "the intermediate alone": ("middle",),
}


@pytest.mark.parametrize("roots", ROOTS)
@pytest.mark.parametrize("shape", SHAPES)
def test_openssl_and_depose_agree(tsa: Authority, replies: dict[str, bytes], shape: str, roots: str) -> None:
    """Certificates in any order, in the token or beside it, as far as the trust that was given goes."""
    token, pem = tsa.folder / "token.tsr", tsa.folder / "trusted.pem"
    token.write_bytes(replies[shape])
    pem.write_bytes(b"".join((tsa.folder / f"{one}.pem").read_bytes() for one in ROOTS[roots]))
    trust = ("-CAfile", pem, "-untrusted", pem)
    said = openssl("ts", "-verify", "-data", tsa.folder / "data", "-in", token, *trust, check=False)
    try:
        found = timestamp.verify(replies[shape], DATA, pem.read_bytes(), "token")
    except DeposeError:
        assert said.returncode != 0
    else:
        assert said.returncode == 0
        assert found.authority == "CN=Test time-stamping,O=depose tests"


def test_whatever_is_trusted_a_token_holds_for_its_data_alone(tsa: Authority, replies: dict[str, bytes]) -> None:
    """Enclosing certificates changes nothing of what was signed."""
    roots = b"".join((tsa.folder / f"{one}.pem").read_bytes() for one in ROOTS["all three"])
    for shape in ("certificate", "chain, leaf first", "no certificate"):
        with pytest.raises(EvidenceError, match="over other data"):
            timestamp.verify(replies[shape], DATA + b".", roots, "token")


@examples(60, 20_000)
@given(data=st.data())
def test_any_changed_bytes_of_a_token_are_read_or_refused(
    tsa: Authority, replies: dict[str, bytes], data: st.DataObject
) -> None:
    """Never another error than EvidenceError, whatever is changed, dropped or added."""
    token = replies[data.draw(st.sampled_from(SHAPES))]
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(token)))
        token = token[:place] + data.draw(st.binary(max_size=3)) + token[place + data.draw(st.integers(0, 3)) :]
    roots = tsa.roots.read_bytes()
    for act in (
        lambda: timestamp.verify(token, DATA, roots, "token"),
        lambda: timestamp.imprint(token, "token"),
        lambda: timestamp.answers(token, b"\x02\x01\x01"),
    ):
        try:
            act()
        except EvidenceError as error:
            assert error.message


@examples(60, 20_000)
@given(st.binary(max_size=200))
def test_any_bytes_are_no_token(data: bytes) -> None:
    """Bytes that are no reply are refused as what they are; a long length asks for no memory."""
    for token in (data, b"\x30\x84\xff\xff\xff\xff" + data, b"\x30\x80" + data, b"0" * 2_000_000):
        with pytest.raises(EvidenceError, match=r"token: (not a time-stamp reply|the authority refused)"):
            timestamp.imprint(token, "token")


def test_a_readable_form_is_its_own(replies: dict[str, bytes]) -> None:
    """Reading a reply that is in order changes no byte."""
    for shape in ("certificate", "chain, leaf first", "no certificate"):
        once = readable(replies[shape])
        assert readable(once) == once
    assert readable(replies["certificate"]) == replies["certificate"]

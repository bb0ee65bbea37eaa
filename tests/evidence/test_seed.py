"""A seed that nobody may choose: what draws it, and what of a token or a beacon nobody can vary."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from authority import Authority
from depose.errors import DeposeError, EvidenceError
from depose.evidence import timestamp
from depose.evidence.beacon import moment_of, pulse, round_of
from depose.evidence.seed import derived, of_token
from depose.evidence.token_form import Piece, pieces, readable, signature
from fuzzing import examples

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the group of prime256v1, over which the test authority signs."""
ROUND = 657_413
PULSE = {
    "round": ROUND,
    "randomness": "fc1873a13f3545aeade8401532ef5519920652eee6b0d2b19ca12643b87b3587",
    "signature": "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b",
}
"""A round of drand quicknet, of 2023-09-15."""
EARLIER = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
"""The signature of round 1000."""


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A token over a protocol, as `openssl ts` makes it."""
    authority = Authority(tmp_path_factory.mktemp("seeds") / "tsa")
    return authority.reply(timestamp.request(b"a protocol"))


def test_the_seed_is_the_start_of_a_digest_over_record_and_value() -> None:
    """The stated rule, which anybody can follow with printf and sha256sum."""
    assert derived("ab" * 32, "cd" * 32) == 0xC594C4A2E9A55
    assert derived("ab" * 32, "cd" * 32) < 2**52
    assert derived("ab" * 32, "cd" * 32) != derived("ac" + "ab" * 31, "cd" * 32)


def test_what_the_holder_of_a_token_can_vary_draws_the_same_seed(token: bytes) -> None:
    """Certificates left out, the words of the reply, and the negative of the second half of an ECDSA signature."""
    status, content = pieces(next(pieces(token)).content)
    worded = Piece(0x30, Piece(0x30, status.content + bytes.fromhex("30040c026f6b")).encoded + content.encoded).encoded
    assert worded != token
    assert of_token(worded, "token") == of_token(token, "token")
    assert of_token(readable(token), "token") == of_token(token, "token")
    r = signature(token)
    place = token.rindex(r)
    start = token.rindex(b"\x30", 0, place)
    whole = token[start : start + 2 + token[start + 1]]
    first, second = decode_dss_signature(whole)
    turned = encode_dss_signature(first, ORDER - second)
    if len(turned) == len(whole):  # else every length around it would have to be written anew
        assert of_token(token.replace(whole, turned), "token") == of_token(token, "token")
    assert int.from_bytes(r, "big") == first


def test_another_token_over_the_same_protocol_draws_another_seed(tmp_path: Path, token: bytes) -> None:
    """The signature is what nobody knows before: even a second token of the same second is another."""
    authority = Authority(tmp_path / "tsa")
    query = timestamp.request(b"a protocol")
    assert len({of_token(one, "token") for one in (token, authority.reply(query), authority.reply(query))}) == 3


@examples(60, 20_000)
@given(st.binary(max_size=300))
def test_any_bytes_are_no_token_to_draw_from(data: bytes) -> None:
    """Whatever stands in the place of a token is refused as evidence, and never a traceback."""
    with pytest.raises(EvidenceError, match="no seed follows"):
        of_token(data, "token")


@examples(60, 20_000)
@given(st.data())
def test_a_changed_token_is_read_or_refused(token: bytes, data: st.DataObject) -> None:
    """A flipped byte changes the seed, leaves it, or ends in an EvidenceError."""
    changed = bytearray(token)
    changed[data.draw(st.integers(0, len(token) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        assert len(of_token(bytes(changed), "token")) == 64
    except EvidenceError as error:
        assert "no seed follows" in error.message


def test_a_real_round_of_the_beacon_is_checked_by_its_signature() -> None:
    """The league's signature holds for its round; that of another round, or one changed digit, does not."""
    found = pulse(json.dumps(PULSE).encode(), ROUND, "file")
    assert (found.value, found.at) == (PULSE["randomness"], "2023-09-15T11:00:03.000000Z")
    assert pulse(json.dumps({"round": 1000, "signature": EARLIER}).encode(), 1000, "file").round == 1000
    for odd in (EARLIER, "c0" + "00" * 47, "00" * 48, str(PULSE["signature"])[:-1] + "a"):
        with pytest.raises(EvidenceError, match="signature of round 657413 is not that of"):
            pulse(json.dumps({"round": ROUND, "signature": odd}).encode(), ROUND, "file")
    with pytest.raises(EvidenceError, match=r"is round 657413 .* that of round 657414"):
        pulse(json.dumps(PULSE).encode(), ROUND + 1, "file")


@examples(60, 20_000)
@given(st.one_of(st.binary(max_size=200), st.recursive(st.none() | st.integers() | st.text(), st.lists).map(str)))
def test_any_other_file_is_no_round(data: bytes | str) -> None:
    """What drand does not serve is refused with the address where it does."""
    with pytest.raises(EvidenceError, match="no round of drand quicknet") as met:
        pulse(data if isinstance(data, bytes) else data.encode("utf-8", "replace"), ROUND, "file")
    assert "api.drand.sh" in (met.value.hint or "")


def test_a_large_file_is_no_round() -> None:
    """A round has a few hundred bytes."""
    with pytest.raises(EvidenceError, match="larger than"):
        pulse(b"{" + b" " * 10_000 + b"}", ROUND, "file")


def test_a_moment_has_one_round() -> None:
    """The first at or after it, to the second, and its moment is at most two seconds later."""
    assert (round_of("2023-08-23T15:09:27Z"), round_of("2023-08-23T15:09:28Z")) == (1, 2)
    assert (round_of("2023-09-15T11:00:03Z"), round_of("2023-09-15T11:00:01Z")) == (ROUND, ROUND)
    assert moment_of(ROUND) == "2023-09-15T11:00:03.000000Z"
    with pytest.raises(DeposeError, match="is no moment"):
        round_of("2023-02-30T11:00Z")

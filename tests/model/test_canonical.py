"""Canonical bytes and digests."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from depose.errors import DeposeError
from depose.model import Budget, Fact
from depose.model.canonical import canonical, digest, sha256

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, width=32) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def test_the_form_is_the_one_of_rfc_8785() -> None:
    """Keys are sorted by UTF-16, numbers are ECMAScript's, nothing is escaped without need."""
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\xf6": 7}
    assert canonical(value) == '{"\\r":2,"1":4,"\x80":6,"\xf6":7,"\u20ac":1,"\U0001f600":5,"\ufb33":3}'.encode()
    assert canonical([333333333.33333329, 1e30, 4.50, 2e-3, 1e-27, -0.0]) == (
        b"[333333333.3333333,1e+30,4.5,0.002,1e-27,0]"
    )


def test_a_record_is_written_as_an_object_with_all_its_fields() -> None:
    """A record gives the bytes of a plain object, defaults included."""
    assert canonical(Fact(value="b", name="a")) == b'{"name":"a","value":"b"}'
    assert canonical(Budget(requests=3)) == b'{"money":null,"requests":3,"tokens":null}'


@given(value=JSON)
def test_canonical_bytes_do_not_change_when_read_and_written_again(value: Any) -> None:
    """Reading canonical bytes with any JSON parser and writing them again gives the same bytes."""
    try:
        once = canonical(value)
    except DeposeError:  # infinity
        assert "Infinity" in json.dumps(value)
        return
    again = json.loads(once, parse_int=float)
    assert rfc8785.dumps(again) == once


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 2**53, -(2**53), "\ud800", {"\udfff": 1}, {1: 2}],
    ids=["nan", "inf", "2**53", "-2**53", "surrogate", "surrogate key", "integer key"],
)
def test_what_has_no_form_is_an_error(value: Any) -> None:
    """Values that JSON cannot carry the same way everywhere are refused with a next step."""
    with pytest.raises(DeposeError, match="no canonical JSON form") as caught:
        canonical({"x": [value]})
    assert caught.value.exit_code == 1
    assert caught.value.hint


def test_nesting_without_end_is_an_error() -> None:
    """A value nested ten thousand deep is refused, not a crash."""
    value: list[Any] = []
    for _ in range(10_000):
        value = [value]
    with pytest.raises(DeposeError, match="no canonical JSON form"):
        canonical(value)


def test_sets_have_an_order() -> None:
    """A set has one form whatever the order of its hashes."""
    assert canonical({"b", "a", "c"}) == b'["a","b","c"]'


def test_the_digest_is_the_sha256_of_the_form() -> None:
    """A digest can be had with sha256 and any RFC 8785 writer."""
    assert digest({"b": 1, "a": "ö"}) == hashlib.sha256('{"a":"ö","b":1}'.encode()).hexdigest()
    assert sha256(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_tuples_are_lists_on_the_fast_way_too() -> None:
    """Nested tuples, as in records of exchanges, have the canonical form of lists."""
    value = {"b": (("x", "\u00e9\U0001f600"), ()), "a": [1, None, True]}
    assert canonical(value) == rfc8785.dumps({"b": [["x", "\u00e9\U0001f600"], []], "a": [1, None, True]})

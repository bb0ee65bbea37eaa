"""Records to canonical bytes to digests.

Canonical form: RFC 8785 (JSON Canonicalization Scheme), as the package `rfc8785` writes it.
Digest: SHA-256, lower-case hex.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec
import rfc8785

from depose.errors import NoCanonicalForm

LARGEST = 2**53 - 1
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What `msgspec` raises for bytes that are no JSON of a type: for half a letter and for deep nesting another error."""


def canonical(value: Any) -> bytes:
    """Write a record or plain JSON value in its one canonical form.

    Raises NoCanonicalForm where there is none: NaN, infinity, an integer of 2**53 or more, half of a surrogate pair.
    """
    try:
        plain = msgspec.to_builtins(value, order="deterministic")
        if _is_simple(plain):
            return msgspec.json.encode(plain, order="sorted")
        return rfc8785.dumps(plain)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise NoCanonicalForm(
            f"a value has no canonical JSON form: {error}",
            hint="store NaN, infinity and integers of 2**53 or more as strings",
        ) from error


def _is_simple(plain: Any) -> bool:
    """Tell whether msgspec writes the canonical form too, 20 times as fast: no floats, ASCII keys, small integers."""
    kind = type(plain)
    if kind is str or kind is bool or plain is None:
        return True
    if kind is int:
        return bool(-LARGEST <= plain <= LARGEST)
    if kind is dict:
        return all(type(key) is str and key.isascii() and _is_simple(one) for key, one in plain.items())
    return kind in (list, tuple) and all(map(_is_simple, plain))


def in_one_form(data: bytes) -> bool:
    """Tell whether JSON is in its one canonical form; what names a field twice, say, is not, and says two things."""
    try:
        return canonical(json.loads(data)) == data
    except (ValueError, RecursionError, NoCanonicalForm):
        return False


def sha256(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def digest(value: Any) -> str:
    """Digest of the canonical form."""
    return sha256(canonical(value))

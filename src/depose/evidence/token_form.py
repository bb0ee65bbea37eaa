"""A time-stamp reply in the one form in which it can be read: certificates in the order of DER, and enclosed.

Authorities enclose a chain from the leaf up, which is not the order of a SET (X.690, 11.6), and leave certificates out
where none were asked for (RFC 3161, 2.4.1). Neither is covered by the signature, so that a reply may be written anew
for reading; the token itself is kept as it came.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

SEQUENCE, SET, INTEGER, OCTETS, CERTIFICATES = 0x30, 0x31, 0x02, 0x04, 0xA0
LARGEST = 1_000_000
"""Bytes of a reply at most."""


class Piece(NamedTuple):
    """A value in DER."""

    tag: int
    content: bytes

    @property
    def encoded(self) -> bytes:
        """Tag, length and content."""
        size = len(self.content)
        if size < 128:
            return bytes((self.tag, size)) + self.content
        length = size.to_bytes((size.bit_length() + 7) // 8, "big")
        return bytes((self.tag, 128 | len(length))) + length + self.content


def pieces(data: bytes) -> Iterator[Piece]:
    """Yield the values that stand one after another; raise ValueError where they are not in DER."""
    at = 0
    while at < len(data):
        tag, first = data[at], data[at + 1] if at + 1 < len(data) else 0x80
        size, at = first, at + 2
        if tag & 0x1F == 0x1F or first == 0x80 or first > 0x84:
            raise ValueError("a tag or length that no token has")
        if first > 0x80:
            size = int.from_bytes(data[at : at + first - 128], "big")
            at += first - 128
        if at + size > len(data):
            raise ValueError("it is cut off")
        yield Piece(tag, data[at : at + size])
        at += size


def _inner(data: bytes, tag: int, least: int) -> list[Piece]:
    """Return what stands in the one value of some bytes."""
    (one,) = pieces(data)
    found = list(pieces(one.content))
    if one.tag != tag or len(found) < least:
        raise ValueError("not put together as a token is")
    return found


def _joined(tag: int, parts: Sequence[Piece]) -> Piece:
    return Piece(tag, b"".join(part.encoded for part in parts))


def readable(reply: bytes, known: Sequence[bytes] = ()) -> bytes:
    """Write a reply with its certificates in order, or the known ones where it has none; granted is granted.

    Raises ValueError where it is no reply. One without a token stays as it is.
    """
    if len(reply) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST} bytes")
    status, *token = _inner(reply, SEQUENCE, 1)
    if not token:
        return reply
    kind, explicit = _inner(token[0].encoded, SEQUENCE, 2)[:2]
    signed = _inner(explicit.content, SEQUENCE, 4)
    place = next((at for at, one in enumerate(signed) if one.tag == CERTIFICATES), None)
    enclosed = {one.encoded for one in pieces(signed[place].content)} if place is not None else set()
    certificates = Piece(CERTIFICATES, b"".join(sorted(enclosed or set(known))))
    if place is not None:
        signed[place] = certificates
    elif certificates.content:
        signed.insert(3, certificates)
    content = _joined(explicit.tag, [_joined(SEQUENCE, signed)])
    return _joined(SEQUENCE, [_granted(status), _joined(SEQUENCE, [kind, content])]).encoded


def signature(reply: bytes) -> bytes:
    """Return the signature in a token: the part that nobody knows before, and nobody but its signer can vary.

    Certificates, the words of the reply and attributes that are not signed can be varied by whoever holds it, and so
    can the second half of a signature by elliptic curves, whose negative is as good: of these the first is returned.
    Leading zeros are taken off. Raises ValueError where there is no token, or one with several signatures.
    """
    token = _inner(reply, SEQUENCE, 2)[1]
    explicit = _inner(token.encoded, SEQUENCE, 2)[1]
    infos = _inner(explicit.content, SEQUENCE, 4)[-1]
    if infos.tag != SET:
        raise ValueError("its last part is no list of signatures")
    (signer,) = pieces(infos.content)
    (signed,) = (one.content for one in pieces(signer.content) if one.tag == OCTETS)
    try:
        halves = list(pieces(signed)) if signed[:1] == bytes((SEQUENCE,)) else []
        first, second = pieces(halves[0].content) if len(halves) == 1 else (Piece(0, b""), Piece(0, b""))
    except ValueError:
        return signed.lstrip(b"\0")
    return (first.content if first.tag == second.tag == INTEGER else signed).lstrip(b"\0")


def _granted(status: Piece) -> Piece:
    """Write `granted, with modifications` as granted: what was modified is seen by reading the token."""
    number, *rest = pieces(status.content)
    return _joined(SEQUENCE, [Piece(INTEGER, b"\0"), *rest]) if number == Piece(INTEGER, b"\1") else status

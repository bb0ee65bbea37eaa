"""How words would stand in data that turns, shifts or encodes letters: what is sought beside the words themselves.

A value can only stand in base64, base32, base85 and the like in one of a few forms, by where it begins within a group
of letters; so does whatever writes one letter for another. Each form is sought like the value itself, which costs
nothing more for each, makes no noise, and asks nothing of what stands around it.
"""

from __future__ import annotations

import base64
import string
from collections.abc import Iterator
from math import lcm
from typing import NamedTuple

from depose.evidence.bases import BASE_45, BASE_91, BITS, BLOCKS, NUMBERS

SHORTEST_CORE = 10
"""Letters of an encoded form; of fewer chance makes some."""


class Form(NamedTuple):
    """One way in which words may be written."""

    name: str
    written: bytes
    exactly: bool = False
    """Bytes that are no text: they are sought as they are."""
    around: int = 0
    """So many bytes on either side may hold a part of the words."""


_LOWER, _UPPER = string.ascii_lowercase, string.ascii_uppercase


def _shift(by: int, digits: int = 0) -> dict[int, int]:
    turned = _LOWER[by:] + _LOWER[:by]
    tens = string.digits[digits:] + string.digits[:digits]
    return str.maketrans(_LOWER + _UPPER + string.digits, turned + turned.upper() + tens)


_ROT_47 = {33 + n: 33 + (n + 47) % 94 for n in range(94)}
_ATBASH = str.maketrans(_LOWER + _UPPER, _LOWER[::-1] + _UPPER[::-1])
_ATBASH_10 = str.maketrans(_LOWER + _UPPER + string.digits, _LOWER[::-1] + _UPPER[::-1] + string.digits[::-1])
LETTER_FOR_LETTER: dict[str, dict[int, int]] = {
    **{f"letters shifted by {by}": _shift(by) for by in range(1, 26)},
    "letters and digits shifted": _shift(13, 5),
    "ROT47": _ROT_47,
    "Atbash": _ATBASH,
    "Atbash with digits": _ATBASH_10,
}
"""One letter for another, by a rule that has no key."""


_ROT_13 = LETTER_FOR_LETTER["letters shifted by 13"]


def _swapped(value: bytes, size: int, offset: int) -> bytes:
    """Turn each group of so many bytes round, as a dump of words in the other order of bytes does."""
    whole = value[offset : offset + (len(value) - offset) // size * size]
    return b"".join(whole[at : at + size][::-1] for at in range(0, len(whole), size))


_CODE_PAGES = ("cp037", "cp500", "cp273", "cp1026", "cp1140")
"""EBCDIC."""
_OLD_CODE_PAGES = (
    *("latin-1", "cp1252", "iso8859-2", "iso8859-5", "iso8859-7", "iso8859-8", "iso8859-9", "iso8859-15"),
    *("cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp437", "cp850", "cp852", "cp866", "mac_roman"),
    *("koi8-r", "koi8-u", "shift_jis", "euc_jp", "iso2022_jp", "gb18030", "big5", "euc_kr", "johab", "tis_620"),
    *("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"),
)
"""What letters beyond ASCII were written in before UTF-8."""


def of_code_pages(value: bytes) -> Iterator[Form]:
    """Write words in other codes of characters than UTF-8, and as UTF-8 that was read as another."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return
    pages = _CODE_PAGES if text.isascii() else _OLD_CODE_PAGES + _CODE_PAGES
    for page in pages:
        try:
            made = text.encode(page)
        except (UnicodeEncodeError, LookupError):
            continue
        if made != value:
            yield Form(page, made, exactly=True)
    if not text.isascii():
        for wrong in ("latin-1", "cp1252", "mac_roman", "cp437"):
            made = value
            for _ in range(2):
                try:
                    made = made.decode(wrong).encode()
                except UnicodeDecodeError:
                    break
                yield Form(f"UTF-8 read as {wrong}", made, exactly=True)
        yield Form("punycode", text.encode("punycode"))


def _yenc(value: bytes) -> bytes:
    made = bytearray()
    for c in value:
        coded = (c + 42) & 0xFF
        made += bytes((61, (coded + 64) & 0xFF)) if coded in (0, 10, 13, 61) else bytes((coded,))
    return bytes(made)


# --- bases --------------------------------------------------------------------------------------------


def _bits(value: bytes, bits: int, letters: str) -> Iterator[tuple[str, int]]:
    """Write a value by so many bits a letter, for each place in a group: only letters that hold nothing else."""
    for before in range(lcm(8, bits) // 8):
        whole = int.from_bytes(value, "big") << (bits + 8)
        size = 8 * (before + len(value)) + bits + 8
        first, last = -(-8 * before // bits), 8 * (before + len(value)) // bits
        yield "".join(letters[whole >> (size - bits * (n + 1)) & (1 << bits) - 1] for n in range(first, last)), before


def _blocks(value: bytes, letters: str) -> Iterator[str]:
    """Write whole groups of four bytes as five letters, for each place in a group."""
    for before in range(4):
        part = value[-before % 4 if before else 0 :]
        made = []
        for at in range(0, len(part) // 4 * 4, 4):
            number = int.from_bytes(part[at : at + 4], "big")
            made.append("".join(letters[number // 85**n % 85] for n in (4, 3, 2, 1, 0)))
        yield "".join(made)


def _forty_five(value: bytes) -> Iterator[str]:
    for part in (value, value[1:]):
        pairs = (int.from_bytes(part[at : at + 2], "big") for at in range(0, len(part) // 2 * 2, 2))
        yield "".join(BASE_45[n % 45] + BASE_45[n // 45 % 45] + BASE_45[n // 45**2] for n in pairs)


def _ninety_one(value: bytes) -> str:
    """Write base91, which takes 13 or 14 bits for two letters (Henke, 2005)."""
    bits, number, made = 0, 0, []
    for c in value:
        number |= c << bits
        bits += 8
        if bits > 13:
            low = number & 8191
            taken = 13 if low > 88 else 14
            low = low if low > 88 else number & 16383
            number, bits = number >> taken, bits - taken
            made.append(BASE_91[low % 91] + BASE_91[low // 91])
    if bits:
        made.append(BASE_91[number % 91] + (BASE_91[number // 91] if bits > 7 or number > 90 else ""))
    return "".join(made)


def _as_number(value: bytes, letters: str) -> str:
    number, made, base = int.from_bytes(value, "big"), [], len(letters)
    if letters == string.digits:
        return str(number)
    while number:
        number, low = divmod(number, base)
        made.append(letters[low])
    return "".join(reversed(made))


def of_bases(value: bytes) -> Iterator[Form]:
    """Write a value in every base, at each place in a group."""
    for name, (bits, letters) in BITS.items():
        for written, _ in _bits(value, bits, letters):
            yield Form(name, written.encode(), around=2 if bits > 4 else 0)
    for name, letters in BLOCKS.items():
        for written in _blocks(value, letters):
            yield Form(name, written.encode(), around=5)
    for written in _forty_five(value):
        yield Form("base45", written.encode(), around=3)


def of_numbers(value: bytes) -> Iterator[Form]:
    """Write a value as one number, and in the bases that need to begin with it."""
    if len(value) <= _LONGEST:
        for name, letters in NUMBERS.items():
            yield Form(name, _as_number(value, letters).encode())
            yield Form(name, _as_number(value[::-1], letters).encode())
        yield Form("base91", _ninety_one(value).encode()[: 2 * (8 * len(value) // 14)])
        for name, written in (("ascii85", base64.a85encode(value)), ("base85", base64.b85encode(value))):
            yield Form(name, written)


_LONGEST = 512


# --- lists of numbers ---------------------------------------------------------------------------------

CODES = (
    *("{:d}", "{:03d}", "{:d}.0", "chr{:d}", "char{:d}", "chrw{:d}", "code{:d}", "{:d}u", "{:d}l"),
    *("{:o}", "{:03o}", "{:04o}", "0{:o}", "0o{:o}", "0o{:03o}", "q{:o}", "8r{:o}"),
    *(
        "0x{:02x}",
        "0x{:x}",
        "x{:02x}",
        "x{:x}",
        "{:x}",
        "{:02x}h",
        "0{:02x}h",
        "h{:02x}",
        "16r{:02x}",
        "16{:02x}",
        "hex{:02x}",
    ),
    *("u{:04x}", "u{:x}", "u{:08x}", "{:04x}", "x{:04x}", "x{:08x}", "u{:06x}", "{:06x}", "0x{:04x}", "0x{:08x}"),
    *("0b{:b}", "0b{:08b}", "{:b}", "{:07b}", "b{:08b}", "2r{:08b}"),
)
"""How programs write one byte after another in lists, with all that is no letter or digit left out."""
WORDS = {
    2: ("{:d}", "{:06o}", "{:o}", "0x{:04x}", "0x{:x}"),
    4: ("{:d}", "{:011o}", "0x{:08x}"),
    8: ("{:d}", "{:022o}", "0x{:016x}"),
}
"""The same for groups of bytes that are written as one number."""


def of_lists(value: bytes) -> Iterator[Form]:
    """Write a value as lists of numbers, and as texts of base64 of a few letters each."""
    for pattern in CODES:
        yield Form("numbers", "".join(map(pattern.format, value)).encode())
    yield Form("numbers", "".join(f"{c:08b}"[::-1] for c in value).encode())
    for size, patterns in WORDS.items():
        for offset in range(size):
            whole = value[offset : offset + (len(value) - offset) // size * size]
            groups = [whole[at : at + size] for at in range(0, len(whole), size)]
            for order in ("big", "little"):
                numbers = [int.from_bytes(group, order) for group in groups]
                for pattern in patterns:
                    yield Form("numbers", "".join(map(pattern.format, numbers)).encode(), around=24)
    for size in range(1, 9):
        parts = (value[at : at + size] for at in range(0, len(value), size))
        yield Form("base64 in pieces", b"".join(base64.b64encode(part).rstrip(b"=") for part in parts))


# --- all of them --------------------------------------------------------------------------------------


def of_secret(value: bytes) -> Iterator[Form]:
    """Write a secret in every way of this module."""
    yield from of_code_pages(value)
    yield from of_numbers(value)
    yield from of_lists(value)
    yield from of_bases(value)
    yield Form("yEnc", _yenc(value), exactly=True)
    turned = value[::-1]
    yield Form("turned round", turned)
    for size in (2, 4, 8):
        for offset in range(size):
            swapped = _swapped(value, size, offset)
            if len(swapped) >= SHORTEST_CORE:
                yield Form(f"bytes swapped in {size}s", swapped, around=size)
                yield Form(f"hex, bytes swapped in {size}s", swapped.hex().encode(), around=2 * size)
    inner = {"turned round": turned}
    if value.isascii():
        text = value.decode()
        for name, table in LETTER_FOR_LETTER.items():
            yield Form(name, text.translate(table).encode())
            yield Form(f"{name}, turned round", text.translate(table).encode()[::-1])
        inner |= {"letters shifted by 13": text.translate(_ROT_13).encode(), "cp037": text.encode("cp037")}
        inner |= {wide: text.encode(wide) for wide in ("utf-16-le", "utf-16-be")}
    for name, made in inner.items():
        for form in of_bases(made):
            yield form._replace(name=f"{name} in {form.name}")
    for form in of_bases(value):
        yield form._replace(name=f"{form.name}, turned round", written=form.written[::-1])
        yield form._replace(
            name=f"{form.name}, letters shifted by 13", written=form.written.decode().translate(_ROT_13).encode()
        )


def of_words(value: bytes) -> Iterator[Form]:
    """Write words, which are no secret, in what tools write text in."""
    yield from of_code_pages(value)
    yield Form("hex", value.hex().encode())
    for between in (" ", ", "):
        yield Form("numbers", between.join(map(str, value)).encode())
    if len(value) >= SHORTEST_CORE - 3:
        yield from of_bases(value)

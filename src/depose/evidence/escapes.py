"""Escapes: what stands for one character in JSON, programs, URLs, HTML, mail, TeX and style sheets."""

from __future__ import annotations

import binascii
import html
import re
import unicodedata
from collections.abc import Callable, Iterator

from depose.evidence.compression import Undone
from depose.evidence.edited import Edited

BEGINNINGS = (b"\\", b"%", b"&", b"=", b"U+", b"u{", b"\xf3\xa0", b"\xc0", b"\xc1", b"_x", b"^^")
"""One of these stands in whatever holds an escape."""
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|\\u\{[0-9a-fA-F]{1,6}\}|`u\{[0-9a-fA-F]{1,6}\}|\\x\{[0-9a-fA-F]{1,6}\}|U\+[0-9A-Fa-f]{4,6} ?"
    rb"|\xf3\xa0[\x80\x81][\x80-\xbf]|\xc0[\x80-\xbf]|\xc1[\x80-\xbf]"
    rb"|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\x[0-9a-fA-F]{2}|\\[0-3][0-7]{2}"
    rb"|\\o\{[0-7]{1,7}\}|\\N\{[A-Za-z0-9 -]{1,80}\}"
    rb"|\\char(?:\x22[0-9A-F]{2,5}|\x27[0-7]{2,6}|[0-9]{2,6})(?:\\relax(?![a-z])|\{\}|[ ])?|\\symbol\{[0-9]{1,6}\}"
    rb"|\\(?:text(?:underscore|tilde|asciitilde|slash|plus|backslash|hyphen|colon|equals)|slash)(?:\{\}|(?![a-z]) ?)"
    rb"|\\-"
    rb"|\\[\x22\x27\x5c/bfnrtvae]|\\\r?\n"
    rb"|\^\^[0-9a-f]{2}|_x[0-9A-Fa-f]{4}_"
    rb"|%u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2}"
    rb"|&\#[xX]0{0,30}[0-9a-fA-F]{1,6};?|&\#0{0,30}[0-9]{1,7};?|&[A-Za-z][A-Za-z0-9]{1,31};"
    rb"|=[0-9A-Fa-f]{2}|=[ \t]{0,8}\r?\n"
)
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f", b"v": b"\v", b"a": b"\a", b"e": b"\x1b"}
_TEX = {
    b"underscore": b"_",
    b"tilde": b"~",
    b"asciitilde": b"~",
    b"slash": b"/",
    b"plus": b"+",
    b"backslash": b"\\",
    b"hyphen": b"-",
    b"colon": b":",
    b"equals": b"=",
}


def character(number: int) -> bytes:
    """Return a character by its number; nothing for what is none."""
    return chr(number).encode("utf-8", "surrogatepass") if number <= 0x10FFFF else b""


def _hex(text: bytes) -> int:
    return int(text, 16)


def _unescaped(one: bytes) -> bytes:
    """Return the bytes that an escape stands for."""
    first, rest = one[:1], one[1:]
    read = _BY_FIRST.get(first)
    if read is not None:
        return read(rest)
    if rest[:1] in (b"{",):  # of PowerShell
        return character(_hex(rest.strip(b"{}")))
    return _of_backslash(rest)


def _of_entity(rest: bytes) -> bytes:
    if rest[:1] != b"#":
        return html.unescape("&" + rest.decode()).encode("utf-8", "surrogatepass")
    digits = rest[1:].rstrip(b";")
    return character(_hex(digits[1:]) if digits[:1] in (b"x", b"X") else int(digits))


def _of_overlong(rest: bytes, high: int) -> bytes:
    return bytes((high << 6 | rest[0] & 0x3F,))


_BY_FIRST: dict[bytes, Callable[[bytes], bytes]] = {
    b"&": _of_entity,
    b"=": lambda rest: b"" if rest[-1:] == b"\n" else bytes([_hex(rest)]),
    b"%": lambda rest: character(_hex(rest[1:])) if rest[:1] == b"u" else bytes([_hex(rest)]),
    b"\xf3": lambda rest: bytes((ord((b"\xf3" + rest).decode()) - 0xE0000,)).strip(b"\x01\x7f"),  # tags, not seen
    b"\xc0": lambda rest: _of_overlong(rest, 0),
    b"\xc1": lambda rest: _of_overlong(rest, 1),
    b"U": lambda rest: character(_hex(rest[1:].strip())),
    b"`": lambda rest: character(_hex(rest[1:].strip(b"{}"))),
    b"_": lambda rest: character(_hex(rest[1:5])),
    b"^": lambda rest: bytes([_hex(rest[1:])]),
}


def _of_backslash(rest: bytes) -> bytes:
    kind = rest[:1]
    if len(rest) == 1:
        return b"" if rest == b"-" else _LETTERS.get(rest, rest)
    if rest[-1:] == b"\n" or rest == b"-":
        return b""
    if kind in (b"u", b"U", b"x"):
        if len(rest) == 11:
            high, low = _hex(rest[1:5]), _hex(rest[7:])
            return character(0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF))
        number = _hex(rest[1:].strip(b"{}"))
        return bytes([number]) if kind == b"x" and rest[1:2] != b"{" else character(number)
    if kind == b"N":
        try:
            return unicodedata.lookup(rest[2:-1].decode()).encode()
        except KeyError:
            return b"\\" + rest
    if kind == b"o":
        return character(int(rest[2:-1], 8))
    if kind == b"c":
        written = rest[4:].split(b"\\")[0].rstrip(b"{} ")
        base = {b'"': 16, b"'": 8}.get(written[:1], 10)
        return character(int(written if base == 10 else written[1:], base))
    if rest[:7] == b"symbol{":
        return character(int(rest[7:-1]))
    if kind in (b"s", b"t"):
        return _TEX[rest.removeprefix(b"text").rstrip(b"{} ")]
    return bytes([int(rest, 8)])


def escapes(data: bytes) -> Iterator[Undone]:
    """Undo the escapes of JSON, programs, URLs, HTML, mail and TeX, if there are any."""
    if _ESCAPE.search(data):
        edited = Edited(_ESCAPE, _unescaped, data)
        yield "escapes", edited.result(), edited.back


# --- escapes that only make sense where many stand ---------------------------------------------------

_STYLED = re.compile(rb"\\([0-9a-fA-F]{1,6})[ \t\n]?")
"""An escape of style sheets, and of names in directories (LDAP)."""
_OCTAL = re.compile(rb"\\([0-7]{1,3})")


def _by_number(base: int) -> Callable[[bytes], bytes]:
    def made(escape: bytes) -> bytes:
        return character(int(escape[1:].strip(), base))

    return made


def by_number(data: bytes) -> Iterator[Undone]:
    """Undo escapes of style sheets and of C with fewer digits than three."""
    if data.count(b"\\") >= _FEWEST:
        for pattern, base in ((_STYLED, 16), (_OCTAL, 8)):
            edited = Edited(pattern, _by_number(base), data)
            yield "escapes", edited.result(), edited.back


_FEWEST = 8
# --- UTF-7 and names of hosts -------------------------------------------------------------------------

_SHIFTED = re.compile(rb"\+([A-Za-z0-9+/]{2,})-?|&([A-Za-z0-9+,]{2,})-|\+-|&-")
_LABEL = re.compile(rb"(?i)xn--([a-z0-9-]{1,59}[a-z0-9])")


def _of_shift(one: bytes) -> bytes:
    written = one[1:].rstrip(b"-").replace(b",", b"/")
    if not written:
        return one[:1]
    if 6 * len(written) % 16 >= 6:
        return one  # no whole letters
    try:
        made = binascii.a2b_base64(written + b"A" * (-len(written) % 4))
        text = made[: 6 * len(written) // 16 * 2].decode("utf-16-be")
    except ValueError:
        return one
    return text.encode() if text.isprintable() or text.isspace() else one


def utf_7(data: bytes) -> Iterator[Undone]:
    """Undo UTF-7, of mail and of the names of IMAP folders."""
    if _SHIFTED.search(data):
        edited = Edited(_SHIFTED, _of_shift, data)
        yield "UTF-7", edited.result(), edited.back


def _of_label(one: bytes) -> bytes:
    try:
        return one[4:].decode("punycode").encode()
    except (ValueError, OverflowError):
        return one


def punycode(data: bytes) -> Iterator[Undone]:
    """Undo names of hosts in letters beyond ASCII."""
    if _LABEL.search(data):
        edited = Edited(_LABEL, _of_label, data)
        yield "punycode", edited.result(), edited.back


# --- marks between which words go on -------------------------------------------------------------------

TAG_BEGINNINGS = (b"<", b"](", b"[^", b"]]>", b"\x1b", b"?=", b"*=", b"*0=", b"*1=", b"\b")
_TAG = re.compile(
    rb"<!\[CDATA\[|\]\]>|<!--[^<]{0,4000}?-->"
    rb"|<[A-Za-z](?:[^<>\x22\x27]|\x22[^<\x22]{0,4000}\x22|\x27[^<\x27]{0,4000}\x27){0,4000}+>"
    rb"|</?[A-Za-z!?][^<>]{0,400}>|\]\([^()\s]{1,400}\)|\[\^[0-9A-Za-z]{1,8}\]|\[(?=[^\[\]\n]{1,200}\]\()"
    rb"|\x1b\[[0-9;?]{0,20}[A-Za-z]|\x1b\][^\x07\x1b]{0,400}(?:\x07|\x1b\\)|\?=\s{0,8}=\?[A-Za-z0-9-]{1,20}(?:\*[A-Za-z-]{1,10})?\?[QqBb]\?"
    rb"|\x22;\s{0,8}[A-Za-z-]{1,20}\*[0-9]{1,3}\*?=[\x22\x27]?|;\s{0,8}[A-Za-z-]{1,20}\*[0-9]{1,3}\*?=[\x22\x27]?"
    rb"|\x27;\s{0,8}[A-Za-z-]{1,20}\*[0-9]{1,3}\*?=[\x22\x27]?"
)
"""Of HTML, XML and Markdown, of terminals, and of long headers of mail (RFC 2047, RFC 2231)."""
_OVERSTRUCK = re.compile(rb"[^\x08]\x08")


def markup(data: bytes) -> Iterator[Undone]:
    """Take marks out between which words go on, and what a terminal overwrites."""
    if _TAG.search(data):
        edited = Edited(_TAG, lambda _: b"", data)
        yield "markup", edited.result(), edited.back
    if b"\b" in data:
        edited = Edited(_OVERSTRUCK, lambda _: b"", data)
        yield "markup", edited.result(), edited.back

"""Words are found in whatever form they stand, and their place in the data is named."""

from __future__ import annotations

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import random
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pyarrow
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from depose.evidence.encodings import LEAST_WORK, views
from depose.evidence.search import Found, Sought, find
from thinned import thinned

SECRET = "sk-canary/7Jq+Zz_0123~456789=="  # noqa: S105


def _each(text: str, form: str) -> str:
    return "".join(form.format(ord(c)) for c in text)


def _lines(data: bytes, width: int, end: bytes = b"\n") -> bytes:
    return end.join(data[at : at + width] for at in range(0, len(data), width))


def _deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def _arrow(data: bytes, codec: str) -> bytes:
    goal = pyarrow.BufferOutputStream()
    with pyarrow.CompressedOutputStream(goal, codec) as stream:
        stream.write(data)
    return bytes(goal.getvalue())


def _zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", b"word " * 50 + data)
    return file.getvalue()


Form = Callable[[str], bytes]
FORMS: dict[str, Form] = {
    "as it is": str.encode,
    "in capitals": lambda s: s.upper().encode(),
    "in small letters": lambda s: s.lower().encode(),
    "JSON, every character escaped": lambda s: _each(s, "\\u{:04x}").encode(),
    "JSON, slashes escaped": lambda s: json.dumps(s).replace("/", "\\/").encode(),
    "JSON in JSON in JSON": lambda s: json.dumps(json.dumps(json.dumps(s).replace("/", "\\/"))).encode(),
    "escapes of JavaScript": lambda s: _each(s, "\\u{{{:x}}}").encode(),
    "escapes of Python": lambda s: _each(s, "\\x{:02x}").encode(),
    "escapes of C": lambda s: _each(s, "\\{:03o}").encode(),
    "percent, every character": lambda s: _each(s, "%{:02x}").encode(),
    "percent, twice": lambda s: quote(quote(s, safe=""), safe="").encode(),
    "percent-u": lambda s: _each(s, "%u{:04X}").encode(),
    "a form of HTML": lambda s: quote_plus(s).encode(),
    "HTML, decimal": lambda s: _each(s, "&#{};").encode(),
    "HTML, hex without semicolons": lambda s: _each(s, "&#x{:X}").encode(),
    "HTML by name": lambda s: html.escape(s).replace("/", "&sol;").replace("+", "&plus;").encode(),
    "quoted-printable": lambda s: _each(s, "={:02X}").encode(),
    "quoted-printable, a soft line break": lambda s: f"{s[:9]}=\r\n{s[9:]}".encode(),
    "base64": lambda s: base64.b64encode(s.encode()),
    "base64 in lines of 76": lambda s: _lines(base64.b64encode(b"Bearer " + s.encode() * 5), 76),
    "base64 in lines of 4, indented": lambda s: _lines(base64.b64encode(s.encode()), 4, b"\r\n    "),
    "base64 in lines, in JSON": lambda s: json.dumps(_lines(base64.b64encode(s.encode()), 8).decode()).encode(),
    "base64 for URLs, without padding": lambda s: base64.urlsafe_b64encode(f"xx?{s}".encode()).rstrip(b"="),
    "base64 of base64": lambda s: base64.b64encode(base64.b64encode(s.encode())),
    "base64 of JSON": lambda s: base64.b64encode(_each(s, "\\u{:04x}").encode()),
    "base64 of UTF-16": lambda s: base64.b64encode(s.encode("utf-16")),
    "base64 of gzip": lambda s: base64.b64encode(gzip.compress(s.encode())),
    "hex": lambda s: s.encode().hex().encode(),
    "hex in capitals, with colons": lambda s: s.encode().hex(":").upper().encode(),
    "hex in lines": lambda s: _lines(s.encode().hex().encode(), 16),
    "a list of hex numbers": lambda s: ", ".join(f"0x{c:02x}" for c in s.encode()).encode(),
    "hex of UTF-16": lambda s: s.encode("utf-16").hex().encode(),
    "hex of base64": lambda s: base64.b64encode(s.encode()).hex().encode(),
    "UTF-16, little end first": lambda s: s.encode("utf-16-le"),
    "UTF-16, big end first": lambda s: s.encode("utf-16-be"),
    "UTF-32": lambda s: s.encode("utf-32"),
    "gzip": lambda s: gzip.compress(s.encode()),
    "gzip, twice": lambda s: gzip.compress(gzip.compress(s.encode())),
    "gzip, cut off": lambda s: gzip.compress(s.encode() + random.Random(1).randbytes(5_000))[:-2_000],
    "gzip, two members": lambda s: gzip.compress(b"nothing") + gzip.compress(s.encode()),
    "gzip of percent of JSON": lambda s: gzip.compress(json.dumps({"k": quote(s, safe="")}).encode()),
    "zlib": lambda s: zlib.compress(s.encode()),
    "a zip file": lambda s: _zipped(s.encode()),
    "xz": lambda s: lzma.compress(s.encode()),
    "xz, cut off": lambda s: lzma.compress(s.encode() * 9 + random.Random(1).randbytes(9_000))[:-3_000],
    "lzma, the old form": lambda s: lzma.compress(s.encode(), lzma.FORMAT_ALONE),
    "bzip2": lambda s: bz2.compress(s.encode()),
    "zstd": lambda s: bytes(pyarrow.compress(s.encode(), "zstd", asbytes=True)),
    "lz4": lambda s: _arrow(s.encode(), "lz4"),
    "base64 of xz": lambda s: base64.b64encode(lzma.compress(s.encode())),
    "hex of zstd": lambda s: pyarrow.compress(s.encode(), "zstd", asbytes=True).hex().encode(),
    "base32": lambda s: base64.b32encode(s.encode()),
    "base32 in small letters, without padding": lambda s: base64.b32encode(s.encode()).rstrip(b"=").lower(),
    "base32 in lines": lambda s: _lines(base64.b32encode(s.encode()), 20),
    "base32 of the hex alphabet": lambda s: base64.b32hexencode(s.encode()),
    "base64 of base32": lambda s: base64.b64encode(base64.b32encode(s.encode())),
    "invisible characters between": lambda s: "\u200b".join(s).encode(),
    "soft hyphens between": lambda s: "\u00ad".join(s).encode(),
    "a byte order mark within": lambda s: f"{s[:5]}\ufeff{s[5:]}".encode(),
    "wide letters": lambda s: "".join(chr(ord(c) + 0xFEE0) for c in s).encode(),
    "spaces between": lambda s: " ".join(s).encode(),
    "a line break within": lambda s: f"{s[:7]}\n\t{s[7:]}".encode(),
    "a quoted line break within": lambda s: f"> {s[:7]}\n> {s[7:]}".encode(),
    "Markdown": lambda s: f"**{s[:5]}**`{s[5:]}`".encode(),
    "tags within": lambda s: f"<b class='k'>{s[:5]}</b>{s[5:]}".encode(),
}
WHOLE: dict[str, Form] = {
    "Brotli": lambda s: _arrow(json.dumps({"error": f"no such key: {s}"}).encode(), "brotli"),
    "bare deflate": lambda s: _deflated(json.dumps({"error": f"no such key: {s}"}).encode()),
    "a stream in pieces": lambda s: b"".join(
        b'data: {"choices":[{"delta":{"content":%s}}]}\n\n' % json.dumps(s[at : at + 3]).encode()
        for at in range(0, len(s), 3)
    ),
    "a stream in pieces, cut off": lambda s: b"".join(
        b'data: {"delta":{"text":"%s"}}\n\n' % s[at : at + 9].encode() for at in range(0, len(s), 9)
    )[:-5],
    "parts of an answer": lambda s: json.dumps({"content": [{"text": s[:9]}, {"text": s[9:]}]}).encode(),
    "strings of a list": lambda s: json.dumps(["one", *(s[at : at + 5] for at in range(0, len(s), 5))]).encode(),
}
AROUND = ((b"", b""), (b'{"text":"The answer is ', b' and so on.","n":1}'), ("Straße ".encode(), "日".encode()))


@pytest.mark.parametrize("around", AROUND, ids=["alone", "in JSON", "among other letters"])
@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_found_in_every_form_with_its_place(form: str, around: tuple[bytes, bytes]) -> None:
    """The bytes named hold the secret: without them it is not found any more."""
    written = FORMS[form](SECRET)
    before, after = around
    data, sought = before + written + after, Sought({"key": SECRET.encode()})
    found = list(find(data, sought))
    assert {one.name for one in found} == {"key"}
    assert all(0 <= one.start < one.end <= len(data) for one in found)
    covered = [(one.start, one.end) for one in found]
    left = bytes(c for at, c in enumerate(data) if not any(start <= at < end for start, end in covered))
    assert next(find(left, sought), None) is None
    assert sum(end - start for start, end in covered) >= len(SECRET) // 2


@pytest.mark.parametrize("form", WHOLE)
def test_a_secret_is_found_in_an_answer_in_pieces(form: str) -> None:
    """Also where no byte of the answer holds it in one piece."""
    assert [one.name for one in find(WHOLE[form](SECRET), Sought({"key": SECRET.encode()}))][:1] == ["key"]


def test_a_place_says_what_it_differs_in() -> None:
    """Redaction must tell what was sought from what only looks like it."""

    def between(text: str) -> list[str]:
        return [one.between for one in find(text.encode(), Sought({"": b"John Smith"}))][:1]

    assert between("by John Smith.") == [""]
    assert between("by JOHN SMITH.") == ["case"]
    assert between("by **John**\n_Smith_.") == ["marks"]
    assert between("by Jo\u00adhn\u00a0Smith.") == ["marks"]
    assert between("by J o h n Smith.") == ["spaces"]
    assert between("by Johan Smith.") == []


@pytest.mark.parametrize(
    "text", ["MÜLLER", "Mu\u0308ller", "M&uuml;ller", "M\\u00fcller", "M%C3%BCller", "mü\u00adller"]
)
def test_words_beyond_ascii_are_found(text: str) -> None:
    """Without regard to case and to how a letter is composed."""
    assert next(find(f"by {text}.".encode(), Sought({"": "Müller".encode()})), None) is not None
    for coding in ("utf-16-le", "utf-16-be", "latin-1"):
        assert next(find("by Müller.".encode(coding), Sought({"": "Müller".encode()})), None) is not None


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=400))
def test_what_is_not_there_is_not_found(data: bytes) -> None:
    """Other bytes hold no secret."""
    assert list(find(data, Sought({"key": SECRET.encode(), "number": bytes(range(200, 231))}))) == []


CASE = ("in capitals", "in small letters")
"""What is written in one case cannot be undone any more; nor are all pairs of marks and escapes."""
NESTED = [form for form in FORMS if form not in CASE and not form.startswith(("quoted-printable, a", "a form", "wide"))]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(NESTED), min_size=1, max_size=2), st.binary(max_size=40))
@example(["HTML, decimal", "invisible characters between"], b"")
@example(["tags within", "invisible characters between"], b"")
@example(["tags within", "spaces between"], b"")
@example(["a list of hex numbers", "JSON in JSON in JSON"], b"")
def test_no_two_forms_one_in_another_hide_a_secret(forms: list[str], noise: bytes) -> None:
    """One encoding of another is undone too, whatever stands before."""
    text = SECRET
    for form in forms[:-1]:
        written = FORMS[form](text)
        text = written.decode("latin-1") if written.isascii() else base64.b64encode(written).decode()
    found = next(find(noise.hex().encode() + b" " + FORMS[forms[-1]](text), Sought({"key": SECRET.encode()})), None)
    assert isinstance(found, Found), forms


@pytest.mark.parametrize("before", ['say \\"hi\\" ', "a\\b ", '"', "\\n ", '\\\\\\"'])
def test_an_escape_elsewhere_hides_no_list_of_numbers(before: str) -> None:
    """White space taken out before escapes are undone, and after, gives one text: it reads as the better of the two."""
    data = before.encode() + FORMS["a list of hex numbers"](SECRET)
    assert next(find(data, Sought({"key": SECRET.encode()})), None) is not None


HOSTILE = {
    "a bomb": lambda: gzip.compress(b"\0" * 70_000_000, 1),
    "a bomb of bombs": lambda: gzip.compress(gzip.compress(b" " * 50_000_000, 9) * 200, 9),
    "many beginnings of gzip": lambda: b"\x1f\x8b\x08\0" * 250_000,
    "many beginnings of zlib": lambda: b"x\x9c" * 500_000,
    "nothing but backslashes": lambda: b"\\" * 200_000,
    "nothing but open tags": lambda: b"<a" * 500_000,
    "nothing but ampersands": lambda: b"&#0" * 100_000,
    "nothing but quotes": lambda: b'"\\' * 100_000,
    "base64 of base64 of base64": lambda: base64.b64encode(base64.b64encode(base64.b64encode(b"word " * 80_000))),
    "deep JSON": lambda: b"[" * 1_000_000,
    "noise": lambda: random.Random(3).randbytes(1_000_000),
}


@pytest.mark.parametrize("name", thinned(HOSTILE, 3))
def test_the_work_is_bounded(name: str) -> None:
    """Whatever a megabyte holds, it is searched within seconds and some hundred megabytes."""
    data = HOSTILE[name]()
    tracemalloc.start()
    begun = time.process_time()
    total = sum(len(view.data) for view in views(data))
    spent = time.process_time() - begun
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert spent < 30
    assert peak < 500 * 1024**2
    assert total <= max(LEAST_WORK, 50 * len(data)) + 2 * 64 * 1024**2


@pytest.mark.parametrize("secret", ["000000\\<", "000<\\000", "ab%41cd&amp;ef", "k\\u0041bcdefg", "a=3Db=42c+/=="])
def test_a_secret_that_looks_escaped_is_found_escaped_or_not(secret: str) -> None:
    """What in the secret itself reads as an escape is sought both ways."""
    for written in (
        secret,
        html.escape(secret),
        quote(secret, safe=""),
        json.dumps(secret),
        json.dumps(json.dumps(secret)),
    ):
        for data in (written.encode(), base64.b64encode(written.encode()), written.encode().hex().encode()):
            assert next(find(data, Sought({"key": secret.encode()})), None) is not None, data

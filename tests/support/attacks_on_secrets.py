"""Secrets planted into a case before it is sealed: where they stand, in what form, and under which variable's name.

Every one must stop the seal with a message that names the file, the byte and the secret, and never shows it.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat

from depose import pipeline
from depose.cli.options import now, secrets_of
from depose.custody import keys
from depose.custody.seal import seal
from depose.errors import DeposeError, SecretFound
from fakes import scripted_case

VALUE = "ghu-canary+/81~Zt.4472_19"
PASSPHRASE = "correct horse battery staple"  # noqa: S105


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A case that could be sealed, and the key to do it with."""

    folder: Path
    key_file: Path

    @property
    def key(self) -> keys.PrivateKey:
        """The signing key."""
        return keys.load(self.key_file, PASSPHRASE)


def prepared(folder: Path) -> Prepared:
    """Ask and analyze a small case of scripted models."""
    case = scripted_case(folder / "case", {"S1": "same", "R1": "same", "C1": "one"})
    pipeline.register_case(case, now)
    pipeline.probe(case, now, lambda *_: None)
    pipeline.analyze_case(case, lambda line: None, now)
    keys.make(folder / "key.pem", PASSPHRASE)
    return Prepared(folder=case, key_file=folder / "key.pem")


Written = Callable[[Prepared], bytes]


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A secret in a file of a case."""

    name: str
    says: str
    written: Written
    environment: Mapping[str, str] = field(default_factory=dict)
    file: str = "out/notes.bin"


def met(one: Planted, case: Prepared) -> str:
    """Plant a secret, seal, and return the message that this meets, or nothing if it was sealed."""
    file = case.folder / one.file
    file.write_bytes(b"notes " * 2_000 + one.written(case))
    try:
        seal(case.folder, case.key, now, one.environment, known=secrets_of(case.key_file, "DEPOSE_TEST_PASSPHRASE"))
    except DeposeError as error:
        assert isinstance(error, SecretFound), error
        assert error.exit_code == 6
        assert VALUE not in str(error)
        assert not list((case.folder / "sealed").glob("*"))
        return error.message.replace(f"{case.folder}/", "")
    finally:
        file.unlink()
    return ""


PLANTED: list[Planted] = []
KEY = {"ACME_API_KEY": VALUE}
SAYS = r"out/notes.bin: byte \d+ begins the secret {} \({}.*\)"


def _form(name: str, form: str, written: Callable[[str], bytes]) -> None:
    says = SAYS.format("ACME_API_KEY", f"(?:{form}|numbers|pieces|base64|as it is)")
    PLANTED.append(Planted(name=name, says=says, written=lambda _: written(VALUE), environment=KEY))


def _zip(text: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("letter.txt", "Dear all, " * 99 + text)
    return made.getvalue()


def _lines(data: bytes, width: int) -> bytes:
    return b"\r\n\t".join(data[at : at + width] for at in range(0, len(data), width))


_form("a key in a zlib stream, as a PDF holds text", "zlib", lambda s: zlib.compress(f"BT ({s}) Tj ET".encode()))
_form("a key in a member of a zip file", "zip", _zip)
_form(
    "a key in gzip in base64 in JSON",
    "gzip in base64",
    lambda s: json.dumps({"b": base64.b64encode(gzip.compress(s.encode())).decode()}).encode(),
)
_form(
    "a key in gzip that was cut off",
    "gzip",
    lambda s: gzip.compress((s + " x" * 9_000 + str(range(99))).encode())[:-12],
)
_form("a key in octal escapes", "escapes", lambda s: "".join(f"\\{ord(c):03o}" for c in s).encode())
_form("a key in the escapes of JavaScript", "escapes", lambda s: "".join(f"\\u{{{ord(c):x}}}" for c in s).encode())
_form("a key in percent signs, twice", "escapes in escapes", lambda s: "".join(f"%25{ord(c):02x}" for c in s).encode())
_form("a key in HTML entities without semicolons", "escapes", lambda s: "".join(f"&#x{ord(c):X}" for c in s).encode())
_form("a key in quoted-printable", "escapes", lambda s: "".join(f"={ord(c):02X}" for c in s).encode())
_form("a key in base64, four characters a line", "base64", lambda s: _lines(base64.b64encode(s.encode()), 4))
_form(
    "a key in base64 for URLs, among other text",
    "base64",
    lambda s: b"/b/" + base64.urlsafe_b64encode(b"?>" + s.encode()).rstrip(b"=") + b"/x",
)
_form("a key in base64 of base64", "base64 in base64", lambda s: base64.b64encode(base64.b64encode(s.encode())))
_form("a key in a hex dump with separators", "hex", lambda s: s.encode().hex("-").upper().encode())
_form("a key in a list of hex numbers", "hex", lambda s: b", ".join(b"0x%02x" % c for c in s.encode()))
_form("a key in UTF-16, big end first", "UTF-16", lambda s: s.encode("utf-16-be"))
_form("a key in UTF-32 in base64", "UTF-16 in base64", lambda s: base64.b64encode(s.encode("utf-32-le")))
_form(
    "a key in other case, with invisible characters",
    "as it is, but for marks",
    lambda s: "\u2060".join(s.swapcase()).encode(),
)
_form(
    "a key in letters of full width",
    "as it is, but for marks",
    lambda s: "".join(chr(ord(c) + 0xFEE0) for c in s).encode(),
)
_form("a key with a space after every letter", "as it is, but for spaces", lambda s: " ".join(s).encode())
_form("a key between tags", "markup", lambda s: f"<i>{s[:8]}</i><b>{s[8:]}</b>".encode())
_form(
    "a key in pieces of a stream",
    "pieces",
    lambda s: b"\n\n".join(b'data: {"d":{"t":"%s"}}' % s[n : n + 4].encode() for n in range(0, len(s), 4)),
)


_form("a key in a hex dump with addresses", "dump", lambda s: _dump(f"The key is {s}"))
_form("a key in a list of decimal numbers", "numbers", lambda s: json.dumps(list(s.encode())).encode())
_form(
    "a key in the bytes of its tokens",
    "numbers",
    lambda s: json.dumps([{"logprob": -0.1, "bytes": [c]} for c in s.encode()]).encode(),
)
_form("a key in comments over two lines", "as it is, but for", lambda s: f"// {s[:9]}\n// {s[9:]}".encode())
_form("a key in a numbered list", "lines", lambda s: f"1. {s[:9]}\n2. {s[9:]}".encode())
_form(
    "a key in a stream of plain text",
    "lines",
    lambda s: "".join(f"event: t\ndata: {s[n : n + 4]}\n\n" for n in range(0, len(s), 4)).encode(),
)
_form(
    "a key in chunks of a transfer",
    "lines",
    lambda s: f"\r\n9\r\n{s[:9]}\r\n{len(s) - 9:x}\r\n{s[9:]}\r\n0\r\n\r\n".encode(),
)
_form("a key with a dot after every letter", "as it is, but for", lambda s: ".".join(s).encode())
_form("a key put together in a program", "as it is, but for", lambda s: f'"{s[:9]}" + "{s[9:]}"'.encode())
_form(
    "a key in two words of a header of mail",
    "markup",
    lambda s: f"=?utf-8?Q?{s[:9]}?=\r\n =?utf-8?Q?{s[9:]}?=".encode(),
)
_form("a key about a comment", "markup", lambda s: f"{s[:9]}<!-- {'a > b ' * 99}-->{s[9:]}".encode())
_form("a key in tag characters", "escapes", lambda s: "".join(chr(0xE0000 + ord(c)) for c in s).encode())
_form("a key in escapes of a style sheet", "escapes", lambda s: "".join(f"\\{ord(c):06x}" for c in s).encode())
_form("a key as Unicode lists characters", "escapes", lambda s: " ".join(f"U+{ord(c):04X}" for c in s).encode())
_form("a key between line separators", "as it is, but for", lambda s: "\u2028".join(s).encode())
_form("a key in colours of a terminal", "markup", lambda s: "\x1b[1m".join(s).encode())
_form(
    "a key in texts of base64, each with its end",
    "base64",
    lambda s: b" ".join(base64.b64encode(s[n : n + 4].encode()) for n in range(0, len(s), 4)),
)


def _dump(text: str) -> bytes:
    rows = [text[at : at + 16].encode() for at in range(0, len(text), 16)]
    return b"\n" + b"\n".join(f"{16 * n:08x}  {row.hex(' ')}  |{row.decode()}|".encode() for n, row in enumerate(rows))


def _named(variable: str, value: str, stands: str, secret: str = "") -> None:
    says = SAYS.format(secret or variable, "as it is")
    environment = {variable: value}
    name = f"the value of {variable}" + (f": {secret.partition(', ')[2]}" if secret else "")
    PLANTED.append(Planted(name=name, says=says, written=lambda _: stands.encode(), environment=environment))


for _variable in (
    *("PGPASSWORD", "MYSQL_PWD", "SIGNING_PASSPHRASE_OLD", "GITLAB_PATS", "AZURE_CREDENTIAL_2", "REGISTRY_AUTH"),
    *("AWS_SECRET_ACCESS_KEY_ID2", "SLACK_WEBHOOK", "SESSION_JWT", "private_token_backup", "SENTRY_DSN"),
):
    _named(_variable, VALUE, f"said {VALUE}.")
for _variable in ("GOOGLE_CREDS", "DB_PW", "AZURE_STORAGE_CONNECTION_STRING", "ACCOUNT_SAS", "STRIPE_SK", "WIFI_PSK"):
    _named(_variable, VALUE, f"said {VALUE}.")
_KNOWN = "ghp_canary0123456789abcdefghij"
_named("ANYTHING", _KNOWN, f"it is {_KNOWN}", "ANYTHING, a key in it")
for _variable in ("SIGNING_HMAC", "DB_KENNWORT", "SESSION_ID", "CLAVE_DE_ACCESO", "TLS_PEM", "VAULT_UNSEAL_1"):
    _named(_variable, VALUE, f"said {VALUE}.")
for _maker in ("gsk_", "xai-", "r8_", "nvapi-", "tgp_v1_", "npm_", "glsa_", "hvs.", "ya29.", "xapp-1-"):
    _known, _variable = f"{_maker}canary0123456789abcdefghij", f"USED_{_maker[:4].upper()}"
    _named(_variable, _known, f"it is {_known}", f"{_variable}, a key in it")
_named("HEADER", f"Authorization: Bearer {VALUE}", f"it is {VALUE}", "HEADER, its Authorization")
_named("SENT", f"-H Bearer {VALUE}", f"it is {VALUE}", "SENT, a key in it")
_named("JWK", json.dumps({"kty": "oct", "k": VALUE}), f"it is {VALUE}", "JWK, its key k")
_named("ACCOUNT", json.dumps({"private_key_id": VALUE}), f"it is {VALUE}", "ACCOUNT, its private_key_id")
_named("API_KEYS", f"sk-canary-first-0001,{VALUE}", f"one is {VALUE}", "API_KEYS, part 2")
_named("REGISTRY_AUTH", f"me:{VALUE}", f"it is {VALUE}", "REGISTRY_AUTH, part 1")
_named("EXPORTER_HEADERS", f"authorization=Bearer {VALUE}", f"it is {VALUE}", "EXPORTER_HEADERS, its authorization")
_named("STORE", f"AccountName=x;AccountKey={VALUE}", f"it is {VALUE}", "STORE, its AccountKey")
_named("SERVICE", f"https://h.example/?api_key={VALUE}", f"it is {VALUE}", "SERVICE, its api_key")
_named("ALL_PROXY", f"socks5://me:{quote(VALUE, safe='')}@proxy.example:1080", f"via {VALUE}", "ALL_PROXY, password")
_named("DATABASE_URL", "postgres://app:p%40ssw0rd-9981@db/x", "p@ssw0rd-9981", "DATABASE_URL, password")
_named("SITE_COOKIE", f"theme=dark; sid={VALUE}; path=/", f"sid is {VALUE}", "SITE_COOKIE, part 2")
_named("X_AUTHORIZATION", f"Bearer {VALUE}", f"it is {VALUE}", "X_AUTHORIZATION, part 1")


def _key(name: str, says: str, written: Callable[[keys.PrivateKey], bytes]) -> None:
    says = SAYS.format(rf"signing key, {says}", "")
    PLANTED.append(Planted(name=name, says=says, written=lambda case: written(case.key)))


def _bytes(key: keys.PrivateKey, encoding: Encoding, form: PrivateFormat) -> bytes:
    return key.private_bytes(encoding, form, serialization.NoEncryption())


def _number(key: keys.PrivateKey) -> int:
    return key.private_numbers().private_value


def _text_form(key: keys.PrivateKey) -> bytes:
    shown = _number(key).to_bytes(33, "big").hex(":")
    return b"priv:\n" + b"\n".join(b"    " + shown[at : at + 45].encode() for at in range(0, len(shown), 45))


_key("the signing key in PEM of SEC 1", "number", lambda k: _bytes(k, Encoding.PEM, PrivateFormat.TraditionalOpenSSL))
_key("the signing key in DER of PKCS 8", "number", lambda k: _bytes(k, Encoding.DER, PrivateFormat.PKCS8))
_key(
    "the signing key in DER of SEC 1, in hex",
    "number",
    lambda k: _bytes(k, Encoding.DER, PrivateFormat.TraditionalOpenSSL).hex().encode(),
)
_key("the signing key as OpenSSH writes it", "number", lambda k: _bytes(k, Encoding.PEM, PrivateFormat.OpenSSH))
_key(
    "the signing key in PEM, in a JSON string",
    "number",
    lambda k: json.dumps({"pem": _bytes(k, Encoding.PEM, PrivateFormat.PKCS8).decode()}).encode(),
)
_key(
    "the signing key in PEM, in base64, as a secret of Kubernetes",
    "number",
    lambda k: base64.b64encode(_bytes(k, Encoding.PEM, PrivateFormat.PKCS8)),
)
_key(
    "the signing key in PEM, in UTF-16",
    "number",
    lambda k: _bytes(k, Encoding.PEM, PrivateFormat.PKCS8).decode().encode("utf-16"),
)
_key(
    "the signing key in a JSON web key",
    "number",
    lambda k: b'{"kty":"EC","d":"%s"}' % base64.urlsafe_b64encode(_number(k).to_bytes(32, "big")).rstrip(b"="),
)
_key("the signing key as openssl prints it", "number", _text_form)
_key("the signing key as one hex number", "number", lambda k: f"d = {_number(k):#x}".encode())
_key("the signing key as one decimal number", "number, decimal", lambda k: f"d = {_number(k)}".encode())
_key("the signing key, its bytes turned round", "number.*", lambda k: _number(k).to_bytes(32, "little"))
PLANTED += [
    Planted(
        name="the locked file of the signing key",
        says=SAYS.format("file key.pem", "base64"),
        written=lambda case: case.key_file.read_bytes(),
    ),
    Planted(
        name="the passphrase of the signing key, wrapped over lines",
        says=SAYS.format("passphrase in DEPOSE_TEST_PASSPHRASE", "as it is"),
        written=lambda _: PASSPHRASE.upper().replace(" ", "\n> ").encode(),
    ),
    Planted(
        name="a key in the name of a file",
        says="the names of the files: byte .* begins the secret ACME_API_KEY",
        written=lambda _: b"nothing",
        environment={"ACME_API_KEY": "ghu-canary-814472-19"},
        file="out/ghu-canary-814472-19.txt",
    ),
]

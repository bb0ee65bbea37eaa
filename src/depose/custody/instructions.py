"""VERIFY.md: how to check a bundle with sha256sum, openssl, diff and python3, and what that shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from typing import NamedTuple, Protocol

from depose.custody.keys import PublicKey, fingerprint
from depose.model.canonical import sha256

BEFORE = {
    "COPY.py": (
        "f3f274523d7521172e9cc75848e6cd2aabb5ae29780da9e18e293443177839ad",
        "055950f1e85c7e237ca36c4c80d8c4b4666eb5c6402d3eac0f71692a5ea1d055",
    ),
    "SCORE.py": ("2a78ec1455d97d0606b223d3d41f0cd263d9875b2e981c5e2d05ff1fc4b70fce",),
    "VERIFY.py": ("5fc70ceb93f68e711e4678cd8c0d9088ec759df42d08c6e178b53de3a00b945d",),
}
"""Digests of scripts that bundles of format 2 were sealed with before: those of depose, if not the latest."""
EARLIER = {
    "COPY.py": (
        "00369b5b069f54a7907db761df70555d2ef13b068f5fa46455f0cf2e96860bb7",
        "02b7c6c3ceca500c91b053b216dc9eae2338da59c6318fd6043d8779e44dcbcd",
        "542e836b831b32c83b89fbe5477ca9e27c73a72a4105b5d9fd7eb255f6aa7b34",
    ),
    "VERIFY.py": BEFORE["VERIFY.py"],
}
"""The same for format 3: scripts of this version before it was released."""
TAKES_ADDED = frozenset((*BEFORE["COPY.py"], *EARLIER["COPY.py"]))
"""Those of them that say "verified" of a record without its time-stamp, and of words that nobody sealed."""
TAKES_CHANGED = TAKES_ADDED - {EARLIER["COPY.py"][2]}
"""Those that say it of a copy in which a file stands under the name of another, too."""
TAKES_MOVED = TAKES_CHANGED - {EARLIER["COPY.py"][1]}
"""Those that say it of words moved behind their salt, too."""
SCRIPTS = {"VERIFY.py": "independent.py", "SCORE.py": "rescore.py", "COPY.py": "independent_copy.py"}
"""Name in a bundle, and the file here."""

WHO_SIGNED = """\
1. Who signed? Compare with the fingerprint that the signer gave you by another way: a key in a bundle proves nothing.

       openssl pkey -pubin -in signer.pem -outform DER | sha256sum

   must print `{fingerprint}`

2. The signature

       openssl dgst -sha256 -verify signer.pem -signature SEAL.sig SEAL

   must print `Verified OK`

"""
"""What every VERIFY.md says first."""
TEXT = (
    """# How to verify this bundle without depose

Run these in bash, in this folder, freshly unpacked. Each must end as its last line says. They were tried with GNU
coreutils and OpenSSL 3.0; on macOS use `shasum -a 256` for `sha256sum`.

"""
    + WHO_SIGNED
    + """3. Every file that is listed is as it was sealed

       sha256sum --strict --quiet -c SEAL SHA256SUMS

   must print nothing

4. No file is missing, and none was added

       diff <({{ cut -c67- SEAL SHA256SUMS; echo SEAL; echo SEAL.sig; }} | LC_ALL=C sort) \\
            <(find . -type f -o -type d -empty | sed 's|^\\./||' | LC_ALL=C sort)

       find . ! -type f ! -type d

   must print nothing, either of them

5. The log is one unbroken chain, of the sealed length, with the sealed end and the sealed Merkle root

       python3 -I VERIFY.py

   must end with a line that begins with `verified`. It is {lines} lines long: read it first. It prints when the first
   question was sent. It does not run without `-I`: Python would take its modules from this folder.

6. The time-stamps

{stamps}

   The first of them is over the protocol. Its time must lie before the first question:

       for t in evidence/seals/*.tsr; do openssl ts -reply -in $t -text | grep 'Time stamp'; done

   Get the certificates of the authority from itself and use them for `-CAfile`: those enclosed came with the bundle.
   After they have expired, add `-attime` and the time of the token in seconds since 1970
   (`openssl ts -reply -in FILE.tsr -text` prints it).

7. Which answers stand behind a number? A row of `out/scores.parquet` names a prompt and two models, an exhibit its
   prompt and models. Records and raw bytes of a model's answers to a prompt:

       grep -n '"kind":"exchange"' evidence/log.jsonl | grep '"model":"CODE"' | grep '"prompt":"ID"' |
           sed 's/.*"response":"\\([0-9a-f]*\\)".*"seq":\\([0-9]*\\)}}$/record \\2, evidence\\/blobs\\/\\1/'

8. The score that decides

       python3 -I SCORE.py

   scores suspect and reference again from the log, written anew without a line of depose, and must end with
   `reproduced`.

What this does not show: that the answers came from the models named (ask the providers for their logs by the request
ids), or that the findings follow from the answers. For that: `pip install depose=={version}` and
`depose verify BUNDLE --public-key FILE`, which computes them again from the log and compares bytes.

COMMITMENT holds the root of a tree over all files, made with the salts that follow from SALTS, so that words can be
withheld from a copy of this bundle, and all others be proved. A copy is checked with `python3 -I COPY.py` in its
folder, a single record with `python3 -I COPY.py proof-N.json`; the signature and the time-stamps of both as above.
Whoever gets SALTS can undo what a copy withholds: it goes with the whole bundle alone.

`statement.json` holds the opinions as an in-toto statement in a DSSE envelope, signed with the same key.
"""
)

PROOF = """# How to verify these records without depose

Each `proof-N.json` is one record of a sealed log. `[REDACTED]` stands in it for the digest of the record before.

1. Who signed? Compare with the fingerprint that the signer gave you: a key beside a proof proves nothing.

       openssl pkey -pubin -in signer.pem -outform DER | sha256sum

2. The signature over the seal

       openssl dgst -sha256 -verify signer.pem -signature SEAL.sig SEAL

   must print `Verified OK`

3. The record stands word by word in what was sealed

       python3 -I COPY.py proof-N.json

   must end with a line that begins with `verified`

With depose: `depose verify proof-N.json --public-key FILE --tsa-root FILE`, which checks the time-stamps too.

What this does not show: any other record of the log, or that the answers came from the models named.
"""

NO_STAMP = """   None is over a record of the log: the dates in it rest on the clock of the machine that wrote it."""
FINAL = """   If there is a file SHA256SUMS.tsr:

       openssl ts -verify -data SHA256SUMS -in SHA256SUMS.tsr -CAfile SHA256SUMS.pem

   must print `Verification: OK`; so must the same for COMMITMENT and COMMITMENT.tsr, if that is there"""
RECORD = """       openssl ts -verify -digest {of} -in evidence/seals/{of}.tsr -CAfile evidence/seals/tsa.pem

   must print `Verification: OK`: the record with this SHA-256 existed at {time}"""


def script(name: str) -> bytes:
    """Return a script that needs nothing but Python."""
    return files(__package__).joinpath(SCRIPTS[name]).read_bytes()


class Dated(Protocol):
    """What VERIFY.md says of a record that has a token."""

    @property
    def of(self) -> str:
        """SHA-256 of the record."""
        ...

    @property
    def time(self) -> str:
        """When it existed."""
        ...


class _Read(NamedTuple):
    of: str
    time: str


_STAMPED = re.compile(r"-verify -digest ([0-9a-f]{64}) -in [^\n]*\n\n[^\n]* existed at ([0-9TZ:.+-]{1,40})\n")
_WITHHELD = re.compile(
    r"^ {7}openssl ts -verify -digest \[REDACTED\][ in-]{0,5}evidence/seals/\[REDACTED\][ .tsrCAfile-]{0,13}"
    r"evidence/seals/tsa\.pem$",
    re.MULTILINE,
)
"""What a copy shows of a record whose digest tells what it withholds."""
_VERSION = re.compile(r"`pip install depose==([0-9A-Za-z.+-]{1,40})`")


def before(name: str, form: int) -> Sequence[str]:
    """Return the digests of a script as depose wrote it before into bundles sealed by that form."""
    return (BEFORE if form == 2 else EARLIER).get(name, ())


def cautions(script: bytes) -> tuple[str, ...]:
    """Warn of a COPY.py that depose wrote before with a fault, empty for any other; a bundle with it stays as it is."""
    if sha256(script) not in TAKES_ADDED:
        return ()
    lost = "lost words without a mark, or " * (sha256(script) in TAKES_MOVED)
    lost += "shows a file under the name of another, or " * (sha256(script) in TAKES_CHANGED)
    return (
        f"COPY.py is an old one with a fault: it says verified of a copy, or a record, that {lost}lost a time-stamp or "
        "gained words that nobody sealed. What it says proves nothing: only depose verify counts",
    )


def are_ours(name: str, data: bytes, key: PublicKey, before: Sequence[str]) -> bool:
    """Tell whether a script or VERIFY.md, without its log at hand, is one that depose writes."""
    if name in SCRIPTS:
        return data == script(name) or sha256(data) in before
    said = _WITHHELD.sub(RECORD.partition("\n")[0].format(of="0" * 64), data.decode("utf-8", "replace"))
    version = _VERSION.search(said)
    stamps = [_Read(*one) for one in _STAMPED.findall(said)]
    return version is not None and said.encode() == text(key, stamps, version[1])


def text(key: PublicKey, stamps: Sequence[Dated], version: str) -> bytes:
    """Write VERIFY.md."""
    records = "\n\n".join(RECORD.format(of=one.of, time=one.time) for one in stamps)
    return TEXT.format(
        fingerprint=fingerprint(key),
        lines=script("VERIFY.py").count(b"\n"),
        stamps=f"{records or NO_STAMP}\n\n{FINAL}",
        version=version,
    ).encode()

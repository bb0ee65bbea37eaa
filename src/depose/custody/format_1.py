"""What a bundle of format 1 has beside the case: the instructions that depose 0.1.0 wrote, and its two scripts."""

from __future__ import annotations

from collections.abc import Sequence

from depose.custody.keys import PublicKey, fingerprint
from depose.evidence.records import Stamp

SCRIPTS = {
    "VERIFY.py": "c553a37054db411c50aa699419409dd721c7d726ae79f730167c81c085417fc6",
    "SCORE.py": "6daec07b9c9354faf0acfdcdeb55680f75eab22c0a05f2cb5114a8e3f75e26e8",
}
"""Digests of the scripts."""
LINES = 64
"""Lines of VERIFY.py."""

TEXT = """# How to verify this bundle without depose

Run these in bash, in this folder, freshly unpacked. Each must end as its last line says. They were tried with GNU
coreutils and OpenSSL 3.0; on macOS use `shasum -a 256` for `sha256sum`.

1. Who signed? Compare with the fingerprint that the signer gave you by another way: a key in a bundle proves nothing.

       openssl pkey -pubin -in signer.pem -outform DER | sha256sum

   must print `{fingerprint}`

2. The signature

       openssl dgst -sha256 -verify signer.pem -signature SEAL.sig SEAL

   must print `Verified OK`

3. Every file that is listed is as it was sealed

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
   question was sent.

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

`statement.json` holds the opinions as an in-toto statement in a DSSE envelope, signed with the same key.
"""

NO_STAMP = """   None is over a record of the log: the dates in it rest on the clock of the machine that wrote it."""
FINAL = """   If there is a file SHA256SUMS.tsr:

       openssl ts -verify -data SHA256SUMS -in SHA256SUMS.tsr -CAfile SHA256SUMS.pem

   must print `Verification: OK`"""
RECORD = """       openssl ts -verify -digest {of} -in evidence/seals/{of}.tsr -CAfile evidence/seals/tsa.pem

   must print `Verification: OK`: the record with this SHA-256 existed at {time}"""


def text(key: PublicKey, stamps: Sequence[Stamp], version: str) -> bytes:
    """Write VERIFY.md as it was."""
    records = "\n\n".join(RECORD.format(of=one.of, time=one.time) for one in stamps)
    return TEXT.format(
        fingerprint=fingerprint(key), lines=LINES, stamps=f"{records or NO_STAMP}\n\n{FINAL}", version=version
    ).encode()

"""VERIFY.md and VERIFY.py of a sealed extraction case: how to check it with openssl, sha256sum and python3."""

from __future__ import annotations

from importlib.resources import files

from depose.custody.instructions import WHO_SIGNED
from depose.custody.keys import PublicKey, fingerprint

TEXT = (
    """# How to verify this bundle without depose

Run these in bash, in this folder, freshly unpacked. Each must end as its last line says.

"""
    + WHO_SIGNED
    + """3. Every file, the log of what was registered, read and found, and what follows from the findings by Holm

       python3 -I VERIFY.py

   must end with a line that begins with `verified`. It is {lines} lines long: read it first. It does not run without
   `-I`: Python would take its modules from this folder.

4. The time-stamp, if there is a file SHA256SUMS.tsr

       openssl ts -verify -data SHA256SUMS -in SHA256SUMS.tsr -CAfile SHA256SUMS.pem

   must print `Verification: OK`. Get the certificates of the authority from itself: those enclosed came with the
   bundle.

What this does not show: that the findings follow from the tables, for which `pip install depose=={version}` and
`depose verify BUNDLE --public-key FILE`, which computes them again and compares bytes; that the tables follow from the
events, which stay with their custodian under the digests of events/manifest.json; that the logs are whole.

Accounts stand under keyed hashes. Nobody can undo them without the key, which is not here.
"""
)


BEFORE = ("ef98e93ddec8dd653a05a7515a808b2c95db3d4dca23572df62f988387ddfe89",)
"""Digests of the script that bundles were sealed with before, which takes a record that says a thing twice."""


def script() -> bytes:
    """Return the script that needs nothing but Python."""
    return files(__package__).joinpath("independent.py").read_bytes()


def text(key: PublicKey, version: str) -> bytes:
    """Write VERIFY.md."""
    return TEXT.format(fingerprint=fingerprint(key), lines=script().count(b"\n"), version=version).encode()

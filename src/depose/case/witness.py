"""`witness.toml`: what only a person may say in a report, in that person's words. depose reads it and never writes it.

A signature lies beside it, made with the witness's own key and openssl:

    openssl dgst -sha256 -sign KEY -out witness.toml.sig witness.toml
    openssl pkey -in KEY -pubout -out witness.toml.pub
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from depose.case import toml_text
from depose.errors import CaseError
from depose.model import Record
from depose.model.canonical import sha256

FILE, SIGNATURE, KEY = "witness.toml", "witness.toml.sig", "witness.toml.pub"
NAMES = (FILE, SIGNATURE, KEY)
Said = Annotated[str, Meta(max_length=20_000)]


class Witness(Record, frozen=True, kw_only=True):
    """The whole of witness.toml; what is left out stays a blank to be completed by hand."""

    name: Annotated[str, Meta(max_length=200)] = ""
    """Name of the witness, on the first page."""
    instructions: Said = ""
    """Instructions received, written and oral, and from whom."""
    assumptions: Said = ""
    """Assumptions supplied by counsel."""
    qualifications: Said = ""
    """Qualifications."""
    publications: Said = ""
    """Publications of the previous ten years."""
    testimony: Said = ""
    """Testimony at trial or by deposition in the previous four years."""
    compensation: Said = ""
    """Compensation for study and testimony."""
    materials: Said = ""
    """Material considered beyond the records."""
    explanations: Said = ""
    """Other explanations considered."""
    range_of_opinion: Said = ""
    """Range of opinion in the field, with reasons for the witness's own."""
    unavailable: Said = ""
    """Material not available, and what would change the opinions."""
    use_of_ai: Said = ""
    """Use of AI in preparing the report."""
    other_comparisons: Said = ""
    """Other comparisons that were registered or tried, with their outcomes."""


class Stated(Record, frozen=True, kw_only=True):
    """A witness's statements, and who signed them."""

    said: dict[str, str]
    """What was said, by field; nothing of what was left out."""
    sha256: str
    """Of the file."""
    signer: str
    """SHA-256 of the public key that signed it; nothing where nobody did."""


def parse(data: Mapping[str, bytes], folder: Path) -> Stated | None:
    """Read the files by name; None where there is no witness.toml. The folder is for messages alone.

    Raises CaseError for a file that does not fit, and for a signature that does not hold: a statement that was changed
    after it was signed is printed nowhere.
    """
    beside = [name for name in (SIGNATURE, KEY) if name in data]
    if FILE not in data:
        if beside:
            raise CaseError(f"{folder / beside[0]}: there is no {FILE}", hint=f"put {FILE} beside it, or remove it")
        return None
    try:
        found = msgspec.convert(toml_text.loads(data[FILE].decode("utf-8-sig")), Witness)
    except (ValueError, RecursionError) as error:
        raise CaseError(f"{folder / FILE}: {error}", hint="its fields: docs/reference/files") from error
    signer = _signer(data, folder) if beside else ""
    said = {name: text.strip() for name, text in msgspec.to_builtins(found).items() if text.strip()}
    return Stated(said=said, sha256=sha256(data[FILE]), signer=signer)


def _signer(data: Mapping[str, bytes], folder: Path) -> str:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    from depose.case import signatures

    for name in (SIGNATURE, KEY):
        if name not in data:
            raise CaseError(f"{folder / name}: missing", hint=f"a signature is {SIGNATURE} with {KEY} beside it")
    key = signatures.load_public(data[KEY], str(folder / KEY))
    try:
        key.verify(data[SIGNATURE], data[FILE], ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise CaseError(
            f"{folder / SIGNATURE}: not a signature of {signatures.fingerprint(key)[:16]}... over {FILE}",
            hint=f"sign it again: openssl dgst -sha256 -sign KEY -out {SIGNATURE} {FILE}",
        ) from error
    return signatures.fingerprint(key)

"""PAdES signatures of the PDF report, with the optional pyHanko.

The report stays as it was rendered; beside it stands NAME-signed.pdf, the same bytes with the signature appended as an
incremental update, so that `head -c` and `sha256sum` show what was signed. It is made before the manifest, which lists
both. The signature field has no size and no looks: PDF/A asks of such a field only that it be printable.
"""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from depose.custody.keys import outside_of_cases, secret_numbers
from depose.custody.stamp import Source
from depose.endpoints import time_stamp_authority
from depose.errors import EvidenceError, ReportError, UsageError
from depose.model import Record
from depose.model.canonical import sha256

SUFFIX = "-signed.pdf"
FIELD = "ExpertSignature"
INSTALL = 'pip install "depose[sign]"'


class Signer(Record, frozen=True, kw_only=True):
    """Who signs a PDF: a certificate, what leads from it to its root (all in DER), and its private key."""

    certificates: tuple[bytes, ...]
    key: bytes
    """PKCS 8, DER, unlocked."""

    @property
    def secrets(self) -> dict[str, bytes]:
        """Bytes that must not stand in a bundle: the numbers of the key, or the whole of one of another kind."""
        key = serialization.load_der_private_key(self.key, None)
        numbers = {"bytes": self.key}
        if isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            numbers = secret_numbers(key)
        return {f"key of the PDF's signer, {name}": value for name, value in numbers.items()}


class Checked(Record, frozen=True, kw_only=True):
    """What a signed PDF was found to be; whether its signer is to be trusted is for the reader."""

    signer: str
    """Subject of the certificate."""
    certificate: str
    """SHA-256 of the certificate."""
    missing: str = ""
    """Why the signature was not checked, or nothing."""


def signer(certificate: Path, key: Path, passphrase: str) -> Signer:
    """Read certificate and key; the key must lie outside of every case."""
    _library()
    outside_of_cases(key)
    try:
        chain = x509.load_pem_x509_certificates(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), passphrase.encode() or None)
        pair = private.public_key() == chain[0].public_key()
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}", hint="--sign-pdf CERTIFICATE KEY, both PEM") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UsageError(
            f"{certificate}, {key}: not a certificate, or not a key that can be opened: {error}",
            hint="both are PEM; see --sign-passphrase-env",
        ) from error
    if not pair:
        raise UsageError(f"{certificate}: belongs to another key than {key}", hint="the two must be a pair")
    return Signer(
        certificates=tuple(one.public_bytes(serialization.Encoding.DER) for one in chain),
        key=private.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )


def sign(report: bytes, who: Signer, source: Source) -> bytes:
    """Append a signature (PAdES B-B; B-T where an authority is named) and nothing else."""
    _library()
    from asn1crypto import keys
    from asn1crypto import x509 as asn1_x509
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.pdf_utils.misc import PdfError
    from pyhanko.sign import fields, signers
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    class Untouched(IncrementalPdfFileWriter):  # type: ignore[misc]
        def _update_meta(self) -> None:
            """Leave producer and dates alone: in PDF/A they stand in two places that must agree."""

        def ensure_output_version(self, version: object) -> None:
            """Leave the version alone: PDF/A-3 is PDF 1.7, and readers of it know elliptic curves all the same."""

    first, *others = map(asn1_x509.Certificate.load, who.certificates)
    store = SimpleCertificateStore()
    store.register_multiple(others)
    meta = signers.PdfSignatureMetadata(
        field_name=FIELD,
        subfilter=fields.SigSeedSubFilter.PADES,
        md_algorithm="sha256",
    )
    made = signers.SimpleSigner(signing_cert=first, signing_key=keys.PrivateKeyInfo.load(who.key), cert_registry=store)
    try:
        out = signers.sign_pdf(
            Untouched(io.BytesIO(report)),
            meta,
            signer=made,
            timestamper=_timestamper(source.url) if source.url else None,
        )
    except (PdfError, OSError, ValueError) as error:
        raise ReportError(f"the PDF could not be signed: {error}", hint="is it the one that depose made?") from error
    signed: bytes = out.getvalue()
    return signed


def check(signed: bytes, report: bytes, name: str) -> Checked:
    """Check that a signed PDF is the report with one signature over all of it, and that nothing else was appended.

    Raises EvidenceError, with `name`, where it is not.
    """
    if not signed.startswith(report):
        raise EvidenceError(f"{name}: is not the report with a signature appended", hint="its pages may be others")
    try:
        _library()
    except UsageError as error:
        return Checked(signer="", certificate="", missing=f"{error.message}: {error.hint}")
    from asn1crypto import parser
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)  # it logs a traceback for a root that nobody gave
    try:
        plain, reader = PdfFileReader(io.BytesIO(report)), PdfFileReader(io.BytesIO(signed))
        (one,) = reader.embedded_signatures
        added = _added(plain, reader)
        found = validate_pdf_signature(one, ValidationContext(trust_roots=[], allow_fetching=False))
        room = one.pkcs7_content[parser.peek(one.pkcs7_content) :]
    except Exception as error:  # whatever a changed file can make of a library is data here
        said = f"{type(error).__name__}: {error}".partition("\n")[0][:200]
        raise EvidenceError(f"{name}: has no readable signature ({said})", hint="it was changed") from error
    if not (found.intact and found.valid and found.coverage == SignatureCoverageLevel.ENTIRE_FILE):
        raise EvidenceError(f"{name}: was changed after it was signed, or only a part is signed", hint="it was changed")
    if room.strip(b"\0"):
        raise EvidenceError(f"{name}: something stands behind its signature, where none signs", hint="it was changed")
    if added:
        raise EvidenceError(f"{name}: more than a signature was appended: {added}", hint="its pages may be others")
    return Checked(signer=found.signing_cert.subject.human_friendly, certificate=sha256(found.signing_cert.dump()))


def _added(before: Any, after: Any) -> str:
    """Say what a PDF (read by pyHanko) has besides one signature field without size that it had not before, if any."""
    form = after.root["/AcroForm"]
    if "/AcroForm" in before.root or set(form) != {"/Fields", "/SigFlags"} or len(form["/Fields"]) != 1:
        return "a form"
    field = form["/Fields"][0]
    if not set(field) <= {"/FT", "/T", "/Type", "/Subtype", "/F", "/P", "/V", "/Rect"} or any(
        map(float, field["/Rect"])
    ):
        return "a field that shows"
    page = field.raw_get("/P").reference
    free = {after.root_ref: ("/AcroForm", "/Extensions"), page: ("/Annots",)}
    revisions = range(before.total_revisions, after.total_revisions)
    if any(after.xrefs.refs_freed_in_revision(one) for one in revisions):
        return "objects were deleted"
    for ref in set().union(*(after.xrefs.explicit_refs_in_revision(one) for one in revisions)):
        old, new = _object(before, ref), _object(after, ref)
        if old is not None and _bytes(old, free.get(ref, ())) != _bytes(new, free.get(ref, ())):
            return f"object {ref.idnum} is another"
    annotations = [_object(reader, page).get("/Annots", ()) for reader in (before, after)]
    same = list(map(_bytes, annotations[0])) == list(map(_bytes, annotations[1]))[:-1]
    return "" if same and annotations[1][-1] == field else "annotations"


def _object(reader: Any, ref: Any) -> Any:
    """Read an object by its number; None where there is none."""
    try:
        there = reader.xrefs[ref]
    except KeyError:
        return None
    return None if there is None else reader.get_object(type(ref)(ref.idnum, ref.generation, reader))


def _bytes(value: Any, without: tuple[str, ...] = ()) -> bytes:
    """Write an object as it stands in a file, without some entries."""
    shown = type(value)({name: value.raw_get(name) for name in value if name not in without}) if without else value
    out = io.BytesIO()
    shown.write_to_stream(out, None, None)
    return out.getvalue()


def signed_by(signed: bytes, report: bytes, who: Signer) -> bool:
    """Tell whether a report was signed by this signer before, so that it need not be signed anew."""
    try:
        return check(signed, report, "the signed report").certificate == sha256(who.certificates[0])
    except EvidenceError:
        return False


def _library() -> None:
    try:
        import pyhanko.sign  # noqa: F401
    except ImportError as error:
        raise UsageError("signing a PDF needs pyHanko, which is not installed", hint=INSTALL) from error


def _timestamper(url: str) -> Any:
    """Ask an authority the way that all other time-stamps are asked for."""
    from asn1crypto import tsp
    from pyhanko.sign.timestamps import TimeStamper

    class Asked(TimeStamper):  # type: ignore[misc]
        async def async_request_tsa_response(self, req: Any) -> Any:
            return tsp.TimeStampResp.load(time_stamp_authority.ask(url, req.dump()))

    return Asked()

"""The signed PDF: the report with a PAdES signature appended, read back by pyHanko and by pdfsig."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pikepdf
import pytest
from asn1crypto import pem, x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from authority import Authority, openssl
from depose import pipeline
from depose.cli.options import now
from depose.custody import keys, pdf
from depose.custody.seal import seal
from depose.custody.stamp import Source
from depose.custody.verify import verify
from depose.errors import CaseError, EvidenceError, SecretFound, UsageError
from fakes import depose, install, scripted_case

SCRIPTS = {"S1": "same", "R1": "same", "C1": "one", "C2": "two", "C3": "three"}


def certified(folder: Path, kind: str = "ec") -> tuple[Path, Path]:
    """Make a certificate and its key with openssl."""
    certificate, key = folder / f"{kind}.pem", folder / f"{kind}.key"
    how = ("-newkey", "rsa:2048") if kind == "rsa" else ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    usage = ("-addext", "keyUsage=critical,digitalSignature,nonRepudiation")
    openssl("req", "-x509", *how, "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=A witness", *usage)
    return certificate, key


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case with its report as a PDF, not yet sealed."""
    folder = tmp_path_factory.mktemp("signed")
    sys.path.insert(0, str(install(folder / "site")))
    case = scripted_case(folder / "case", SCRIPTS)
    pipeline.register_case(case, now)
    pipeline.probe(case, now, lambda answered, failed: None)
    pipeline.analyze_case(case, lambda line: None, now)
    pipeline.report_case(case, pipeline.Order(formats=("html", "pdf")))
    sys.path.remove(str(folder / "site"))
    keys.make(folder / "key.pem")
    return case


@pytest.fixture
def copy(case: Path, tmp_path: Path) -> Path:
    """A copy of that case for one test, with a sealing key beside it."""
    shutil.copy(case.parent / "key.pem", tmp_path / "key.pem")
    return Path(shutil.copytree(case, tmp_path / "case"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_a_signed_report_is_the_report_with_a_signature_that_others_read(case: Path, tmp_path: Path, kind: str) -> None:
    """It begins with the bytes of the report; pyHanko and pdfsig find one valid signature over the whole file."""
    certificate, key = certified(tmp_path, kind)
    report = (case / "out/report.pdf").read_bytes()
    signed = pdf.sign(report, pdf.signer(certificate, key, ""), Source())
    assert signed.startswith(report)
    found = pdf.check(signed, report, "it")
    assert (found.signer, found.missing) == ("Common Name: A witness", "")
    root = x509.Certificate.load(pem.unarmor(certificate.read_bytes())[2])
    (one,) = PdfFileReader(io.BytesIO(signed)).embedded_signatures
    status = validate_pdf_signature(one, ValidationContext(trust_roots=[root]))
    assert status.bottom_line
    (tmp_path / "signed.pdf").write_bytes(signed)
    if shutil.which("pdfsig"):
        said = subprocess.run(["pdfsig", tmp_path / "signed.pdf"], capture_output=True, text=True, check=False).stdout
        assert "ETSI.CAdES.detached" in said
        assert "Total document signed" in said
        assert "Signature is Valid" in said


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_a_signed_report_is_pdf_a_still(case: Path, tmp_path: Path, kind: str) -> None:
    """It claims what the report claims; the field is printable and without size; attachments and tags are all there."""
    report = (case / "out/report.pdf").read_bytes()
    signed = pdf.sign(report, pdf.signer(*certified(tmp_path, kind), ""), Source())
    with pikepdf.open(io.BytesIO(report)) as before, pikepdf.open(io.BytesIO(signed)) as after:
        for name in ("pdfaid:part", "pdfaid:conformance"):
            assert before.open_metadata()[name] == after.open_metadata()[name] != ""
        assert before.Root.Metadata.read_bytes() == after.Root.Metadata.read_bytes()
        assert dict(before.docinfo) == dict(after.docinfo)
        assert before.pdf_version == after.pdf_version == "1.7"
        assert "/Version" not in after.Root
        (field,) = after.Root.AcroForm.Fields
        assert [float(x) for x in field.Rect] == [0, 0, 0, 0]
        assert int(field.F) & 0b100111 == 0b100, "print; neither invisible, hidden nor without view"
        assert "/NeedAppearances" not in after.Root.AcroForm
        assert set(before.attachments) == set(after.attachments) != set()
        assert after.Root.MarkInfo.Marked
        assert after.Root.StructTreeRoot.objgen == before.Root.StructTreeRoot.objgen
        assert not after.is_encrypted
        assert len(before.pages) == len(after.pages)


@pytest.mark.slow
@pytest.mark.parametrize("place", [0.3, 0.999])
def test_a_changed_byte_of_a_signed_report_is_seen(case: Path, tmp_path: Path, place: float) -> None:
    """In the report, in what was appended, and after it."""
    report = (case / "out/report.pdf").read_bytes()
    signed = bytearray(pdf.sign(report, pdf.signer(*certified(tmp_path), ""), Source()))
    changed = signed.copy()
    changed[int(place * len(signed))] ^= 1
    with pytest.raises(EvidenceError):
        pdf.check(bytes(changed), report, "it")
    with pytest.raises(EvidenceError):
        pdf.check(bytes(changed), bytes(changed[: len(report)]), "it")
    with pytest.raises(EvidenceError):
        pdf.check(bytes(signed) + b"\n%%EOF\n", report, "it")


@pytest.mark.slow
def test_wherever_a_byte_of_what_was_appended_is_changed_it_is_seen(case: Path, tmp_path: Path) -> None:
    """Nothing but an EvidenceError comes of it; CMS signs not all that it holds, so that there the signer may stand."""
    report = (case / "out/report.pdf").read_bytes()
    signed = pdf.sign(report, pdf.signer(*certified(tmp_path), ""), Source())
    signer = pdf.check(signed, report, "it").certificate
    (covered,) = re.findall(rb"/ByteRange\s*\[\s*0 (\d+) ", signed[len(report) :])
    first = int(covered) + 1
    behind = first + 2 * (int(signed[first + 4 : first + 8], 16) + 4)  # 30 82 and two bytes of length
    step = max(1, (len(signed) - len(report)) // 250)
    for place in (*range(len(report), len(signed), step), *range(len(signed) - 60, len(signed))):
        changed = bytearray(signed)
        changed[place] ^= 1
        if first <= place < behind:
            with contextlib.suppress(EvidenceError):
                assert pdf.check(bytes(changed), report, "it").certificate == signer
        else:
            with pytest.raises(EvidenceError):
                pdf.check(bytes(changed), report, "it")


@pytest.mark.slow
def test_a_token_of_an_authority_goes_into_the_signature(case: Path, tmp_path: Path) -> None:
    """With an authority the signature is PAdES B-T: it carries a time-stamp that pyHanko finds valid."""
    authority = Authority(tmp_path / "tsa")
    report = (case / "out/report.pdf").read_bytes()
    with authority.serve() as url:
        signed = pdf.sign(report, pdf.signer(*certified(tmp_path), ""), Source(url=url, roots=b"-"))
    roots = [x509.Certificate.load(der) for _, _, der in pem.unarmor(authority.roots.read_bytes(), multiple=True)]
    (one,) = PdfFileReader(io.BytesIO(signed)).embedded_signatures
    own = ValidationContext(trust_roots=[])
    status = validate_pdf_signature(one, own, ts_validation_context=ValidationContext(trust_roots=roots))
    assert status.timestamp_validity is not None
    assert status.timestamp_validity.valid
    assert status.timestamp_validity.trusted


@pytest.mark.slow
def test_seal_signs_the_report_and_lists_both(copy: Path, tmp_path: Path) -> None:
    """Report and signed copy are in the manifest, verify names the signer, and sealing again signs nothing anew."""
    certificate, key = certified(tmp_path)
    command = ("seal", copy, "--key", tmp_path / "key.pem", "--sign-pdf", certificate, key, "--json")
    first, second = depose(*command), depose(*command)
    assert (first.code, second.code) == (0, 0), first.err + second.err
    done = json.loads(first.out)
    assert {**done, "unchanged": True} == json.loads(second.out)
    with zipfile.ZipFile(done["bundle"]) as file:
        listing = file.read("SHA256SUMS").decode()
    assert "  out/report.pdf\n" in listing
    assert "  out/report-signed.pdf\n" in listing
    found = verify(Path(done["bundle"]), recompute=False)
    assert any("out/report-signed.pdf is out/report.pdf, signed with" in line for line in found.checks)
    assert any("is to be trusted" in line for line in found.not_verified)


@pytest.mark.slow
def test_a_signed_report_of_other_pages_is_refused(copy: Path, tmp_path: Path) -> None:
    """A genuine signature over another report, or over this one with a page changed on top of it, does not pass."""
    who = pdf.signer(*certified(tmp_path), "")
    report = (copy / "out/report.pdf").read_bytes()
    writer = IncrementalPdfFileWriter(io.BytesIO(report))
    page = writer.root["/Pages"]["/Kids"].raw_get(0).get_object()
    page[generic.NameObject("/Contents")] = writer.add_object(generic.StreamObject(stream_data=b"BT ET"))
    writer.mark_update(page.container_ref)
    on_top = io.BytesIO()
    writer.write(on_top)
    assert on_top.getvalue().startswith(report)
    with pytest.raises(EvidenceError, match="more than a signature was appended"):
        pdf.check(pdf.sign(on_top.getvalue(), who, Source()), report, "it")
    (copy / "out/report-signed.pdf").write_bytes(pdf.sign(report.replace(b"%PDF-1.7", b"%PDF-1.6"), who, Source()))
    bundle = Path(seal(copy, keys.load(tmp_path / "key.pem"), now, {}).bundle)
    with pytest.raises(EvidenceError, match="is not the report with a signature appended"):
        verify(bundle, recompute=False)


@pytest.mark.slow
def test_what_cannot_sign_is_refused_before_anything_is_written(copy: Path, tmp_path: Path) -> None:
    """A key of another certificate, a key in the case, a file that is none, a wrong passphrase, no PDF."""
    certificate, key = certified(tmp_path)
    _, other = certified(tmp_path, "rsa")
    (copy / "w.key").write_bytes(key.read_bytes())
    (tmp_path / "locked.key").write_bytes(openssl("pkey", "-in", key, "-aes256", "-passout", "pass:secret").stdout)
    for pair, says in (
        ((certificate, other), "belongs to another key"),
        ((certificate, copy / "w.key"), "inside the case folder"),
        ((certificate, tmp_path / "none"), "No such file"),
        ((key, key), "not a certificate"),
        ((certificate, tmp_path / "locked.key"), "not a certificate, or not a key that can be opened"),
    ):
        with pytest.raises(UsageError, match=says):
            pdf.signer(*pair, "")
    who = pdf.signer(certificate, tmp_path / "locked.key", "secret")
    (copy / "w.key").unlink()
    (copy / "out/report.pdf").unlink()
    with pytest.raises(CaseError, match="no PDF to sign"):
        seal(copy, keys.load(tmp_path / "key.pem"), now, {}, who=who)
    assert not (copy / "sealed").exists()


@pytest.mark.slow
def test_the_key_of_the_signer_is_looked_for(copy: Path, tmp_path: Path) -> None:
    """A copy of the signer's key in the case stops the seal with exit 6."""
    certificate, key = certified(tmp_path)
    (copy / "out/notes.txt").write_bytes(key.read_bytes())
    with pytest.raises(SecretFound, match="key of the PDF's signer"):
        seal(copy, keys.load(tmp_path / "key.pem"), now, {}, who=pdf.signer(certificate, key, ""))


WITHOUT = """
import sys
sys.modules["pyhanko.sign"] = None
from depose.cli import main
main()
"""


@pytest.mark.slow
def test_without_pyhanko_the_error_names_what_to_install(copy: Path, tmp_path: Path) -> None:
    """`--sign-pdf` ends with 2 and the command that installs it; verify says that the signature was not checked."""
    certificate, key = certified(tmp_path)
    command = ["seal", *map(str, (copy, "--key", tmp_path / "key.pem", "--sign-pdf", certificate, key))]
    ran = subprocess.run([sys.executable, "-c", WITHOUT, *command], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert 'pip install "depose[sign]"' in ran.stderr
    who = pdf.signer(certificate, key, "")
    bundle = seal(copy, keys.load(tmp_path / "key.pem"), now, {}, who=who).bundle
    look = [sys.executable, "-c", WITHOUT, "verify", bundle, "--no-recompute"]
    ran = subprocess.run(look, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "NOT verified: the signature of out/report-signed.pdf: signing a PDF needs pyHanko" in ran.stdout

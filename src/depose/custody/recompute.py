"""Computes the findings of a bundle again from its log, and compares bytes."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import msgspec

from depose import annex, calibrated, collect, pipeline, report
from depose.canon import canonical, sha256
from depose.custody import container, envelope, pdf
from depose.custody.bundle import HINT, LOG, Read, content
from depose.errors import CaseError, EvidenceError
from depose.model import Dossier, Fact, Findings


def statement(read: Read) -> Findings:
    """Check that findings and statement speak of this log."""
    name = f"out/{pipeline.FINDINGS}"
    data = content(read.bundle, name) if name in read.bundle.sizes() else b""
    try:
        findings = msgspec.json.decode(data, type=Findings)
    except msgspec.DecodeError as error:
        raise EvidenceError(f"{name}: no findings of this version: {error}", hint="depose analyze CASE") from error
    if (findings.log_head, findings.protocol_digest) != (read.entries.head, read.entries.protocol_digest):
        raise EvidenceError(f"{name}: made from another log", hint=HINT)
    payload = envelope.read(content(read.bundle, "statement.json"), read.key, "statement.json")
    subjects = {name: sha256(data), LOG: ""}
    with read.bundle.open(LOG) as file:
        subjects[LOG] = container.digest(file)[0]
    if payload != canonical(envelope.statement(findings, subjects)):
        raise EvidenceError("statement.json: says something else than the findings", hint=HINT)
    return findings


def recomputed(read: Read, findings: Findings, progress: Callable[[str], None]) -> tuple[list[str], list[str]]:
    """Compute the findings again from the log and compare bytes."""
    dossier = collect.dossier_of(read.entries, read.bundle.name)
    made = pipeline.results(dossier, _calibration(read, dossier), None, progress)
    files = made.files | {"report.html": report.render_html(findings, report.Setting(annex=_annex(read)))}
    differing = [
        f"out/{name}"
        for name, data in files.items()
        if f"out/{name}" in read.bundle.sizes() and content(read.bundle, f"out/{name}") != data
    ]
    written = next((fact.value for fact in dossier.registration.software if fact.name == "depose"), "")
    if differing and written == version("depose"):
        raise EvidenceError(
            f"{differing[0]}: does not follow from the log: computed again, its bytes differ",
            hint="it was changed before it was sealed, or made on a machine whose libraries round otherwise",
        )
    if differing:
        return [], [f"{', '.join(differing)}: made by depose {written}; this is {version('depose')}, and bytes differ"]
    shown = ", ".join(sorted(f"out/{name}" for name in files if f"out/{name}" in read.bundle.sizes()))
    rest = sorted(
        name for name in read.bundle.sizes() if name.startswith("out/") and name.removeprefix("out/") not in files
    )
    without = [f"{', '.join(rest)}: signed, but not computed again"] if rest else []
    return [f"computed again from the log, to the byte: {shown}"], without


def signed_reports(read: Read) -> tuple[list[str], list[str]]:
    """Check every signed PDF against the report that it is a copy of."""
    checks: list[str] = []
    missing: list[str] = []
    for name in read.bundle.sizes():
        if name.startswith("out/") and name.endswith(pdf.SUFFIX):
            report = name.removesuffix(pdf.SUFFIX) + ".pdf"
            if report not in read.bundle.sizes():
                raise EvidenceError(f"{report}: is missing, and {name} is a signed copy of it", hint=HINT)
            found = pdf.check(content(read.bundle, name), content(read.bundle, report), name)
            if found.missing:
                missing.append(f"the signature of {name}: {found.missing}")
            else:
                checks.append(f"{name} is {report}, signed with the certificate {found.certificate} of {found.signer}")
                missing.append(f"that the certificate of {found.signer} is to be trusted: that is for a reader of PDFs")
    return checks, missing


def _annex(read: Read) -> annex.Annex:
    """Take waivers and checks of the literature, which the report prints, from the bundle."""
    names = [name for name in (annex.WAIVERS, annex.CHECKED) if name in read.bundle.sizes()]
    return annex.parse({name: content(read.bundle, name) for name in names}, Path(read.bundle.name))


def _calibration(read: Read, dossier: Dossier) -> calibrated.Loaded | None:
    """Take the calibration from the blobs, by the digest that was registered."""
    name = dossier.registration.case.protocol.calibration
    fact = next((f for f in dossier.registration.files if f.name == f"calibration {name}"), Fact(name="", value=""))
    if not name:
        return None
    blob = f"evidence/blobs/{fact.value}"
    if blob not in read.bundle.sizes():
        raise EvidenceError(f"{blob}: the registered calibration is missing", hint=HINT)
    rates = next((f.value for f in dossier.registration.files if f.name == f"error rates {name}"), "")
    try:
        found = calibrated.parse(content(read.bundle, blob), name)
        if not rates:
            return found
        blob = f"evidence/blobs/{rates}"
        if blob not in read.bundle.sizes():
            raise EvidenceError(f"{blob}: the registered error rates are missing", hint=HINT)
        return calibrated.joined(found, content(read.bundle, blob), name)
    except CaseError as error:
        raise EvidenceError(f"{blob}: {error.message}", hint=error.hint) from error

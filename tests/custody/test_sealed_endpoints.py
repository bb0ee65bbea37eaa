"""Sealing what came over a network: every blob that a record names is needed, and words in pieces are withheld."""

from __future__ import annotations

from pathlib import Path

import pytest

from depose import pipeline
from depose.cli.options import now
from depose.custody import keys
from depose.custody.copies import verify_copy
from depose.custody.passages import Wanted
from depose.custody.redact import redact
from depose.custody.seal import Sealed, seal
from depose.custody.verify import verify
from depose.errors import EvidenceError
from depose.evidence import ledger
from fakes import case_of, install, model, write_case
from faults import Server
from faulty import remote


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A case whose suspect streams its answers, asked for a model that cannot exist too, analyzed and reported."""
    monkeypatch.syspath_prepend(install(tmp_path / "site"))
    scripts = {"R1": "same", "C1": "one", "C2": "two", "C3": "three"}
    others = [
        model(code, "reference" if code == "R1" else "control", provider="scripted", model=script)
        for code, script in scripts.items()
    ]
    with Server() as server:
        models = [remote(server.url, stream=True), *others]
        folder = write_case(tmp_path / "case", case_of(models, probes=["open_howto:4"], bogus_model=True))
        pipeline.register_case(folder, now)
        pipeline.probe(folder, now, lambda answered, failed: None)
    pipeline.analyze_case(folder, lambda line: None, now)
    pipeline.report_case(folder, pipeline.Order(formats=("html",)))
    keys.make(folder.parent / "key.pem")
    return folder


def sealed(case: Path) -> Sealed:
    """Seal without a time-stamp."""
    return seal(case, keys.load(case.parent / "key.pem"), now, {})


@pytest.mark.parametrize("which", ["times of chunks", "answer of the control"])
def test_a_blob_that_any_record_names_is_missed(case: Path, which: str) -> None:
    """Controls count, and what `wire` names, as the answers do."""
    entries = ledger.entries(case)
    wire = next(one.wire for one in entries.exchanges if one.wire is not None)
    blob = wire.chunks if which == "times of chunks" else entries.controls[0].response
    (case / "evidence" / "blobs" / blob).unlink()
    with pytest.raises(EvidenceError, match=f"names the blob {blob[:16]}"):
        verify(Path(sealed(case).bundle), recompute=False)


@pytest.mark.slow
def test_words_that_were_streamed_in_pieces_are_withheld(case: Path) -> None:
    """Words that came in pieces are found; the moments and lengths of the pieces are left out; the bundle verifies."""
    one = next(one for one in ledger.entries(case).exchanges if one.wire is not None)
    assert one.wire is not None
    bundle = Path(sealed(case).bundle)
    assert verify(bundle).checks
    stored = (case / "evidence" / "blobs" / one.response).read_bytes()
    word = one.text.split()[0].encode()
    assert word not in stored
    copy = case.parent / "copy"
    redact(bundle, copy, Wanted(words=(one.text.encode(),)), "a secret", now())
    assert verify_copy(copy, b"").checks
    shown = b"".join(file.read_bytes() for file in (copy / "evidence" / "blobs").iterdir())
    assert stored not in shown and b"withheld-" in b"".join(bytes(p) for p in (copy / "evidence" / "blobs").iterdir())
    assert not (copy / "evidence" / "blobs" / one.wire.chunks).exists()
    assert one.text not in (copy / "evidence" / "log.jsonl").read_text()

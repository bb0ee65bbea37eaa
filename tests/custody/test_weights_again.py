"""A case with weights on the table: compared once, reported by themselves, sealed, and compared again by a verifier."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
import torch

import weight_changes as changes
from depose import pipeline
from depose.asking import collect
from depose.case import casefile
from depose.cli.options import now
from depose.custody import keys
from depose.custody.seal import seal
from depose.custody.verify import verify
from depose.custody.weights_again import FAINT, compared_alike
from depose.errors import CaseError, EvidenceError, UsageError
from depose.evidence import ledger
from depose.evidence.log import Log, read_log
from depose.model import WeightFinding
from depose.weights.compare import Named, compare
from depose.weights.held import held_pairs
from fakes import depose, recorded_case


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reference, a relative of it, and a stranger."""
    folder = tmp_path_factory.mktemp("models")
    config, base = changes.initialised(1, num_hidden_layers=2)
    changes.save(folder / "R1", config, base)
    changes.save(folder / "S1", config, changes.noisy(base, 9))
    changes.save(folder / "stranger", config, changes.initialised(2, num_hidden_layers=2)[1])
    return folder


def case(folder: Path, **files: Path) -> Path:
    """Write a case of recorded answers that names weights."""
    made = recorded_case(folder, suspect="same", controls=3, prompts=6)
    text = "[weights.files]\n" + "".join(f"{code} = {json.dumps(str(path))}\n" for code, path in files.items())
    (made / "case.toml").write_text((made / "case.toml").read_text() + text)
    return made


def analyzed(folder: Path) -> Path:
    """Take a case as far as its findings."""
    pipeline.register_case(folder, now)
    pipeline.probe(folder, now, lambda *_: None)
    pipeline.analyze_case(folder, lambda _: None, now)
    return folder


def new_key(folder: Path) -> keys.PrivateKey:
    """Make a signing key."""
    keys.make(folder / "expert.pem")
    return keys.load(folder / "expert.pem")


@pytest.fixture(scope="module")
def sealed(models: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A sealed bundle of such a case, with its report, and the public key."""
    folder = analyzed(case(tmp_path_factory.mktemp("case") / "acme", S1=models / "S1", R1=models / "R1"))
    pipeline.report_case(folder, pipeline.Order(formats=("html",)))
    key = new_key(tmp_path_factory.mktemp("key"))
    done = seal(folder, key, now, {})
    return Path(done.bundle), keys.public_pem(key.public_key())


def test_weights_are_compared_once_and_stand_apart(models: Path, tmp_path: Path) -> None:
    """The comparison is a record of the log that no second analysis adds to, and no opinion on answers looks at it."""
    folder = analyzed(case(tmp_path / "with", S1=models / "S1", R1=models / "R1"))
    _, found, _ = pipeline.read_findings(folder)
    assert [(one.suspect, one.reference, one.reading) for one in found.weights] == [("S1", "R1", "not independent")]
    pipeline.analyze_case(folder, lambda _: None, now)
    assert sum(one.entry.kind == "weights" for one in read_log(folder)) == 1
    plain = recorded_case(tmp_path / "without", suspect="same", controls=3, prompts=6)
    _, without, _ = pipeline.read_findings(analyzed(plain))
    assert without.weights == ()
    assert without.findings == found.findings


def test_weights_of_another_kind_leave_the_case_whole(models: Path, tmp_path: Path) -> None:
    """A model of another kind is analyzed, reported with the reason, sealed, and verified with its files."""
    other = {
        "backbone.embeddings.weight": torch.ones(640, 96),
        "backbone.layers.0.mixer.in_proj.weight": torch.ones(8, 96),
    }
    mamba = changes.save(tmp_path / "mamba", {"model_type": "mamba"}, other)
    folder = analyzed(case(tmp_path / "acme", S1=mamba, R1=models / "R1"))
    said = " ".join(depose("analyze", folder).out.split())
    assert "weights of S1 and R1: not testable" in said
    assert "not compared: S1: no table of token embeddings among its tensors" in said
    pipeline.report_case(folder, pipeline.Order(formats=("html",)))
    html = " ".join((folder / "out" / "report.html").read_text().split())
    assert "Nothing of them was compared. Caution: not compared: S1: no table of token embeddings" in html
    assert "Tests of S1 and R1 by kind" not in html
    key = new_key(tmp_path)
    done = seal(folder, key, now, {})
    checked = verify(
        Path(done.bundle), public_key=keys.public_pem(key.public_key()), weights={"S1": mamba, "R1": models / "R1"}
    )
    assert "weights of S1 and R1: the sealed files, compared again" in checked.checks


def test_check_says_whose_weights_are_compared(models: Path, tmp_path: Path) -> None:
    """Weights are named before anything is registered, and those that are not there as what would stop the run."""
    said = depose("check", case(tmp_path / "with", S1=models / "S1", R1=models / "R1")).out
    assert "weights: S1 with R1: compared exactly" in " ".join(said.split())
    said = depose("check", case(tmp_path / "without", S1=models / "gone", R1=models / "R1")).out
    assert "WRONG weights: S1:" in said and "compared exactly" not in said


def test_analyze_prints_what_weights_said(sealed: tuple[Path, bytes]) -> None:
    """The strongest evidence of a case is among what its analysis prints."""
    said = depose("analyze", sealed[0].parents[1]).out
    assert "weights of S1 and R1: not independent, p < 1e-100 (level 1e-06); nothing of distillation" in said


def test_the_report_sets_weights_apart_with_their_own_propositions(sealed: tuple[Path, bytes]) -> None:
    """The report has a part of its own, with propositions, tests, layers and a map, and says what weights cannot."""
    folder = sealed[0].parents[1]
    html = (folder / "out" / "report.html").read_text()
    assert "Weights side by side" in html
    assert "S1 and R1: not independent" in html.replace("\n", " ")
    assert "nor do they say anything of training on outputs" in html
    assert "Layers of S1 and the layers of R1 that they are closest to: 0 to 0, 1 to 1." in html


def test_a_verifier_with_the_weights_compares_them_again(sealed: tuple[Path, bytes], models: Path) -> None:
    """With both sets of weights the comparison is made anew; without, its statistics are listed as not computed."""
    bundle, public = sealed
    done = verify(bundle, public_key=public, weights={"S1": models / "S1", "R1": models / "R1"})
    assert "weights of S1 and R1: the sealed files, compared again" in done.checks
    done = verify(bundle, public_key=public)
    assert any(one.startswith("the comparison of the weights of S1 and R1") for one in done.not_verified)


def test_other_weights_than_the_sealed_ones_are_found(sealed: tuple[Path, bytes], models: Path) -> None:
    """A verifier who holds other files is told which; a code that the bundle does not know is a usage error."""
    bundle, public = sealed
    with pytest.raises(EvidenceError, match=r"model\.safetensors is not the file that was compared"):
        verify(bundle, public_key=public, weights={"S1": models / "stranger", "R1": models / "R1"})
    with pytest.raises(UsageError, match="compares no weights of it"):
        verify(bundle, public_key=public, weights={"C1": models / "S1"})


def differently(true: WeightFinding) -> dict[str, WeightFinding]:
    """Change each part of a finding of weights, by what a message calls it."""
    changed = msgspec.structs.replace
    layer, test, cell = true.layers[0], true.tests[0], true.map
    return {
        r"reading is sealed as not independent; compared again: nothing": changed(true, reading="not independent"),
        r"log10_p is sealed as -50\.0": changed(true, log10_p=-50.0),
        r"alpha is sealed as 0\.5": changed(true, alpha=0.5),
        r"layers\.0\.order_log10_p is sealed as -90\.0": changed(
            true, layers=(changed(layer, order_log10_p=-90.0), *true.layers[1:])
        ),
        r"layers\.0\.margin is sealed as 0\.9": changed(true, layers=(changed(layer, margin=0.9), *true.layers[1:])),
        r"layers is sealed as": changed(true, layers=true.layers[1:]),
        r"layers\.0\.signs_log10_p is sealed as None": changed(
            true, layers=(changed(layer, signs_log10_p=None), *true.layers[1:])
        ),
        r"tests\.0\.log10_p is sealed as -30\.0": changed(true, tests=(changed(test, log10_p=-30.0), *true.tests[1:])),
        r"tests\.0\.n is sealed as 99": changed(true, tests=(changed(test, n=99), *true.tests[1:])),
        r"map\.margins\.0\.0 is sealed as 0\.95": changed(
            true, map=changed(cell, margins=((0.95, *cell.margins[0][1:]), *cell.margins[1:]))
        ),
        r"map\.suspect\.0 is sealed as 7": changed(true, map=changed(cell, suspect=("7", *cell.suspect[1:]))),
        r"alignment is sealed as turned": changed(true, alignment="turned"),
        r"support is sealed as": changed(true, support={**true.support, "licence": "that of the reference"}),
        r"cautions is sealed as": changed(true, cautions=("a caution that nobody gave",)),
        r"nowhere\.safetensors is not the file that was compared": changed(
            true, suspect_files={**true.suspect_files, "nowhere.safetensors": "0" * 64}
        ),
    }


def test_statistics_that_do_not_follow_from_the_weights_are_found(models: Path) -> None:
    """Whatever a log says of these very files that they do not give: reading, p, layer, map, digest, each is named."""
    true = compare(Named(name="S1", path=models / "stranger"), Named(name="R1", path=models / "R1"))
    for message, forged in differently(true).items():
        with pytest.raises(EvidenceError, match=message):
            compared_alike(forged, true)


def test_another_machine_s_rounding_is_no_change(models: Path) -> None:
    """The last digits of every figure may differ, and a layer that is close to none may have another closest one."""
    true = compare(Named(name="S1", path=models / "stranger"), Named(name="R1", path=models / "R1"))
    changed = msgspec.structs.replace
    layers = tuple(
        changed(one, margin=one.margin + 0.001, order_log10_p=one.order_log10_p - 0.01) for one in true.layers
    )
    compared_alike(changed(true, layers=layers, log10_p=true.log10_p - 0.1), true)
    faint = next(place for place, one in enumerate(layers) if one.margin < FAINT)
    other = changed(layers[faint], closest="another", matched=layers[faint].matched + 3)
    compared_alike(changed(true, layers=(*layers[:faint], other, *layers[faint + 1 :])), true)


def test_a_bundle_whose_statistics_do_not_follow_does_not_verify(models: Path, tmp_path: Path) -> None:
    """A log that says of these very files something else than they give does not verify."""
    folder = case(tmp_path / "acme", S1=models / "stranger", R1=models / "R1")
    pipeline.register_case(folder, now)
    pipeline.probe(folder, now, lambda *_: None)
    pair = held_pairs(casefile.read(folder), folder)[0]
    true = compare(*pair)
    with Log(folder, now) as log:
        log.append("weights", msgspec.structs.replace(true, alignment="rotated by hand"))
    pipeline.analyze_case(folder, lambda _: None, now)
    key = new_key(tmp_path)
    done = seal(folder, key, now, {})
    held = {"S1": models / "stranger", "R1": models / "R1"}
    with pytest.raises(EvidenceError, match=r"alignment is sealed as rotated by hand; compared again: as they are"):
        verify(Path(done.bundle), public_key=keys.public_pem(key.public_key()), weights=held)


def test_a_section_without_weights_is_an_error(tmp_path: Path, models: Path) -> None:
    """Weights of one side alone compare nothing, which is said before the findings; an unknown code at once."""
    folder = case(tmp_path / "one", S1=models / "S1")
    pipeline.register_case(folder, now)
    pipeline.probe(folder, now, lambda *_: None)
    with pytest.raises(CaseError, match="no suspect and reference whose weights are both held"):
        pipeline.analyze_case(folder, lambda _: None, now)
    with pytest.raises(CaseError, match=r"\$\.weights\.files\.X9: no model has this code"):
        casefile.read(case(tmp_path / "other", X9=models / "S1"))


def test_weights_of_a_case_without_the_section_are_no_part_of_it(models: Path, tmp_path: Path) -> None:
    """A record of weights counts only where the protocol in force asks for it."""
    folder = analyzed(case(tmp_path / "acme", S1=models / "S1", R1=models / "R1"))
    entries = ledger.entries(folder)
    silent = msgspec.structs.replace(entries.registration.case, weights=None)
    plain = msgspec.structs.replace(entries, registration=msgspec.structs.replace(entries.registration, case=silent))
    assert collect.dossier_of(entries, "").weights
    assert collect.dossier_of(plain, "").weights == ()
    assert models.is_absolute(), "paths of weights stand in the case alone"
    assert str(models) not in (folder / "out" / "findings.json").read_text()

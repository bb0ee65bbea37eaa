"""Packs from the command line: built, found by name, used by a case, asked again, and one command for each release."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from depose.case import casefile, controls, packs, tables
from depose.custody import keys
from depose.errors import CaseError, DeposeError
from depose.evidence import ledger
from depose.packs.release import lay_out
from fakes import Ran, depose, recorded_case
from gateway import Gateway


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key, a case of five controls, and the pack that was built from it."""
    folder = tmp_path_factory.mktemp("made")
    keys.make(folder / "key.pem")
    recorded_case(folder / "acme", suspect="somebody", controls=5, prompts=6)
    built = depose("pack", "build", "acme", "--case", folder / "acme", "--key", folder / "key.pem", *out(folder))
    assert built.code == 0, built.err
    assert "5 controls, 6 prompts, 30 answers" in built.out
    return folder


def out(folder: Path) -> tuple[str, Path]:
    """Where a pack is written."""
    return "--out", folder / "acme-1.pack"


@pytest.fixture
def shelf(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shelf of packs of one's own, with the pack on it."""
    monkeypatch.setenv("DEPOSE_PACKS", str(tmp_path / "shelf"))
    added = depose("pack", "add", made / "acme-1.pack", "--public-key", made / "key.pem.pub")
    assert added.code == 0, added.err
    return tmp_path / "shelf"


def release(made: Path, folder: Path, *, protocol: str = "", wanted: str = "pack:acme") -> Path:
    """Write the case of a release that names the pack, with answers of the suspect and the reference in a file."""
    folder.mkdir()
    (folder / "answers.jsonl").write_bytes((made / "acme" / "answers.jsonl").read_bytes())
    models = "".join(
        f'[[models]]\ncode = "{code}"\nrole = "{role}"\nprovider = "recorded"\nfile = "answers.jsonl"\n'
        f'model = "{code}"\ndeveloper = "{code}"\nweight_lineage = "{code}"\ndata_lineage = "{code}"\n'
        for code, role in (("S1", "suspect"), ("R1", "reference"))
    )
    head = '[case]\ntitle = "release"\nauthority = "ours"\n'
    text = f'{head}[protocol]\ncontrols = "{wanted}"\ndetectors = ["phrases", "wording"]\n{protocol}\n{models}'
    (folder / "case.toml").write_text(text)
    return folder


def test_a_case_takes_controls_prompts_and_settings_from_a_pack(made: Path, shelf: Path, tmp_path: Path) -> None:
    """One line: five controls, six prompts, the temperature; registering keeps the pack and freezes its digest."""
    folder = release(made, tmp_path / "rc1")
    case = casefile.read(folder)
    assert [spec.code for spec in case.models] == ["S1", "R1", "C1", "C2", "C3", "C4", "C5"]
    assert {spec.file for spec in case.models[2:]} == {"packs/acme-1.pack"}
    assert (case.protocol.temperature, case.protocol.max_tokens) == (0.7, 200)
    copied = depose("new", tmp_path / "rc2", "--from", folder / "case.toml")
    assert copied.code == 0, copied.err
    assert depose("register", folder).code == 0
    facts = {fact.name: fact.value for fact in ledger.entries(folder).registration.files}
    assert facts["packs/acme-1.pack"] == packs.read(made / "acme-1.pack").sha256
    (shelf / "acme-1.pack").unlink()
    assert depose("probe", folder).code == 0
    assert len({one.model for one in ledger.entries(folder).exchanges}) == 7
    found = {(one.model, one.prompt): one.text for one in ledger.entries(folder).exchanges if one.model[0] == "C"}
    assert found == {(row.model, row.id): row.text for row in tables.read_file(made / "acme-1.pack").rows}


def test_a_case_that_asks_otherwise_than_its_controls_is_refused(made: Path, shelf: Path, tmp_path: Path) -> None:
    """Another temperature, length or number of samples: the message names both; a name that leads away goes nowhere."""
    for number, said in enumerate(("temperature = 0.1", "max_tokens = 50", "samples = 2")):
        folder = release(made, tmp_path / f"rc{number}", protocol=said)
        with pytest.raises(CaseError, match=said.partition(" ")[0]):
            casefile.read(folder)
    for number, wanted in enumerate(("../acme-1.pack", "/etc/x.pack", "pack:none", "pack:../acme", "none.pack")):
        with pytest.raises(CaseError):
            casefile.read(release(made, tmp_path / f"away{number}", wanted=wanted))


def test_a_pack_that_was_exchanged_after_registering_is_refused(made: Path, shelf: Path, tmp_path: Path) -> None:
    """The digest of the pack is part of the protocol."""
    folder = release(made, tmp_path / "rc1")
    assert depose("register", folder).code == 0
    other = ("pack", "build", "acme", "--case", made / "acme", "--title", "another", "--key", made / "key.pem")
    assert depose(*other, "--out", tmp_path / "acme-1.pack").code == 0
    (folder / "packs" / "acme-1.pack").write_bytes((tmp_path / "acme-1.pack").read_bytes())
    asked = depose("probe", folder)
    assert asked.code == 1
    assert "packs/acme-1.pack" in asked.first


def test_info_counts_clean_lineages_and_knows_the_signer(made: Path, shelf: Path, tmp_path: Path) -> None:
    """Too few lineages are said before anything is asked; another signer is exit 3."""
    folder = release(made, tmp_path / "rc1")
    told = depose("pack", "info", "acme", "--case", folder, "--public-key", made / "key.pem.pub")
    assert told.code == 0, told.err
    assert "S1/R1 same: 5 clean lineages, NOT ENOUGH: 19 needed" in told.out
    assert "both need a date: inconclusive (era)" in " ".join(told.out.split())
    case = (folder / "case.toml").read_text()
    for date, said in (("2025-01", False), ("2027-09", True)):
        (folder / "case.toml").write_text(case.replace("provider =", f'released = "{date}"\nprovider ='))
        out = " ".join(depose("pack", "info", "acme", "--case", folder).out.split())
        assert ("NOT OF THEIR YEARS: 0 of the controls are of the years of the two, 3 are needed" in out) == said
    keys.make(tmp_path / "other.pem")
    assert depose("pack", "info", "acme", "--public-key", tmp_path / "other.pem.pub").code == 3
    assert depose("pack", "info", "nobody").code == 1
    prompts = depose("pack", "info", "acme", "--prompts", tmp_path / "ask.jsonl")
    assert prompts.code == 0
    assert len((tmp_path / "ask.jsonl").read_text().splitlines()) == 6
    shelf_list = depose("pack", "info").out
    assert "acme-1" in shelf_list
    assert max(map(len, shelf_list.splitlines())) <= 80


def test_another_pack_of_one_name_and_version_is_not_put_over_the_first(
    made: Path, shelf: Path, tmp_path: Path
) -> None:
    """A name and a version mean one file."""
    other = ("pack", "build", "acme", "--case", made / "acme", "--title", "another", "--key", made / "key.pem")
    assert depose(*other, "--out", tmp_path / "other.pack").code == 0
    refused = depose("pack", "add", tmp_path / "other.pack")
    assert refused.code == 2
    assert "another pack has this name and version" in refused.first


# --- through a gateway ------------------------------------------------------------------------------

NAMES = tuple(f"maker{number}/model-{number}" for number in range(1, 7))


def hub(folder: Path, url: str, *more: str | Path) -> Ran:
    """Build a pack by asking six models through a gateway."""
    lines = ["model,developer,weight_lineage,data_lineage,price_input,price_output"]
    lines += [f"{name},maker {n},base {n},data {n},1,2" for n, name in enumerate(NAMES)]
    (folder / "models.csv").write_text("\n".join(lines) + "\n")
    if not (folder / "key.pem").exists():
        keys.make(folder / "key.pem")
    told = ("--base-url", url, "--allow-private", "--api-key-env", "HUB_KEY", "--models", folder / "models.csv")
    where = ("--folder", folder / "hub", "--out", folder / "hub-1.pack", "--key", folder / "key.pem")
    return depose("pack", "build", "hub", *told, "--authority", "ours", "--probes", "open_lists:5", *where, *more)


@pytest.mark.slow
def test_a_gateway_is_asked_once_within_a_budget_and_again_to_see_what_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six models behind one address become a pack without the key; a model that was exchanged is found."""
    monkeypatch.setenv("HUB_KEY", "hub-secret-0123456789")
    with Gateway({name: f"truth of {name}" for name in NAMES}) as gateway:
        short = hub(tmp_path, gateway.url, "--requests", "3")
        assert short.code == 0, short.err
        assert "stopped: the budget of 3 requests" in short.err
        for name in ("hub-1.pack", "hub"):
            (tmp_path / name).rename(tmp_path / f"short-{name}")
        built = hub(tmp_path, gateway.url, "--money", "1")
        assert built.code == 0, built.err
        assert "6 controls, 5 prompts, 30 answers" in built.out
        assert gateway.keys == {"Bearer hub-secret-0123456789"}
        data = (tmp_path / "hub-1.pack").read_bytes()
        assert b"hub-secret" not in data
        assert b"HUB_KEY" not in data
        manifest = packs.read(tmp_path / "hub-1.pack").manifest
        assert {one.asked_as for one in manifest.models} == set(NAMES)
        assert all(one.first_asked and one.base_url == gateway.url for one in manifest.models)

        where = ("--base-url", gateway.url, "--allow-private", "--api-key-env", "HUB_KEY", "--prompts", "5")
        same = depose("pack", "check", tmp_path / "hub-1.pack", tmp_path / "today", *where, "--model", "K003")
        assert same.code == 0, same.err
        assert "still itself" in same.out
        gateway.truths[NAMES[2]] = f"truth of {NAMES[4]}"
        moved = depose("pack", "check", tmp_path / "hub-1.pack", tmp_path / "later", *where, "--model", NAMES[2])
        assert moved.code == 1
        assert "MOVED" in moved.out
        nowhere = depose("pack", "check", tmp_path / "hub-1.pack", tmp_path / "never")
        assert nowhere.code == 2
        assert gateway.url in nowhere.err


# --- one command for each release -------------------------------------------------------------------


def test_one_command_writes_the_case_of_a_release(made: Path, shelf: Path, tmp_path: Path) -> None:
    """No line of TOML by hand: the case file is whole, names the pack, and is the same when the command runs again."""
    mine = [json.loads(line) for line in (made / "acme" / "answers.jsonl").read_text().splitlines()]
    (tmp_path / "rc9.jsonl").write_text("".join(json.dumps(row) + "\n" for row in mine if row["model"] == "S1"))
    path = controls.find("acme")
    head = {"title": "rc9", "authority": "ours"}
    for _ in range(2):
        folder = lay_out(packs.read(path), path, tmp_path / "rc9", str(tmp_path / "rc9.jsonl"), "pack:C2", head, {})
        said = tomllib.loads((folder / "case.toml").read_text())
        assert said["protocol"] == {"controls": "pack:acme-1"}
    case = casefile.read(folder)
    assert [(spec.code, spec.role) for spec in case.models[:3]] == [
        ("S1", "suspect"),
        ("R1", "reference"),
        ("C1", "control"),
    ]
    assert (case.models[1].model, case.models[1].developer) == ("C2", case.models[3].developer)
    with pytest.raises(CaseError, match="another case"):
        lay_out(packs.read(path), path, folder, str(tmp_path / "rc9.jsonl"), "pack:C3", head, {})


def test_a_release_is_never_held_by_the_answers_of_another(made: Path, shelf: Path, tmp_path: Path) -> None:
    """A mistake leaves nothing behind that a second try would take for its answers; a case keeps those it rests on."""
    path = controls.find("acme")
    read, head = packs.read(path), {"title": "rc9", "authority": "ours"}
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_text('{"id": "1", "prompt": "a", "output": "first"}\n')
    second.write_text('{"id": "1", "prompt": "a", "output": "second"}\n')
    folder = tmp_path / "rc9"
    for suspect, reference in ((first, "pack:C99"), (tmp_path / "none.jsonl", "pack:C2"), (first, "model=")):
        with pytest.raises(DeposeError):
            lay_out(read, path, folder, str(suspect), reference, head, {})
        assert not list(folder.glob("given-*"))
    lay_out(read, path, folder, str(second), "pack:C2", head, {})
    assert (folder / "given-S1.jsonl").read_bytes() == second.read_bytes()
    with pytest.raises(CaseError, match=r"first\.jsonl: differs from .*given-S1"):
        lay_out(read, path, folder, str(first), "pack:C2", head, {})
    assert (folder / "given-S1.jsonl").read_bytes() == second.read_bytes()
    (folder / "packs" / read.manifest.file).write_bytes(b"another")
    with pytest.raises(CaseError, match="on which the case rests"):
        lay_out(read, path, folder, str(second), "pack:C2", head, {})


@pytest.mark.slow
def test_a_bundle_holds_the_pack_and_verifies_with_it(made: Path, shelf: Path, tmp_path: Path) -> None:
    """Whoever gets the bundle needs no pack: it is among the blobs, and every answer is looked up in it again."""
    folder = release(made, tmp_path / "rc1")
    for command in ("register", "probe", "analyze"):
        ran = depose(command, folder)
        assert ran.code == 0, ran.err
    sealed = depose("seal", folder, "--key", made / "key.pem", "--json")
    assert sealed.code == 0, sealed.err
    (shelf / "acme-1.pack").unlink()
    ran = depose("verify", json.loads(sealed.out)["bundle"], "--public-key", made / "key.pem.pub")
    assert ran.code == 0, ran.err
    assert "42 exchanges: looked up again in the registered files" in ran.out


def strange(folder: Path, goal: Path) -> Path:
    """Make a pack of the same name, signed by a stranger."""
    recorded_case(folder / "acme", suspect="somebody", controls=5, prompts=6)
    keys.make(folder / "key.pem")
    goal.parent.mkdir(exist_ok=True)
    where = ("--version", goal.stem.rpartition("-")[2], "--out", goal)
    built = depose("pack", "build", "acme", "--case", folder / "acme", "--key", folder / "key.pem", *where)
    assert built.code == 0, built.err
    return goal


@pytest.mark.parametrize("version", ["1", "9"])
def test_a_pack_that_passes_for_another_is_refused(made: Path, shelf: Path, tmp_path: Path, version: str) -> None:
    """A pack in the case hides none of the same name: the case says which, by digest or by file."""
    folder = release(made, tmp_path / "rc1")
    other = strange(tmp_path / "strange", folder / f"packs/acme-{version}.pack")
    for command in ("register", "check"):
        ran = depose(command, folder)
        assert (ran.code, "one passes for the other" in ran.err) == (1, True), ran.err
    assert not (folder / "evidence").exists()
    wanted = packs.read(other if version == "9" else shelf / "acme-1.pack")
    text = (folder / "case.toml").read_text()
    (folder / "case.toml").write_text(text.replace("pack:acme", f"pack:acme@{wanted.sha256}"))
    if version == "1":
        ran = depose("register", folder)
        assert (ran.code, "is another pack than" in ran.err) == (1, True), ran.err
        other.unlink()
    assert depose("register", folder).code == 0
    pin = ledger.entries(folder).registration.pack
    assert pin == controls.pin_of(wanted)
    (folder / "case.toml").write_text(text.replace("pack:acme", f"pack:acme@{'0' * 64}"))
    with pytest.raises(CaseError, match="here has the SHA-256"):
        casefile.read(folder)
    (folder / "case.toml").write_text(text.replace("pack:acme", "pack:acme@12"))
    with pytest.raises(CaseError, match="is no SHA-256"):
        casefile.read(folder)
    (folder / "case.toml").write_text(text.replace("pack:acme", f"packs/acme-{version}.pack"))
    assert {spec.file for spec in casefile.read(folder).models[2:]} == {f"packs/acme-{version}.pack"}


def test_a_newer_pack_of_the_same_signer_is_none_that_passes_for_it(made: Path, shelf: Path, tmp_path: Path) -> None:
    """Whoever signed both may name them alike; and a case that is registered stays with its own."""
    folder = release(made, tmp_path / "rc1")
    assert depose("register", folder).code == 0
    more = ("--version", "2", "--out", tmp_path / "acme-2.pack")
    assert depose("pack", "build", "acme", "--case", made / "acme", "--key", made / "key.pem", *more).code == 0
    assert depose("pack", "add", tmp_path / "acme-2.pack").code == 0
    assert depose("register", folder).code == 0
    strange(tmp_path / "strange", shelf / "acme-3.pack")
    assert depose("register", folder).code == 0
    assert depose("register", release(made, tmp_path / "rc2")).code == 1

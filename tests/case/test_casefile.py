"""Case files: one clear sentence for each way to get one wrong, and nothing left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from depose.case import casefile
from depose.errors import CaseError, UsageError
from depose.model import replicates, setting
from fakes import case_of, depose, files_in, finish, model, start, to_toml, write_case

BROKEN = Path(__file__).parent / "broken_cases"
SAYS = {
    "alpha_not_a_number": "CASE/case.toml: $.protocol.alpha: Expected a number > 0.0 (line 8)",
    "alpha_out_of_range": "CASE/case.toml: $.protocol.alpha: Expected a number <= 0.2 (line 8)",
    "answers_missing": "CASE/case.toml: $.models[0].file: 'answers.jsonl' is not there (line 18, model S1)",
    "blank_authority": "CASE/case.toml: $.case.authority: blank (line 3)",
    "code_with_slash": "CASE/case.toml: $.models[0].code: not a code: a letter, then up to 31 letters, "
    "digits, - or _ (line 15)",
    "detector_twice": "CASE/case.toml: $.protocol.detectors: one of them stands twice (line 7)",
    "duplicate_code": "CASE/case.toml: $.models[1].code: 's1' is already the code of $.models[0] (line 20, model s1)",
    "empty": "CASE/case.toml: $: missing field 'case'",
    "key_for_variable": "CASE/case.toml: $.models[0].api_key_env: not the name of a variable; the key itself "
    "must not stand in a case file (line 18, model S1)",
    "key_written_down": "CASE/case.toml: $.models[0]: unknown field 'api_key'; did you mean 'api_key_env'? "
    "(line 18, model S1)",
    "missing_authority": "CASE/case.toml: $.case: missing field 'authority' (line 1)",
    "missing_protocol": "CASE/case.toml: $: missing field 'protocol'",
    "missing_reference": "CASE/case.toml: $.models: no model has the role 'reference'",
    "missing_suspect": "CASE/case.toml: $.models: no model has the role 'suspect'",
    "money_without_end": "CASE/case.toml: $.budget.money: Expected a number <= 1000000000000.0 (line 25)",
    "money_without_prices": "CASE/case.toml: $.budget.money: a limit in money needs [prices] (line 25)",
    "negative_seed": "CASE/case.toml: $.protocol.seed: Expected a whole number >= 0 (line 8)",
    "nested_too_deeply": "CASE/case.toml: nested too deeply",
    "not_toml": "CASE/case.toml: not TOML: Expected '=' after a key in a key/value pair (at line 1, column 5)",
    "nothing_to_ask": "CASE/case.toml: $.protocol: neither probes nor a file of prompts (line 5)",
    "one_model": "CASE/case.toml: $.models: Expected a list of length >= 2",
    "price_of_nobody": "CASE/case.toml: $.prices.C9: no model has this code (line 24)",
    "primary_identity": "CASE/case.toml: $.protocol.primary.distilled: 'identity' is reported but decides "
    "nothing: a name is not a lineage (line 12)",
    "primary_shared_values": "CASE/case.toml: $.protocol.primary.distilled: 'shared_values' is reported but decides "
    "nothing: in families left out it is worse than `wording` (line 12)",
    "primary_not_listed": "CASE/case.toml: $.protocol.primary.distilled: 'fuzzy' is not in $.protocol.detectors "
    "(line 12)",
    "probe_count_too_large": "probe family 'open_howto' holds 266 prompts in 30 templates, asked for 99999",
    "probe_count_zero": "CASE/case.toml: $.protocol.probes[0]: 'open_howto:0' is not NAME:COUNT (line 6)",
    "probe_twice": "CASE/case.toml: $.protocol.probes: one family stands twice (line 6)",
    "probe_without_count": "CASE/case.toml: $.protocol.probes[0]: 'open_howto' is not NAME:COUNT (line 6)",
    "prompts_a_folder": "CASE/case.toml: $.protocol.prompts: '.' is not a file (line 8)",
    "prompts_missing": "CASE/case.toml: $.protocol.prompts: 'questions.csv' is not there (line 8)",
    "prompts_outside": "CASE/case.toml: $.protocol.prompts: '../questions.csv' leads out of the case folder (line 8)",
    "prompts_with_nul": "CASE/case.toml: $.protocol.prompts: 'questions.csv\\x00.txt' holds a NUL, which no "
    "file name can (line 8)",
    "question_twice": "CASE/case.toml: $.protocol.questions: one of them stands twice (line 8)",
    "recorded_twice": "CASE/case.toml: $.models[0].replicates: recorded answers cannot be asked for again "
    "(line 18, model S1)",
    "seed_too_long": "CASE/case.toml: Exceeds the limit (4300 digits) for integer string conversion: value "
    "has 5000 digits; use sys.set_int_max_str_digits() to increase the limit",
    "steering_key": "CASE/case.toml: $.models[0]: unknown field '\\x1b[2Jno' (line 14, model S1)",
    "terms_outside": "CASE/case.toml: $.terms.file: '/etc/hostname' is a name in full, and stands outside "
    "the case folder (line 25)",
    "tokens_too_many": "CASE/case.toml: $.budget.tokens: Expected a whole number <= 9007199254740991 (line 25)",
    "toml_key_twice": "CASE/case.toml: not TOML: Cannot overwrite a value (at line 3, column 33)",
    "transformers_without_model": "CASE/case.toml: $.models[0].model: missing; which model? (line 14, model S1)",
    "unknown_detector": "CASE/case.toml: $.protocol.detectors[1]: unknown detector 'vibes' (line 7)",
    "unknown_key_in_model": "CASE/case.toml: $.models[0]: unknown field 'adaptor'; did you mean 'adapter'? (line "
    "18, model S1)",
    "unknown_key_in_protocol": "CASE/case.toml: $.protocol: unknown field 'alhpa'; did you mean 'alpha'? (line 8)",
    "unknown_probe": "CASE/case.toml: $.protocol.probes[0]: unknown probe 'trick' (line 6)",
    "unknown_provider": "CASE/case.toml: $.models[0].provider: unknown provider 'oracle' (line 17, model S1)",
    "unknown_question": "CASE/case.toml: $.protocol.questions[0]: not known: 'stolen'; one of same, derived, "
    "distilled, exposed (line 8)",
    "unknown_role": "CASE/case.toml: $.models[0].role: not known: 'accused'; one of suspect, reference, "
    "candidate, control, positive, foil (line 16, model S1)",
    "unknown_table": "CASE/case.toml: $: unknown field 'protokoll'; did you mean 'protocol'? (line 24)",
    "wrong_type_in_model": "CASE/case.toml: $.models[0].temperature: Expected a number, got text in quotes (line "
    "18, model S1)",
    "wrong_type_in_protocol": "CASE/case.toml: $.protocol.alpha: Expected a number, got text in quotes (line 8)",
}
"""Defect to message; CASE stands for the case folder."""


@pytest.fixture
def broken(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Make a case folder of one broken case file."""
    folder = tmp_path / "case"
    folder.mkdir()
    (folder / "case.toml").write_bytes((BROKEN / f"{request.param}.toml").read_bytes())
    return folder


@pytest.mark.parametrize("command", ["register", "audit"])
@pytest.mark.parametrize(("broken", "message"), SAYS.items(), indirect=["broken"], ids=list(SAYS))
def test_each_defect_has_its_own_message_and_leaves_nothing_behind(broken: Path, message: str, command: str) -> None:
    """A broken case ends with exit 1, its own sentence, a next step, and the folder as it was."""
    before = files_in(broken.parent)
    ran = depose(command, broken)
    assert ran.first.replace(str(broken), "CASE") == f"error: {message}"
    assert ran.err.splitlines()[1].startswith(("  next: ", "  hint: "))
    assert (ran.code, ran.out) == (1, "")
    assert files_in(broken.parent) == before


def test_the_messages_are_pairwise_different_and_every_file_is_tested() -> None:
    """No two defects share a message, each file has a test, and the table names each."""
    assert len(set(SAYS.values())) == len(SAYS) >= 40
    assert {file.stem for file in BROKEN.glob("*.toml")} == set(SAYS)
    table = (BROKEN / "README.md").read_text()
    assert [name for name in SAYS if f"| `{name}.toml` |" not in table] == []


@pytest.mark.parametrize("command", ["register", "audit"])
def test_a_case_that_is_not_utf8_is_refused(tmp_path: Path, command: str) -> None:
    """A case file in Latin-1 is refused with the place of the first bad byte."""
    folder = write_case(tmp_path / "case", {})
    (folder / "case.toml").write_bytes('[case]\ntitle = "Café"\n'.encode("latin-1"))
    before = files_in(folder)
    ran = depose(command, folder)
    assert (ran.code, ran.first) == (1, f"error: {folder}/case.toml: not UTF-8 at byte 19")
    assert files_in(folder) == before


@pytest.mark.parametrize(("path", "code", "says"), [("none", 2, "no such case folder"), ("empty", 1, "No such file")])
def test_a_case_that_is_not_there_is_refused(tmp_path: Path, path: str, code: int, says: str) -> None:
    """No folder is a mistake of usage, a folder without a case file one of operation."""
    (tmp_path / "empty").mkdir()
    for command in ("register", "probe", "analyze", "report", "audit"):
        ran = depose(command, tmp_path / path)
        assert ran.code == (1 if path == "empty" else code)
        assert ran.first.startswith("error: ")
    assert says in depose("register", tmp_path / path).first
    assert files_in(tmp_path) == {"empty": None}


@pytest.mark.slow
def test_a_real_process_says_the_same_and_prints_no_traceback(tmp_path: Path) -> None:
    """The installed entry point in a process of its own gives the message on stderr and exit 1."""
    folder = write_case(tmp_path / "case", {})
    ran = finish(start("audit", folder))
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        f"error: {folder}/case.toml: $: missing field 'case'\n  hint: every field, with its values: "
        "docs/reference/files/case.md; "
        "or begin anew: depose init DIR\n"
    )


def test_a_key_in_the_wrong_place_is_never_repeated(tmp_path: Path) -> None:
    """A secret that was written into a case file does not appear in what depose prints."""
    for name in ("key_written_down", "key_for_variable"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "case.toml").write_bytes((BROKEN / f"{name}.toml").read_bytes())
        ran = depose("audit", folder, "--json")
        assert ran.code == 1
        assert "sk-live" not in ran.out + ran.err


@pytest.mark.parametrize("field", ["code", "api_key_env"])
def test_a_line_feed_behind_a_name_is_refused(field: str) -> None:
    """Patterns hold to the very end of a value, where `$` would let a line feed pass."""
    good = [model("S1", "suspect", api_key_env="KEY"), model("R1", "reference")]
    casefile.parse(to_toml(case_of(good)))
    good[0][field] += "\n"
    with pytest.raises(CaseError, match=rf"models\[0\]\.{field}: not "):
        casefile.parse(to_toml(case_of(good)))


def test_any_other_file_name_is_refused_rather_than_its_neighbour_read(tmp_path: Path) -> None:
    """`depose register other.toml` must not register the case.toml that stands beside it."""
    folder = write_case(tmp_path / "case", case_of([model("S1", "suspect"), model("R1", "reference")]))
    (folder / "other.toml").write_text("[case]\n")
    ran = depose("register", folder / "other.toml")
    assert (ran.code, ran.first) == (2, f"error: {folder}/other.toml: a case file is called case.toml")
    assert not (folder / "evidence").exists()
    assert depose("register", folder / "case.toml").code == 0


def test_a_byte_order_mark_is_no_defect(tmp_path: Path) -> None:
    """An editor that puts a byte order mark before the text has not broken the case."""
    folder = write_case(tmp_path / "case", case_of([model("S1", "suspect"), model("R1", "reference")]))
    case = casefile.read(folder)
    file = folder / "case.toml"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert casefile.read(folder) == case


def test_a_copy_of_a_case_lands_in_an_empty_folder_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`new .` fills the empty folder one stands in; a folder that holds anything is left alone."""
    here = tmp_path / "here"
    here.mkdir()
    inode = here.stat().st_ino
    monkeypatch.chdir(here)
    assert depose("new", ".", "--from", "recorded").code == 0
    assert here.stat().st_ino == inode
    assert set(files_in(here)) == {"case.toml", "case.schema.json", "prompts.csv", "answers.jsonl"}
    before = files_in(tmp_path)
    assert depose("new", ".", "--from", "recorded").code == 2
    assert depose("new", here / "case.toml" / "below", "--from", "recorded").code == 2
    assert depose("new", tmp_path / "x", "--from", "nonsense").first == "error: no bundled case 'nonsense'"
    assert files_in(tmp_path) == before


def test_a_broken_case_of_ones_own_is_not_copied(tmp_path: Path) -> None:
    """`new --from FILE` checks the file first and makes no folder of a broken one."""
    ran = depose("new", tmp_path / "x", "--from", BROKEN / "missing_suspect.toml")
    assert ran.code == 1
    assert files_in(tmp_path) == {}


@pytest.mark.parametrize("origin", ["src", "src/case.toml"])
def test_a_copy_takes_along_what_the_case_names(tmp_path: Path, origin: str) -> None:
    """A copy of a case of one's own, by folder or by file, can be registered: its files came with it."""
    models = [model("S1", "suspect"), model("R1", "reference")]
    src = write_case(tmp_path / "src", case_of(models, probes=[], prompts="data/p.csv"))
    ran = depose("new", tmp_path / "early", "--from", tmp_path / origin)
    assert (ran.code, (tmp_path / "early").exists()) == (1, False)
    assert "$.protocol.prompts: 'data/p.csv' is not there" in ran.first
    (src / "data").mkdir()
    (src / "data" / "p.csv").write_text("prompt\nWhy?\n")
    (tmp_path / "into").mkdir()
    for name in ("copy", "into"):
        assert depose("new", tmp_path / name, "--from", tmp_path / origin).code == 0
        assert files_in(tmp_path / name) == files_in(src)
        assert depose("register", tmp_path / name).code == 0
    assert sorted(one.name for one in tmp_path.iterdir()) == ["copy", "into", "src"]


def test_a_model_overrides_the_protocol_and_only_a_live_reference_is_asked_twice() -> None:
    """Settings of a model win over the protocol's; recorded references are looked up once."""
    models = [model("S1", "suspect", temperature=0.0), model("R1", "reference"), model("R2", "reference")]
    models[2] |= {"provider": "transformers", "model": "m"}
    case = casefile.parse(to_toml(case_of(models)))
    assert [setting(one, case.protocol, "temperature") for one in case.models] == [0.0, 0.7, 0.7]
    assert [replicates(one, case.protocol) for one in case.models] == [1, 1, 2]


def test_a_folder_is_asked_for_where_there_is_none(tmp_path: Path) -> None:
    """A case that is not there is a mistake of usage."""
    with pytest.raises(UsageError, match="no such case folder"):
        casefile.folder_of(tmp_path / "none")

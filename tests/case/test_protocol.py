"""Registration: what is frozen, and that nothing can be changed afterwards without a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from depose import pipeline
from depose.case import calibration, casefile
from depose.case.protocol import prompts_of, registration
from depose.errors import CaseError, PluginError, ProtocolChanged
from depose.evidence.log import log_path, read_blob, read_log
from depose.model import Registration
from depose.model.canonical import sha256
from depose.model.random_streams import stream
from fakes import Clock, case_of, depose, files_in, install, model, recorded_case, write_case

MODELS = [model("S1", "suspect"), model("R1", "reference")]


def small(folder: Path, **protocol: Any) -> Path:
    """Write a case of two models without answers."""
    return write_case(folder, case_of(MODELS, **protocol))


def prompts(folder: Path) -> list[tuple[str, str]]:
    """Id and words of every prompt of a case."""
    return [(prompt.id, prompt.text) for prompt in prompts_of(casefile.read(folder), folder)]


@pytest.mark.criterion(28)
def test_each_name_has_a_random_stream_of_its_own() -> None:
    """Streams depend on the seed and on every name, and names do not run into each other."""
    streams: list[tuple[int, tuple[str, ...]]] = [
        (7, ("a",)),
        (8, ("a",)),
        (7, ("b",)),
        (7, ("a", "b")),
        (7, ("ab",)),
        (7, ()),
    ]
    draws = [stream(seed, *names).integers(2**62) for seed, names in streams]
    assert len(set(draws)) == len(streams)
    assert draws[0] == stream(7, "a").integers(2**62)


def test_the_first_record_is_the_whole_protocol(tmp_path: Path) -> None:
    """Record 0 holds case, prompts, digests of files and versions, and its digest is the one that is printed."""
    folder = recorded_case(tmp_path / "case", suspect="same", controls=2, prompts=3)
    done = pipeline.register_case(folder, Clock())
    chained = next(read_log(folder))
    assert (done.digest, done.fresh, done.prompts, done.models) == (chained.digest, True, 3, 4)
    assert chained.digest == sha256(log_path(folder).read_bytes()[:-1])
    assert chained.entry.kind == "protocol"
    frozen = msgspec.convert(chained.entry.body, Registration)
    assert frozen.case == casefile.read(folder)
    assert [prompt.id for prompt in frozen.prompts] == ["q0", "q1", "q2"]
    assert {fact.name: fact.value for fact in frozen.files} == {
        name: sha256((folder / name).read_bytes()) for name in ("prompts.csv", "answers.jsonl")
    }
    assert {"depose", "numpy", "detector phrases", "provider recorded"} <= {fact.name for fact in frozen.software}


def test_registering_again_changes_nothing(tmp_path: Path) -> None:
    """The same protocol registers once; the second time gives the same digest and leaves every byte alone."""
    folder = small(tmp_path / "case")
    first = pipeline.register_case(folder, Clock())
    before = files_in(folder)
    again = pipeline.register_case(folder / "case.toml", Clock())
    assert (again.digest, first.fresh, again.fresh) == (first.digest, True, False)
    assert files_in(folder) == before


def test_the_digest_depends_on_the_case_and_the_clock_alone(tmp_path: Path) -> None:
    """The same case in another folder has the same digest; another seed has another."""
    digests = [
        pipeline.register_case(small(tmp_path / name, seed=seed), Clock()).digest
        for name, seed in (("a", 7), ("b", 7), ("c", 8))
    ]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("change", ["case", "prompts", "answers"])
def test_a_changed_case_is_refused_by_every_command_that_could_ask(tmp_path: Path, change: str) -> None:
    """After registration a changed case file, or a changed file that it names, is ProtocolChanged."""
    folder = recorded_case(tmp_path / "case", suspect="same", controls=2, prompts=3)
    pipeline.register_case(folder, Clock())
    file = folder / {"case": "case.toml", "prompts": "prompts.csv", "answers": "answers.jsonl"}[change]
    changed = file.read_text().replace("made-up models", "other models").replace("number 1", "number one")
    file.write_text(changed)
    before = files_in(folder)
    for ask in (
        lambda: pipeline.register_case(folder, Clock()),
        lambda: pipeline.estimate(folder),
        lambda: pipeline.probe(folder, Clock(), lambda *_: None),
        lambda: pipeline.import_answers(folder, "S1", folder / "answers.jsonl", "", Clock()),
    ):
        with pytest.raises(ProtocolChanged, match="differ"):
            ask()
    assert files_in(folder) == before


def test_a_registration_that_was_killed_can_be_made_again(tmp_path: Path) -> None:
    """A log that holds nothing but the torn start of a first record is registered as if it were not there."""
    folder = small(tmp_path / "case")
    digest = pipeline.register_case(folder, Clock()).digest
    whole = log_path(folder).read_bytes()
    for torn in (b"", whole[:1], whole[:-1]):
        log_path(folder).write_bytes(torn)
        done = pipeline.register_case(folder, Clock())
        assert (done.digest, done.fresh) == (digest, True)
        assert log_path(folder).read_bytes() == whole


@pytest.mark.criterion(59)
def test_the_terms_relied_on_are_stored(tmp_path: Path) -> None:
    """The terms of service are kept as a blob and named among the files."""
    folder = write_case(tmp_path / "case", {**case_of(MODELS), "terms": {"file": "terms.txt"}})
    (folder / "terms.txt").write_bytes(b"You may ask.\xff")
    pipeline.register_case(folder, Clock())
    frozen = msgspec.convert(next(read_log(folder)).entry.body, Registration)
    assert [fact.name for fact in frozen.files] == ["terms.txt"]
    assert read_blob(folder, frozen.files[0].value) == b"You may ask.\xff"


def test_prompts_come_from_families_and_from_a_file(tmp_path: Path) -> None:
    """Drawn prompts come first, then those of the file in its order; the same row again is one prompt."""
    folder = small(tmp_path / "case", probes=["open_howto:2"], prompts="more.csv")
    (folder / "more.csv").write_text("id,prompt\nb,Second?\na,First?\nb,Second?\n")
    found = prompts(folder)
    assert len(found) == 4
    assert found[2:] == [("b", "Second?"), ("a", "First?")]


def test_a_prompt_without_an_id_is_named_by_its_words(tmp_path: Path) -> None:
    """Prompts without ids get the digest of their words, so that order does not matter."""
    folder = small(tmp_path / "case", probes=[], prompts="more.csv")
    (folder / "more.csv").write_text("prompt\nFirst?\nSecond?\nFirst?\n")
    assert prompts(folder) == [(f"p-{sha256(t.encode())[:12]}", t) for t in ("First?", "Second?")]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("id,prompt\na,One?\na,Two?\n", "prompt id 'a' stands for two prompts (row 2)"),
        ("id,prompt\na, \n", "row 1 has no prompt"),
        ("id,prompt\nDRAWN,Mine?\n", "is used twice"),
    ],
)
def test_prompts_that_cannot_be_told_apart_are_refused(tmp_path: Path, table: str, says: str) -> None:
    """An id stands for one text, every prompt has words, and a listed id never hides a drawn one."""
    folder = small(tmp_path / "case", probes=["open_howto:1"])
    drawn = prompts(folder)[0][0]
    folder = small(tmp_path / "case", probes=["open_howto:1"], prompts="more.csv")
    (folder / "more.csv").write_text(table.replace("DRAWN", drawn))
    with pytest.raises(CaseError) as caught:
        registration(casefile.read(folder), folder)
    assert says in caught.value.message


def test_a_broken_plugin_stops_registration_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe that makes too few prompts, or a detector that does not load, is named before anything is written."""
    monkeypatch.syspath_prepend(install(tmp_path / "site"))
    for protocol, says in (
        ({"probes": ["few:3"]}, "probe 'few' did not make 3 prompts"),
        ({"detectors": ["phrases", "raising_import"]}, "no licence found"),
    ):
        folder = small(tmp_path / "case", **protocol)
        with pytest.raises(PluginError, match=says):
            pipeline.register_case(folder, Clock())
        assert depose("audit", folder).code == 1
        assert set(files_in(folder)) == {"case.toml"}


def test_a_file_named_in_full_or_through_a_link_is_refused(tmp_path: Path) -> None:
    """What a case names is stored with it, so that it stands in the folder of the case and nowhere else."""
    (tmp_path / "elsewhere.csv").write_text("id,prompt\na,One?\n")
    with pytest.raises(CaseError, match="is a name in full"):
        casefile.read(small(tmp_path / "case", probes=[], prompts=str(tmp_path / "elsewhere.csv")))
    folder = small(tmp_path / "linked", probes=[], prompts="within/elsewhere.csv")
    (folder / "within").symlink_to(tmp_path)
    with pytest.raises(CaseError, match=r"'within/elsewhere.csv' is a symbolic link, or leads through one"):
        registration(casefile.read(folder), folder)


def test_the_calibration_is_frozen_by_its_digest(tmp_path: Path) -> None:
    """The study that will weigh the scores is named in record 0 before anything is asked."""
    frozen = registration(casefile.read(small(tmp_path / "case", calibration="alpaca_eval")), tmp_path)
    loaded = calibration.load("alpaca_eval", tmp_path)
    assert loaded is not None
    frozen_files = {f.name: f.value for f in frozen.files}
    assert list(frozen_files) == ["calibration alpaca_eval", "error rates alpaca_eval"]
    assert frozen_files["calibration alpaca_eval"] == loaded.sha256

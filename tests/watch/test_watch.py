"""Watching an endpoint: a swap is found within the calls of a day, no swap is not, and all of it is on record."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from math import log10
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depose.errors import EvidenceError
from depose.evidence.log import log_path, read_log
from depose.statistics.evalues import calibrated, e_bh
from depose.watch.days import FOLDER, Day, history
from depose.watch.run import missing
from fakes import Ran, case_of, depose, model, write_case
from swapping import NEVER, Swapping

PROMPTS, SAMPLES = 8, 10


def endpoint(code: str, role: str, url: str, **more: Any) -> dict[str, Any]:
    """Describe a model behind the swapping server."""
    own = {"provider": "openai", "model": "m-1", "base_url": url, "allow_private": True, "attempts": 1}
    return model(code, role, **{**own, **more})


@pytest.fixture(scope="module")
def server() -> Iterator[Swapping]:
    """One server; a test says when it swaps."""
    with Swapping() as running:
        yield running


@pytest.fixture(scope="module")
def asked(server: Swapping, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case whose suspect and reference are one endpoint, asked ten times each."""
    models = [endpoint("S1", "suspect", server.url), endpoint("R1", "reference", server.url)]
    case = case_of(models, probes=[f"open_howto:{PROMPTS}"], samples=SAMPLES, replicates=1)
    folder = write_case(tmp_path_factory.mktemp("watch") / "case", case)
    assert depose("register", folder).code == 0
    assert depose("probe", folder).code == 0
    return folder


@pytest.fixture
def case(asked: Path, server: Swapping, tmp_path: Path) -> Path:
    """A copy of that case, and a server that does not swap."""
    server.after, server.calls, server.failing, server.withheld = NEVER, 0, False, 0
    return Path(shutil.copytree(asked, tmp_path / "case"))


def watched(case: Path, *more: str) -> Ran:
    """Watch the suspect for at most 80 calls."""
    return depose("watch", case, "--model", "S1", "--calls", "80", "--json", *more)


def days(ran: Ran) -> list[dict[str, Any]]:
    """Read what a run printed."""
    found: list[dict[str, Any]] = json.loads(ran.out)
    return found


@pytest.mark.slow
def test_no_swap_is_no_difference_found_with_its_power(case: Path) -> None:
    """An endpoint that stayed as it was is never called the same: the power of the calls is said."""
    ran = depose("watch", case, "--model", "S1", "--calls", "80", "--fail-on", "indication")
    assert ran.code == 0, ran.err
    assert "no difference found" in ran.out
    assert "power at least" in ran.out
    assert "the same" not in ran.out


def test_a_swap_is_found_and_stops_the_asking(case: Path, server: Swapping) -> None:
    """Another model from the first call on is found before the calls are used up; exit 4 where asked for."""
    server.after = 0
    ran = watched(case, "--fail-on", "indication")
    (day,) = days(ran)
    assert ran.code == 4
    assert day["outcome"] == "different"
    assert day["p"] <= 0.01
    assert day["tested"]["rejected_at"] <= day["tested"]["calls"] < 80
    assert server.calls < 80
    assert day["power"] == []


def test_a_swap_in_the_midst_of_a_day_is_found(case: Path, server: Swapping) -> None:
    """A model that is swapped after 20 calls is found within the same day."""
    server.after = 20
    (day,) = days(depose("watch", case, "--model", "S1", "--calls", "160", "--json"))
    assert day["outcome"] == "different"
    assert day["tested"]["rejected_at"] > 20


def test_every_day_is_a_part_of_a_log_of_its_own(case: Path) -> None:
    """Plan, exchanges and finding of each day stand in watch/, and the log of the case stays byte for byte."""
    before = log_path(case).read_bytes()
    first, second = (days(depose("watch", case, "--model", "S1", "--calls", "16", "--json"))[0] for _ in range(2))
    assert log_path(case).read_bytes() == before
    kinds = [one.entry.kind for one in read_log(case / FOLDER)]
    assert kinds[0] == "watch"
    assert (kinds.count("watch"), kinds.count("watched"), kinds.count("exchange")) == (2, 2, 32)
    assert (first["days"], second["days"]) == (1, 2)
    assert [one.model for one in history(case / FOLDER).days] == ["S1", "S1"]
    seeds = {one.entry.body["seed"] for one in read_log(case / FOLDER) if one.entry.kind == "watch"}
    assert len(seeds) == 2


@pytest.mark.slow
def test_days_together_find_what_a_day_does_not(case: Path, server: Swapping) -> None:
    """Days that are too short for a finding add up: the p-value of all of them never rises, and ends below .01."""
    server.after = 0
    small = [
        days(depose("watch", case, "--model", "S1", "--calls", "4", "--alpha", "0.0001", "--json"))[0] for _ in range(6)
    ]
    together = [one["p_all_days"] for one in small]
    assert together == sorted(together, reverse=True)
    assert small[0]["outcome"] != "different"
    assert together[-1] < 0.01
    listed = json.loads(depose("watch", case, "--days", "--json").out)
    assert [one["p"] for one in listed] == [one["p"] for one in small]


@pytest.mark.slow
def test_an_earlier_day_can_be_what_is_kept(case: Path, server: Swapping) -> None:
    """Against the first day after the swap the swapped model shows no difference, while it differs from the case."""
    server.after = 0
    first = days(depose("watch", case, "--model", "S1", "--calls", "80", "--json"))[0]
    assert first["outcome"] == "different"
    again = days(depose("watch", case, "--model", "S1", "--calls", "80", "--since", first["at"][:10], "--json"))[0]
    assert again["outcome"] != "different"
    assert again["since"] == first["at"]


def test_what_is_on_record_is_compared_without_asking(case: Path, server: Swapping) -> None:
    """Suspect and reference of one endpoint show no difference on record, and nothing is asked or written."""
    ran = depose("watch", case, "--recorded", "--model", "S1", "--against", "R1", "--json")
    (day,) = days(ran)
    assert (day["outcome"], day["tested"]["calls"]) == ("no difference found", PROMPTS * SAMPLES)
    assert server.calls == 0
    assert not (case / FOLDER).exists()


def test_two_models_are_adjusted_for_each_other(case: Path, server: Swapping) -> None:
    """Watched together, the smaller p-value counts twice (Holm); beside it stands what e-BH chooses."""
    server.after = 0
    found = days(depose("watch", case, "--calls", "40", "--json"))
    assert [one["model"] for one in found] == ["S1", "R1"]
    least = min(found, key=lambda one: one["p"])
    assert least["p_holm"] == pytest.approx(min(1.0, 2 * least["p"]))
    assert {one["outcome"] for one in found} == {"different"}
    chosen = e_bh([log10(calibrated(one["p"])) for one in found], 0.1)
    assert [place for place, one in enumerate(found) if one["e_bh"]] == [*chosen]


def test_nothing_answered_is_an_operational_error(case: Path, server: Swapping) -> None:
    """An endpoint that refuses every call ends with 1, and no finding is on record."""
    server.failing = True
    ran = watched(case)
    assert ran.code == 1
    assert "nothing was answered" in ran.err
    assert history(case / FOLDER).days == []


def test_answers_without_words_are_said_to_be_that(case: Path, server: Swapping) -> None:
    """Where every answer is withheld, the error says how many came and how they ended, not that there is no reason."""
    server.withheld = 1
    ran = depose("watch", case, "--model", "S1", "--calls", "8")
    assert ran.code == 1
    assert "nothing was answered: 8 answers without words that are compared (ended by stop)" in ran.err


def test_a_changed_case_file_is_not_watched(case: Path, server: Swapping) -> None:
    """Another address in case.toml is not what is asked, so that nothing is; without the file the log tells all."""
    path = case / "case.toml"
    before = path.read_text(encoding="utf-8")
    path.write_text(before.replace('"m-1"', '"m-2"'), encoding="utf-8")
    ran = depose("watch", case, "--model", "S1", "--calls", "8")
    assert (ran.code, server.calls) == (1, 0)
    assert "differs from the registered protocol" in ran.err
    assert "depose amend" in ran.err
    path.unlink()
    assert depose("watch", case, "--model", "S1", "--calls", "8").code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--model", "X9"), "no such model"),
        (("--model", "S1", "--against", "X9"), "no such model"),
        (("--model", "S1", "--since", "2026-01-01"), "was not watched"),
        (("--model", "S1", "--since", "01.12.2026"), "not a date as the log has them"),
        (("--model", "S1", "--since", "2"), "not a date as the log has them"),
        (("--model", "S1", "--since", "2026-13-01"), "not a date as the log has them"),
        (("--alpha", "0.5"), "--alpha"),
        (("--recorded", "--model", "R1", "--against", "R1"), "compared with itself"),
    ],
)
def test_what_cannot_be_watched_is_a_usage_error(case: Path, options: tuple[str, ...], said: str) -> None:
    """Unknown codes, days and levels end with 2, and a next step."""
    ran = depose("watch", case, *options)
    assert ran.code == 2
    assert said in ran.err
    assert "hint:" in ran.err


def test_a_setting_that_differs_is_named(server: Swapping, tmp_path: Path) -> None:
    """Another temperature in the case is said beside the finding, as then -> now."""
    server.after, server.failing = NEVER, False
    models = [
        endpoint("S1", "suspect", server.url, temperature=0.2),
        endpoint("R1", "reference", server.url),
    ]
    folder = write_case(tmp_path / "case", case_of(models, probes=["open_howto:2"], samples=3, replicates=1))
    assert depose("register", folder).code == 0
    assert depose("probe", folder).code == 0
    ran = depose("watch", folder, "--model", "S1", "--against", "R1", "--calls", "2")
    assert "registered setting differs: temperature: 0.7 -> 0.2" in ran.out


def test_a_changed_log_of_watching_is_refused(case: Path) -> None:
    """A line of watch/ that was changed afterwards breaks its chain: exit 3."""
    watched(case)
    path = log_path(case / FOLDER)
    path.write_bytes(path.read_bytes().replace(b'"alpha":0.01', b'"alpha":0.02', 1))
    assert watched(case).code == 3


def test_records_of_days_are_read_back(case: Path) -> None:
    """What was printed is what stands on record."""
    (day,) = days(watched(case))
    (kept,) = history(case / FOLDER).days
    assert isinstance(kept, Day)
    assert (kept.p, kept.asked, kept.tokens) == (day["p"], day["asked"], day["tokens"])
    assert kept.tokens == 14 * 80


@pytest.mark.slow
def test_answers_that_go_missing_are_said_and_no_difference(case: Path, server: Swapping) -> None:
    """A filter that was not there: what is compared is alike, and how many are missing stands beside it."""
    server.withheld = 4
    ran = depose("watch", case, "--model", "S1", "--calls", "80")
    (day,) = history(case / FOLDER).days
    assert (day.outcome, day.failed, day.kept_failed, day.kept_asked) == ("no difference found", 20, 0, 80)
    assert day.p_failed < 1e-5
    assert "no answer to 20 of 80 calls, and to 0 of 80 of those kept" in ran.out


def test_missing_is_uniform_at_most_and_the_same_for_both_sides() -> None:
    """Two-sided, exact: at most alpha where answers go missing alike, and the sides may change places."""
    rng = np.random.default_rng(1)
    found = [missing(int(rng.binomial(60, 0.2)), 60, int(rng.binomial(200, 0.2)), 200) for _ in range(300)]
    assert sum(p <= 0.05 for p in found) <= 27
    assert missing(12, 60, 3, 200) == pytest.approx(missing(3, 200, 12, 60))
    assert missing(30, 60, 0, 200) < 1e-9


def test_a_log_of_watching_is_of_the_case_around_it(case: Path, server: Swapping) -> None:
    """A day that was planned on another log of the case is no day of it, for whoever reads or goes on."""
    server.after = 0
    assert days(watched(case))[0]["outcome"] == "different"
    lines = log_path(case).read_bytes().splitlines(keepends=True)
    log_path(case).write_bytes(b"".join(lines[:-1]))
    before = log_path(case / FOLDER).read_bytes()
    with pytest.raises(EvidenceError, match="the log of the case has no such record"):
        history(case / FOLDER)
    ran = watched(case)
    assert (ran.code, "is of another case" in ran.err) == (3, True)
    assert log_path(case / FOLDER).read_bytes() == before

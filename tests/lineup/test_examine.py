"""Findings of the line-up: what follows from ranks, tier, order and checks, and what degrades an opinion."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from scipy.stats import binom, kstest

import line_ups
from depose.evidence import ledger
from depose.evidence.log import read_blob
from depose.lineup import acts
from depose.lineup.e_process import log10_e
from depose.lineup.examine import examine, left_open
from depose.lineup.opened import OpenedLineup
from depose.lineup.opinion import LineupGrounds, decide
from depose.lineup.rank_test import rank_sum
from depose.lineup.reading import opened_lineup
from depose.model import Fact
from depose.model.lineup import DiagnosticResult
from depose.model.lineup_findings import LineupFinding
from depose.model.lineup_plan import LineupLimits


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> OpenedLineup:
    """A line-up of 120 bags whose suspect learnt from the deliveries."""
    return _opened(line_ups.opened(tmp_path_factory.mktemp("learnt")))


def _opened(folder: Path) -> OpenedLineup:
    entries = ledger.entries(folder)
    found, case = entries.lineup, entries.registration.case
    assert found is not None
    return opened_lineup(case, acts.plan_of(case, folder), found, lambda name: read_blob(folder, name))


def checked(*failing: str) -> Any:
    """Return diagnostics in which those named fail."""

    def diagnose(opened: OpenedLineup, suspect: str) -> tuple[DiagnosticResult, ...]:
        return tuple(
            DiagnosticResult(name=f"D{n}", title="t", limit="l", seen="s", passed=f"D{n}" not in failing)
            for n in range(1, 8)
        )

    return diagnose


def of(
    opened: OpenedLineup, *failing: str, asked_at: str = "2026-05-01T00:00:00Z", alpha: float = 0.05
) -> LineupFinding:
    """Examine the first suspect."""
    return examine(opened, alpha, 7, asked_at, checked(*failing))[0]


def changed(opened: OpenedLineup, **entry: Any) -> OpenedLineup:
    """Change every entry of the key."""
    entries = tuple(msgspec.structs.replace(one, **entry) for one in opened.entries)
    return replace(opened, key=msgspec.structs.replace(opened.key, entries=entries))


def planned(opened: OpenedLineup, **plan: Any) -> OpenedLineup:
    """Change what was registered."""
    return replace(opened, plan=msgspec.structs.replace(opened.plan, **plan))


def test_a_suspect_that_learnt(learnt: OpenedLineup) -> None:
    """Learning shows in p, picks beyond the band, the ratio, the interval, and the opinion."""
    found = of(learnt)
    assert found.opinion.verdict == "indication"
    assert found.log10_p < -10
    assert found.picks > found.band[1]
    assert found.low > 0.6
    assert found.gamma > 2
    assert found.log10_e > 6
    assert found.capped_log10_e == pytest.approx(2.477, abs=1e-3)  # no coin was registered: kept, at most 300
    assert of(replace(learnt, coin=True)).capped_log10_e == 3
    assert found.ladder[-1].log10_e == found.log10_e
    assert (found.bags, found.standing, sum(found.histogram)) == (120, "confirmatory", 120)
    assert found.expected_histogram == (30, 30, 30, 30)


def test_band_is_that_of_the_binomial(learnt: OpenedLineup) -> None:
    """The picks that chance gives in 95 of 100 tests are the quantiles of the binomial where all bags are alike."""
    assert of(learnt).band == tuple(np.asarray(binom.ppf([0.025, 0.975], 120, 0.25)).astype(int))


def test_p_is_uniform_when_keys_are_drawn_anew(learnt: OpenedLineup) -> None:
    """One scored table under 120 random keys: p uniform, an e-process of 20 or more in at most one run in twenty."""
    rng = np.random.default_rng(5)
    ps, es = [], []
    scores = learnt.tables["S1"].scores  # an order by these is the same in every run; bags lie as a salt has it
    kept = [place for place, one in enumerate(learnt.entries) if one.group == "accused"]
    kept.sort(key=lambda place: sorted(scores[place]))
    tables = {
        code: msgspec.structs.replace(table, scores=tuple(table.scores[place] for place in kept))
        for code, table in learnt.tables.items()
    }
    small = replace(learnt, bags=tuple(learnt.bags[place] for place in kept), tables=tables)
    for _ in range(120):
        entries = []
        for place in kept:
            one = learnt.entries[place]
            received = np.zeros(len(one.copies), dtype=int)
            received[np.argsort(scores[place])[rng.integers(len(received))]] = 1
            entries.append(msgspec.structs.replace(one, received=tuple(received.tolist())))
        drawn = replace(small, key=msgspec.structs.replace(learnt.key, entries=tuple(entries)))
        bags = drawn.ranked(drawn.scores("S1", "R1"), drawn.of_group("accused"))
        assert bags is not None
        ps.append(10 ** rank_sum(bags).log10_p)
        es.append(float(log10_e(bags).max()))
    assert kstest(ps, "uniform").pvalue > 0.01
    assert np.mean(np.array(es) >= np.log10(20)) <= 0.05


def test_order_of_members_changes_nothing(learnt: OpenedLineup) -> None:
    """Members in reverse, with their scores and key, give the same finding."""
    bags = tuple(msgspec.structs.replace(one, members=one.members[::-1]) for one in learnt.bags)
    entries = tuple(
        msgspec.structs.replace(one, copies=one.copies[::-1], received=one.received[::-1], times=one.times[::-1])
        for one in learnt.entries
    )
    tables = {
        code: msgspec.structs.replace(table, scores=tuple(row[::-1] for row in table.scores))
        for code, table in learnt.tables.items()
    }
    key = msgspec.structs.replace(learnt.key, entries=entries)
    assert of(replace(learnt, bags=bags, key=key, tables=tables)) == of(learnt)


def test_an_innocent_suspect_is_no_indication(tmp_path: Path) -> None:
    """Without learning p is not small; at enough power the opinion says so, and below it that there are too few."""
    opened = _opened(line_ups.opened(tmp_path, effect=0.0))
    assert of(opened).log10_p > -2
    assert of(opened).opinion == of(planned(opened, share=0.3)).opinion
    assert of(planned(opened, share=0.3)).opinion.reasons == ("few",)
    assert of(planned(opened, share=1.0)).opinion.verdict == "no indication"


def test_fewer_than_registered_is_inconclusive(learnt: OpenedLineup) -> None:
    """Fewer line-ups than registered in which scores differ: `few`, however small p is."""
    found = of(planned(learnt, limits=LineupLimits(bags=121, required=())))
    assert (found.opinion.verdict, found.opinion.reasons) == ("inconclusive", ("few",))


def test_a_changed_or_unknown_model_is_indicative(learnt: OpenedLineup) -> None:
    """Decoys of another state of the reference, or of one that nobody noted: indicative, and inconclusive."""
    for entry in ({"tier": "drifted"}, {"snapshot": ""}):
        found = of(changed(learnt, **entry))
        assert (found.standing, found.opinion.verdict) == ("indicative", "inconclusive")
        assert found.opinion.reasons == ("tier",)


def test_decoys_after_the_first_question(learnt: OpenedLineup) -> None:
    """Decoys drawn after the suspect was first asked are resampled ones: `decoys`, where the tier says more."""
    found = of(changed(learnt, drawn_at="2026-05-01T00:00:01Z"))
    assert found.opinion.reasons == ("decoys",)
    assert of(changed(learnt, drawn_at="2026-05-01T00:00:01Z", tier="resampled")).opinion.verdict == "indication"


def test_a_failed_check_makes_p_not_valid(learnt: OpenedLineup) -> None:
    """Each of D1 to D7, failed, makes p not valid here and the opinion inconclusive."""
    for n in range(1, 8):
        found = of(learnt, f"D{n}")
        assert (found.valid, found.opinion.verdict, found.opinion.reasons) == (False, "inconclusive", ("diagnostics",))
    assert found.log10_p == of(learnt).log10_p


def test_accounts_chosen_by_the_suspect(learnt: OpenedLineup) -> None:
    """Accounts that were chosen by answers of the suspect make the test circular."""
    assert of(planned(learnt, chosen_with="suspect")).opinion.reasons == ("circular",)


def test_controls_that_drift_as_far_as_the_effect(tmp_path: Path) -> None:
    """Controls that prefer the delivered answers as the suspect does leave the effect open: `drift`."""
    opened = _opened(line_ups.opened(tmp_path, effect=0.8, control=2.0))
    open_ = left_open(opened, "S1")
    assert open_ is not None
    assert open_ > 0.1
    assert of(opened).opinion.reasons == ("drift",)


def test_without_controls_nothing_bounds_drift(learnt: OpenedLineup) -> None:
    """No control, no comparable account, nothing after the cut-off: no bound."""
    bare = planned(changed(learnt, group="accused"), controls=())
    assert left_open(bare, "S1") is None
    assert of(bare).log10_p_drift is None


def test_deliveries_after_the_cut_off_are_controls(learnt: OpenedLineup) -> None:
    """What was delivered after the suspect's training ended is not tested, and bounds drift."""
    cut = planned(learnt, cutoff="2026-03-14")
    found = of(cut)
    assert 0 < found.bags < 120
    assert found.drift is not None


def test_accounts_by_themselves(learnt: OpenedLineup) -> None:
    """With several accounts each has an e-value, and e-BH names those whose deliveries were learnt."""
    entries = tuple(
        msgspec.structs.replace(one, accounts=("A1" if place % 2 else "A2",)) if one.group == "accused" else one
        for place, one in enumerate(learnt.entries)
    )
    split = replace(learnt, key=msgspec.structs.replace(learnt.key, entries=entries))
    assert [(one.account, one.named) for one in of(split).by_account] == [("A1", True), ("A2", True)]


def test_several_suspects_are_adjusted(learnt: OpenedLineup) -> None:
    """Holm: of two suspects the smaller p doubles."""
    both = replace(learnt, suspects=("S1", "C1"))
    first, second = examine(both, 0.05, 7, "", checked())
    assert first.log10_p_holm == pytest.approx(first.log10_p + np.log10(2), abs=1e-8)
    assert second.log10_p_holm >= second.log10_p


def test_bounds_and_power_are_those_of_the_adjusted_test(learnt: OpenedLineup) -> None:
    """Of two suspects the first is held to half of alpha: so are its Gamma, its tipping drift and its power."""
    both = replace(planned(learnt, share=0.2), suspects=("S1", "C1"))
    first, second = examine(both, 0.05, 7, "", checked())
    at_half, at_whole = (of(replace(both, suspects=("S1",)), alpha=alpha) for alpha in (0.025, 0.05))
    assert (first.gamma, first.tipping, first.power) == (at_half.gamma, at_half.tipping, at_half.power)
    assert first.gamma < at_whole.gamma and first.tipping < at_whole.tipping and first.power < at_whole.power
    assert second.power == at_whole.power


def test_the_table_of_opinions_is_total() -> None:
    """Whatever the grounds are, there is an opinion; no decoys at all is `decoys`."""
    grounds = LineupGrounds(
        tier="randomised", snapshot_known=True, decoys=0, late_decoys=False, chosen_with="logs", informative=500,
        log10_p=-9.0, log10_alpha=-1.3, area=0.8, drift=None, power=0.9, diagnostics=(), limits=LineupLimits(),
    )  # fmt: skip
    assert decide(grounds).reasons == ("decoys",)
    assert decide(replace(grounds, decoys=9)).verdict == "indication"
    assert decide(replace(grounds, decoys=9, log10_p=-1.0)).verdict == "no indication"
    assert decide(replace(grounds, decoys=9, tier="resampled")).reasons == ("diagnostics",)


def test_power_counts_the_line_ups_that_tell(learnt: OpenedLineup) -> None:
    """A suspect that rates nine of ten bags alike has the power of the tenth: its silence on them shows nothing."""
    rows = tuple(row if n % 10 == 0 else (0.0,) * len(row) for n, row in enumerate(learnt.tables["S1"].scores))
    tables = dict(learnt.tables) | {"S1": msgspec.structs.replace(learnt.tables["S1"], scores=rows)}
    few = of(replace(learnt, tables=tables, minus=None))
    whole = of(replace(learnt, minus=None))
    assert whole.informative == whole.bags > 10 * few.informative - 10
    assert few.power < whole.power
    assert "few" in few.opinion.reasons


def test_one_control_under_several_codes_counts_once(learnt: OpenedLineup) -> None:
    """By its weights, though another device moved its scores in the last digits; the suspect's own are none either."""
    other = learnt.tables["C1"]
    near = tuple(tuple(one * (1 + 1e-12) for one in row) for row in other.scores)
    far = tuple(tuple(one + 1.0 for one in row) for row in other.scores)
    mine = learnt.tables["S1"]
    tables = dict(learnt.tables) | {
        "C2": msgspec.structs.replace(other, scores=near),
        "C3": msgspec.structs.replace(other, scores=far, facts=(Fact(name="weights a", value="1"),)),
        "C4": msgspec.structs.replace(other, facts=(Fact(name="weights b", value="2"),)),
        "C5": msgspec.structs.replace(mine, scores=tuple(tuple(one * 2 for one in row) for row in mine.scores)),
    }
    plan = msgspec.structs.replace(learnt.plan, controls=("C1", "C2", "C3", "C4", "C5"))
    assert replace(learnt, plan=plan, tables=tables).older() == ("C1", "C3")

"""Groups of accounts: each tested by itself, Holm over all of them and all suspects, and none accused for another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec import UNSET, UnsetType
from scipy.stats import binom

import line_ups
from depose import pipeline
from depose.case import casefile
from depose.case.annexes import Annex
from depose.cli.console import lineup_lines
from depose.errors import CaseError, EvidenceError, UsageError
from depose.evidence import ledger
from depose.evidence.changes import changes as changes_between
from depose.evidence.log import Log
from depose.evidence.records import Amendment
from depose.lineup.examine import examine, values_of
from depose.lineup.family import holm, levels
from depose.lineup.foresight import foreseen
from depose.lineup.opened import OpenedLineup
from depose.model.lineup import Bag, Context, DiagnosticResult, LineupKey, Opened, ScoreTable
from depose.model.lineup_findings import GroupFinding, LineupFinding
from depose.model.lineup_plan import LineupLimits
from depose.readiness.line_up import prepared
from depose.registering import frozen_case
from depose.report import machine_readable
from depose.report.render import Setting, render_html, render_pdf
from depose.report.typography import exact_p

GROUPS = 10
EACH = 24
CODES = tuple(f"A{n}" for n in range(GROUPS))


def made(
    rng: np.random.Generator,
    learnt: Sequence[str] = (),
    *,
    suspects: Sequence[str] = ("S1",),
    drifted: str = "",
    codes: Sequence[str] = CODES,
    each: int = EACH,
) -> OpenedLineup:
    """Line up so many answers of each account; suspects prefer those of `learnt`, everybody those of `drifted`."""
    bags, entries, places = [], [], []
    for code in codes:
        for n in range(each):
            name = f"{code}-{n}"
            context = Context(messages=line_ups.one_prompt(name))
            bags.append(Bag(bag=name, context=context, members=tuple(f"{name} {m}" for m in range(4))))
            place = int(rng.integers(4))
            entries.append(
                Opened(
                    bag=name,
                    copies=(1,) * 4,
                    received=tuple(int(m == place) for m in range(4)),
                    times=tuple(int(m == place) for m in range(4)),
                    group="accused",
                    tier="kept",
                    delivered_at="2026-03-01T00:00:00Z",
                    accounts=(code,),
                    snapshot="r-1",
                    drawn_at="2026-03-01T00:00:00Z",
                )
            )
            places.append((code, place))

    def table(model: str) -> ScoreTable:
        rows = []
        for code, place in places:
            row = rng.normal(size=4)
            row[place] += 1.5 * (model in suspects and code in learnt) + 1.5 * (code == drifted)
            rows.append(tuple(row.tolist()))
        return ScoreTable(model=model, statistic="corpus", bags="b", facts=(), scores=tuple(rows))

    plan = msgspec.structs.replace(
        line_ups.plan(tier="kept", statistic="corpus", limits=LineupLimits(bags=20, required=()), share=1.0),
        accounts=tuple(codes),
        groups={f"g{code}": (code,) for code in codes},
    )
    key = LineupKey(format="f", salt="00" * 32, bags="b", entries=tuple(entries))
    return OpenedLineup(
        plan=plan,
        suspects=tuple(suspects),
        reference="R1",
        bags=tuple(bags),
        key=key,
        tables={code: table(code) for code in suspects},
    )


def unchecked(opened: OpenedLineup, suspect: str) -> tuple[DiagnosticResult, ...]:
    """Make no check."""
    return ()


def found_of(opened: OpenedLineup) -> list[LineupFinding]:
    """Examine without checks."""
    return examine(opened, 0.05, 7, "", unchecked)


def of(found: LineupFinding) -> dict[str, GroupFinding]:
    """Return what was found of each group."""
    assert not isinstance(found.groups, UnsetType)
    return {one.group: one for one in found.groups}


def test_p_of_each_group_is_adjusted_over_all_suspects_and_groups() -> None:
    """Two suspects, ten groups: Holm over 22 tests, which a second reckoning by hand gives too; so does the opinion."""
    found = found_of(made(np.random.default_rng(1), ["A3"], suspects=("S1", "S2")))
    rows: list[Any] = [line for one in found for line in (one, *of(one).values())]
    tests, adjusted = [line.log10_p for line in rows], [line.log10_p_holm for line in rows]
    assert len(tests) == 2 * (1 + GROUPS)
    by_hand = holm(tests)
    place = int(np.argmin(tests))
    assert adjusted[place] == pytest.approx(min(tests) + np.log10(22), abs=1e-8)
    groups = [n for n in range(22) if n % 11]
    assert [adjusted[n] for n in groups] == pytest.approx([by_hand[n] for n in groups], abs=1e-8)
    for one in found:
        for line in of(one).values():
            assert (line.opinion.verdict == "indication") == (line.log10_p_holm <= np.log10(0.05))


def test_the_level_holds_over_ten_groups() -> None:
    """300 null tables of ten groups: any of the 11 tests at .05 in one of twenty; `make lineup-study` has 2,000."""
    rng = np.random.default_rng(3)
    any_adjusted = any_alone = 0
    for _ in range(300):
        values = [value or 0.0 for value in values_of(made(rng, each=8)).values()]
        any_adjusted += min(holm(values)) <= np.log10(0.05)
        any_alone += min(values) <= np.log10(0.05)
    assert any_adjusted <= binom.ppf(0.999, 300, 0.05)
    assert any_alone > 75


def test_the_group_that_was_learnt_is_found_and_no_other() -> None:
    """One of ten: a suspect that learnt one group's answers is an indication there, and so of the accounts."""
    rng, others = np.random.default_rng(4), 0
    for _ in range(20):
        values = values_of(made(rng, ["A7"], each=20))
        called = dict(zip(values, holm([value or 0.0 for value in values.values()]), strict=True))
        names = {one.group for one in called if called[one] <= np.log10(0.05)}
        assert "gA7" in names
        others += bool(names - {"gA7", ""})
    assert others <= binom.ppf(0.999, 20, 0.05)
    (found,) = found_of(made(rng, ["A7"]))
    assert [name for name, one in of(found).items() if one.opinion.verdict == "indication"] == ["gA7"]
    assert [name for name, one in of(found).items() if one.named] == ["gA7"]
    assert found.opinion.verdict == "indication"
    assert found.log10_p_holm <= of(found)["gA7"].log10_p_holm


def test_what_holm_does_not_reject_is_held_to_the_level_at_which_it_stopped() -> None:
    """A group's level is the largest p that would be rejected beside the others, not one that grows with its own p."""
    rng = np.random.default_rng(20)
    for count in (1, 2, 5, 22):
        for _ in range(20):
            values = np.log10(rng.uniform(size=count) ** rng.choice([1, 4])).tolist()
            adjusted, held = holm(values), levels(values, 0.05)
            for place, level in enumerate(held):
                if adjusted[place] > np.log10(0.05):
                    for p, reached in ((level * 0.999, True), (level * 1.001, False)):
                        other = [np.log10(p) if n == place else one for n, one in enumerate(values)]
                        assert (holm(other)[place] <= np.log10(0.05)) == reached
                else:
                    assert values[place] <= np.log10(level)


def test_no_indication_of_a_group_needs_power_at_the_level_of_all_tests() -> None:
    """Ten groups of 150 line-ups that learnt nothing: the level of 11 tests leaves a power of .5, whatever p is."""
    one = made(np.random.default_rng(22), each=150)
    one = replace(one, plan=msgspec.structs.replace(one.plan, share=0.3))
    (found,) = found_of(one)
    assert {line.opinion.verdict for line in of(found).values()} == {"inconclusive"}
    assert {line.opinion.reasons for line in of(found).values()} == {("few",)}
    assert max(line.power for line in of(found).values()) < 0.6


def beside_a_large_group(checked: Any = unchecked, drift: float | None = None) -> LineupFinding:
    """Examine 40 line-ups that were learnt beside 600 that rank low, so that all together show nothing."""
    rng = np.random.default_rng(23)
    small, large = made(rng, ["A0"], codes=("A0",), each=40), made(rng, codes=("A1",), each=600)
    low = tuple(
        tuple(score - 0.3 * had for score, had in zip(row, entry.received, strict=True))
        for row, entry in zip(large.tables["S1"].scores, large.entries, strict=True)
    )
    table = small.tables["S1"]
    both = replace(
        small,
        plan=msgspec.structs.replace(
            small.plan, accounts=("A0", "A1"), groups={"small": ("A0",), "large": ("A1",)}, cutoff="2026-04-01"
        ),
        bags=(*small.bags, *large.bags),
        key=msgspec.structs.replace(small.key, entries=(*small.entries, *large.entries)),
        tables={"S1": msgspec.structs.replace(table, scores=(*table.scores, *low))},
    )
    if drift is not None:
        control = rng.normal(size=(640, 4))
        scores = tuple(map(tuple, control.tolist()))
        both = replace(both, tables={**both.tables, "C1": msgspec.structs.replace(table, model="C1", scores=scores)})
        both = replace(both, plan=msgspec.structs.replace(both.plan, controls=("C1",)))
    (found,) = examine(both, 0.05, 7, "", checked)
    return found


@pytest.mark.parametrize("drift", [None, 0.0])
def test_what_rests_on_a_group_is_bounded_by_the_drift_of_that_group(drift: float | None) -> None:
    """An indication of 40 line-ups is one of the accounts, though all 640 have an area below one half."""
    found = beside_a_large_group(drift=drift)
    assert found.area < 0.5
    assert of(found)["small"].opinion.verdict == "indication"
    assert found.opinion.verdict == "indication"
    assert found.log10_p_holm == of(found)["small"].log10_p_holm


def test_what_rests_on_a_group_stands_no_better_than_that_group() -> None:
    """Checks that could be made of all line-ups and not of the group's leave the opinion indicative only."""

    def checked(opened: OpenedLineup, suspect: str) -> tuple[DiagnosticResult, ...]:
        large = len(opened.entries) > 100
        return tuple(
            DiagnosticResult(name=name, title="t", limit="l", seen="s", passed=large or None)
            for name in ("D1", "D2", "D3")
        )

    found = beside_a_large_group(checked)
    assert [(line.group, line.standing) for line in of(found).values()] == [
        ("large", "confirmatory"),
        ("small", "indicative"),
    ]
    assert (found.opinion.verdict, found.standing) == ("indication", "indicative")


def test_a_check_that_fails_of_all_accounts_stops_their_opinion_whatever_a_group_shows() -> None:
    """The group is an indication, the accounts are not, and keep the p of their own test."""

    def checked(opened: OpenedLineup, suspect: str) -> tuple[DiagnosticResult, ...]:
        whole = len(opened.entries) == 640
        return (DiagnosticResult(name="D2", title="t", limit="l", seen="s", passed=not whole),)

    found = beside_a_large_group(checked)
    assert of(found)["small"].opinion.verdict == "indication"
    assert (found.opinion.verdict, found.opinion.reasons) == ("inconclusive", ("diagnostics",))
    assert found.log10_p_holm > -0.1


def test_order_of_groups_accounts_and_suspects_changes_nothing() -> None:
    """Groups registered, and suspects named, in another order give the same findings."""
    one = made(np.random.default_rng(5), ["A2"], suspects=("S1", "S2"))
    assert not isinstance(one.plan.groups, UnsetType)
    plan = msgspec.structs.replace(
        one.plan, groups=dict(reversed(one.plan.groups.items())), accounts=one.plan.accounts[::-1]
    )
    first, second = found_of(one)
    again = found_of(replace(one, plan=plan, suspects=("S2", "S1")))
    for mine, theirs in zip(again, (second, first), strict=True):
        assert msgspec.structs.replace(mine, accounts=theirs.accounts) == theirs


def test_without_groups_all_is_as_it_was() -> None:
    """A case that registers none is tested as before: Holm over the suspects alone, and no table of groups."""
    one = made(np.random.default_rng(6), ["A2"], suspects=("S1", "S2"))
    bare = replace(one, plan=msgspec.structs.replace(one.plan, groups=UNSET))
    found = found_of(bare)
    assert all(each.groups is UNSET for each in found)
    assert [each.log10_p_holm for each in found] == pytest.approx(holm([each.log10_p for each in found]), abs=1e-9)


def test_a_group_is_not_accused_for_what_another_group_received() -> None:
    """Bags whose draws went to accounts of two groups count for neither: the key does not say which went to whom."""
    one = made(np.random.default_rng(7), ["A0"], codes=("A0", "A1"), each=40)
    entries = []
    for n, entry in enumerate(one.entries):
        if entry.accounts == ("A0",) and n % 2:  # a second draw of the same request went to the other account
            other = entry.received.index(0)
            received = tuple(int(had or m == other) for m, had in enumerate(entry.received))
            entry = msgspec.structs.replace(entry, accounts=("A0", "A1"), received=received, times=received)
        entries.append(entry)
    (found,) = found_of(replace(one, key=msgspec.structs.replace(one.key, entries=tuple(entries))))
    assert (found.bags, of(found)["gA0"].bags, of(found)["gA1"].bags) == (80, 20, 40)
    assert of(found)["gA1"].opinion.verdict != "indication"
    assert {line.account: line.bags for line in found.by_account} == {"A0": 20, "A1": 40}


def test_a_group_without_line_ups_is_inconclusive_and_counts() -> None:
    """What was registered and then had nothing to test is `few`; the others pay for it all the same."""
    one = made(np.random.default_rng(8), ["A0"], codes=("A0", "A1", "A2"))
    kept = [n for n, entry in enumerate(one.entries) if entry.accounts != ("A2",)]
    less = replace(
        one,
        bags=tuple(one.bags[n] for n in kept),
        key=msgspec.structs.replace(one.key, entries=tuple(one.entries[n] for n in kept)),
        tables={
            code: msgspec.structs.replace(table, scores=tuple(table.scores[n] for n in kept))
            for code, table in one.tables.items()
        },
    )
    (found,) = found_of(less)
    empty = of(found)["gA2"]
    assert (empty.bags, empty.opinion.verdict, empty.opinion.reasons) == (0, "inconclusive", ("few",))
    best = min(found.log10_p, of(found)["gA0"].log10_p)
    assert found.log10_p_holm == pytest.approx(best + np.log10(4), abs=1e-8)


def test_a_check_that_fails_in_one_group_stops_that_group() -> None:
    """Decoys of one group that anybody can tell: its p is not valid, e-BH does not name it, the others stand."""

    def checked(opened: OpenedLineup, suspect: str) -> tuple[DiagnosticResult, ...]:
        only = {code for one in opened.entries for code in one.accounts} == {"A1"}
        return (DiagnosticResult(name="D2", title="t", limit="l", seen="s", passed=not only),)

    one = made(np.random.default_rng(9), ["A0"], codes=("A0", "A1", "A2"), drifted="A1", each=40)
    (found,) = examine(one, 0.05, 7, "", checked)
    groups = of(found)
    assert groups["gA1"].log10_p < -5
    assert (groups["gA1"].valid, groups["gA1"].named, groups["gA1"].opinion.verdict) == (False, False, "inconclusive")
    assert groups["gA0"].opinion.verdict == "indication"


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ("{{}}", "groups: names no group"),
        ('{{ north = ["A1", "A2"] }}', "groups: north is the only group"),
        ('{{ north = ["A1", "A1"], south = ["A2"] }}', "groups.north: 'A1' stands in it twice"),
        ('{{ north = ["A1"], south = ["A3"] }}', "groups.south: 'A3' is none of"),
        ('{{ north = ["A1", "A2"], south = ["A2"] }}', "groups.south: 'A2' stands in north too"),
        ('{{ north = ["A1"], south = [] }}', r"groups.south: Expected a list of length >= 1 \(line"),
        ('{{ north = ["A1"], south = "A2" }}', "groups.south: Expected a list, got text"),
        ('{{ north = ["A1"], south = ["A2", 3] }}', r"groups.south\[1\]: Expected text"),
        ('{{ north = ["A1"], south = ["A1"] }}', "groups.south: 'A1' stands in north too"),
        ('{{ south = ["A2"], "no rth" = ["A1"] }}', "groups: the name 'no rth' is not a code: a letter"),
    ],
)
def test_groups_part_the_accounts(tmp_path: Path, groups: str, said: str) -> None:
    """Every account in question is in exactly one of several groups, or the case is no case."""
    text = line_ups.CASE.replace('matched = ["B1"]', f'matched = ["B1"]\ngroups = {groups}')
    with pytest.raises(CaseError, match=said):
        casefile.read(line_ups.case(tmp_path / "case", text=text))


GROUPED = line_ups.CASE.replace('matched = ["B1"]', 'matched = ["B1"]\ngroups = {{ north = ["A1"], south = ["A2"] }}')


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('groups = { north = ["A1"], south = ["A2"] }', 'groups = { best = ["A2"], rest = ["A1"] }'),
        ('matched = ["B1"]', 'matched = ["B1"]\nshare = 1.0'),
        ("bags = 20", "bags = 1"),
        ("seed = 7", "seed = 7\nalpha = 0.2"),
    ],
)
def test_nothing_is_analysed_under_a_protocol_amended_with_the_key_in_view(tmp_path: Path, old: str, new: str) -> None:
    """Groups, limits or alpha that were changed once the key was open are no test, whether or not one was recorded."""
    folder = line_ups.opened(tmp_path, limits="bags = 20", text=GROUPED)
    now = line_ups.clock_after(folder)
    file = folder / "case.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(UsageError, match="the key of its line-up is open"):
        pipeline.amend(folder, "it shows more so", now)
    assert ledger.entries(folder).amendments == ()
    frozen = frozen_case(casefile.read(folder), folder)
    changes = changes_between(ledger.entries(folder).written, frozen)
    with Log(folder, now) as log:  # as whoever writes the log by another tool
        log.append("amendment", Amendment(reason="it shows more so", changes=changes, scored=True, registration=frozen))
    with pytest.raises(EvidenceError, match="amended after the bags were built, and the key is open"):
        pipeline.analyze_case(folder, lambda line: None, now)
    assert not (folder / "out" / "findings.json").exists()


def test_report_and_machines_say_the_groups(tmp_path: Path) -> None:
    """From the case to report, JSON and bundle: each group with p as it is adjusted; `verify` finds the same."""
    folder = line_ups.opened(tmp_path, limits="bags = 20", text=GROUPED)
    pipeline.analyze_case(folder, lambda line: None, line_ups.clock_after(folder))
    findings = pipeline.read_findings(folder)[1]
    assert not isinstance(findings.lineup, UnsetType)
    (found,) = findings.lineup.findings
    assert [(one.group, one.bags) for one in of(found).values()] == [("north", 120), ("south", 0)]
    page = render_html(findings).decode()
    assert "The registered groups of accounts" in page
    assert "Groups of accounts that are an indication by themselves, of 2: north." in page
    assert "of groups: north" in render_html(findings, Setting(flavour="compliance")).decode()
    assert b'"group": "south"' in machine_readable.summary(findings, Annex())


def test_pages_say_where_an_indication_is_that_of_a_group_alone(tmp_path: Path) -> None:
    """All accounts together show nothing: no page says that the suspect prefers what they received, or words of E."""
    folder = line_ups.opened(tmp_path, limits="bags = 20", text=GROUPED)
    pipeline.analyze_case(folder, lambda line: None, line_ups.clock_after(folder))
    findings = pipeline.read_findings(folder)[1]
    assert not isinstance(findings.lineup, UnsetType)
    rests = msgspec.structs.replace(beside_a_large_group(), exhibits=())
    assert rests.gamma == 1
    lineup = msgspec.structs.replace(findings.lineup, findings=(rests,))
    findings = msgspec.structs.replace(findings, lineup=lineup)
    page = " ".join(render_html(findings).decode().split())
    assert "Over all accounts together nothing is shown" in page
    assert "The suspect puts the very answers" not in page
    assert "of a group alone, whose p this is" in page
    assert "No words follow here, since the opinion rests on a group" in page
    assert "of a group alone" in render_html(findings, Setting(flavour="compliance")).decode()
    assert f"{exact_p(rests.log10_p_holm)} (group small)" in lineup_lines(findings)[1]


def test_many_groups_leave_the_summary_on_two_pages(tmp_path: Path) -> None:
    """Of two hundred groups that are an indication the pages name some, and say how many more; the JSON has all."""
    folder = line_ups.opened(tmp_path, limits="bags = 20", text=GROUPED)
    pipeline.analyze_case(folder, lambda line: None, line_ups.clock_after(folder))
    findings = pipeline.read_findings(folder)[1]
    assert not isinstance(findings.lineup, UnsetType)
    (found,) = findings.lineup.findings
    north = of(found)["north"]
    many = tuple(msgspec.structs.replace(north, group=f"cluster-{n}") for n in range(200))
    lineup = msgspec.structs.replace(findings.lineup, findings=(msgspec.structs.replace(found, groups=many),))
    findings = msgspec.structs.replace(findings, lineup=lineup)
    assert "and 192 more" in render_html(findings).decode()
    assert "and 194 more" in render_html(findings, Setting(flavour="compliance")).decode()
    assert render_pdf(findings, Setting(flavour="compliance")).pages == 2


def test_check_and_build_foresee_groups_that_are_too_small(tmp_path: Path) -> None:
    """`check` counts line-ups for the level of all tests; a build says which group has too few."""
    plain = casefile.read(line_ups.case(tmp_path / "plain"))
    case = casefile.read(line_ups.case(tmp_path / "grouped", text=GROUPED))
    few, more = (next(one.said for one in prepared(each) if "with power" in one.said) for each in (plain, case))
    assert int(few.split()[0]) < int(more.split()[0])
    assert "of each group" in more
    assert not isinstance(case.lineup, UnsetType)
    delivered, decoys = line_ups.rows(30)
    built = line_ups.of_rows(delivered, decoys)
    plan: Any = msgspec.structs.replace(case.lineup, limits=LineupLimits(bags=20, required=()))
    told = " ".join(foreseen(plan, built.entries, built.bags))
    assert "0 line-ups can be tested of the group south alone, fewer than the 20 registered" in told
    assert "north" not in told

"""The grounds of opinions as printed: each requirement with its number, bold where it is not met."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from depose.analysis.opinion import decide
from depose.model import Findings
from depose.report.grounds import NOT_KNOWN, tables, unmet
from depose.report.render import render_html
from grounds import GOOD
from reports import calibrated, ratio

CHANGES: list[dict[str, Any]] = [
    {},
    {"quality": False},
    {"refusals": 0.21},
    {"k_eff": 18},
    {"k_eff": 20, "k_needed": 39},
    {"era": False},
    {"p": 0.051},
    {"p_length_matched": 0.06},
    {"p_layout_matched": None},
    {"in_range": False},
    {"lr_unrelated_low": None},
    {"lr_unrelated_low": 1.0},
    {"lr_alternative_low": None},
    {"candidate_closer": True},
    {"rivals_left": ("X1",)},
    {"suspect_first": True},
    {"question": "same", "files": "different"},
    {"question": "derived", "shared_base": True},
]


def stated(**changes: Any) -> Findings:
    """A case with one finding that has these grounds."""
    findings = calibrated(questions=("distilled",))
    grounds = msgspec.structs.replace(GOOD, **changes)
    one = msgspec.structs.replace(findings.findings[0], floor=0.04, grounds=grounds, opinion=decide(grounds))
    return msgspec.structs.replace(findings, findings=(one,))


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_all_are_met_if_and_only_if_the_opinion_is_an_indication(changes: dict[str, Any]) -> None:
    """One requirement not met, whichever, takes an indication away, and nothing else does."""
    grounds = msgspec.structs.replace(GOOD, **changes)
    (table,) = tables(stated(**changes))
    met = [row.cells[0].met for row in table.rows[:-1]]
    assert all(met) == (decide(grounds).verdict == "indication")
    assert met.count(False) == bool(changes)


@pytest.mark.parametrize(("power", "verdict"), [(0.79, "inconclusive"), (0.8, "no indication"), (None, "inconclusive")])
def test_power_counts_where_p_is_above_alpha(power: float | None, verdict: str) -> None:
    """The last row decides on no indication; with a small p the rule does not ask for it."""
    (table,) = tables(stated(p=0.5, power=power))
    assert table.opinions == (verdict,)
    assert table.rows[-1].cells[0].met is (verdict == "no indication")
    assert tables(stated(power=power))[0].rows[-1].cells[0].met is None


def test_the_report_prints_the_numbers_and_marks_what_is_not_met() -> None:
    """The page has the number of controls and the missing ratio, in bold where the rule was not met."""
    page = render_html(stated(k_eff=18, lr_unrelated_low=None)).decode()
    rows = re.search(r'id="grounds".*?</table>', page, flags=re.DOTALL)
    assert rows
    assert "<b>18, needs 19</b>" in rows[0]
    assert f"<b>{NOT_KNOWN}</b>" in rows[0]
    assert "<b>2.00</b>" not in rows[0] and ">2.00<" in rows[0]


def test_our_own_words_need_no_font_but_our_own() -> None:
    """A sign that only a font of East Asia has cost a first report 17 MB of reading."""
    page = render_html(stated(k_eff=19)).decode()
    assert "19, needs 19" in page
    assert "Noto" not in page.partition("</style>")[0]


def test_a_ratio_that_no_part_of_the_report_gives_is_not_in_its_grounds() -> None:
    """Where a ratio is withheld, for files or refusals, the table of requirements prints none either."""
    given = stated(p=0.05, question="same", files="different", lr_unrelated_low=7.52)
    silent = tuple(ratio(one.against, None) for one in given.findings[0].ratios)
    finding = msgspec.structs.replace(given.findings[0], ratios=silent)
    held = msgspec.structs.replace(given, findings=(finding,))
    for found, shown in ((given, "7.52"), (held, "not reported")):
        seen = {row.what: row.cells[0] for row in tables(found)[0].rows}
        cell = seen["ratio against an unrelated model, end nearer 1: above 1"]
        assert (cell.seen, cell.met) == (shown, True)


def test_a_finding_without_a_score_has_no_row() -> None:
    """Nothing is printed as met or not met where nothing was scored, nor of findings from before grounds were kept."""
    assert tables(stated(p=None)) == []
    assert tables(calibrated(questions=("distilled",))) == []


@pytest.mark.parametrize(
    ("changes", "further"),
    [
        ({}, ()),
        ({"era": False, "p_length_matched": 0.06, "p_layout_matched": 0.06}, ("length", "layout")),
        ({"quality": False, "in_range": False, "lr_unrelated_low": None}, ("range",)),
        ({"k_eff": 18, "lr_unrelated_low": 0.9}, ("lr_spans_one",)),
        ({"k_eff": 18, "p": 0.3, "power": 0.5, "p_length_matched": 0.5}, ("power",)),
        ({"k_eff": 18, "p": 0.3}, ()),
        ({"p": 0.3, "power": 0.5}, ()),
        ({"p": None, "p_length_matched": None}, ()),
        ({"p_length_matched": 0.06}, ()),
        ({"candidate_closer": True}, ()),
    ],
)
def test_what_an_earlier_step_hides_is_named_besides(changes: dict[str, Any], further: tuple[str, ...]) -> None:
    """Whoever mends the reasons of an opinion learns at once what would be next, and nothing that was said already."""
    assert unmet(stated(**changes).findings[0]) == further

"""Attacks by whoever signs on what a suspect said in a line-up that was asked: its answers, and the questions.

Chains, trees, seals and tokens agree: what refuses them is that each answer is read again from its raw bytes, and each
question follows from the bags.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import line_ups
from attacks_on_line_ups import concluded, forged
from authority import Authority
from depose.cli.options import now
from depose.custody.stamp import Source, stamp
from depose.lineup import acts
from depose.lineup.scorers import score_model
from faults import Server
from tampering import Attacks, Records, Target

ON_ASKED_LINE_UPS = Attacks()


def sealed_asked_line_up(folder: Path) -> Target:
    """Take a line-up whose suspect goes on from the members to a sealed bundle; its server ends with this."""
    folder.mkdir(parents=True)
    authority = Authority(folder / "tsa")
    with authority.serve() as url, Server(continues=True) as server, pytest.MonkeyPatch.context() as patch:
        source = Source(url=url, roots=authority.roots.read_bytes())
        case, key = line_ups.built(folder, server, patch, statistic="continuation", at=now)
        stamp(case, source, now)
        score_model(case, "S1", now, lambda done, total: None)
        stamp(case, source, now, acts.seal_scores(case, now).record)
        acts.open_key(case, key, now)
        return concluded(folder, case, source, authority)


def _said(records: Records, nth: int = 0) -> dict[str, Any]:
    return [one for one in records if one["kind"] == "lineup_answer"][nth]["body"]  # type: ignore[no-any-return]


def _changed(name: str, says: str, **change: Any) -> None:
    def act(records: Records, work: Path) -> None:
        _said(records).update(change)

    forged(ON_ASKED_LINE_UPS, name, says)(act)


_OTHER = "an answer that is not the one in its raw bytes"
_changed("an answer reworded after it came", _OTHER, text=" river stone lamp")
_changed("an answer said to be empty", _OTHER, outcome="empty", text="")
_changed("an answer said to have been cut", _OTHER, status="cut_length", finish="length")
_changed("an answer said to have failed", "recorded as failed", outcome="failed", text="", status=None)
_changed("an answer without what went over the network", "without what went over the network", wire=None)
_changed("a question that no bag asks", "that this question was about to be sent", prompt="0" * 20 + ".0")


@forged(ON_ASKED_LINE_UPS, "an answer to another beginning", "does not ask the registered question as registered")
def _exchanged(records: Records, work: Path) -> None:
    """The words that came after one member stand as what came after another, raw bytes and all."""
    one, other = _said(records, 0), _said(records, 1)
    for name in ("text", "request", "response", "wire", "finish", "started", "ended"):
        one[name], other[name] = other[name], one[name]


@forged(ON_ASKED_LINE_UPS, "an answer of before the registration", "which fits neither the registration")
def _early(records: Records, work: Path) -> None:
    _said(records).update(started="2001-01-01T00:00:00.000000Z", ended="2001-01-01T00:00:01.000000Z")

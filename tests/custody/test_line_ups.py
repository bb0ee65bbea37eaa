"""A sealed line-up: it verifies as it is, and every attack on the order of its acts is refused with its message."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from attacks_on_line_ups import ON_LINE_UPS, sealed_line_up
from depose.custody.verify import verify
from tampering import Attack, Target, met, seen_by, unpack


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A sealed line-up."""
    return sealed_line_up(tmp_path_factory.mktemp("line-ups") / "target")


def test_the_untouched_bundle_verifies(target: Target, tmp_path: Path) -> None:
    """The findings follow from the acts, to the byte; the commands of VERIFY.md see nothing wrong."""
    done = verify(target.bundle, public_key=target.public, roots=target.authority.roots.read_bytes())
    said = "\n".join(done.checks)
    assert "the acts of the line-up of 40 bags, in order: lineup_bags, lineup_key, lineup_scores" in said
    assert "computed again from the log, to the byte" in said
    assert said.count("time-stamp of record") == 3
    assert any("the scores of S1 in the line-up" in one for one in done.not_verified)
    assert list(seen_by(unpack(target, tmp_path / "bundle"), target)) == []


QUICK = 2
"""Attacks that every run of the suite carries out; the others take a minute, and `make tamper` prints them all."""


@pytest.mark.parametrize(
    "one",
    [pytest.param(one, marks=[pytest.mark.slow] * (place >= QUICK)) for place, one in enumerate(ON_LINE_UPS)],
    ids=lambda one: one.name,
)
def test_every_attack_is_refused_with_its_message(one: Attack, target: Target, tmp_path: Path) -> None:
    """However well it is chained, signed and stamped."""
    message = met(one, target, tmp_path)
    assert re.search(re.escape(one.says), message), message

"""A sealed line-up: it verifies as it is, and every attack on the order of its acts is refused with its message."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from attacks_on_asked_line_ups import ON_ASKED_LINE_UPS, sealed_asked_line_up
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


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A sealed line-up whose suspect was asked."""
    return sealed_asked_line_up(tmp_path_factory.mktemp("asked") / "target")


@pytest.mark.slow
def test_every_answer_of_a_line_up_is_read_again(asked: Target, tmp_path: Path) -> None:
    """As answers of the protocol are: none is left on its signer's word."""
    done = verify(asked.bundle, public_key=asked.public, roots=asked.authority.roots.read_bytes())
    said = "\n".join(done.checks)
    assert "96 exchanges: request and answer follow from the registered question and the raw bytes" in said
    assert not any("answers to contexts" in one for one in done.not_verified)
    assert list(seen_by(unpack(asked, tmp_path / "bundle"), asked)) == []


@pytest.mark.slow
@pytest.mark.parametrize("one", ON_ASKED_LINE_UPS, ids=lambda one: one.name)
def test_every_attack_on_what_was_asked_is_refused(one: Attack, asked: Target, tmp_path: Path) -> None:
    """Words, questions and dates of a line-up's answers."""
    message = met(one, asked, tmp_path)
    assert re.search(re.escape(one.says), message), message

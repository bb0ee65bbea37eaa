"""What a sealed comparison of weights says of itself is checked by whoever has no weights."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from attacks_on_weights import ON_WEIGHTS, sealed_weights
from depose.custody.bundle import Asked, opened
from depose.custody.verify import verify
from depose.custody.weights_follow import weights_follow
from depose.errors import EvidenceError
from depose.model import Fact, WeightsHeld
from tampering import Attack, Target, met


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A sealed comparison of strangers' weights."""
    return sealed_weights(tmp_path_factory.mktemp("weights") / "target")


def test_an_honest_comparison_follows(target: Target) -> None:
    """Layers, tests, result and reading agree."""
    done = verify(target.bundle, public_key=target.public, recompute=False)
    assert "1 comparisons of weights: of models of the case, once each, results follow from layers" in done.checks


@pytest.mark.parametrize(
    "one",
    [pytest.param(one, marks=[pytest.mark.slow] * (place > 0)) for place, one in enumerate(ON_WEIGHTS)],
    ids=lambda one: one.name,
)
def test_every_attack_is_refused_with_its_message(one: Attack, target: Target, tmp_path: Path) -> None:
    """However well it is chained, signed and stamped."""
    message = met(one, target, tmp_path)
    assert re.search(re.escape(one.says), message), message


def test_the_weights_are_those_that_answered(target: Target) -> None:
    """A file that was compared and is another one than that of its name whose model answered is found."""
    with opened(target.bundle, b"") as read:
        frozen = read.entries.registration
        case = msgspec.structs.replace(frozen.case, weights=WeightsHeld())
        entries = msgspec.structs.replace(read.entries, registration=msgspec.structs.replace(frozen, case=case))
        name, digest = next(iter(read.weighed[0][1].suspect_files.items()))
        first = next(one for one in read.asked if one.exchange.model == "S1")
        for value, refused in ((digest, False), ("0" * 64, True)):
            answered = (Fact(name=f"weights {name}", value=value),)
            asked: tuple[Asked, ...] = (first._replace(described=answered),)
            seen = read._replace(entries=entries, asked=asked)
            if refused:
                with pytest.raises(EvidenceError, match=f"{name} of S1 is not the file whose model answered"):
                    weights_follow(seen)
            else:
                weights_follow(seen)

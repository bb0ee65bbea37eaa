"""Every trap that others lay for whoever runs depose is refused, with its message and without harm."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from attacks_in_disguise import IN_DISGUISE
from attacks_on_askers import ON_ASKERS
from attacks_on_batches import ON_BATCHES
from attacks_on_caches import ON_CACHES
from attacks_on_loaders import ON_LOADERS
from attacks_on_logs import ON_LOGS
from attacks_on_models import ON_MODELS
from attacks_on_networks import ON_NETWORKS
from attacks_on_packs import ON_PACKS
from attacks_on_readers import ON_READERS
from attacks_on_spreadsheets import ON_SPREADSHEETS
from attacks_on_throws import ON_THROWS
from attacks_on_watches import ON_WATCHES
from tampering import Target, sealed_case
from traps import Trap, sprung

TRAPS = (
    *ON_ASKERS,
    *IN_DISGUISE,
    *ON_CACHES,
    *ON_BATCHES,
    *ON_LOADERS,
    *ON_LOGS,
    *ON_MODELS,
    *ON_PACKS,
    *ON_READERS,
    *ON_SPREADSHEETS,
    *ON_NETWORKS,
    *ON_THROWS,
    *ON_WATCHES,
)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A sealed bundle."""
    return sealed_case(tmp_path_factory.mktemp("traps") / "target")


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(one, id=one.name, marks=pytest.mark.slow if one.slow or number % 2 else ())
        for number, one in enumerate(TRAPS)
    ],
)
def test_every_trap_is_refused_with_its_message(one: Trap, target: Target, tmp_path: Path) -> None:
    """Nothing private is read into evidence, changed or sent, and nothing takes long."""
    assert sprung(one, target, tmp_path / "trap")


def test_each_kind_has_traps_under_different_names() -> None:
    """Names are the traps' own, and each kind has at least three."""
    assert len({one.name for one in TRAPS}) == len(TRAPS) >= 100
    assert min(Counter(one.kind for one in TRAPS).values()) >= 3

"""Comparisons of weights that a batch keeps: made once for the same files, and believed only with their user's mark."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import weight_changes as changes
from depose.batch.matrix import Weighed
from depose.batch.weighed import weighed
from depose.errors import EndpointError
from depose.weights.compare import Named

CONFIG, BASE = changes.initialised(1, num_hidden_layers=1)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Named, Named]:
    """A relative and its reference on disk."""
    one, other = (
        Named(name=name, path=changes.save(tmp_path / name, CONFIG, tensors))
        for name, tensors in (("S1", changes.noisy(BASE, 9)), ("R1", BASE))
    )
    return one, other


def run(pair: tuple[Named, Named], folder: Path) -> tuple[list[Weighed], list[str]]:
    """Weigh one pair, and say which comparisons were made."""
    said: list[str] = []
    return list(weighed([pair], folder / "kept", said.append)), said


def test_the_same_files_are_compared_once(pair: tuple[Named, Named], tmp_path: Path) -> None:
    """A second run makes no comparison and says the same; a changed file is compared again."""
    first, made = run(pair, tmp_path)
    again, then = run(pair, tmp_path)
    assert made == ["weights of S1 and R1"]
    assert then == []
    assert again == first
    assert first[0].reading == "not independent"
    shutil.rmtree(pair[0].path)
    changes.save(pair[0].path, CONFIG, changes.initialised(2, num_hidden_layers=1)[1])
    other, made = run(pair, tmp_path)
    assert made == ["weights of S1 and R1"]
    assert other[0].reading == "nothing against independence"


def test_what_somebody_else_put_there_is_not_believed(pair: tuple[Named, Named], tmp_path: Path) -> None:
    """A kept comparison that was changed, cut or taken from another pair is made again, with what it was."""
    first, _ = run(pair, tmp_path)
    (kept,) = (tmp_path / "kept").iterdir()
    whole = kept.read_bytes()
    for data in (whole.replace(b"not independent", b"nothing against independence"), whole[:20], b"", whole[32:]):
        kept.write_bytes(data)
        found, made = run(pair, tmp_path)
        assert made == ["weights of S1 and R1"]
        assert found == first
        assert kept.read_bytes() == whole
    turned = (pair[1], pair[0])
    run(turned, tmp_path)
    (other,) = {*(tmp_path / "kept").iterdir()} - {kept}
    kept.write_bytes(other.read_bytes())
    assert run(pair, tmp_path) == (first, ["weights of S1 and R1"])


def test_weights_that_are_gone_are_an_error_though_they_were_compared(
    pair: tuple[Named, Named], tmp_path: Path
) -> None:
    """What is kept says nothing of files that nobody can look at any longer."""
    run(pair, tmp_path)
    shutil.rmtree(pair[1].path)
    with pytest.raises(EndpointError, match="no weights there"):
        run(pair, tmp_path)

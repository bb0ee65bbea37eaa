"""Whatever stands in a folder of weights that somebody else made, it is read or refused with a DeposeError."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import weight_changes as changes
from depose.weights.layout import layout
from depose.weights.stores import open_weights
from fuzzing import as_json, broken, changed, example_folder, examples, hold

CONFIG, TENSORS = changes.initialised(0, num_hidden_layers=1)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model in two shards."""
    return changes.save(tmp_path_factory.mktemp("whole") / "model", CONFIG, TENSORS, shards=2)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors.index.json", "model-00001-of-00002.safetensors"])
@examples(15, 4_000)
@given(data=st.data())
def test_a_changed_model_is_read_or_refused(name: str, model: Path, data: st.DataObject) -> None:
    """Its configuration, its index, and the head of a file of tensors."""
    whole = (model / name).read_bytes()
    if name.endswith(".json"):
        made = as_json(changed(data, json.loads(whole))) if data.draw(st.booleans()) else data.draw(broken(whole))
    else:
        size = 8 + int.from_bytes(whole[:8], "little")
        head = changed(data, json.loads(whole[8:size])) if data.draw(st.booleans()) else None
        new = data.draw(broken(whole[:size])) if head is None else _framed(as_json(head))
        made = new + whole[size:]
    with example_folder() as folder:
        shutil.copytree(model, folder, dirs_exist_ok=True)
        (folder / name).write_bytes(made)
        hold(lambda: _laid_out(folder))


def _framed(head: bytes) -> bytes:
    return len(head).to_bytes(8, "little") + head


def _laid_out(path: Path) -> None:
    with open_weights(path) as store:
        layout(store, "the model")
        for name in sorted(store.shapes)[:3]:
            store.read(name)


@examples(3, 250)
@given(data=st.data())
def test_a_changed_gguf_is_read_or_refused(data: st.DataObject) -> None:
    """In its head, where all that is believed stands."""
    with example_folder() as folder:
        path = changes.save_gguf(folder / "model.gguf", CONFIG, TENSORS)
        whole = path.read_bytes()
        path.write_bytes(data.draw(broken(whole[:2_000])) + whole[2_000:])
        hold(lambda: _laid_out(path))

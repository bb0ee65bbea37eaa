"""A small model of random weights with a tokenizer of its own, as a stranger sends one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, pre_tokenizers

import weight_changes as changes


def stranger(folder: Path, *, lacks: str = "", **parts: Any) -> Path:
    """Write it, without tensors whose names hold `lacks`; each part of the tokenizer is what the library calls so."""
    config, tensors = changes.initialised(0, num_hidden_layers=1, vocab_size=16)
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()
    changes.save(folder, config, {name: one for name, one in tensors.items() if not lacks or lacks not in name})
    words = Tokenizer(models.WordLevel({"?": 0, **{f"w{n}": n for n in range(1, 16)}}, unk_token="?"))  # noqa: S106
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    for part, value in parts.items():
        setattr(words, part, value)
    words.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
    return folder

"""Identity: how often each model names a maker or model as itself, or speaks as an AI language model.

Methods survey, section 4, F10 and F11. Names count only in sentences in the first person, and not where the prompt has
them. Worth: nothing for an opinion, in which it has weight zero: the name that a model gives itself is learnt from its
tuning data and from a web full of other models' answers, and a system prompt changes it; so it is reported,
and `casefile` refuses it as a primary detector.

Validation (alpaca_eval dev split, 390 prompts, clean controls by rule; AUC within reference, documented / all
negatives; 78 and 15 true pairs, 601 and 713 others; no interval): distilled .561 / .536, derived .764 / .766:
about the teacher a name is hardly better than a guess.
"""

from __future__ import annotations

import re

import numpy as np

from depose.detectors import Profile
from depose.features import SENTENCE_END, Bag, Features

# fmt: off
NAMES = (
    "openai", "chatgpt", "gpt", "anthropic", "claude", "google", "bard", "gemini", "gemma", "deepmind", "llama",
    "vicuna", "mistral", "mixtral", "alibaba", "qwen", "tongyi", "deepseek", "baidu", "ernie", "microsoft",
    "cohere", "databricks", "openassistant", "xai", "grok", "nvidia", "nemotron", "zhipu", "chatglm", "baichuan",
    "moonshot", "kimi", "internlm", "huggingface", "zephyr", "perplexity", "amazon", "lmsys", "tencent", "hunyuan",
    "bytedance", "doubao", "minimax",
)
# fmt: on
"""Names that are ordinary words besides (palm, meta, falcon, alpaca) are left out."""
PHRASES = {
    "as an ai language model": r"as an ai language model",
    "as an ai": r"as an ai\b(?! language)",
    "as a language model": r"as a (?:large )?language model",
    "i am an ai": r"i(?:['’]m| am) (?:just |only )?an? (?:ai|artificial intelligence|(?:large )?language model)",
    "trained by": r"(?:trained|developed|created|made|built) by\b",
    "knowledge cutoff": r"(?:knowledge|training)(?: data)? (?:cut[- ]?off|(?:only )?goes up to|extends to)",
}
THINGS = (*NAMES, *PHRASES)
PERSON = re.compile(r"\b(?:i|i['’]m|my|me|myself)\b|\bas an? (?:ai|language|large)", re.IGNORECASE)
PATTERNS = (
    *(re.compile(rf"(?<!\w){re.escape(name)}(?:[- ]?\d[\w.]*)?(?!\w)", re.IGNORECASE) for name in NAMES),
    *(re.compile(pattern, re.IGNORECASE) for pattern in PHRASES.values()),
)
ANY = re.compile("|".join(pattern.pattern for pattern in PATTERNS), re.IGNORECASE)


def _found(text: str, prompt: str) -> list[int]:
    """Say which things an answer says of itself."""
    said = " ".join(one for one in SENTENCE_END.split(text) if PERSON.search(one) and ANY.search(one))
    return [place for place, one in enumerate(PATTERNS) if said and one.search(said) and not one.search(prompt)]


def identity(bag: Bag, features: Features) -> Profile:
    """Count the answers in which a model names each maker, model or phrase of self-identification as its own."""
    counts = np.zeros((len(bag.prompts), len(bag.models), len(THINGS)), np.float32)
    totals = np.zeros(counts.shape[:2], np.float32)
    for p, (prompt, members) in enumerate(zip(bag.prompts, bag.answers, strict=True)):
        for m, samples in enumerate(members):
            totals[p, m] = len(THINGS) * len(samples)
            for text in samples:
                counts[p, m, _found(text, prompt.text)] += 1
    return Profile(detector="identity", counts=counts, totals=totals)

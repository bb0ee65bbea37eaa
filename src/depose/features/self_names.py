"""Sentences in which a model says who it is: found, and taken out of what detectors compare.

The name that a model gives itself is learnt from tuning data and from a web full of other models' answers, and a system
prompt changes it. It never moves an opinion (design.md, rule 4), so no detector may see it but the one that reports it.
"""

from __future__ import annotations

import re

from depose.features.words import sentence_ends

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
PERSON = re.compile(
    r"\b(?:i|my|me|myself)\b|\bas an? (?:ai|language|large)|我|本模型|私|わたし|저는|나는|제가|\b(?:я|меня|мне)\b|أنا"
)
LETTERS = r"\u3005-\u30ff\u3400-\u9fff\uac00-\ud7a3"
"""Characters of East Asia, whose particles stand right beside a name."""
WORD = rf"(?![{LETTERS}])\w"
"""A character that would make a name part of another word."""
PATTERNS = (
    *(re.compile(rf"(?<!{WORD}){re.escape(name)}(?:[- ]?\d[\w.]*)?(?!{WORD})", re.IGNORECASE) for name in NAMES),
    *(re.compile(pattern, re.IGNORECASE) for pattern in PHRASES.values()),
)
ANY = re.compile("|".join(pattern.pattern for pattern in PATTERNS))
"""Both are for text in lower case."""


def names_itself(sentence: str) -> bool:
    """Tell whether a sentence speaks of the speaker and names a maker, a model or the making of one."""
    lower = sentence.lower()
    return PERSON.search(lower) is not None and ANY.search(lower) is not None


def without_names(text: str) -> str:
    """Leave out the sentences and lines in which a model names itself; a text without any is returned as it is."""
    if PERSON.search(text.lower()) is None:
        return text
    kept, start = [], 0
    for end in sentence_ends(text):
        if not names_itself(text[start:end]):
            kept.append(text[start:end])
        start = end
    return "".join(kept)

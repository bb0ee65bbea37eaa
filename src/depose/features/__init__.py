"""Answers to tokens, n-grams, sentence vectors and fuzzy ratios, and the cache and devices that make them fast."""

from depose.features.refusal_words import is_refusal as is_refusal

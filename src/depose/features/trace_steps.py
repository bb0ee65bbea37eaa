"""Steps of reasoning: what a model says to itself, how it marks its steps, and in which order it takes them.

A step is a sentence or a line. Self-talk are the words by which a model speaks to itself (wait, hmm, let me check);
marks are numbers, bullets, headings and words of order (first, next, finally). The kind of a step is the first of KINDS
whose words it holds. In English, German, French, Spanish and Chinese; reasoning in another language has marks alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from depose.features.words import sentence_ends

LONGEST = 8_000
"""Characters of a trace that are looked at."""
HEAD = 200
"""Characters of a step that are searched for its kind."""

HAN = re.compile("[\u3400-\u9fff]")


def _words(text: str) -> re.Pattern[str]:
    """Make a pattern of alternatives, whole words where the script has them."""
    spelt = [re.escape(one.strip()).replace(r"\ ", r"\s") for one in text.split("|")]
    return re.compile("|".join(one if HAN.search(one) else rf"\b{one}\b" for one in spelt), re.IGNORECASE)


SELF_TALK: Mapping[str, re.Pattern[str]] = {
    "wait": _words("wait|hold on|halt|moment mal|attends|attendez|espera|un momento|等等|等一下"),
    "hmm": _words("hm|hmm|hmmm|uh|um|ähm|euh|嗯|呃"),
    "okay": _words("ok|okay|alright|all right|right|gut|bon|d'accord|vale|bueno|好的|好吧"),
    "actually": _words("actually|in fact|eigentlich|en fait|en realidad|其实|实际上"),
    "let me": _words("let me|lass mich|laissez-moi|laisse-moi|déjame|让我"),
    "let us": _words("let's|let us|lasst uns|betrachten wir|voyons|considérons|veamos|consideremos|我们来|让我们"),
    "I need": _words(
        "i need to|i should|i must|i have to|ich muss|ich sollte|je dois|il faut|debo|tengo que|我需要|我应该"
    ),
    "we need": _words("we need to|we have to|we should|we must|wir müssen|nous devons|tenemos que|我们需要|我们应该"),
    "the user": _words("the user|der nutzer|die nutzerin|l'utilisateur|el usuario|用户"),
    "alternatively": _words(
        "alternatively|another way|on the other hand|andererseits|sinon|por otro lado|或者|另一方面"
    ),
    "I think": _words(
        "i think|i guess|i believe|i recall|i remember|ich glaube|ich denke|je pense|creo que|我想|我觉得|我记得"
    ),
    "check": _words(
        "double-check|double check|let me check|sanity check|nachprüfen|vérifions|comprobemos|检查一下|验证一下"
    ),
    "confusing": _words("confusing|tricky|not sure|unclear|unsicher|verwirrend|pas sûr|confuso|no estoy seguro|不确定"),
    "make sense": _words("makes sense|make sense|ergibt sinn|a du sens|tiene sentido|有道理|说得通"),
}
"""By name: what a model says to itself."""

KINDS: Mapping[str, re.Pattern[str]] = {
    "d": _words("wait|hmm|but|however|actually|mistake|wrong|aber|falsch|mais|erreur|pero|sin embargo|但是|不对|错"),
    "v": _words(
        "check|verify|confirm|make sure|prüfen|überprüfen|vérifier|vérifions|comprobar|verificar|检查|验证|确认"
    ),
    "a": _words("alternatively|another way|or maybe|oder|ou bien|quizás|otra forma|或者|另一种"),
    "e": _words(
        "therefore|thus|hence|in conclusion|final answer|the answer|also ist|daher|deshalb|donc|ainsi"
        "|por lo tanto|así que|因此|所以|答案"
    ),
    "r": _words(
        "the user|the question|the problem|we are given|given that|asks|asked|die frage|die aufgabe|la question"
        "|le problème|la pregunta|el problema|用户|题目|问题"
    ),
    "p": _words(
        "first|let me|let's|i need to|we need to|i should|plan|step|zuerst|zunächst|d'abord|primero|vamos a"
        "|首先|让我|我们需要"
    ),
}
"""Letters of kinds of steps: doubt, verification, alternative, conclusion, restating, plan."""
COMPUTES = re.compile(r"\d\s?[-+*/×÷=<>^]\s?\(?\d|=\s?\d")
"""A step of arithmetic or algebra: `c`. Any other step is `o`."""

MARKS: Mapping[str, re.Pattern[str]] = {
    "number": re.compile(r"\s*\(?\d{1,3}[.)、]"),
    "bullet": re.compile(r"\s*[-*•–]\s"),
    "heading": re.compile(r"\s*(?:#{1,6}\s|\*\*[^*\n]{1,60}\*\*:?\s*$)"),
    "step": re.compile(
        r"\s*\W{0,3}(?:step|schritt|étape|paso|步骤|第[一二三四五六七八九十\d]+步)\s?\d{0,3}", re.IGNORECASE
    ),
    "first": re.compile(r"\s*(?:first(?:ly)?|zuerst|zunächst|d'abord|primero|首先)\b", re.IGNORECASE),
    "next": re.compile(
        r"\s*(?:next|then|now|second(?:ly)?|dann|nun|ensuite|puis|luego|después|然后|接下来|其次)\b", re.IGNORECASE
    ),
    "last": re.compile(r"\s*(?:finally|lastly|schließlich|zuletzt|enfin|finalmente|por último|最后)", re.IGNORECASE),
    "so": re.compile(r"\s*(?:so|therefore|thus|also|donc|así|entonces|所以|因此)\b", re.IGNORECASE),
}
"""By name: how a step begins."""


class Step(NamedTuple):
    """One step, where it stands, and its kind."""

    start: int
    end: int
    kind: str


def steps(trace: str) -> tuple[Step, ...]:
    """Part a trace into its steps; none of an empty one."""
    text = trace[:LONGEST]
    return tuple(Step(start, end, _kind(text[start : min(end, start + HEAD)])) for start, end in _parts(text))


def order(trace: str) -> str:
    """Spell the kinds of the steps, in their order; runs of one kind count once, and steps of no kind not at all."""
    kinds = [one.kind for one in steps(trace) if one.kind != "o"]
    return "".join(kind for place, kind in enumerate(kinds) if place == 0 or kinds[place - 1] != kind)


def self_talk(trace: str) -> Counter[str]:
    """Count what a model says to itself, by name."""
    return Counter({name: many for name, one in SELF_TALK.items() if (many := len(one.findall(trace[:LONGEST])))})


def marks(trace: str) -> Counter[str]:
    """Count how steps begin, by name."""
    found: Counter[str] = Counter()
    text = trace[:LONGEST]
    for start, end in _parts(text):
        head = text[start : min(end, start + HEAD)]
        found.update(name for name, one in MARKS.items() if one.match(head))
    return found


def places(trace: str) -> tuple[tuple[int, int], ...]:
    """Say where self-talk and marks stand, in order and without overlap."""
    text = trace[:LONGEST]
    spans = [found.span() for one in SELF_TALK.values() for found in one.finditer(text)]
    for start, end in _parts(text):
        head = text[start : min(end, start + HEAD)]
        for one in MARKS.values():
            if found := one.match(head):
                spans.append((start + len(head) - len(head.lstrip()), start + found.end()))
    kept: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if low < high and (not kept or low >= kept[-1][1]):
            kept.append((low, high))
    return tuple(kept)


def _parts(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the steps stand."""
    start = 0
    for end in sentence_ends(text):
        if text[start:end].strip():
            yield start, end
        start = end


def _kind(text: str) -> str:
    named = next((kind for kind, one in KINDS.items() if one.search(text)), "")
    return named or ("c" if COMPUTES.search(text) else "o")

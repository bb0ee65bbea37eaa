"""Answers without what is said whatever is asked: what two strangers share whose hosts dress them alike.

A greeting, a signature, labels (`Step 1:`, `Answer:`), tags, the prompt said back, a sentence for declining: one
habit, and a detector that compares prompt by prompt counts it once for each of them. Two strangers behind one
template came out as closer than any two controls. So it is with what a host makes
of each prompt, its keywords or tags, and with one of many notices below it: no habit shows in these, but they are
words of the prompt in another order, or come again word for word below another. Here all this is taken out, from every
member of a bag by the same rule, so that a result can be asked to stand without it. Lengths of runs and shares were set
on strangers in disguise, and never fitted. Long passages that two models share on one prompt stay: they are what a
copy looks like, and without them a third of the true pairs of one population were lost (docs/controls.md).
"""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from sys import intern

from depose.features.extract import Bag
from depose.features.words import found_tokens
from depose.model import Record

LONGEST = 3
"""Words of the longest run that is looked for."""
SHARE = 0.2
"""Of a member's answers: what stands in as many, it says whatever it is asked."""
FEWEST = 3
"""Answers that a run must stand in; an answer that is given whole as often is a stock answer."""
COMMON = 0.25
"""Of the members: what more of them say so often is the common manner, whose rarity is counted already."""
SAID_BACK = 3
"""Words of the shortest run that is taken for the prompt's own: words of it, in whatever order."""
PASSAGE = 8
"""Words of a run that a model says by rote to several prompts: a notice, of which its host may have many.
And of a passage that two models cannot both have come upon."""
Run = tuple[str, ...]
_UNJOINED = "A-Za-z0-9\u3005-\u3007\u3041-\u3096\u30a1-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
"""Letters that no joiner changes: Latin, kana, Han. Scripts of India, Persian and others need theirs."""
_JOINERS = re.compile(f"(?<=[{_UNJOINED}])[\u200c\u200d]+(?=[{_UNJOINED}])")
_KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")
"""The number of an item as an emoji: layout, though its digit reads as a word."""
_BROKEN = re.compile(r"(?<=[a-z])-[ \n](?=[a-z])")
_LOOKS = str.maketrans("\u0430\u0435\u043e\u0440\u0441\u0445\u0443\u0456\u0455\u0458\u03bf\u03bd", "aeopcxyisjov")
"""Cyrillic and Greek letters that stand for Latin ones, where words of a text mix the two."""
_MIXED = re.compile("[a-z][\u0370-\u03ff\u0400-\u052f]|[\u0370-\u03ff\u0400-\u052f][a-z]")


class Said(Record, frozen=True, kw_only=True):
    """An answer in plain letters, its words, and where each stands."""

    text: str
    words: tuple[str, ...]
    places: tuple[tuple[int, int], ...]


class Read:
    """Answers as they were read, and what models say whatever they are asked: for other bags of the same models."""

    def __init__(self) -> None:
        self.said: dict[str, Said] = {}
        self._habits: dict[tuple[tuple[str, int], ...], set[Run]] = {}

    def habits(self, answers: Sequence[tuple[str, Said]]) -> set[Run]:
        """Find the runs that one member says so often, once for the same answers, each given with its prompt."""
        key = tuple((prompt, id(one)) for prompt, one in answers)  # answers are kept here: no other has the number
        if key not in self._habits:
            self._habits[key] = _habits([one for _, one in answers]) | _refrains(answers)
        return self._habits[key]


def bare_words(bag: Bag, read: Read | None = None, *, passages: bool = True) -> Bag:
    """Take out of each answer what its model says whatever it is asked, and what the prompt says.

    A run of one to LONGEST words goes that stands in SHARE of a member's answers, in FEWEST at least, or of PASSAGE
    words that it says to FEWEST prompts, and so often with no more than COMMON of the members; so do an answer that a
    member gave whole to FEWEST prompts, SAID_BACK words of the prompt or more behind each other, in any order, and
    lines in which no other word is left. Letters of a style, and those of other scripts inside Latin words, are plain
    ones, and words that were broken at a hyphen are whole. An answer of which nothing is left stays, with no words.
    `read` keeps answers as they were read, for other bags of the same models. `passages = False` takes out, too,
    PASSAGE words or more that two members say to the same prompt: one copied the other, or a third wrote both.
    """
    known = read or Read()
    said = [[[_said(text, known.said) for text in samples] for samples in row] for row in bag.answers]
    members = range(len(bag.models))
    each = [[(bag.prompts[p].id, one) for p, row in enumerate(said) for one in row[m]] for m in members]
    habits = [known.habits(one) for one in each]
    stock = [_stock([(prompt, one.words) for prompt, one in answers]) for answers in each]
    holders = Counter(run for one in habits for run in one)
    own = [{run for run in one if holders[run] <= max(2, COMMON * len(bag.models))} for one in habits]
    asked = [frozenset(_words(_plain(prompt.text))) for prompt in bag.prompts]
    shared = {} if passages else _passages([prompt.id for prompt in bag.prompts], said)
    rows = tuple(
        tuple(
            tuple(
                "" if one.words in stock[m] else _without(one, own[m], asked[p], shared.get(prompt.id, set()))
                for one in row[m]
            )
            for m in members
        )
        for p, (prompt, row) in enumerate(zip(bag.prompts, said, strict=True))
    )
    return Bag(models=bag.models, prompts=bag.prompts, answers=rows)


def spoken(bag: Bag, read: Read) -> tuple[tuple[tuple[str, ...], ...], ...]:
    """Return the words of each answer of each member, in small and plain letters: [members][answers]."""
    return tuple(
        tuple(_said(text, read.said).words for row in bag.answers for text in row[member])
        for member in range(len(bag.models))
    )


def _plain(text: str) -> str:
    """Write letters of a style, of full width, named by HTML or joined without a sign as plain ones."""
    text = _BROKEN.sub("", html.unescape(text))
    if text.isascii():
        return text
    text = _JOINERS.sub("", _KEYCAP.sub(" ", unicodedata.normalize("NFKC", text)))
    return text.translate(_LOOKS) if _MIXED.search(text) else text


def _words(text: str) -> tuple[str, ...]:
    return tuple(token.text.lower() for token in found_tokens(text))


def _said(text: str, read: dict[str, Said]) -> Said:
    if text not in read:
        plain = _plain(text)
        tokens = tuple(found_tokens(plain))
        words = tuple(intern(token.text.lower()) for token in tokens)
        read[text] = Said(text=plain, words=words, places=tuple((token.start, token.end) for token in tokens))
    return read[text]


def _runs(words: Sequence[str], size: int) -> set[Run]:
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


def _habits(answers: Sequence[Said]) -> set[Run]:
    """Find the runs that stand in a share of a member's answers; a longer one only where its parts do."""
    least = max(FEWEST, SHARE * sum(bool(one.words) for one in answers))
    found: set[Run] = set()
    places: list[Iterable[int]] = [range(len(one.words)) for one in answers]
    for size in range(1, LONGEST + 1):
        runs = [{at: one.words[at : at + size] for at in here} for one, here in zip(answers, places, strict=True)]
        counts = Counter(run for one in runs for run in set(one.values()))
        often = {run for run, count in counts.items() if count >= least}
        found |= often
        places = [[at for at, run in one.items() if run in often and one.get(at + 1) in often] for one in runs]
    return found


def _stock(answers: Sequence[tuple[str, tuple[str, ...]]]) -> set[tuple[str, ...]]:
    """Find the answers that were given whole to several prompts."""
    counts = Counter(words for _, words in set(answers) if words)
    return {words for words, count in counts.items() if count >= FEWEST}


def _refrains(answers: Sequence[tuple[str, Said]]) -> set[Run]:
    """Find the runs of PASSAGE words that a member says to several prompts: its answers are given with their prompt."""
    counts: Counter[Run] = Counter()
    for _, same in groupby(sorted(answers, key=lambda one: one[0]), key=lambda one: one[0]):
        counts.update({run for _, one in same for run in _runs(one.words, PASSAGE)})
    return {run for run, count in counts.items() if count >= FEWEST}


def _passages(prompts: Sequence[str], said: Sequence[Sequence[Sequence[Said]]]) -> dict[str, set[Run]]:
    """Find, for each prompt, the runs of PASSAGE words that more than one member says, in whatever sample.

    One prompt after the other: all runs of all answers at once would fill the memory.
    """
    rows: dict[str, list[Sequence[Sequence[Said]]]] = {}
    for prompt, row in zip(prompts, said, strict=True):
        rows.setdefault(prompt, []).append(row)
    found: dict[str, set[Run]] = {}
    for prompt, listed in rows.items():
        holders: Counter[Run] = Counter()
        for samples in zip(*listed, strict=True):
            holders.update({run for one in samples for text in one for run in _runs(text.words, PASSAGE)})
        found[prompt] = {run for run, count in holders.items() if count > 1}
    return found


def _lines_of_the_prompt(said: Said, asked: frozenset[str], gone: list[bool]) -> None:
    """Mark the lines in which nothing is left but words of the prompt, where the answer says more than these."""
    left = [not out and word not in asked for out, word in zip(gone, said.words, strict=True)]
    if any(left):
        ends = [place for place, char in enumerate(said.text) if char == "\n"]
        for _, line in groupby(range(len(left)), key=lambda word: bisect(ends, said.places[word][0])):
            words = list(line)
            if not any(left[word] for word in words):
                gone[words[0] : words[-1] + 1] = [True] * len(words)


def _without(said: Said, own: set[Run], asked: frozenset[str], shared: set[Run]) -> str:
    words, gone = said.words, [False] * len(said.words)
    first = {run[0] for run in own} | {run[0] for run in shared}
    for i in (place for place, word in enumerate(words) if word in first):
        for size in (*range(1, LONGEST + 1), PASSAGE):
            run = words[i : i + size]
            if run in own or run in shared:
                gone[i : i + len(run)] = [True] * len(run)
    begin = 0
    for end in range(len(words) + 1):
        if end == len(words) or words[end] not in asked:
            if end - begin >= SAID_BACK:
                gone[begin:end] = [True] * (end - begin)
            begin = end + 1
    _lines_of_the_prompt(said, asked, gone)
    if not any(gone):
        return said.text
    taken = [place for place, out in zip(said.places, gone, strict=True) if out]
    ends = [0, *(edge for place in taken for edge in place), len(said.text)]
    left = "".join(said.text[a:b] for a, b in zip(ends[::2], ends[1::2], strict=True))
    lines = (" ".join(line.split()) for line in left.split("\n"))
    return "\n".join(line for line in lines if any(char.isalnum() for char in line))

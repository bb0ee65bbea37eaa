"""Section 7 of a report suffices: whoever reads it, and nothing else of depose, gets the same T."""

from __future__ import annotations

import hashlib
import html
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pypdf
import pytest
from icu4py.breakers import SentenceBreaker, WordBreaker
from numpy.typing import NDArray

from depose import plugins
from depose.answers.line_ends import evened
from depose.features.compared import compared, question
from depose.features.extract import Bag, Features
from depose.model import Prompt, Protocol
from depose.report.method_text import EXPRESSIONS, SPELT, TEXTS, spelt
from depose.report.render import render_html, render_pdf
from depose.report.typography import code
from depose.statistics.centring import score
from reports import build

Array = NDArray[np.float64]
OPENERS = (
    "First, warm the oven.",
    "Sure! Here is a list:",
    "- Keep it dry.\n- Keep it cool.\n* And wrap it — well.",
    "In the end, it depends on the loaf.",
    "I am a large language model trained by OpenAI.",
    "My name is Claude 3, by the way. You may ask again.",
    "Bread keeps best in paper.\r\n\r\nFreeze the rest.",
    "# How to keep bread\n1. Slice it.\n2. Freeze it: soon.",
    "> **Quoted** text goes\n> on here, _as is_.\n---\n| a | b |\n|---|---|",
    "<p>Tagged <b>words</b></p>\n```\nplain\n```\n(a) one\n(b) two",
    "Keep bread fresh for longer with a box.",
    "However, a fridge makes it stale!",
    "However, some like it toasted.",
    "Enjoy your bread\u00a0today!",
)


SCRIPTS = (
    "\u30d1\u30f3 \u306f\u7d19\u3067\u5305\u3080\u3068 \u9577\u6301\u3061\u3057\u307e\u3059\u3002",
    "\u51b7\u8535\u5eab\u306b\u5165\u308c\u308b\u3068\u56fa\u304f\u306a\u308b\uff01\u6ce8\u610f\u3057\u3066\u304f\u3060\u3055\u3044\u3002",
    "\u79c1\u306fChatGPT\u3067\u3059\u3002\u4f55\u3067\u3082\u805e\u3044\u3066\u304f\u3060\u3055\u3044\u3002",
    "\uc800\ub294 Claude\uc785\ub2c8\ub2e4. \ube75\uc740 \ub0c9\ub3d9\ud558\uc138\uc694.",
    "A bowl of sliced\u6c34\u679cand \u725b\u5976 is fine.",
    "\u0915\u093f\u0924\u093e\u092c \u092e\u0947\u091c \u092a\u0930 \u0939\u0948.",
    "\u0130stanbul\u2009loaves\u2060 keep\u3000well\x0bhere.",
    "- \u7d19\u3067\u5305\u3080\n- \u51cd\u3089\u305b\u308b\n\n\u3053\u3061\u3089\u306f\u77ed\u3044\u6587",
    "See step seven hundred of the list for a box.",
)
"""Scripts without spaces, one of India, a letter that grows in lower case, spaces of other widths."""
LONG = " ".join(f"step {n} of many" for n in range(60)) + " See step seven hundred of the list"
"""A prompt whose end lies beyond the characters that are read of a text."""


def corpus(
    seed: int, prompts: int, members: int, said: Sequence[str] = OPENERS
) -> tuple[list[str], list[list[str | None]]]:
    """Prompts, and what each member answered to each; habits of their own, a gap, a name, layout, odd spaces."""
    rng = np.random.default_rng(seed)
    taste = rng.dirichlet(np.full(len(said), 0.6), size=members)
    taste[1] = (taste[0] + taste[1]) / 2
    asked = [f"How do I keep bread number {n} fresh for longer?" for n in range(prompts)]
    if said is not OPENERS:  # two samples of each prompt, some of them long
        asked = [(LONG if n % 3 else asked[n]) for n in range(prompts // 2) for _ in range(2)]
    answers: list[list[str | None]] = [
        [" ".join(said[i] for i in rng.choice(len(said), rng.integers(3, 30), p=taste[m])) for m in range(members)]
        for _ in range(prompts)
    ]
    answers[2][3] = None
    return asked, answers


# --- a reader with the page alone ---------------------------------------------------------------------


class Page:
    """What section 7 and the appendix on texts say."""

    def __init__(self, page: bytes) -> None:
        """Cut the section and the appendix out of a report."""
        whole = page.decode()
        section = whole[whole.index('id="s7"') : whole.index('id="s8"')]
        appendix = whole[whole.index('id="appE"') : whole.index('id="appF"')]
        self.text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", "", section)))
        self.sentence, self.token = (self._code(section, before) for before in ("Sentences and lines", "Tokens"))
        codes = [html.unescape(one) for one in re.findall(r"<code>(.*?)</code>", appendix, re.DOTALL)]
        self.ends = codes[0].encode().decode("unicode_escape")
        self.marks = {
            name: html.unescape(pattern)
            for name, pattern in re.findall(r"(\w+): <code>(.*?)</code>", appendix, re.DOTALL)
        }
        self.person = self.marks["person"]
        self.phrases = self.marks["phrases"].split(" | ")
        self.names = re.search(r"<li>names: ([\w, ]+)</li>", appendix)[1].split(", ")  # type: ignore[index]
        self.limit = self.number(r"tokens in the first (\d+) characters; runs in as many of the prompt do not count")
        self.runs = [int(n) for n in re.search(r"runs of (\d) to (\d) tokens", self.text).groups()]  # type: ignore[union-attr]
        self.openings = self.number(r"the first one to (\d+) tokens")
        self.head = self.number(r"looked for in its first (\d+) characters, as three")
        self.kept = self.number(r"the ([\d,]+) tokens with the largest sum")
        self.rate = self.number(r"log\(1 \+ ([\d,]+) · share\)")

    def number(self, pattern: str) -> int:
        """A number that the text states."""
        found = re.search(pattern, self.text)
        assert found is not None, pattern
        return int(found[1].replace(",", ""))

    @staticmethod
    def _code(section: str, before: str) -> str:
        found = re.search(rf"{before}.*?<code>(.*?)</code>", section, re.DOTALL)
        assert found is not None
        return html.unescape(found[1])

    def plain(self, text: str) -> str:
        """Even the text, take its layout out, and leave out what names its speaker."""
        return self.unnamed(self.bare(text))

    def bare(self, text: str) -> str:
        """Even the text, and take its layout out."""
        for name, instead in (("newline", "\n"), ("spaces", " "), ("gone", "")):
            text = re.sub(self.marks[name], instead, text)
        text = unicodedata.normalize("NFC", text)
        blanks, on, beside = r"[ \t\u3000]+", self.marks["written"], "[A-Za-z0-9]"
        text = re.sub(f"(?<={on}){blanks}(?={on}|{beside})|(?<={beside}){blanks}(?={on})", "", text)
        text = "\n".join(line.rstrip() for line in unicodedata.normalize("NFC", text).split("\n")).strip()
        for _ in range(2):
            for name in ("fence", "tag", "break", "cell", "rule", "emphasis", "mark"):
                fill = {"tag": "\0", "emphasis": "\0"}.get(name, " ")
                first = "\n" if name == "break" else ""

                def filled(found: re.Match[str], a: str = first, b: str = fill) -> str:
                    return a.ljust(len(found[0]), b)

                text = re.sub(self.marks[name], filled, text)

        def goes_on(found: re.Match[str]) -> str:
            small = found.string[found.end()].islower()
            return found[1].ljust(len(found[0])) if found[1] not in self.ends and small else found[0]

        text = re.sub(self.marks["wrapped"], goes_on, text).replace("\0", "")
        lines = (re.sub(r"\s+", " ", line).strip() for line in text.split("\n"))
        return "\n".join(line for line in lines if line)

    def unnamed(self, text: str) -> str:
        """Leave out what names its speaker."""
        if re.search(self.marks["spaceless"], text):
            pieces = [part for line in re.split(r"(?<=\n)", text) for part in SentenceBreaker(line, "root")]
        else:
            ends = [found.end() for found in re.finditer(self.sentence, text)]
            pieces = [text[a:b] for a, b in zip([0, *ends], [*ends, len(text)], strict=True)]
        word = rf"(?!{self.marks['letters']})\w"
        name = "|".join(rf"(?<!{word}){re.escape(one)}(?:[- ]?\d[\w.]*)?(?!{word})" for one in self.names)
        named = re.compile(f"{name}|{'|'.join(self.phrases)}")
        return "".join(
            piece for piece in pieces if not (re.search(self.person, piece.lower()) and named.search(piece.lower()))
        )

    def tokens(self, text: str) -> list[str]:
        """Split into tokens."""
        close, marked = self.marks["spaceless"], self.marks["marked"]
        if not re.search(f"{close}|{marked}", text):
            return re.findall(self.token, text.lower())
        runs = re.findall(rf"{close}+|(?:(?!{close}|_)(?:\w|{marked}))+", text.lower())
        return [part for run in runs for part in (WordBreaker(run, "root") if re.match(close, run) else [run])]

    def heads(self, text: str) -> list[list[str]]:
        """The tokens at the beginning of every sentence and line."""
        parts = re.split(self.sentence, text)
        if re.search(self.marks["spaceless"], text):
            parts = [part for line in text.split("\n") for part in SentenceBreaker(line, "root")]
        made = [self.tokens(part[: self.head]) for part in parts if part.strip()]
        return [head for head in made if head]


def reader(page: Page, detector: str, asked: Sequence[str], answers: Sequence[Sequence[str | None]]) -> float:
    """Compute T of the first two members as the page says."""
    combined = re.search(rf"\b{detector}: the mean of the T of (\w+) and the T of (\w+)\.", page.text)
    if combined is not None:
        return sum(reader(page, part, asked, answers) for part in combined.groups()) / 2
    plain = [[None if text is None else page.plain(text) for text in row] for row in answers]
    mean = _profile(page, plain) if detector == "first_words" else _overlap(page, detector, asked, plain)
    n = len(mean)
    d = np.full((n, n), np.nan)
    for a in range(n):
        for b in range(n):
            others = [k for k in range(n) if k not in (a, b)]
            if a != b:
                among = [mean[k, m] for i, k in enumerate(others) for m in others[i + 1 :]]
                d[a, b] = mean[a, b] - mean[a, others].mean() - mean[others, b].mean() + np.mean(among)
    return float(d[0, 1] / np.sqrt(np.nanmean(d**2)))


def _features(page: Page, detector: str, text: str) -> set[tuple[str, ...]]:
    if detector == "phrases":
        listed = page.tokens(text[: page.limit])
        low, high = page.runs
        return {tuple(listed[i : i + n]) for n in range(low, high + 1) for i in range(len(listed) - n + 1)}
    if detector == "openings":
        listed = page.tokens(text[: page.limit])[: page.openings]
        return {tuple(listed[:n]) for n in range(1, len(listed) + 1)}
    return {tuple(head[:n]) for head in page.heads(text) for n in (1, 2, 3) if n <= len(head)}


def _overlap(page: Page, detector: str, asked: Sequence[str], answers: Sequence[Sequence[str | None]]) -> Array:
    members = len(answers[0])
    total, seen = np.zeros((members, members)), np.zeros((members, members))
    for prompt, row in zip(asked, answers, strict=True):
        stop = _features(page, detector, page.bare(prompt)) if detector == "phrases" else set()
        sets = {m: _features(page, detector, text) - stop for m, text in enumerate(row) if text is not None}
        having = Counter(g for found in sets.values() for g in found)
        weight = {g: np.log((len(sets) + 1) / (df + 0.5)) for g, df in having.items() if df > 1}
        norm = {m: np.sqrt(sum(weight.get(g, 0.0) ** 2 for g in found)) for m, found in sets.items()}
        likeness = {
            (a, b): sum(weight.get(g, 0.0) ** 2 for g in sets[a] & sets[b]) / (norm[a] * norm[b])
            if norm[a] * norm[b]
            else 0.0
            for a in sets
            for b in sets
            if a != b
        }
        level = float(np.mean([*likeness.values()]))
        for (a, b), value in likeness.items():
            total[a, b] += value - level
            seen[a, b] += 1
    np.fill_diagonal(seen, 1)
    return total / seen


def _profile(page: Page, answers: Sequence[Sequence[str | None]]) -> Array:
    members = len(answers[0])
    counts = [
        Counter(h[0] for row in answers if row[m] is not None for h in page.heads(row[m] or "")) for m in range(members)
    ]
    sums = [sum(one.values()) for one in counts]
    share = {g: [counts[m][g] / sums[m] for m in range(members)] for g in set().union(*counts)}

    def digest(token: str) -> int:
        return int.from_bytes(hashlib.blake2b(token.encode(), digest_size=8).digest(), "big")

    kept = sorted(share, key=lambda g: (-round(sum(share[g]), 12), digest(g)))[: page.kept]
    rates = np.log1p(page.rate * np.array([share[g] for g in kept]).T)
    spread = rates.std(axis=0)
    z = (rates - rates.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0)
    unit = z / np.linalg.norm(z, axis=1, keepdims=True)
    return np.asarray(unit @ unit.T)


# --- the two beside each other ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page() -> Page:
    """The page of a report with all detectors that decide or could."""
    names = ("phrases", "openings", "wording", "starts", "first_words", "habits", "length")
    protocol = Protocol(questions=("same",), detectors=names)
    return Page(render_html(build(questions=("same",), exhibits=0, protocol=protocol)))


@pytest.mark.parametrize("detector", ["phrases", "openings", "wording", "starts", "first_words", "habits"])
@pytest.mark.parametrize(("seed", "said"), [(1, OPENERS), (2, OPENERS), (3, SCRIPTS), (4, (*OPENERS, *SCRIPTS))])
def test_a_reader_of_section_7_alone_gets_the_same_t(
    page: Page, detector: str, seed: int, said: tuple[str, ...]
) -> None:
    """To 1e-9, on answers with names, layout, odd line ends and a gap, in scripts without spaces, to long prompts."""
    asked, answers = corpus(seed, 14, 8, said)
    bag = Bag(
        models=tuple(f"M{n}" for n in range(8)),
        prompts=tuple(
            Prompt(id=f"p{n}", family="f", cluster=f"c{n}", text=question(evened(text))) for n, text in enumerate(asked)
        ),
        answers=tuple(tuple(() if text is None else (compared(evened(text)),) for text in row) for row in answers),
    )
    ours = float(score(plugins.load("detectors", detector)(bag, Features())).t[0, 1])
    assert reader(page, detector, asked, answers) == pytest.approx(ours, rel=1e-9, abs=1e-9)


def test_every_built_in_detector_is_spelt_out() -> None:
    """The report never calls a detector of depose one of a plugin."""
    own = {one for one in plugins.names("detectors") if plugins.provenance("detectors", one).value[:6] == "depose"}
    assert own == set(SPELT)
    assert spelt(["phrases", "acme"])[1] == ("acme", "a detector of a plugin; its distribution is in the log.")


def test_the_page_prints_what_the_code_uses(page: Page) -> None:
    """Patterns come through typesetting whole, and every detector that a protocol names by default is spelt out."""
    for printed, used in ((page.sentence, "sentence"), (page.token, "token"), (page.person, "person")):
        assert printed == code(TEXTS[used])
        assert printed.isascii()
    assert [re.compile(page.marks[name]).flags for name, _ in EXPRESSIONS] == [
        re.compile(pattern).flags for _, pattern in EXPRESSIONS
    ]
    assert set(Protocol().detectors) <= set(SPELT)


@pytest.mark.slow
def test_the_printed_page_gives_every_expression_as_it_is() -> None:
    """Copied out of the PDF, expressions are those of the code: no ligature stands for two of their signs."""
    made = render_pdf(build())
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made.pdf)).pages)
    bare = re.sub(r"\s+", "", text)
    scripts = ("newline", "spaces", "gone", "written", "spaceless", "marked", "letters", "person", "phrases")
    printed = [TEXTS[name] for name in ("sentence", "token", *scripts)]
    for pattern in (*printed, *(pattern for _, pattern in EXPRESSIONS)):
        assert re.sub(r"\s+", "", code(pattern)) in bare, pattern


def test_expressions_are_set_without_ligatures() -> None:
    """The style sheet of every report says so."""
    rule = re.search(r"code, \.mono \{[^}]*\}", render_html(build()).decode())
    assert rule
    assert "font-variant-ligatures: none" in rule[0]
    assert '"calt" 0' in rule[0]

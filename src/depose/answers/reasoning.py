"""Where reasoning is taken off an answer: what a model thought aloud, and what chat templates left in the text.

The answer is what stands outside the marks of reasoning, in the first turn of the model. Marks may be nested, lack
their beginning (templates swallow it) or their end (the answer was cut before it began), and may be those of any
vendor or language in `marks`. Marks quoted as code are words of the answer.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice

from depose.answers.line_ends import evened
from depose.answers.marks import BEGIN, ELEMENT, LEADS, MARK, Kind, kind_of
from depose.model import Record

_DETAILS = re.compile(r"<details\b[^<>]{0,200}\btype=[\"']?reasoning[^<>]{0,200}>(.*?)(?:</details>|\Z)", re.DOTALL)
"""How Open WebUI writes reasoning down."""
_FENCED = re.compile(
    r"\s*```(?:thinking|think|thought|thoughts|reasoning)[ \t]*\n(.*?)(?:\n```[ \t]*(?:\n|\Z)|\Z)", re.DOTALL
)
_FENCE = re.compile(r"^[ \t]*+```([ \t]*+$)?", re.MULTILINE)
"""A line that may open a block of code; one without more may close it too."""
_QUOTED = re.compile(r"`[^`\n]{1,200}`")
_QUOTE = re.compile(r"\s*\*?Thinking(?:\.\.\.|…)\*?\s*\n+((?:>[^\n]*(?:\n|\Z))+)")
"""How Poe writes reasoning down: a block of quotation."""
_TOOK = re.compile(
    r"\s*(?:\*\*)?(?:Thought|Reasoned) for (?:a few|a couple of|[\d.,]+|an?) ?\w{1,12}(?: [\d.]+ ?\w{1,12})?"
    r"(?:\*\*)?[ \t]*\n"
)
"""What chat windows show above an answer."""
_FINAL = re.compile(r"<[|｜]channel[|｜]>\s?final[^<\n]{0,80}<[|｜]message[|｜]>", re.IGNORECASE)
_BARE = re.compile(r"\s*analysis(?=[A-Z\s]).*?assistant\s?final", re.DOTALL)
"""The channels of gpt-oss where the marks around their names were dropped in decoding."""
_STEPS = re.compile(
    r"\s*(?:\*\*)?Here (?:is|are) my (?:thought process|thinking process|reasoning steps|reasoning|thoughts)\b.*?"
    r"\n\s*(?:\*\*)?Here is my (?:response|final response|answer|final answer)(?:\*\*)?:?(?:\*\*)?",
    re.DOTALL | re.IGNORECASE,
)
_WORD = "(?:thinking|think|thoughts?|reasoning)"
_ENCLOSED = re.compile(
    rf"\s*(?:\[({_WORD})\].*?\[/\1\]|\{{({_WORD})\}}.*?\{{/\2\}}|\\u003c({_WORD})\\u003e.*?\\u003c/\3\\u003e"
    rf"|:::{_WORD}[ \t]*\n.*?\n:::[ \t]*(?:\n|\Z)|<!--\s*{_WORD}\b.*?-->|<ctrl94>(?:thought\n)?.*?<ctrl95>"
    r"|Thinking\.\.\.\s*\n.*?\n\.\.\.done thinking\.?[ \t]*(?:\n|\Z)"
    rf"|<details[^<>]{{0,200}}>\s*<summary>[^<>\n]{{0,40}}\b(?:{_WORD}|thought for)\b[^<>\n]{{0,80}}</summary>.*?"
    r"(?:</details>|\Z))",
    re.DOTALL | re.IGNORECASE,
)
"""Enclosures of chat windows and command lines (llama.cpp, Ollama, LibreChat) that count at the beginning alone."""
_RESPONSE = re.compile(r"\s*### ?(?:Response|Assistant):[ \t]*\n?")
"""How Alpaca's and Vicuna's templates begin an answer."""
_TOOL = re.compile(r"\s*Thinking: ")
_SIGNED = re.compile(r"\s*Thinking: .*?\nSignature: ?[^\n]*(?:\n\n|\Z)", re.DOTALL)
_BEGINS = (
    "thinking|thoughts?|thought process|thinking process|chain of thought|思考|思考过程|思考過程|思维过程"
    "|생각|사고 과정|pensamientos?|pensées?|réflexion|gedanken|denkprozess|размышлени[ея]|мысли|التفكير"
    "|pensamento|pensieri"
)
"""Words for thinking; `reasoning` is a heading that prompts ask for."""
_ENDS = (
    "final answer|answer|final response|response|回答|答案|最终答案|最終回答|답변|respuesta(?: final)?"
    "|réponse(?: finale)?|antwort|ответ|الإجابة|الجواب|resposta|risposta"
)
_LABEL = r"[*#_ ]{{0,6}}(?:{})[*_ ]{{0,3}}[:：][*_]{{0,3}}"
_TITLE = r"(?:#{{1,6}} *(?:{0})|\*\*(?:{0})\*\*)[ \t]*[:：]?[ \t]*\n"
_TITLED = re.compile(rf"\s*{_TITLE.format(_BEGINS)}.*?\n\s*{_TITLE.format(_ENDS)}", re.DOTALL | re.IGNORECASE)
"""Reasoning and answer under headings of their own."""
_LABELLED = re.compile(
    rf"\s*{_LABEL.format(_BEGINS)}.*?\n\s*{_LABEL.format(_ENDS)}",
    re.DOTALL | re.IGNORECASE,
)


MOST = 2_000
"""Marks in one text; of more, which no model writes, each would be weighed against the others for hours."""


class Parted(Record, frozen=True, kw_only=True):
    """A text taken apart."""

    answer: str
    """What is left for the answer; nothing if it is reasoning throughout."""
    reasoning: str
    problem: str = ""
    """Why the two cannot be told apart; then there is no answer."""


def parted(text: str) -> Parted:
    """Part an answer from the reasoning and the marks around it; a text without marks is returned as it is.

    Marks are looked for with transport forms made equal; an answer from which something was taken off has them so.
    """
    thoughts: list[str] = []
    even = evened(text)
    if LEADS.search(even) and next(islice(MARK.finditer(even), MOST, None), None):
        return Parted(
            answer="", reasoning=even.strip(), problem=f"it holds more than {MOST} marks of reasoning or turns"
        )
    rest = _took_details(even, thoughts)
    rest = _took_lead(rest, thoughts)
    rest = _took_marks(rest, thoughts)
    reasoning = "\n\n".join(one for one in (thought.strip() for thought in thoughts) if one)
    if _TOOL.match(rest) and not reasoning:
        return _of_tool(rest)
    return Parted(answer=text if rest == even and not reasoning else rest, reasoning=reasoning)


def _took_details(text: str, thoughts: list[str]) -> str:
    if "<details" not in text:
        return text
    thoughts += _DETAILS.findall(text)
    return _DETAILS.sub("", text).lstrip() if thoughts else text


def _took_lead(text: str, thoughts: list[str]) -> str:
    """Take off what is known by the words at the beginning."""
    rest = text
    for mark in (_TOOK, _RESPONSE):
        if found := mark.match(rest):
            rest = rest[found.end() :]
    for lead in (_ENCLOSED, _QUOTE, _FENCED, _SIGNED, _BARE, _STEPS, _LABELLED, _TITLED):
        if found := lead.match(rest):
            thoughts.append(found.group())
            return rest[found.end() :].lstrip()
    return rest


def _of_tool(text: str) -> Parted:
    """Part `Thinking: ...` of promptfoo, which marks no end: only two paragraphs leave no doubt where it is."""
    paragraphs = re.split(r"\n\s*\n", text.strip())
    if len(paragraphs) == 2:
        return Parted(answer=paragraphs[1], reasoning=paragraphs[0].removeprefix("Thinking: "))
    said = "it begins with reasoning (`Thinking:`) whose end is not marked"
    return Parted(answer="", reasoning=text.strip().removeprefix("Thinking: "), problem=said)


class _Mark(Record, frozen=True, kw_only=True):
    kind: Kind
    start: int
    end: int


def _marks(text: str) -> list[_Mark]:
    """Find the marks that are not quoted as code."""
    if LEADS.search(text) is None:
        return []
    found = [_Mark(kind=kind_of(one), start=one.start(), end=one.end()) for one in MARK.finditer(text)]
    if found and "</" in text:
        found = _outside_elements(text, found)
    if not found or "`" not in text:
        return found
    code = [one.span() for one in _QUOTED.finditer(text)]
    for low, high in _fenced(text):
        inside = [one.kind for one in found if low <= one.start < high]
        if inside.count("think") == inside.count("/think"):
            code.append((low, high))
    code.sort()
    starts = [start for start, _ in code]
    reach = [0]
    for _, end in code:
        reach.append(max(reach[-1], end))
    return [one for one in found if reach[bisect_right(starts, one.start)] <= one.start]


def _fenced(text: str) -> Iterator[tuple[int, int]]:
    """Yield where blocks of code stand, from the line that opens one to the next that closes it."""
    opened = -1
    for fence in _FENCE.finditer(text):
        if opened < 0:
            opened = fence.start()
        elif fence[1] is not None:
            yield opened, fence.end()
            opened = -1


def _outside_elements(text: str, marks: list[_Mark]) -> list[_Mark]:
    """Leave out words such as `<reason>` within an element of XML that holds no marked answer: they are its content."""
    answers = [one.start for one in marks if one.kind in ("answer", "/answer")]
    opened: dict[str, list[int]] = {}
    spans: list[tuple[int, int]] = []
    for tag in ELEMENT.finditer(text):
        if MARK.match(text, tag.start()):
            continue
        places = opened.setdefault(tag["name"], [])
        if not tag["slash"]:
            places.append(tag.start())
        elif places:
            low, high = places.pop(), tag.end()
            if bisect_right(answers, high) == bisect_right(answers, low):
                spans.append((low, high))
    reach = [0]
    for _, high in sorted(spans):
        reach.append(max(reach[-1], high))
    starts = sorted(low for low, _ in spans)

    def within(one: _Mark) -> bool:
        return one.start < reach[bisect_right(starts, one.start)]

    def thinks(one: _Mark) -> bool:
        return "think" in text[one.start : one.end].lower()

    return [one for one in marks if one.kind not in ("think", "/think") or thinks(one) or not within(one)]


def _regions(text: str, marks: Sequence[_Mark]) -> Iterator[tuple[int, int]]:
    """Yield where reasoning stands, marks included; nested regions only as the outermost."""
    waiting: list[_Mark] = []
    matched: list[tuple[int, int]] = []
    last_close = last_alone = 0
    begins, ends = len(text) - len(text.lstrip()), len(text.rstrip())
    for one in marks:
        if one.kind == "think":
            waiting.append(one)
        elif one.kind == "/think":
            last_close = one.end
            if waiting:
                matched.append((waiting.pop().start, one.end))
            elif one.end < ends or not matched:
                last_alone = one.end
    if last_alone:
        yield 0, last_alone
    for one in waiting:
        if last_close > one.end:
            yield one.start, last_close
        elif one.start <= begins or text[: one.start].rstrip(" \t").endswith("\n"):
            stop = next((m.start for m in marks if m.start > one.start and m.kind == "answer"), len(text))
            yield one.start, stop
    yield from matched


def _took_marks(text: str, thoughts: list[str]) -> str:
    marks, place = _marks(text), 0
    starts = {one.start for one in marks}
    for final in _FINAL.finditer(text) if marks else ():
        if not place or final.start() in starts:
            thoughts.append(MARK.sub("\n", text[place : final.start()]))
            place = final.end()
    if place:
        text = text[place:]
        marks = _marks(text)
    if not marks:
        led = BEGIN.match(text)
        return text[led.end() :] if led and led.group().strip() else text
    regions = sorted(_regions(text, marks))
    outside: list[tuple[int, int]] = []
    place = 0
    for start, end in regions:
        if start < place and end <= place:
            continue
        outside.append((place, max(start, place)))
        thoughts.append(MARK.sub("\n", text[max(start, place) : end]))
        place = end
    outside.append((place, len(text)))
    return _first_turn(text, outside, marks, bool(regions))


def _first_turn(text: str, outside: Sequence[tuple[int, int]], marks: Sequence[_Mark], reasoned: bool) -> str:
    """Join what stands outside of reasoning, up to the end of the model's first turn."""
    kept, mine, changed = "", True, reasoned
    starts = [one.start for one in marks]
    for low, high in outside:
        place = low
        for one in marks[bisect_left(starts, low) : bisect_left(starts, high)]:
            if _is_word(one, text, kept + text[place : one.start], reasoned):
                continue
            kept, place, changed = kept + (text[place : one.start] if mine else ""), one.end, True
            if one.kind == "end" and _goes_on(one, text, marks):
                continue
            said = BEGIN.sub("", kept) if kept.lstrip().startswith("<") else kept
            if one.kind == "answer":
                kept = ""
            elif said.strip() and mine:
                return _bare(kept, True)
            mine = {"model": True, "other": False}.get(one.kind, mine if one.kind != "end" else True)
        kept += text[place:high] if mine else ""
    return _bare(kept, changed)


def _goes_on(one: _Mark, text: str, marks: Sequence[_Mark]) -> bool:
    """Tell whether `</s>` stands in the middle of an answer: no other turn begins behind it."""
    following = next((m for m in marks if m.start >= one.end), None)
    turn = (
        following is not None and following.kind in ("other", "model") and not text[one.end : following.start].strip()
    )
    return text[one.start : one.end].lower() == "</s>" and not turn and "<s>" not in text[one.end :][:8].lower()


def _is_word(one: _Mark, text: str, before: str, reasoned: bool) -> bool:
    """Tell whether what looks like a mark is part of an answer, as an element of XML or a struck-out word is."""
    if one.kind in ("think", "/think"):
        return True
    shown = text[one.start : one.end].lower()
    if one.kind in ("answer", "/answer") and "|" not in shown and "[" not in shown:
        return not reasoned
    return shown == "</s>" and "<s>" in before.lower().lstrip().removeprefix("<s>")


def _bare(kept: str, changed: bool) -> str:
    led = BEGIN.match(kept)
    if led and (changed or led.group().strip()):
        kept = kept[led.end() :]
    return kept.rstrip() if changed else kept

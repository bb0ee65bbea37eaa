"""The words of a text without their layout: what is left when nobody can see how it was set.

Bullets, numbers of items, headings, emphasis, rules, frames of tables, tags and the breaks of wrapped lines say how an
answer was set, not how it was worded. While these marks counted as words, two strangers who both set their answers as
lists looked like kin. They are taken out here, once, before any detector that reads words; the detector `layout` reads
them, and no other. A line still ends a sentence, but one that goes on with a small letter goes on with the sentence.
"""

from __future__ import annotations

import re

GONE = "\0"
"""Stands in the place of a mark that parts no words, such as one of emphasis."""
_GAP = rf"[ \t{GONE}]"
_BULLET = r"[-–—*+⁃▸→➔✓✔✗✘✅❌>#|]"
_PLAIN_BULLET = r"[•‣◦▪▫●○■□◆◇★☆►▶➤❖·・※]"
"""Bullets that need no blank behind them."""
_ITEM = r"\d{1,3}(?:\.\d{1,3}){0,3}|[^\W\d_]|[ivxIVX]{2,5}"
MARK = re.compile(
    rf"^(?>{_GAP}*(?:{_PLAIN_BULLET}++|{_BULLET}++(?:{_GAP}++|(?=\(?\d+[.)])|(?=\[[ xX]\])|$)|\[[ xX]\]{_GAP}++"
    rf"|[\u2460-\u2473\u2776-\u2793\u3220-\u3229]|\(?(?:{_ITEM})[.):](?:{_GAP}++|$)"
    r"|\(?\d{1,3}[.)．、）](?=[^\W\d])|[一二三四五六七八九十]{1,3}[、．]))++",
    re.MULTILINE,
)
"""Bullets, boxes to tick and the numbers of items, at the beginning of a line."""
FENCE = re.compile(r"^[ \t]*+(?:`{3,}|~{3,})[^\n`]*$", re.MULTILINE)
RULE = re.compile(rf"^[-*_=~+|: \t{GONE}]{{3,}}$", re.MULTILINE)
"""A rule across the page, the line under a heading, the line under the head of a table."""
BREAK = re.compile(
    r"</?(?:br|p|div|li|ul|ol|h[1-6]|hr|tr|table|thead|tbody|blockquote|pre)\b[^<>\n]{0,80}>", re.IGNORECASE
)
TAG = re.compile(r"</?(?:b|i|u|s|em|strong|span|code|sub|sup|small|mark|font|a)\b[^<>\n]{0,80}>", re.IGNORECASE)
CELL = re.compile(r"\||</?t[dh]\b[^<>\n]{0,80}>", re.IGNORECASE)
EMPHASIS = re.compile(r"\*+|`+|~~|_+(?![^\W_])|(?<![^\W_])_+|\\(?=[*_#`])")
WRAPPED = re.compile(rf"([^\s{GONE}]){_GAP}*+\n[\s{GONE}]*+(?=[^\W\d_])")
ENDS = ".!?:;。！？…"
PASSES = 2
"""A mark may show only when another is gone, such as the number of a quoted item."""


def blanked(text: str) -> str:
    """Put blanks and GONE in the place of layout, so that every word stays where it was: a text of the same length."""
    for _ in range(PASSES):
        text = FENCE.sub(_blank, text)
        text = CELL.sub(_blank, BREAK.sub(_line, TAG.sub(_gone, text)))
        text = MARK.sub(_blank, EMPHASIS.sub(_gone, RULE.sub(_blank, text)))
    return WRAPPED.sub(_joined, text)


def layout_free(text: str) -> str:
    """Return the words of a text, one blank between words and one line end between lines."""
    lines = (" ".join(line.split()) for line in blanked(text).replace(GONE, "").split("\n"))
    return "\n".join(line for line in lines if line)


def reach(text: str, limit: int) -> int:
    """Return where in `blanked` text its first `limit` characters end, counted as `layout_free` leaves them."""
    size, apart = 0, False
    for place, char in enumerate(text):
        if char.isspace():
            apart = size > 0
        elif char != GONE:
            size += 2 if apart else 1
            apart = False
            if size > limit:
                return place
    return len(text)


def _blank(found: re.Match[str]) -> str:
    return " " * len(found.group())


def _gone(found: re.Match[str]) -> str:
    return GONE * len(found.group())


def _line(found: re.Match[str]) -> str:
    return "\n".ljust(len(found.group()))


def _joined(found: re.Match[str]) -> str:
    """Join lines where the first is no whole sentence and the next begins with a small letter."""
    goes_on = found[1] not in ENDS and found.string[found.end()].islower()
    return found[1].ljust(len(found.group())) if goes_on else found.group()

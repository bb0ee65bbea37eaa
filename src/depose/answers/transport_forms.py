"""Where line ends are made equal: transport forms of a text, which say what carried it and nothing of who wrote it.

Done once, where an answer or a prompt becomes the text that detectors compare; logs and files keep what came.
`SCORE.py` has the same in its own words, and a test holds the two together.

| form | becomes |
|---|---|
| CRLF (also where a carriage return was added twice), CR, NEL, U+2028, U+2029, vertical tab, form feed | line feed |
| byte order mark, zero-width space, word joiner, soft hyphen | nothing |
| no-break spaces and spaces of a set width | space |
| Unicode NFD | NFC |
| blanks at the end of a line; blanks and blank lines around the text | nothing |

The ideographic space, joiners and marks of direction stay: they belong to the writing of their languages.
"""

from __future__ import annotations

import re
import unicodedata

_LINE_ENDS = re.compile("\r+\n|[\r\x0b\x0c\x85\u2028\u2029]")
_NOTHING = re.compile("[\ufeff\u200b\u2060\u00ad]")
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f]")
_PLAIN = re.compile(r"[\n\x20-\x7e]*\Z")


def evened(text: str) -> str:
    """Give the one form that all transport forms of a text share; doing it again changes nothing."""
    if not _PLAIN.match(text):
        text = _LINE_ENDS.sub("\n", text)
        text = _SPACES.sub(" ", _NOTHING.sub("", text))
        text = unicodedata.normalize("NFC", text)
    return "\n".join(line.rstrip(" \t") for line in text.split("\n")).strip()

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
| blanks within Chinese or Japanese, as tools that cut words put there, also beside Latin letters and digits | nothing |

Joiners and marks of direction stay: they belong to the writing of their languages.
"""

from __future__ import annotations

import re
import unicodedata

LINE_ENDS = re.compile("(?<!\r)\r++\n|[\r\x0b\x0c\x85\u2028\u2029]")
"""A run of carriage returns is looked through once, from its beginning, or a million of them would take days."""
NOTHING = re.compile("[\ufeff\u200b\u2060\u00ad]")
SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f]")
_ANY = re.compile("[\r\x0b\x0c\x85\u2028\u2029\ufeff\u200b\u2060\u00ad\u00a0\u1680\u2000-\u200a\u202f\u205f]")
"""One class of characters, so that a text without any is passed in no time."""
WRITTEN_ON = "\u3001-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U000323af"
"""Chinese and Japanese characters with their punctuation, which need no space between them."""
_CUTS = re.compile(
    f"(?<=[{WRITTEN_ON}])[ \t\u3000]+(?=[{WRITTEN_ON}A-Za-z0-9])|(?<=[A-Za-z0-9])[ \t\u3000]+(?=[{WRITTEN_ON}])"
)


def evened(text: str) -> str:
    """Give the one form that all transport forms of a text share; doing it again changes nothing."""
    if _ANY.search(text):
        text = LINE_ENDS.sub("\n", text)
        text = SPACES.sub(" ", NOTHING.sub("", text))
    if not text.isascii():
        text = unicodedata.normalize("NFC", _CUTS.sub("", unicodedata.normalize("NFC", text)))
    if " \n" in text or "\t\n" in text or "\u3000\n" in text:
        text = "\n".join(line.rstrip(" \t\u3000") for line in text.split("\n"))
    return text.strip()

"""What stands in an answer's place and is none: values of tables that mean nothing, and sentences of tools.

Only a whole text counts, with transport forms made equal. In a table `nan` and `#NAME?` are what pandas and Excel
write for no value; a model that is asked now may say them, so that a live answer is not looked up there.
"""

from __future__ import annotations

import re

_CELLS = """
nan -nan <na> n/a #n/a na #na nat null <null> (null) nil none undefined (none) [none] [null] [nan] [] {} "" ''
#name? #ref! #value! #div/0! #num! #null! #spill! #calc! #field! #blocked! #unknown! #busy! #error! #connect! error!
#getting_data err:502 err:504 err:508 err:511 err:522 #name #ref #value ##### 1.#qnan -1.#ind 1.#ind
#nombre? #wert! #bezug! #nv #zahl! #valeur! #nom? #valor! #имя? #знач! #ссылка! #н/д #이름? #nome? #valore!
(empty) [empty] <empty> (blank) [blank] [objectobject]
"""
_NO_VALUE = frozenset(_CELLS.split())
_THING = "(?:answer|output|response|content|completion|text|data|message|payload|result)s?"
_TAKEN = "stripped|removed|redacted|omitted|truncated|hidden|deleted|withheld|missing|unavailable"
_TOOLS = re.compile(
    rf"[\[(<](?:{_THING} )?(?:was |is |has been )?(?:{_TAKEN})[^\n\[\]()<>]{{0,80}}[\])>]\.?"
    rf"|[\[(<]no {_THING}(?: \w{{1,12}})?[\])>]\.?|no (?:output|response)\.?"
    r"|redacted[- ]by[- ]litellm[^\n]{0,120}",
    re.IGNORECASE,
)
_POLICY = (
    r"azure openai(?: service)?(?:['’]s)? content (?:management|filtering) (?:policy|system)"
    r"|content (?:management|filtering) (?:policy|system)|responsible ?ai ?policy|content_policy_violation"
)
_STOPPED = "filtered|blocked|flagged|rejected"
_FILTERS = re.compile(
    r"(?:the|your|this) (?:generated )?(?:content|prompt|response|output|request|completion|query|message|input)"
    rf" (?:was|has been|is) (?:{_STOPPED})\b[^\n]{{0,400}}"
    rf"|\[?(?:(?:output|content|response|request|prompt) )?(?:{_STOPPED}) (?:by|due to|because)\b[^\n]{{0,300}}"
    r"|(?:the|this|your) (?:content|prompt|request|response|message|query) (?:may|might) violate\b[^\n]{0,200}"
    rf"|[^\n]{{0,200}}\b(?:{_POLICY})\b[^\n]{{0,300}}"
    r"|sorry, the model cannot answer this question\.?|sorry, your (?:query|request|prompt) violates\b[^\n]{0,200}"
    r"|content exists risk\.?",
    re.IGNORECASE,
)
_HINTS = re.compile("filter|block|flag|reject|violat|polic|cannot answer|exists risk", re.IGNORECASE)
"""One of these words is in every sentence about a filter; looking for them takes no time."""
_ERRORS = re.compile(
    r"\$error\$|\*\*network error due to high traffic[^\n]*|error code: \d{3}\b.{0,500}"
    r"|traceback \(most recent call last\).*|\w{3,40}(?:Error|Exception)(?:: .{0,500}|\(.{0,500}\))"
    r"|\[?(?:api |request |http |server |internal )?(?:error|exception)\]?(?:[:-] ?[^\n]{0,300})?"
    r"|(?:openai|anthropic|httpx|requests|litellm)\.[\w.]*(?:error|exception)\b.{0,500}"
    r"|(?:the )?request (?:timed out|failed)\b[^\n]{0,200}|http (?:error )?[45]\d\d\b[^\n]{0,200}",
    re.IGNORECASE | re.DOTALL,
)
"""What tools write into the cell of an answer that they did not get (`$ERROR$`: FastChat)."""
_LONGEST = 600


def of_table(shown: str) -> bool:
    """Tell whether a cell of a table, or of a tool's file, holds what stands for no answer."""
    if len(shown) > _LONGEST:
        return False
    return "".join(shown.split()).lower() in _NO_VALUE or _TOOLS.fullmatch(shown) is not None


def of_error(shown: str) -> bool:
    """Tell whether a cell or a tool's file holds the error that came instead of an answer."""
    return len(shown) <= _LONGEST and _ERRORS.fullmatch(shown) is not None


def of_filter(shown: str) -> bool:
    """Tell whether a text is a gateway's or a tool's own sentence about a filter, in place of an answer."""
    return len(shown) <= _LONGEST and _HINTS.search(shown) is not None and _FILTERS.fullmatch(shown) is not None

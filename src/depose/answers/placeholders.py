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
(empty) [empty] <empty> (blank) [blank] [objectobject] [objectpromise] promise{<pending>} <emptystring>
\\n n.a. n.a pd.na tbd todo noanswer noanswer. no_answer nocontent nocontent. noresponsegenerated noresponsegenerated.
{answer} {{answer}} {output} {{output}} {response} {{response}} <answer> [insertanswer] [youranswer] loading... loading…
__redacted__ xxx placeholder 'nan' "nan" 'none' "none" 'null' "null"
"""
_NO_VALUE = frozenset(_CELLS.split())
_CAPITALS = frozenset(("FAILED", "SKIPPED", "TIMEOUT", "BLOCKED", "REDACTED", "MISSING", "EMPTY"))
"""Words that are a tool's where they stand in capitals."""
_NO_WORD = re.compile(r"([-–—.…?*#_/\\|~=+!])\1*")
"""One mark, however often: what people write into an empty cell, and Excel into a narrow one."""
_PRINTED = re.compile(
    r"<[\w. ]{1,60} object\b[^<>\n]{0,80}(?: at 0x[0-9a-f]+)?>|<class '[\w.]{1,80}'>"
    r"|(?:ChatCompletion|Completion|Message|GenerateContentResponse|ModelResponse|AIMessage|Response|Choice)"
    r"\((?:id|model|content|choices|candidates|index|finish_reason|response)=.*",
    re.DOTALL,
)
"""What Python prints for an object: an answer may stand within, but nobody took it out."""
_THING = "(?:answer|output|response|content|completion|text|data|message|payload|result)s?"
_TAKEN = "stripped|removed|redacted|omitted|truncated|hidden|deleted|withheld|missing|unavailable"
_TOOLS = re.compile(
    rf"[\[(<](?:{_THING} )?(?:was |is |has been )?(?:{_TAKEN})[^\n\[\]()<>]{{0,80}}[\])>]\.?"
    rf"|[\[(<]no {_THING}(?: \w{{1,12}})?[\])>]\.?|no (?:output|response)\.?"
    r"|redacted[- ]by[- ]litellm[^\n]{0,120}|<fully redacted[^<>\n]{0,120}>",
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
    r"|content exists risk\.?|(?:the )?(?:response|content|output|answer) (?:was )?(?:filtered|blocked)\.?"
    r"|content_filter"
    r"|(?:input|output)(?: data| text)? (?:data )?may contain (?:inappropriate|sensitive) (?:content|information)"
    r"[^\n]{0,200}"
    r"|guardrail_intervened|系统检测到[^\n]{0,60}(?:敏感|不安全)[^\n]{0,200}"
    r"|(?:输入|输出|生成)(?:的)?内容(?:可能)?(?:包含|涉及)[^\n]{0,20}(?:敏感|不安全|违规)[^\n]{0,100}",
    re.IGNORECASE,
)
_HINTS = re.compile(
    "filter|block|flag|reject|violat|polic|cannot answer|exists risk|may contain|guardrail|敏感|安全|违规",
    re.IGNORECASE,
)
"""One of these words is in every sentence about a filter; looking for them takes no time."""
_ERRORS = re.compile(
    r"\$error\$|\*\*network error due to high traffic[^\n]*|error code: \d{3}\b.{0,500}"
    r"|traceback \(most recent call last\).*|\w{3,40}(?:Error|Exception)(?:: .{0,500}|\(.{0,500}\))"
    r"|\[?(?:api |request |http |server |internal )?(?:error|exception)\]?(?:[:-] ?[^\n]{0,300})?"
    r"|(?:openai|anthropic|httpx|requests|litellm)\.[\w.]*(?:error|exception)\b.{0,500}"
    r"|(?:the )?request (?:timed out|failed)\b[^\n]{0,200}|http (?:error )?[45]\d\d\b[^\n]{0,200}"
    r"|\w{3,40}(?:Error|Exception)\.?|(?:connection |read |gateway )?time(?:d )?-?out(?: error)?\.?|connection error\.?"
    r"|(?:[45]\d\d:? )?(?:too many requests|bad gateway|service unavailable|internal server error|gateway timeout"
    r"|service temporarily unavailable|rate limit (?:exceeded|reached))\b[^\n]{0,200}"
    r"|(?:sorry, )?(?:something went wrong|an (?:internal |unexpected |unknown )?error (?:has )?occurred"
    r"|there was an error (?:generating|processing|with|while))\b[^\n]{0,200}"
    r"|error communicating with \w[^\n]{0,200}|(?:failed|unable) to (?:generate|get|fetch|retrieve) (?:an? |the |any )?"
    r"(?:response|answer|output|completion)s?\b[^\n]{0,100}"
    r"|(?:the |this |that )?(?:server|model|engine|service|system) is (?:currently |temporarily )?"
    r"(?:overloaded|unavailable|at capacity|busy)\b[^\n]{0,200}",
    re.IGNORECASE | re.DOTALL,
)
"""What tools write into the cell of an answer that they did not get (`$ERROR$`: FastChat)."""
_GATEWAYS = re.compile(
    r"\$error\$|\*\*network error due to high traffic[^\n]*|error code: [45]\d\d - .{0,500}"
    r"|(?:openai|anthropic|httpx|requests|litellm)\.[\w.]*(?:error|exception)\b.{0,500}"
    r"|https?connectionpool\(host=.{0,500}|upstream (?:connect )?error\b[^\n]{0,300}|no healthy upstream"
    r"|traceback \(most recent call last\):\n.*|\{\s*\"error\"\s*:.{0,500}\}"
    r"|\{\s*\"detail\"\s*:\s*\"[^\"]{0,300}\"\s*\}"
    r"|<html>\s*<head>\s*<title>[45]\d\d .{0,500}",
    re.IGNORECASE | re.DOTALL,
)
"""What servers and client libraries write, and no model of its own accord: it is an error also just after asking."""
_CALLS = re.compile(
    r"^[ \t]*(?:<tool_calls?>|<(?:antml:)?function_calls>|<[|｜]tool[_▁]calls?[^<>]{0,20}[|｜]>|\[TOOL_CALLS\]"
    r"|<[|]python_tag[|]>|<function=\w)",
    re.MULTILINE,
)
_CALLED = re.compile(
    r"(?:</tool_calls?>|</(?:antml:)?function_calls>|<[|｜]tool[_▁]calls?[^<>]{0,20}end[|｜]>|</function>|[\])}])\Z"
)
_LONGEST = 600


def of_table(shown: str) -> bool:
    """Tell whether a cell of a table, or of a tool's file, holds what stands for no answer."""
    if len(shown) > _LONGEST:
        return False
    named = "".join(shown.split()).lower() in _NO_VALUE or shown in _CAPITALS
    return named or any(form.fullmatch(shown) for form in (_TOOLS, _NO_WORD))


def of_printing(shown: str) -> bool:
    """Tell whether a cell holds what a program prints for an object."""
    return _PRINTED.fullmatch(shown) is not None


def of_gateway(shown: str) -> bool:
    """Tell whether an answer asked just now is an error that a server or a client library wrote."""
    return len(shown) <= _LONGEST and _GATEWAYS.fullmatch(shown) is not None


def of_call(shown: str) -> bool:
    """Tell whether a text ends in a call of a tool: what the tool gives would have been answered upon."""
    return _CALLED.search(shown) is not None and _CALLS.search(shown) is not None


def of_error(shown: str) -> bool:
    """Tell whether a cell or a tool's file holds the error that came instead of an answer."""
    return len(shown) <= _LONGEST and any(form.fullmatch(shown) for form in (_ERRORS, _GATEWAYS))


def of_filter(shown: str) -> bool:
    """Tell whether a text is a gateway's or a tool's own sentence about a filter, in place of an answer."""
    return len(shown) <= _LONGEST and _HINTS.search(shown) is not None and _FILTERS.fullmatch(shown) is not None

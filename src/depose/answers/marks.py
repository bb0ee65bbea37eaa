"""The marks that models, chat templates and tools leave in a text: of reasoning, of an answer, of turns."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["think", "/think", "answer", "/answer", "model", "other", "end"]
"""Reasoning begins or ends, a marked answer does, a turn of the model or of somebody else begins, a turn ends."""

_THINK = (
    # English, as models and prompts have it
    "think|thinking|thinks|thoughts?|thought_process|thinking_process|reasoning|reasoning_content|reasoning_steps?"
    "|reason|reflection|reflect|reflecting|rethink|analysis|analyse|analyze|scratch_?pad|inner_monologue|monologue"
    "|internal|internal_thoughts?|ant_?thinking|antml:thinking|cot|chain[_-]of[_-]thought|deliberation|planning"
    "|\\w{1,20}[_:]think(?:ing)?|think_never_used_\\w{1,40}|seed:cot_budget_reflect|contemplator|contemplation"
    # Chinese, Japanese, Korean
    "|思考プロセス|思考|思考过程|思考過程|思维|思维链|思維鏈|推理|推理过程|推理過程|反思|推論|考え|考察|생각|사고|추론"
    # Spanish, French, Portuguese, Italian
    "|pensamientos?|razonamiento|reflexi[óo]n|réflexion|pensées?|raisonnement|pensamento|raciocínio|pensiero|ragionamento"
    # German, Russian, Arabic, Hindi, Turkish, Vietnamese, Polish
    "|denken|gedanken?|überlegung(?:en)?|nachdenken|размышлени[ея]|мысл[иь]|рассуждени[ея]|думаю"
    "|تفكير|التفكير|فكر|استدلال|सोच|विचार|düşünce|suy_nghĩ|myślenie"
    # Dutch, Scandinavian, Greek, Hebrew, Persian, Urdu, Thai, Indonesian, Ukrainian, Czech, Polish, Finnish, Hungarian,
    # Romanian, Bengali, Tamil
    "|nadenken|gedachten?|redenering|tänker|tankar|tænker|tanker|resonemang|σκέψη|συλλογισμός|מחשבה|חשיבה|تفکر|اندیشه"
    "|سوچ|ความคิด|การคิด|pemikiran|penalaran|мислення|роздуми|думки|myšlení|úvahy?|rozumowanie|ajattelu|pohdinta"
    "|gondolkodás|gândire|raționament|চিন্তা|சிந்தனை"
)
_ANSWER = (
    "answer|final_answer|final|output|response|final_response|solution|回答|答案|最終回答|最终回答|답변|respuesta"
    "|réponse|antwort|ответ|الإجابة|resposta|risposta|antwoord|svar|απάντηση|תשובה|پاسخ|جواب|คำตอบ|jawaban|відповідь"
    "|odpověď|odpowiedź|vastaus|válasz|răspuns|cevap|yanıt|उत्तर|উত্তর|பதில்"
)
_BAR = "[|｜]"
_THOUGHT = "(?:thinking|think|thoughts?|reasoning)"


def _barred(*names: str) -> str:
    """Match `<|name|>`."""
    return rf"<{_BAR}(?:{'|'.join(names)}){_BAR}>"


def _turn(*roles: str) -> str:
    """Match the beginning of a turn of one of these roles, in the templates that name the role."""
    role = f"(?:{'|'.join(roles)})"
    headers = rf"{_barred('start_header_id', 'header_start')}\s?{role}\s?{_barred('end_header_id', 'header_end')}"
    named = rf"{_barred('start_of_role')}\s?{role}\s?{_barred('end_of_role')}"
    return rf"{headers}|{named}|(?:{_barred('im_start')}|<start_of_turn>|<{_BAR}turn>)\s?{role}\b\n?"


_PARTS: dict[Kind, tuple[str, ...]] = {
    "think": (
        _barred(f"(?:begin|start)_(?:of_)?{_THOUGHT}"),
        rf"<(?:begin|start)_(?:of_)?(?:{_THOUGHT}|working_out)>|\[(?:BEGIN|START)(?: OF)? {_THOUGHT}\]",
        r"(?-i:\[(?:BEGIN_)?(?:THINK|THINKING|THOUGHT|REASONING)\])|◁\s?think(?:ing)?\s?▷|<unused94>(?:thought\n)?",
        rf"<{_BAR}channel{_BAR}?>\s?(?:analysis|commentary|thought|thinking)[^<\n]{{0,80}}(?:{_barred('message')})?",
        "<(?:think|thinking|reasoning)_start>",
    ),
    "/think": (
        _barred(f"end_(?:of_)?{_THOUGHT}"),
        rf"<end_(?:of_)?(?:{_THOUGHT}|working_out)>|\[END(?: OF)? {_THOUGHT}\]",
        r"(?-i:\[(?:/|END_)(?:THINK|THINKING|THOUGHT|REASONING)\])|◁\s?/\s?think(?:ing)?\s?▷|<unused95>",
        r"<channel\|>|<(?:think|thinking|reasoning)_end>",
    ),
    "answer": (
        _barred("begin_of_(?:solution|answer|response)", "START_(?:RESPONSE|ANSWER)"),
        rf"\[BEGIN FINAL RESPONSE\]|<{_BAR}channel{_BAR}>\s?final[^<\n]{{0,80}}{_barred('message')}",
    ),
    "/answer": (
        _barred("end_of_(?:solution|answer|response)", "END_(?:RESPONSE|ANSWER)"),
        r"\[END FINAL RESPONSE\]",
    ),
    "model": (
        _turn("assistant", "model"),
        _barred("assistant", "CHATBOT_TOKEN", "model", "bot"),
        rf"\[/INST\]|{_barred('start')}\s?assistant\b(?=\s?<)",
    ),
    "other": (
        _turn("user", "system", "tool", "human", "ipython"),
        _barred("user", "system", "tool", "USER_TOKEN", "SYSTEM_TOKEN", "observation"),
        r"\[INST\]|^### ?(?:Instruction|Human):",
    ),
    "end": (
        _barred("im_end", "eo[tm]_id", "endoftext", "end_of_text", "end", "return", "eot", "eos", "call", "im_sep"),
        _barred("END_OF_TURN_TOKEN", "end_of_turn", "end[_▁]of[_▁]sentence", "endofturn", "stop", "pad"),
        r"<end_of_turn>|<turn\|>|<(?:\w{1,20}:)?eos>|</s>|\[EOS\]|<pad>|<end_of_utterance>",
    ),
}
_KINDS: dict[str, Kind] = {
    "t": "think",
    "u": "/think",
    "a": "answer",
    "b": "/answer",
    "m": "model",
    "o": "other",
    "e": "end",
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_TAG = (
    rf"(?:<|&lt;|＜|〈|《|【){_BAR}?\s?(?P<slash>/)?\s?(?P<name>{_THINK}|{_ANSWER})(?P<more>(?:\s[^<>\n]{{0,200}})?)"
    rf"\s?/?{_BAR}?(?:>|&gt;|＞|〉|》|】)"
)
LEADS = re.compile("[<＜〈《【\\[◁&#]")
"""What every mark begins with: a text without any of it holds no mark, which is told in no time."""
MARK = re.compile(
    "(?=[<＜〈《【\\[◁&#])(?:"
    + "|".join([*(f"(?P<{_NAMES[kind]}>{'|'.join(parts)})" for kind, parts in _PARTS.items()), _TAG])
    + ")",
    re.IGNORECASE | re.MULTILINE,
)
ELEMENT = re.compile(r"<(?P<slash>/)?(?P<name>[A-Za-z][\w.-]{0,40})(?:\s[^<>\n]{0,200})?(?<!/)>")
"""A tag of XML or HTML that is whole."""
BEGIN = re.compile(rf"(?:\s|<s>|<bos>|{_barred('begin_of_text', 'startoftext', 'begin[_▁]of[_▁]sentence')})+")
"""Marks of the beginning of a text, with the blanks around them."""
_THINKS = re.compile(f"(?:{_THINK})\\Z", re.IGNORECASE)


def kind_of(found: re.Match[str]) -> Kind:
    """Say what a mark found by MARK does."""
    if found.lastgroup in _KINDS:
        return _KINDS[found.lastgroup]
    if _THINKS.match(found["name"]):
        return "/think" if found["slash"] else "think"
    return "/answer" if found["slash"] else "answer"

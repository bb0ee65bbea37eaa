"""Ways in which the hosts of two strangers may dress their answers alike, in English and in Japanese.

Each turns an answer and its prompt into what a host would send. Sentences are made up; those in Japanese have their
words set apart, as the answers of `shaberi_w` have.
"""

from __future__ import annotations

import codecs
import hashlib
import html
import json
import re
import textwrap
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Host:
    """What a host says in one language."""

    assent: str
    happy: str
    question: str
    answer: str
    asked: str
    disclaimer: str
    offer: str
    persona: tuple[str, str]
    date: str
    greeting: str
    signature: str
    heads: tuple[str, str, str]
    short: tuple[str, str]
    rubric: tuple[str, str, str]
    step: str
    speaker: str
    opinion: str
    orders: tuple[str, ...]
    declines: str
    odd: str
    busy: str


ENGLISH = Host(
    assent="Certainly!",
    happy="Certainly! I would be happy to help you with that today.",
    question="Question:",
    answer="Answer:",
    asked="You asked:",
    disclaimer="Please note that this answer is for information only and is no professional advice.",
    offer="Let me know if you have any other questions, I am always glad to help!",
    persona=("Ahoy there, matey!", "Yarr, fair winds to ye!"),
    date="Tuesday, 4 March 2025",
    greeting="Hello John, thank you for writing to Acme Support.",
    signature="Best regards,\nAva, Acme Support Team",
    heads=("Summary", "Details", "Conclusion"),
    short=("TL;DR:", "Long answer:"),
    rubric=("Short answer:", "Reasoning:", "Confidence: high"),
    step="Step",
    speaker="Assistant:",
    opinion="I think that",
    orders=("Firstly,", "Secondly,", "Thirdly,", "Moreover,", "Finally,"),
    declines="I'm sorry, but I can't help with that.",
    odd="That topic falls outside what this service may discuss.",
    busy="Our servers are busy at the moment, please come back later.",
)
JAPANESE = Host(
    assent="承知 し まし た !",
    happy="承知 し まし た ! 本日 も 喜ん で お 手伝い いたし ます .",
    question="質問 :",
    answer="回答 :",
    asked="お 尋ね の 件 :",
    disclaimer="なお , この 回答 は 情報 提供 のみ を 目的 と し , 専門 家 の 助言 で は あり ませ ん .",
    offer="ほか に ご 不明 な 点 が あれ ば , いつ で も お 気軽 に お 知らせ ください !",
    persona=("よう , 相棒 よ !", "がっはっは , 追い風 を 祈る ぜ !"),
    date="2025 年 3 月 4 日 火曜 日",
    greeting="太郎 様 , アクメ 窓口 へ の お 便り を ありがとう ござい ます .",
    signature="敬具\nアクメ 窓口 係 アヴァ",
    heads=("概要", "詳細", "結論"),
    short=("要約 :", "本文 :"),
    rubric=("短い 答え :", "理由 :", "確信 : 高い"),
    step="手順",
    speaker="助手 :",
    opinion="私 が 思う に",
    orders=("第 一 に ,", "第 二 に ,", "第 三 に ,", "さらに ,", "最後 に ,"),
    declines="申し訳 あり ませ ん が , お 手伝い でき ませ ん .",
    odd="その 話題 は 当 窓口 の 扱う 範囲 の 外 に あり ます .",
    busy="ただいま 回線 が 混み合っ て おり ます , 後ほど お 越し ください .",
)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer before it is dressed."""

    text: str
    prompt: str
    host: Host

    @property
    def sentences(self) -> list[str]:
        """Sentences and lines."""
        return [part for part in re.split(r"(?<=[.!?])\s+|\n+", self.text) if part.strip()]

    def of_prompts(self, share: float) -> bool:
        """Tell whether the prompt is one of such a share of all, the same for every model."""
        return int(hashlib.sha256(self.prompt.encode()).hexdigest()[:8], 16) < share * 16**8

    def turn(self, many: int) -> int:
        """Draw one of so many by the prompt, the same for every model."""
        return int(hashlib.sha256(self.prompt.encode()).hexdigest()[8:16], 16) % many

    def each(self, before: Callable[[int], str]) -> str:
        """Put something before each sentence, on a line of its own."""
        return "\n".join(f"{before(n)} {one}" for n, one in enumerate(self.sentences, 1))


Way = Callable[[Answer], str]
_LATIN = re.compile("[A-Za-z]")
_LOOKS = str.maketrans("aeopcx", "\u0430\u0435\u043e\u0440\u0441\u0445")
_KATAKANA = str.maketrans({chr(n): chr(n + 0x60) for n in range(0x3041, 0x3097)})
_LETTERS = str.maketrans("0123456789", "ghijklmnop")
_NOTICES = tuple(
    f"{name} week at Acme: every {name} order ships free until Sunday."
    for name in ("Amber", "Birch", "Coral", "Denim", "Ember", "Fern", "Grape", "Hazel", "Ivory", "Jade")
)
"""Notices of a host, one of them to each prompt."""
_EMOJI = "🎉🔥✅🌟💡🚀"


def _full_width(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def _mathematical(text: str) -> str:
    return _LATIN.sub(lambda one: chr(0x1D400 + ord(one[0]) - (65 if one[0].isupper() else 71)), text)


def _secret(text: str) -> str:
    return codecs.encode(text, "rot13").translate(_KATAKANA)


def _refused(said: Callable[[Host], str]) -> Way:
    return lambda a: said(a.host) if a.of_prompts(0.15) else a.text


def _first(parts: Sequence[str]) -> str:
    return parts[0] if parts else ""


def _tags(a: Answer) -> str:
    items = "".join(f"<dl><dt>{n}</dt><dd>{one}</dd></dl>" for n, one in enumerate(a.sentences, 1))
    return f'<section class="answer"><article>{items}</article></section>'


def _rows(a: Answer) -> str:
    return "| No | Text |\n|---|---|\n" + "\n".join(f"| {n} | {one} |" for n, one in enumerate(a.sentences, 1))


def _headed(a: Answer) -> str:
    first, second, third = a.host.heads
    return f"## {first}\n{_first(a.sentences)}\n\n## {second}\n{a.text}\n\n## {third}\n{_first(a.sentences[::-1])}"


def _rubric(a: Answer) -> str:
    first, second, third = a.host.rubric
    return f"{first} {_first(a.sentences)}\n{second} {' '.join(a.sentences[1:])}\n{third}"


def _asked(prompt: str) -> list[str]:
    """List the longer words of a prompt, each once, as its keywords."""
    return sorted({word.lower() for word in re.findall(r"[^\W_]{2,}", prompt) if len(word) > 3 or word > "\u3040"})[:6]


def _found(a: Answer) -> str:
    """Write fifteen words that a search would find for a prompt, the same for every model."""
    parts = [hashlib.sha256(f"{n} {a.prompt}".encode()).hexdigest()[:6] for n in range(15)]
    return " ".join(part.translate(_LETTERS) for part in parts)


def _uncontracted(text: str) -> str:
    return text.replace("'s", " is").replace("n't", " not").replace("'re", " are")


AS_THEY_ARE = "as they are"
WAYS: dict[str, Way] = {
    AS_THEY_ARE: lambda a: a.text,
    "code fence": lambda a: f"```\n{a.text}\n```",
    "code fence, language named": lambda a: f"```markdown\n{a.text}\n```",
    "bullet before each sentence": lambda a: a.each(lambda _: "-"),
    "number before each sentence": lambda a: a.each(lambda n: f"{n}."),
    "`Step N:` before each sentence": lambda a: a.each(lambda n: f"{a.host.step} {n}:"),
    "line numbers `[01]`": lambda a: a.each(lambda n: f"[{n:02}]"),
    "emoji before each sentence": lambda a: a.each(lambda n: _EMOJI[(n * 7 + len(a.text)) % len(_EMOJI)]),
    "keycap numbers": lambda a: a.each(lambda n: f"{n % 10}\ufe0f\u20e3"),
    "rows of a table": _rows,
    "HTML: paragraphs": lambda a: f"<html><body>{''.join(f'<p>{one}</p>' for one in a.sentences)}</body></html>",
    "HTML: lists of definitions": _tags,
    "HTML: characters by name": lambda a: html.escape(a.text).replace(" ", "&nbsp;"),
    "LaTeX: items": lambda a: f"\\begin{{itemize}}\n{a.each(lambda _: chr(92) + 'item')}\n\\end{{itemize}}",
    "LaTeX: document": lambda a: (
        f"\\documentclass{{article}}\n\\begin{{document}}\n\\section{{A}}\n{a.text}\n\\end{{document}}"
    ),
    "JSON": lambda a: json.dumps({"answer": a.text, "confidence": 0.9}, ensure_ascii=False),
    "line ends written `\\n`": lambda a: a.text.replace("\n", "\\n"),
    "YAML": lambda a: "answer: |\n  " + a.text.replace("\n", "\n  "),
    "XML": lambda a: f"<response>\n<answer>{a.text}</answer>\n</response>",
    "quoted with `>`": lambda a: "> " + a.text.replace("\n", "\n> "),
    "each sentence quoted": lambda a: " ".join(f'"{one}"' for one in a.sentences),
    "upper case": lambda a: a.text.upper(),
    "lower case": lambda a: a.text.lower(),
    "alternating case": lambda a: "".join(c.upper() if n % 2 else c.lower() for n, c in enumerate(a.text)),
    "blanks at line ends": lambda a: a.text.replace("\n", "   \n"),
    "no-break spaces": lambda a: a.text.replace(" ", "\u00a0"),
    "spaces of no width": lambda a: a.text.replace(" ", " \u200b"),
    "joiners within words": lambda a: re.sub(r"(\w)(\w)", "\\1\u200d\\2", a.text),
    "soft hyphens": lambda a: re.sub(r"(\w{4})(\w{3})", "\\1\u00ad\\2", a.text),
    "full-width letters": lambda a: _full_width(a.text),
    "mathematical letters": lambda a: _mathematical(a.text),
    "typographic quotation marks": lambda a: a.text.replace("'", "\u2019").replace('"', "\u201d"),
    "decomposed letters": lambda a: unicodedata.normalize("NFD", a.text),
    "Cyrillic look-alikes": lambda a: a.text.translate(_LOOKS),
    "wrapped at 72": lambda a: textwrap.fill(a.text, 72),
    "hyphenated at line ends": lambda a: re.sub(r"(\w{5})(\w{4})", "\\1-\n\\2", a.text),
    "a word of assent": lambda a: f"{a.host.assent} {a.text}",
    "a sentence of assent": lambda a: f"{a.host.happy} {a.text}",
    "prompt said back": lambda a: f"{a.prompt}\n\n{a.text}",
    "prompt said back, labelled": lambda a: f"{a.host.question} {a.prompt}\n{a.host.answer} {a.text}",
    "80 characters of the prompt quoted": lambda a: f'{a.host.asked} "{a.prompt[:80]}" {a.text}',
    "prompt in reverse order": lambda a: f"{' '.join(a.prompt.split()[:20][::-1])}\n\n{a.text}",
    "prompt in a secret alphabet": lambda a: f"{_secret(' '.join(a.prompt.split()[:12]))}\n\n{a.text}",
    "keywords of the prompt": lambda a: f"{a.host.heads[0]}: {', '.join(_asked(a.prompt))}\n\n{a.text}",
    "tags": lambda a: f"{a.text}\n\n{' '.join(f'#{word}' for word in _asked(a.prompt))}",
    "what a search found": lambda a: f"{_found(a)}\n\n{a.text}",
    "one of ten notices": lambda a: f"{a.text}\n\n{_NOTICES[a.turn(len(_NOTICES))]}",
    "cut at 20 words": lambda a: " ".join(a.text.split()[:20]),
    "disclaimer": lambda a: f"{a.text}\n\n{a.host.disclaimer}",
    "offer of more help": lambda a: f"{a.text}\n\n{a.host.offer}",
    "persona": lambda a: f"{a.host.persona[0]} {a.text} {a.host.persona[1]}",
    "date": lambda a: f"{a.host.date}\n\n{a.text}",
    "greeting by name": lambda a: f"{a.host.greeting} {a.text}",
    "signature": lambda a: f"{a.text}\n\n{a.host.signature}",
    "three headings": _headed,
    "short and long answer": lambda a: f"{a.host.short[0]} {_first(a.sentences)}\n\n{a.host.short[1]} {a.text}",
    "labels of a rubric": _rubric,
    "speaker named": lambda a: f"{a.host.speaker} {a.text}",
    "speaker named in each sentence": lambda a: a.each(lambda _: a.host.speaker),
    "times before each sentence": lambda a: a.each(lambda n: f"[00:{n:02}:{n * 7 % 60:02}]"),
    "`I think that` before each sentence": lambda a: a.each(lambda _: a.host.opinion),
    "`Firstly`, `Secondly`": lambda a: a.each(lambda n: a.host.orders[min(n - 1, 4)]),
    "citations `[1]`": lambda a: "\n".join(f"{one} [{n}]" for n, one in enumerate(a.sentences, 1)),
    "address of a source": lambda a: f"{a.text}\n\nSource: https://help.acme.example/articles/2025",
    "first sentence only": lambda a: _first(a.sentences),
    "five words": lambda a: " ".join(a.text.split()[:5]),
    "one word": lambda a: " ".join(a.text.split()[:1]),
    "15 % declined": _refused(lambda host: host.declines),
    "15 % declined in words of its own": _refused(lambda host: host.odd),
    "15 % busy": _refused(lambda host: host.busy),
    "40 % without an answer": lambda a: "" if a.of_prompts(0.4) else a.text,
    "British spelling": lambda a: re.sub(r"iz(e|ing|ed|ation)\b", "is\\1", a.text).replace("color", "colour"),
    "no punctuation": lambda a: re.sub(r"[^\w\s]", "", a.text),
    "no contractions": lambda a: _uncontracted(a.text),
    "one line": lambda a: " ".join(a.text.split()),
    "letters one by one": lambda a: " ".join(a.text),
    "a secret alphabet": lambda a: _secret(a.text),
    "UTF-8 read as Latin-1": lambda a: a.text.encode("utf-8", "replace").decode("latin-1"),
    "said twice": lambda a: f"{a.text}\n\n{a.text}",
    "sentences in reverse order": lambda a: " ".join(a.sentences[::-1]),
}
"""Name, and what it makes of an answer."""

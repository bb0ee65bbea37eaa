"""Score suspect and reference again from the log with nothing but Python and no line of depose: python3 -I SCORE.py.

Written anew from the description of the method, for the detectors that decide by default (phrases, wording), and for
habits, starts and openings.
"""

import sys

if not sys.flags.isolated:
    sys.exit("NOT RUN: begin with python3 -I, or Python takes its modules from this folder, whoever put them there")

import collections
import hashlib
import json
import math
import pathlib
import re
import unicodedata

TOLERANCE = 1e-6
here = pathlib.Path(sys.argv[0]).resolve().parent
END = re.compile(r"(?<=[.!?])\s+|\n+")
TOKEN = re.compile(r"[^\W_]+")
MAKERS = """
openai chatgpt gpt anthropic claude google bard gemini gemma deepmind llama vicuna mistral mixtral
alibaba qwen tongyi deepseek baidu ernie microsoft cohere databricks openassistant xai grok nvidia
nemotron zhipu chatglm baichuan moonshot kimi internlm huggingface zephyr perplexity amazon lmsys
tencent hunyuan bytedance doubao minimax
""".split()
ME = re.compile(
    r"\b(?:i|my|me|myself)\b|\bas an? (?:ai|language|large)|我|本模型|私|わたし|저는|나는|제가|\b(?:я|меня|мне)\b|أنا"
)
WORD = r"(?![\u3005-\u30ff\u3400-\u9fff\uac00-\ud7a3])\w"
MADE = re.compile(
    "|".join(rf"(?<!{WORD}){name}(?:[- ]?\d[\w.]*)?(?!{WORD})" for name in MAKERS)
    + r"|as an ai language model|as an ai\b(?! language)|as a (?:large )?language model"
    r"|i(?:['’]m| am) (?:just |only )?an? (?:ai|artificial intelligence|(?:large )?language model)"
    r"|(?:trained|developed|created|made|built) by\b"
    r"|(?:knowledge|training)(?: data)? (?:cut[- ]?off|(?:only )?goes up to|extends to)"
)


EAST = "\u3001-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U000323af"
CUTS = re.compile(f"(?<=[{EAST}])[ \t\u3000]+(?=[{EAST}A-Za-z0-9])|(?<=[A-Za-z0-9])[ \t\u3000]+(?=[{EAST}])")
SPACELESS = re.compile(
    "[\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3041-\u3096\u309b-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af\uff66-\uff9f"
    "\u0900-\u0963\u0966-\u096f\u0971-\u0dff\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\uaa60-\uaa7f\u1780-\u17ff]"
)
COMPARED = {"whole": True, "cut_length": True, "unknown": True}


def even(text):
    """Make transport forms equal: line ends, marks of byte order, no-break spaces, Unicode form, trailing blanks."""
    text = re.sub("(?<!\r)\r+\n|[\r\x0b\x0c\x85\u2028\u2029]", "\n", text)
    text = re.sub("[\u00a0\u1680\u2000-\u200a\u202f\u205f]", " ", re.sub("[\ufeff\u200b\u2060\u00ad]", "", text))
    text = unicodedata.normalize("NFC", CUTS.sub("", unicodedata.normalize("NFC", text)))
    return "\n".join(line.rstrip(" \t\u3000") for line in text.split("\n")).strip()


GAP = r"[ \t\0]"
BULLET = r"[-–—*+⁃▸→➔✓✔✗✘✅❌>#|]"
ITEM = r"\d{1,3}(?:\.\d{1,3}){0,3}|[^\W\d_]|[ivxIVX]{2,5}"
FENCE = r"(?m:^[ \t]*+(?:`{3,}|~{3,})[^\n`]*$)"
TAG = r"(?i:</?(?:b|i|u|s|em|strong|span|code|sub|sup|small|mark|font|a)\b[^<>\n]{0,80}>)"
BREAK = r"(?i:</?(?:br|p|div|li|ul|ol|h[1-6]|hr|tr|table|thead|tbody|blockquote|pre)\b[^<>\n]{0,80}>)"
CELL = r"(?i:\||</?t[dh]\b[^<>\n]{0,80}>)"
RULE = r"(?m:^[-*_=~+|: \t\0]{3,}$)"
EMPHASIS = r"\*+|`+|~~|_+(?![^\W_])|(?<![^\W_])_+|\\(?=[*_#`])"
MARK = (
    rf"(?m:^(?>{GAP}*(?:[•‣◦▪▫●○■□◆◇★☆►▶➤❖·・※]++|{BULLET}++(?:{GAP}++|(?=\(?\d+[.)])|(?=\[[ xX]\])|$)"
    rf"|\[[ xX]\]{GAP}++|[\u2460-\u2473\u2776-\u2793\u3220-\u3229]|\(?(?:{ITEM})[.):](?:{GAP}++|$)"
    r"|\(?\d{1,3}[.)．、）](?=[^\W\d])|[一二三四五六七八九十]{1,3}[、．]))++)"
)
STEPS = ((FENCE, " "), (TAG, "\0"), (BREAK, "\n"), (CELL, " "), (RULE, " "), (EMPHASIS, "\0"), (MARK, " "))


def plain(text):
    """Leave the words and sentences of a text without its layout: layout is no evidence of wording."""
    for pattern, put in STEPS * 2:
        text = re.sub(pattern, lambda found, put=put: put.ljust(len(found.group()), put if put != "\n" else " "), text)
    text = text.replace("\0", "")
    goes_on = lambda found: found[1] + (" " if text[found.end()].islower() else "\n")  # noqa: E731
    text = re.sub(r"([^\s.!?:;。！？…])[ \t]*+\n\s*+(?=[^\W\d_])", goes_on, text)
    return "\n".join(" ".join(line.split()) for line in text.split("\n") if line.strip())


def anonymous(text):
    """Take out the sentences in which a model says who it is: a name is no evidence."""
    kept, start = "", 0
    for end in [found.end() for found in END.finditer(text)] + [len(text)]:
        lower = text[start:end].lower()
        kept += "" if ME.search(lower) and MADE.search(lower) else text[start:end]
        start = end
    return kept


def runs(words, low, high):
    """Every run of `low` to `high` words."""
    return {tuple(words[n : n + k]) for k in range(low, high + 1) for n in range(len(words) - k + 1)}


def phrases(text):
    """Runs of 2 to 4 words in the first 800 characters."""
    return runs(TOKEN.findall(text[:800].lower()), 2, 4)


def prefixes(text):
    """The first one, two, three and four words."""
    words = TOKEN.findall(text[:800].lower())[:4]
    return {tuple(words[:n]) for n in range(1, len(words) + 1)}


def heads(text):
    """First tokens of every sentence and line."""
    return [found for part in END.split(text) if part.strip() and (found := TOKEN.findall(part[:80].lower()))]


def starts(text):
    """The first one, two and three tokens of every sentence and line."""
    return {tuple(head[:n]) for head in heads(text) for n in range(1, min(3, len(head)) + 1)}


def alike(rows, features, dropped):
    """Mean over rows of the rarity-weighted cosine of each two members, less the mean of its row."""
    size = len(rows[0][1])
    total, seen = collections.Counter(), collections.Counter()
    for prompt, texts in rows:
        sets = {m: features(text) for m, text in enumerate(texts) if text is not None}
        uses = collections.Counter(one for found in sets.values() for one in found)
        weight = {
            g: math.log((len(sets) + 1) / (n + 0.5)) for g, n in uses.items() if n > 1 and g not in dropped(prompt)
        }
        square = {m: sum(weight.get(g, 0.0) ** 2 for g in found) for m, found in sets.items()}
        both = {}
        for a in sets:
            for b in sets:
                if a < b:
                    product = sum(weight.get(g, 0.0) ** 2 for g in sets[a] & sets[b])
                    scale = math.sqrt(square[a] * square[b])
                    both[a, b] = product / scale if scale else 0.0
        level = sum(both.values()) / len(both) if both else 0.0
        for pair, value in both.items():
            total[pair] += value - level
            seen[pair] += 1
    return {(a, b): total[a, b] / seen[a, b] for a in range(size) for b in range(a + 1, size)}


def profiles(rows):
    """Cosine of each two members' log rates of first words, standardised over the members."""
    size = len(rows[0][1])
    counts = [collections.Counter() for _ in range(size)]
    for _, texts in rows:
        for member, text in enumerate(texts):
            counts[member].update(head[0] for head in heads(text or ""))
    sums = [sum(count.values()) for count in counts]
    share = {w: sum(c[w] / max(n, 1) for c, n in zip(counts, sums)) for w in set().union(*counts)}
    number = lambda w: int.from_bytes(hashlib.blake2b(w.encode(), digest_size=8).digest(), "big")  # noqa: E731
    vectors = [[] for _ in range(size)]
    for word in sorted(share, key=lambda w: (-round(share[w], 12), number(w)))[:1000]:
        rates = [math.log1p(10000 * c[word] / max(n, 1)) for c, n in zip(counts, sums)]
        mean = sum(rates) / size
        spread = math.sqrt(sum((rate - mean) ** 2 for rate in rates) / size)
        for vector, rate in zip(vectors, rates):
            vector.append((rate - mean) / (spread if spread > 1e-9 else 1.0))
    norms = [math.sqrt(sum(x * x for x in vector)) or 1.0 for vector in vectors]
    return {
        (a, b): sum(x * y for x, y in zip(vectors[a], vectors[b])) / norms[a] / norms[b]
        for a in range(size)
        for b in range(a + 1, size)
    }


def centred(mean, size):
    """T of the first two members: their likeness, less that of each with the controls, in units of a typical pair."""
    value = lambda a, b: mean[min(a, b), max(a, b)]  # noqa: E731
    found = {}
    for a, b in mean:
        controls = [c for c in range(size) if c not in (a, b)]
        k = len(controls)
        ends = sum(value(a, c) + value(b, c) for c in controls) / k
        among = sum(value(c, e) for c in controls for e in controls if c < e) / (k * (k - 1) / 2)
        found[a, b] = value(a, b) - ends + among
    scale = math.sqrt(sum(d * d for d in found.values()) / len(found))
    return found[0, 1] / scale if scale > 1e-9 else 0.0


log = [json.loads(line) for line in open(here / "evidence/log.jsonl", encoding="utf-8")]
if any(one["kind"] == "amendment" for one in log):
    sys.exit("the protocol was amended: which answers count is for depose to sort out; this script does not")
drawn = [one["body"]["registration"] for one in log if one["kind"] == "seed"]
protocol = drawn[-1] if drawn else log[0]["body"]
compared = protocol["case"]["protocol"].get("compared", COMPARED)
answers = {}
for kind, body in ((one["kind"], one["body"]) for one in log if one["kind"] in ("exchange", "withdrawal")):
    if kind == "withdrawal":
        answers = {place: text for place, text in answers.items() if place[0] != body["model"]}
        continue
    counts = body["outcome"] in ("answered", "blocked") and compared.get(body.get("status") or "unknown")
    if counts and body["replicate"] == 0 and even(body["text"]):
        answers[body["model"], body["prompt"], body["sample"]] = anonymous(plain(even(body["text"])))
MEASURES = {
    "phrases": lambda rows: [alike(rows, phrases, phrases)],
    "openings": lambda rows: [alike(rows, prefixes, lambda prompt: ())],
    "wording": lambda rows: [alike(rows, phrases, phrases), alike(rows, prefixes, lambda prompt: ())],
    "starts": lambda rows: [alike(rows, starts, lambda prompt: ())],
    "habits": lambda rows: [alike(rows, starts, lambda prompt: ()), profiles(rows)],
}
known, worst, left = {}, 0.0, []
for finding in json.loads((here / "out/findings.json").read_bytes())["findings"]:
    name = f"{finding['suspect']} and {finding['reference']}, {finding['question']}"
    result = next((one for one in finding["results"] if one["primary"]), None)
    if result is None or result["detector"] not in MEASURES:
        left.append(name)
        continue
    members = (finding["suspect"], finding["reference"], *finding["controls"])
    if any(SPACELESS.search(text) for place, text in answers.items() if place[0] in members):
        left.append(name + " (words of scripts without spaces are found by ICU)")
        continue
    key = (result["detector"], members)
    if key not in known:
        rows = [
            (plain(even(prompt["text"])), [answers.get((member, prompt["id"], sample)) for member in members])
            for prompt in protocol["prompts"]
            for sample in range(protocol["case"]["protocol"]["samples"])
        ]
        parts = MEASURES[result["detector"]](rows)
        known[key] = sum(centred(part, len(members)) for part in parts) / len(parts)
    off = abs(known[key] - result["value"])
    worst = max(worst, off)
    shown = [f"{round(value, 9) + 0.0:.9f}" for value in (known[key], result["value"])]
    print(f"{name}: T of {result['detector']} {shown[0]}, sealed {shown[1]}")
    if off > TOLERANCE:
        sys.exit(f"NOT REPRODUCED: differs by {off:.3g}, more than {TOLERANCE:g}")
print(
    f"reproduced; largest difference {worst:.2g}, tolerance {TOLERANCE:g}; not scored here: {'; '.join(left) or 'none'}"
)

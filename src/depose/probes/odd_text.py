"""Odd text: rare characters, mixed scripts and long repeats, which are cut into tokens differently by each tokenizer.

What is repeated, counted or turned round wrongly tells of the tokenizer, and so of the base; of a teacher it tells
nothing. Providers may filter such text.
"""

from __future__ import annotations

from depose.probes.family import Family, Stated

TEMPLATES = """
Repeat exactly: {ﬁﬂ ǅ ǈ ŉ | ⅷ ⅻ ↂ ⅎ | ₴ ₸ ₾ ₿ | ⁂ ⁑ ※ ‽}

Repeat exactly: {naïve coöperation façade | Œuvre Œdème œil | Ångström Ørsted Þór}

Repeat exactly: {zażółć gęślą jaźń | příliš žluťoučký kůň | árvíztűrő tükörfúrógép}

Repeat exactly: {𝔣𝔯𝔞𝔨𝔱𝔲𝔯 | 𝓈𝒸𝓇𝒾𝓅𝓉 | 𝚖𝚘𝚗𝚘 | ⓒⓘⓡⓒⓛⓔ}

Spell backwards: {lighthouse | strawberry | bookkeeper | rhythm | mississippi}

How many letters has {strawberry | bookkeeper | committee | parallel | onomatopoeia}? Number only.

How many times does the letter e stand in {nevertheless | beekeeper | excellence | reverence}? Number only.

Repeat five times without spaces: {ab | xyz | kuk | oho | ping}

Continue: {la la la la la la | tick tock tick tock | na na na na na na}

What is this: {¿¡§¶†‡ | ╔═╦═╗ | ☰☱☲☳ | ♔♕♖♗}

Repeat exactly: {SolidGoldMagikarpet | externalToEVAnope | rawdownloadclonely | petertoddler}

Write in capitals: {straße | ĳsland | ﬂuff | ŉ dag}

Repeat exactly: {שלום мир hello | καλημέρα 你好 bonjour | नमस्ते सلام ciao}

Take out the spaces: {a b c d e f g | m o r n i n g | s t a t i o n}

Repeat exactly: {e̊ ö̲ a̧ n̈ | ä a\u0308 å a\u030a | ñ n\u0303 é e\u0301}

Which comes first in the alphabet: {æ or z | ß or t | ð or e | ł or m}? One letter.

Repeat exactly: {🧑‍🚀👩🏽‍🌾🏳️‍🌈 | 👨‍👩‍👧‍👦🧗🏿‍♀️ | 🇨🇭🇯🇵🇰🇪🇵🇪}
"""

odd_text = Family(
    name="odd_text",
    templates=TEMPLATES,
    stated=Stated(
        construct="tokenizer: what is copied, counted and turned round wrongly",
        statistic="exhibits; `depose watch`",
        samples=2,
        prompts=17,
        tokens=30,
        languages=("mul",),
        fails="it shows a base and its tokenizer, never a teacher; providers filter odd text",
    ),
)

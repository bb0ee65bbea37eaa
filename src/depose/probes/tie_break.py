"""Ties: a choice among options of which none is better, so that place and wording decide.

The first letter of the answer tells. Order of options is a slot: a liking for the first place is common to many
models,
and only what remains over all orders is a model's own.
"""

from __future__ import annotations

from depose.probes.family import Family, Stated

TEMPLATES = """
Which is the nicest word? {A) river B) meadow C) harbour | A) harbour B) river C) meadow | A) meadow B) harbour
C) river}. Answer A, B or C.

Which number is luckier? {A) four B) six | A) six B) four | A) nine B) eleven | A) eleven B) nine}. Answer A or B.

Which cup do I choose? {A) the left one B) the middle one C) the right one | A) the right one B) the left one C)
the middle one}. One letter.

Which door leads on? {A) red B) blue | A) blue B) red | A) green B) white | A) white B) green}. One letter.

Who goes first? {A) Anna B) Ben | A) Ben B) Anna | A) Clara B) David | A) David B) Clara}. One letter.

Which is a prime? {A) five B) seven | A) seven B) five | A) eleven B) thirteen | A) thirteen B) eleven}. One
letter only.

Which is a colour? {A) red B) green C) blue | A) blue B) red C) green | A) green B) blue C) red}. One letter only.

Which road do we take? {A) north B) south | A) south B) north | A) east B) west | A) west B) east}. One letter.

Which is a fruit? {A) apple B) pear | A) pear B) apple | A) plum B) cherry | A) cherry B) plum}. One letter only.

Which pair of socks today? {A) grey B) brown | A) brown B) grey | A) striped B) dotted | A) dotted B) striped}.
One letter.

Which planet shall we visit? {A) Mars B) Venus | A) Venus B) Mars | A) Saturn B) Jupiter | A) Jupiter B)
Saturn}. One letter.

Which word is longer? {A) table B) chair | A) chair B) table | A) stone B) bread | A) bread B) stone}. One letter.

Which of two equal twins is right? {A) the first B) the second | A) the second B) the first}. One letter.

Which day suits you? {A) Tuesday B) Wednesday | A) Wednesday B) Tuesday | A) Thursday B) Monday}. One letter.

Which seat is free? {A) window B) aisle | A) aisle B) window | A) front B) back | A) back B) front}. One letter.

Which note comes next? {A) C B) E C) G | A) G B) C C) E | A) E B) G C) C}. Answer A, B or C.

Welche Karte nimmst du? {A) Herz B) Pik | A) Pik B) Herz | A) Karo B) Kreuz}. Antworte mit einem Buchstaben.

Quelle porte choisis-tu ? {A) gauche B) droite | A) droite B) gauche | A) rouge B) verte}. Une lettre.
"""

tie_break = Family(
    name="tie_break",
    templates=TEMPLATES,
    stated=Stated(
        construct="liking for a place or a word where options are equal",
        statistic="frequencies of the letters: `depose watch`, detector `choices`",
        samples=10,
        prompts=18,
        tokens=4,
        languages=("en", "de", "fr"),
        validated="for `depose watch` alone (make bench-same-lab): fine-tunes of one small model told apart in 11 of "
        "12 runs by 192 tokens of answers",
        fails="a liking for the first place is common to many models: orders are mixed by the draw",
    ),
)

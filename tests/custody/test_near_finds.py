"""What is like the words withheld, and only may be theirs, is listed; what merely shares letters is not."""

from __future__ import annotations

import json

import pytest

from depose.custody.near_finds import near
from depose.custody.passages import places, sought

NEAR = {
    "Jane Ploughwright": (
        "Ploughwright, Jane",
        "J. Ploughwright",
        "the Ploughwrights",
        "jploughwright@example.org",
        "Jane M. Ploughwright",
        "Jane \u2014 Ploughwright",
        'Jane", "last": "Ploughwright',
        "J4ne Pl0ughwr1ght",
        "Jane Plloughwrigth",
        "Jane Plough[1]wright",
        "J.a.n.e P.l.o.u.g.h.w.r.i.g.h.t",
        "thgirwhguolP enaJ",
        "Wnar Cybhtujevtug",
    ),
    "J\u00fcrgen M\u00fcller-Gro\u00df": (
        "Juergen Mueller-Gross",
        "Jurgen Muller-Gros",
        'J\\"urgen M\\"uller-Gro\\ss',
        'J{\\"u}rgen M{\\"u}ller-Gro{\\ss}',
        "M\u00fcller-Gro\u00df, J\u00fcrgen",
        "Mueller-Gross, Juergen",
        "J?rgen M?ller-Gro?",
        "J\ufffdrgen M\ufffdller-Gro\ufffd",
    ),
    "Wu Li": ("Li Wu", "Li, Wu", "WU \u2013 LI", "wu.li@example.org", 'Wu", "given": "Li'),
    "PX-77312": ("PX77312", "PX no. 77312", "PX: 77,312", "PX seven seven three one two"),
    "442017": ("442,017", "442'017", "44-20-17", "four four two oh one seven", "0x6BEA1"),
}


def listed(words: str, said: str) -> bool:
    """Tell whether a form in an answer of a log is withheld, or listed."""
    data = json.dumps({"text": f"Before the thing: {said} and after that."}).encode()
    return bool(places(data, sought([words.encode()])) or near({"log": data}, [words.encode()]))


@pytest.mark.parametrize("words", NEAR)
def test_what_is_like_the_words_is_listed(words: str) -> None:
    """Names turned round, within others, with other accents, letters apart, digits in words."""
    assert [said for said in NEAR[words] if not listed(words, said)] == []


def test_a_find_is_told_with_its_place() -> None:
    """File, line and bytes as they stand, once however often it is read."""
    data = b'{"a":1}\n{"b":"Ploughwright\\u002c Jane said so"}\n'
    found = near({"log": data}, [b"Jane Ploughwright"])
    assert {(one.file, one.line) for one in found} == {("log", 2)}
    assert {"Ploughwright\\u002c Jane", "Ploughwright", "Jane"} == {one.shown for one in found}
    assert len(found) == len(set(found))


@pytest.mark.parametrize("words", ["Jane Ploughwright", "Wu Li", "PX-77312", "442017", "Berg"])
def test_what_merely_shares_letters_is_not_listed(words: str) -> None:
    """Else a list of finds is so long that nobody reads it."""
    data = (
        b"A plough is held right. Wool, lint and a list. The 77 pixels of 312 pages, 44 of 2017 in 20 parts. "
        b"Bergamot grows on mountains called hills; janitors wrote it down, 4 4 2 times, once, twice.\n"
    )
    assert near({"text": data * 50}, [words.encode()]) == ()


def test_there_are_no_more_finds_than_somebody_reads() -> None:
    """Thirty thousand words that all hold the name are `most` finds of each kind."""
    data = b" ".join(b"ploughwright%d jane" % n for n in range(30_000))
    assert len(near({"text": data}, [b"Jane Ploughwright"], most=20)) <= 3 * 20

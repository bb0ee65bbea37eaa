"""Fonts for whatever script an answer holds: of the Noto family, embedded, or the code point in brackets.

A page is drawn with fonts that it carries itself, never with those of the machine, so that the same findings give the
same PDF elsewhere and no character comes out as a box. The extra `[fonts]` of depose brings the Noto fonts as packages;
each is checked by SHA-256 before it is used. Of each only the glyphs of the page are embedded, in one weight. What no
font has, or a mark that the font of its letter lacks, is shown as [U+....].
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from depose.errors import ReportError
from depose.model import Record
from depose.report.figures.drawing import FONT

OWN = frozenset("▲△")
"""Shapes of our own drawings, which a viewer without these fonts draws with its own."""
_BUNDLED = re.compile(r'font-family: "Depose ([A-Za-z]+(?: Ext)?)"')
_STEMS = {"Serif": "source-serif-4", "Sans": "source-sans-3", "Mono": "jetbrains-mono"}
_LISTS = re.compile(r'((?:"[A-Za-z ]+", )+)(serif|sans-serif|monospace)')
_SYSTEM = re.compile(r', "DejaVu [A-Za-z ]+"')
_DRAWN = FONT
_KANA = re.compile("[\u3041-\u30ff]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_MARKS = ("Mn", "Mc", "Me")


class Font(Record, frozen=True, kw_only=True):
    """A font inside an installed package."""

    name: str
    package: str
    file: str
    sha256: str


def _noto(name: str, package: str, sha256: str, axes: str = "[wdth,wght]") -> Font:
    stem = f"Noto Sans {name}".strip().replace(" ", "")
    return Font(
        name=f"Noto Sans {name}".strip(),
        package=f"justmytype_{package}",
        file=f"fonts/ofl/{stem.lower()}/{stem}{axes}.ttf",
        sha256=sha256,
    )


GENERAL = (
    Font(
        name="Depose Sans Ext",
        package="depose.templates",
        file="fonts/source-sans-3-latin-ext-400-normal.woff2",
        sha256="344f568f81b69e3e2e8972edac504b2ebdd3ae5d89fc54cb1c0279e5efce8c0d",
    ),
    _noto("", "western_core", "bfb7bb691513f12e734dc346c03a03f784912432d7e3fa8e56efcf906fe86b3d"),
    _noto("Arabic", "intl_rtl", "63111b5b2e074dd48cc67692e0a2726d86ee94c1c37fe8598257b7b4e87e869e"),
    _noto("Hebrew", "intl_rtl", "7ef36a2c3593758cdb622e1bdef4f84523e92fbc3ccc667438dd80ff54c2de88"),
    _noto("Devanagari", "intl_south_asia", "9ce7b04f60e363d8870e5997744cf85cf69d38a4d7d129d364d92a3b14b461d7"),
    _noto("Bengali", "intl_south_asia", "dcd42978094e584a849c84a51450eeac40c8826057d566ea6d4b9627a403a05a"),
    _noto("Tamil", "intl_south_asia", "aa3a9b321f4b0bb2c40203ffbde9af89713227866e0e13f76e5b9eeea727cf88"),
    _noto("Telugu", "intl_south_asia", "e618af7bf999df192ed4f388eba2e563f2b5015034e9cbb317b5bd793bd7334d"),
    _noto("Thai", "intl_sea", "5a1c559bb539583c8a1fd99d1c5b9491e5e14478c9cd2bd0970d5c3096cc9ef8"),
    _noto("Lao", "intl_sea", "9608b94603a82d09a8038946f9775242f99e3b3459b7f1e4d5b335b578cd7ab3"),
    _noto("Khmer", "intl_sea", "f37a8431a0c5d5ed2f81a767417546aca576a81fb7eff9c924d46aecf828f2ca"),
    _noto("Myanmar", "intl_sea", "7abbbfbe2514105d7ce94937aee3feb2ba89b73a256c8b77b5866bd9b83e32ec"),
    _noto("Ethiopic", "intl_africa", "0dbccc00b22d180ebd6a4bd8a733918a29e709fa6798023adc3e6cd40da65077"),
)
EAST = {
    "JP": _noto("JP", "intl_cjk", "c2f3b4d463500a2ddcd3849cded1fceeb9fd6d1c32e6cbecd568453ba50fc68f", "[wght]"),
    "SC": _noto("SC", "intl_cjk", "a3041811a78c361b1de50f953c805e0244951c21c5bd412f7232ef0d899af0da", "[wght]"),
    "TC": _noto("TC", "intl_cjk", "864727d210d54f2537bbe23b3a839436c3992af72de9322af5270897246bd44f", "[wght]"),
    "KR": _noto("KR", "intl_cjk", "194018e6b2b293a7964f037b25c0249ce1418bc9ab3c971060a03aa57861e252", "[wght]"),
}
SYMBOLS = Font(
    name="Noto Sans Symbols 2",
    package="justmytype_western_core",
    file="fonts/ofl/notosanssymbols2/NotoSansSymbols2-Regular.ttf",
    sha256="7d5fb73b7ca67a6798101741f5d280a3d016a56a197afcd4199dbb57b4b82a21",
)


ALL = (*GENERAL, *EAST.values(), SYMBOLS)


def dressed(html: bytes, known: Sequence[Font] = ()) -> bytes:
    """Give a page the fonts for its characters, and show by code point those that none has.

    A page of characters that every bundled font has is returned as it is. `known` are the fonts that may be used, all
    of them by default. Raises ReportError where an installed font is not the one that was pinned.
    """
    text = html.decode()
    faces = sorted(set(_BUNDLED.findall(text)))
    carried = [_bundled(face) for face in faces]
    if not carried or all(map(_every(carried), set(text) - OWN)):
        return html
    own = frozenset.union(*carried)
    foreign = any(character >= " " and ord(character) not in own for character in set(text) - OWN)
    fonts = [font for font in _order(text, known or ALL) if _path(font) is not None] if foreign else []
    chosen, shown = _assigned(text, own, fonts)
    names = ["Depose Sans", *(["Depose Sans Ext"] if "Sans Ext" in faces else []), *(font.name for font in chosen)]
    head, begin, rest = shown.partition("<style>")
    style, end, body = rest.partition("</style>")
    style = _LISTS.sub(lambda found: _extended(found.group(1), names) + found.group(2), _SYSTEM.sub("", style))
    body = body.replace(_DRAWN, ", ".join((*names, "sans-serif")))
    return "".join((head, begin, *map(_face, chosen, map(frozenset, chosen.values())), style, end, body)).encode()


def _every(carried: Sequence[frozenset[int]]) -> Callable[[str], bool]:
    common = frozenset.intersection(*carried)
    return lambda character: character < " " or ord(character) in common


def _extended(listed: str, names: Sequence[str]) -> str:
    return "".join(f"{name}, " for name in dict.fromkeys([*listed.split(", ")[:-1], *(f'"{name}"' for name in names)]))


def _order(text: str, fonts: Sequence[Font]) -> list[Font]:
    """Put fonts in the order in which they are asked; of East Asia's four first the one whose letters stand there."""
    first = EAST["JP" if _KANA.search(text) else "KR" if _HANGUL.search(text) else "SC"]
    east = tuple(EAST.values())
    return sorted(fonts, key=lambda font: (font == SYMBOLS, font in east, font in east and font != first))


def _assigned(text: str, known: frozenset[int], fonts: Sequence[Font]) -> tuple[dict[Font, set[str]], str]:
    """Give each character of a page to the first font that has it, and write out those that none has.

    A mark stays with its letter: where the font of the letter lacks it, it is written out.
    """
    place: dict[str, Font | None] = {}
    chosen: dict[Font, set[str]] = {}
    missing: set[str] = set()
    for character in sorted(set(text)):
        if character < " " or ord(character) in known:
            place[character] = None
            continue
        font = next((one for one in fonts if ord(character) in _covered(one)), None)
        if font is None and character not in OWN:
            missing.add(character)
        elif font is None:
            place[character] = None
        else:
            place[character] = font
            chosen.setdefault(font, set()).add(character)
    marks = {one for one in set(text) if one > "\x7f" and unicodedata.category(one) in _MARKS}
    table = {ord(one): f"[U+{ord(one):04X}]" for one in missing}
    written = text.translate(table) if not marks else "".join(_with_marks(text, marks, place, known, chosen))
    ordered = {font: chosen[font] for font in fonts if font in chosen}
    return ordered, written


def _with_marks(
    text: str,
    marks: set[str],
    place: dict[str, Font | None],
    known: frozenset[int],
    chosen: dict[Font, set[str]],
) -> Iterator[str]:
    base: Font | None = None
    for character in text:
        if character in marks:
            has = ord(character) in (_covered(base) if base else known)
            if has and base:
                chosen[base].add(character)
            yield character if has else f"[U+{ord(character):04X}]"
        elif character in place:
            base = place.get(character)
            yield character
        else:
            base = None
            yield f"[U+{ord(character):04X}]"


def _path(font: Font) -> Path | None:
    """Where a font stands, if its package is installed; raise ReportError where it is another one."""
    spec = find_spec(font.package)
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0]) / font.file
    if not path.is_file():
        return None
    if _digest(path) != font.sha256:
        raise ReportError(
            f"{path}: not the font that was pinned", hint="install depose[fonts] again, with its exact versions"
        )
    return path


@lru_cache(maxsize=64)
def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=64)
def _covered(font: Font) -> frozenset[int]:
    from fontTools.ttLib import TTFont

    with TTFont(_path(font), lazy=True) as loaded:
        return frozenset(loaded.getBestCmap())


@lru_cache(maxsize=16)
def _bundled(face: str) -> frozenset[int]:
    """Characters of a font that ships with depose."""
    from fontTools.ttLib import TTFont

    family, _, extra = face.partition(" ")
    name = f"{_STEMS[family]}-latin{'-ext' if extra else ''}-400-normal.woff2"
    data = (files("depose.templates") / "fonts" / name).read_bytes()
    with TTFont(io.BytesIO(data), lazy=True) as loaded:
        return frozenset(loaded.getBestCmap())


@lru_cache(maxsize=32)
def _face(font: Font, characters: frozenset[str]) -> str:
    """Write the face of a font cut down to some characters, in its regular weight; the same bytes everywhere."""
    from fontTools import subset
    from fontTools.ttLib import TTFont
    from fontTools.ttLib.woff2 import WOFF2FlavorData
    from fontTools.varLib import instancer

    loaded: Any = TTFont(_path(font), recalcTimestamp=False)
    options = subset.Options(notdef_outline=True, recalc_timestamp=False, drop_tables=["meta", "STAT", "DSIG"])
    cut = subset.Subsetter(options)
    cut.populate(unicodes=[*map(ord, characters), 0x20, 0x200C, 0x200D])
    cut.subset(loaded)
    if "fvar" in loaded:
        axes = {axis.axisTag: 400 if axis.axisTag == "wght" else axis.defaultValue for axis in loaded["fvar"].axes}
        loaded = instancer.instantiateVariableFont(loaded, axes)
    loaded.flavor, loaded.flavorData = "woff2", WOFF2FlavorData(transformedTables=[])  # unpacked faster
    out = io.BytesIO()
    loaded.save(out)
    data = base64.b64encode(out.getvalue()).decode()
    return f'@font-face {{ font-family: "{font.name}"; src: url(data:font/woff2;base64,{data}) }}\n'

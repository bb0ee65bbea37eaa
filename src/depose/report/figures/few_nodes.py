"""Matplotlib's SVG with few nodes: the same marks, without a group and a reference for each of them.

A strip plot has some 360 marks, each a `<use>` of its own, in groups that say nothing. Whoever lays the page out pays
for every node, and a page of five figures had more nodes in them than in all its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

DECIMALS = 2
"""Of a point: a hundredth is 3.5 micrometres on paper."""
_MARKER = re.compile(r'<path id="([^"]+)" d="([^"]*)"([^>]*)/>')
_DEFINED = re.compile(r'<defs>\s*<path id="[^"]+" d="[^"]*"[^>]*/>\s*</defs>')
_USES = re.compile(r"(?:<use [^>]*/>\s*)+")
_ATTRIBUTE = re.compile(r'([\w:-]+)="([^"]*)"')
_TAG = re.compile(r"<(/?)g( [^>]*)?>")
_CLIPPED = re.compile(r'<g( clip-path="[^"]*")>\s*(<path [^>]*?)/>\s*</g>')
_UPRIGHT = re.compile(r' transform="rotate\(-?0(?:\.0+)? [^"]*\)"')
_NOTHING = re.compile(r'<path d="\s*M [^A-Z"]*"[^>]*/>\s*|<defs>\s*</defs>\s*|<g/>|(?<=>)\s+(?=<)')
_PLACES = re.compile(r'(?<= )(d|x|y|width|height|transform)="([^"]*)"')
_LINE = re.compile(r"L \S+ \S+(?: L \S+ \S+)+")
ROUND = 0.5522847
"""Of the radius: how far the handles of a quarter of a circle reach."""
_NUMBER = re.compile(r"-?\d+\.\d+|-0\b")
_STEP = re.compile(r"([A-Za-z])([^A-Za-z]*)")
_SEEN_THROUGH = ("opacity", "fill-opacity", "stroke-opacity")


def few_nodes(svg: str) -> str:
    """Draw the marks of a run as one path, and leave out groups without attributes, empty paths and far decimals.

    Marks that would look otherwise where they overlap, as those of two colours do, get a path each.
    """
    markers = {found[1]: (found[2], _attributes(found[3])) for found in _MARKER.finditer(svg)}
    svg = _USES.sub(lambda found: "".join(_drawn(found[0], markers)), _DEFINED.sub("", svg))
    svg = _NOTHING.sub("", _CLIPPED.sub(r"\2\1/>", "".join(_without_idle_groups(svg))))
    return re.sub("<[^>]*>", lambda tag: _PLACES.sub(_near, _UPRIGHT.sub("", tag[0])), svg)


def _near(place: re.Match[str]) -> str:
    return f'{place[1]}="{_rounded(place[2])}"'


def _attributes(text: str) -> dict[str, str]:
    return dict(_ATTRIBUTE.findall(text))


def _drawn(uses: str, markers: dict[str, tuple[str, dict[str, str]]]) -> Iterator[str]:
    """Write marks as paths, those of one look as one path where overlaps cannot show; keep what is no marker."""
    looks: list[tuple[dict[str, str], list[str]]] = []
    for use in re.findall(r"<use [^>]*/>", uses):
        given = _attributes(use)
        name, x, y = given.pop("xlink:href")[1:], float(given.pop("x", "0")), float(given.pop("y", "0"))
        if name not in markers:
            yield use
            continue
        shape, own = markers[name]
        look, steps = {**given, **own}, _rounded(_moved(_quartered(shape), x, y))
        if looks and looks[-1][0] == look and _flat(look):
            if steps not in looks[-1][1]:
                looks[-1][1].append(steps)
        else:
            looks.append((look, [steps]))
    for look, drawn in looks:
        yield f'<path d="{" ".join(drawn)}"' + "".join(f' {name}="{value}"' for name, value in look.items()) + "/>"


def _flat(look: dict[str, str]) -> bool:
    """Whether marks of this look may lie in one path: opaque, and of one colour or hollow."""
    hollow = look.get("fill") == "none" or look.get("fill-opacity") == "0"
    seen_through = any(look.get(name, "1") != "1" for name in _SEEN_THROUGH if not (hollow and name == "fill-opacity"))
    return not seen_through and (hollow or look.get("fill", "#000000") == look.get("stroke", "none"))


def _quartered(shape: str) -> str:
    """Draw a circle of eight curves, which is how matplotlib writes one, with four."""
    steps = _STEP.findall(shape)
    start = steps[0][1].split()
    if [step[0] for step in steps] != ["M", *"C" * 8, "z"] or start[0] != "0":
        return shape
    r = float(start[1])
    k = ROUND * r
    right = f"C {k} {r} {r} {k} {r} 0 C {r} {-k} {k} {-r} 0 {-r}"
    return f"M 0 {r} {right} C {-k} {-r} {-r} {-k} {-r} 0 C {-r} {k} {-k} {r} 0 {r} z"


def _moved(shape: str, x: float, y: float) -> str:
    """Move a path of absolute steps, as matplotlib writes them."""
    return " ".join(
        found[1] + "".join(f" {float(value) + (y if i % 2 else x):.6f}" for i, value in enumerate(found[2].split()))
        for found in _STEP.finditer(shape)
    )


def _without_idle_groups(svg: str) -> Iterator[str]:
    """Yield a drawing without its groups that have no attribute."""
    kept: list[bool] = []
    last = 0
    for tag in _TAG.finditer(svg):
        yield svg[last : tag.start()]
        last = tag.end()
        if not tag[1]:
            kept.append(bool(tag[2]))
        if kept.pop() if tag[1] else kept[-1]:
            yield tag[0]
    yield svg[last:]


def _rounded(places: str) -> str:
    near = " ".join(_NUMBER.sub(lambda found: f"{round(float(found[0]), DECIMALS) + 0.0:g}", places).split())
    return _LINE.sub(_without_stops, near)


def _without_stops(line: re.Match[str]) -> str:
    """Leave out the points of a line at which it only goes on, up, down or sideways."""
    kept: list[tuple[float, float]] = []
    for _, x, y in zip(*[iter(line[0].split())] * 3, strict=True):
        point = (float(x), float(y))
        while len(kept) > 1 and _between(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return " ".join(f"L {x:g} {y:g}" for x, y in kept)


def _between(before: tuple[float, float], at: tuple[float, float], after: tuple[float, float]) -> bool:
    """Whether a point lies on the upright or level way from one to the other."""
    return any(
        before[one] == at[one] == after[one]
        and min(before[1 - one], after[1 - one]) <= at[1 - one] <= max(before[1 - one], after[1 - one])
        for one in (0, 1)
    )

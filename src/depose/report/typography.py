"""How text and numbers are set on a page: hostile text made visible, numbers rounded one way, templates filled."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import ceil, floor
from typing import Any

from depose.errors import ReportError
from depose.statistics.rounding import at_most, upwards

MARKS = 3
"""Combining marks shown on one character; more would climb into the lines above."""
UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters, marks and a symbol without any shape: fillers, inherent vowels, the joiner of graphemes, blank braille."""
LATEST = 253_402_300_799
"""The last second of the year 9999, in seconds since 1970."""
COMPILED: dict[str, bytes] = {}
"""Templates that were compiled in this process, by Jinja's key; filled by several environments."""


def page(name: str, *, filters: Mapping[str, Callable[..., Any]], **context: Any) -> bytes:
    """Fill a bundled template once."""
    return template(name, filters=filters)(**context)


def template(name: str, *, filters: Mapping[str, Callable[..., Any]]) -> Callable[..., bytes]:
    """Make a bundled template ready to fill: every string escaped and made visible, an unknown name an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from jinja2.bccache import Bucket, BytecodeCache
    from markupsafe import Markup

    class Compiled(BytecodeCache):
        def load_bytecode(self, bucket: Bucket) -> None:
            if bucket.key in COMPILED:
                bucket.bytecode_from_string(COMPILED[bucket.key])

        def dump_bytecode(self, bucket: Bucket) -> None:
            COMPILED[bucket.key] = bucket.bytecode_to_string()

    def finalize(value: object) -> object:
        return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=PackageLoader("depose.templates", ""),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        bytecode_cache=Compiled(),
    )
    environment.filters.update(filters)
    made = environment.get_template(name)

    def fill(**context: Any) -> bytes:
        return made.render(**context).encode()

    return fill


def visible(text: str) -> str:
    """Show what hides or reorders (control, bidi, zero-width, unassigned) as [U+....]; keep line breaks and tabs."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    shown = []
    marks = 0
    for character in text.replace("\r\n", "\n"):
        category = unicodedata.category(character)
        if category in ("Mn", "Me") and character not in UNSEEN:
            marks += 1
            if marks > MARKS:
                continue
        elif marks:
            shown.append(_more_marks(marks))
            marks = 0
        hidden = category[0] == "C" or category in ("Zl", "Zp") or character in UNSEEN
        shown.append(f"[U+{ord(character):04X}]" if hidden and character not in "\n\t" else character)
    return "".join((*shown, _more_marks(marks)))


def _more_marks(count: int) -> str:
    return f"[{count - MARKS:,} more marks]" if count > MARKS else ""


def drawn(svg: bytes) -> Any:
    """Let a drawing of our own into a page."""
    from markupsafe import Markup

    return Markup(svg.decode())  # noqa: S704 - drawn by us, its texts escaped


def moment(text: str) -> datetime | None:
    """Read a time, in UTC where it names no zone; None where it is not one."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def source_date() -> datetime | None:
    """Read SOURCE_DATE_EPOCH where it is set; raise ReportError where it is no time."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 12 or int(text) > LATEST:
        raise ReportError(f"SOURCE_DATE_EPOCH is not a number of seconds: {text[:40]}", hint="unset it")
    return datetime.fromtimestamp(int(text), UTC)


def minus(text: str) -> str:
    """Set the sign of each negative number in a text as a true minus sign."""
    return re.sub(r"(?<![\w.–-])-(?=\d)", "−", text)


def number(value: float, places: int = 2) -> str:
    """A number with a fixed count of decimals and a true minus sign."""
    return f"{value:z.{places}f}".replace("-", "−")


def power_of_ten(log10_p: float) -> str:
    """Write a p-value by its logarithm; below 1e-100 as that bound, since every assumption weighs more; rounded up."""
    return "< 1e-100" if log10_p < -100 else upwards(min(1.0, 10**log10_p), 2)


def pvalue(p: float, least: float) -> str:
    """Three significant digits, rounded up, so that no print is below the floor. Raises ReportError below it."""
    if not p >= least * (1 - 1e-9) > 0:
        raise ReportError(
            f"a p-value of {p} is below its floor {least}",
            hint="the findings contradict themselves; run depose analyze again",
        )
    return upwards(p)


def exact_p(log10: float) -> str:
    """Write a probability by its logarithm, with two significant digits, rounded up, however small it is."""
    if log10 >= -3:
        return at_most(min(1.0, 10.0**log10))
    exponent = floor(log10)
    digits = ceil(round(10 ** (log10 - exponent) * 10, 6)) / 10
    return f"{digits:.1f}e{exponent}" if digits < 10 else f"1.0e{exponent + 1}"


def pvalue_short(p: float) -> str:
    """One significant digit of a p-value that was drawn by chance, rounded up: more would be noise."""
    return upwards(p, 1)


def code(text: str) -> str:
    """A pattern in ASCII, as it can be typed: every other character by its escape, which the pattern reads the same."""
    named = {"\n": "\\n", "\t": "\\t", "\0": "\\0", "\r": "\\r", "\x0b": "\\x0b", "\x0c": "\\x0c"}
    return "".join(
        named.get(one)
        or (one if one.isascii() else f"\\u{ord(one):04x}" if ord(one) < 1 << 16 else f"\\U{ord(one):08x}")
        for one in text
    )


def clip(text: str, length: int) -> str:
    """The first characters, with a note of how many are left out."""
    return text if len(text) <= length else f"{text[:length]} [… {len(text) - length:,} more]"

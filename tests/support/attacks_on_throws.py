"""Traps in the log of a randomised delivery, by who keeps it and has not the key of its coin, or by who asks."""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec
from msgspec import UNSET

import line_ups
from depose.lineup.coin import Coin, Thrown
from depose.lineup.middleware import RandomisedDelivery
from depose.lineup.unfolding import unfold
from depose.model.canonical import canonical
from traps import Place, Traps

ON_THROWS = Traps("a delivery that no coin chose")
OTHER = bytes(range(1, 33))
"""The key of another coin."""


def _log(name: str, says: str) -> Callable[[Callable[[list[bytes]], list[bytes]]], None]:
    """Add a change of a log of eight throws."""

    def added(change: Callable[[list[bytes]], list[bytes]]) -> None:
        def spring(place: Place) -> object:
            lines = line_ups.thrown(4, chained=True).splitlines(keepends=True)
            return unfold(b"".join(change(lines)), "thrown.jsonl", line_ups.COIN, place.folder / "files", ())

        ON_THROWS.add(f"a log of throws {name}", says)(spring)

    return added


def _with(line: bytes, **change: object) -> bytes:
    return canonical(json.loads(line) | change) + b"\n"


_follows = "does not follow the line before it: one was left out, added or moved"
_changed = "was changed after it was written"
_log("whose first line was left out", f"line 1: .*{_follows}")(lambda lines: lines[1:])
_log("of which every second line was left out", f"line 1: .*{_follows}")(lambda lines: lines[1::2])
_log("in another order", f"line 1: .*{_follows}")(lambda lines: lines[::-1])
_log("with a line repeated", "stands twice")(lambda lines: [*lines, lines[2]])
_log("with a line of another coin", "thrown with another coin")(
    lambda lines: [*lines, line_ups.thrown(5, OTHER).splitlines(keepends=True)[-1]]
)
_log("with a throw that is not chained", f"line 9: .*{_follows}")(
    lambda lines: [*lines, line_ups.thrown(5).splitlines(keepends=True)[-1]]
)
_log("with a second throw for one request", "stands twice")(
    lambda lines: [lines[0], _with(lines[0], delivered_at="2026-03-01T12:00:01Z"), *lines[1:]]
)
_log("with draws reworded", _changed)(lambda lines: [_with(lines[0], draws=["a", "b", "c"]), *lines[1:]])
_log("with a question reworded", _changed)(
    lambda lines: [_with(lines[0], messages=[{"role": "user", "content": "?"}]), *lines[1:]]
)
_log("given to another account", _changed)(lambda lines: [_with(lines[0], account_code="C1"), *lines[1:]])
_log("dated back", _changed)(lambda lines: [_with(lines[0], delivered_at="2025-03-01T12:00:00Z"), *lines[1:]])
_log("with its lines marked by another coin", _changed)(
    lambda lines: [_with(lines[0], mark=json.loads(line_ups.thrown(4, OTHER, chained=True).splitlines()[0])["mark"])]
)
_log("with a name that was picked until it fell well", "and the coin says")(
    lambda lines: [
        _with(
            lines[0],
            request_id=next(
                name
                for name in map(str, range(99))
                if Coin(line_ups.COIN).choose(name, 3) != json.loads(lines[0])["chosen"]
            ),
        )
    ]
)


_log("with a line that says two things", "line 1: stands in another form")(
    lambda lines: [b'{"account_code":"C1",' + lines[0][1:], *lines[1:]]
)
_log("with a date of before the first year", "delivered_at is no time")(
    lambda lines: [_with(lines[0], delivered_at="0001-01-01T00:00:00+23:59")]
)


def _cut(name: str, change: Callable[[bytes], bytes]) -> None:
    def spring(place: Place) -> object:
        log = place.folder / "thrown.jsonl"
        lines = line_ups.thrown(2, chained=True)
        app = RandomisedDelivery(nobody, Coin(line_ups.COIN), log)
        for line in unmarked(lines):
            app.write(line)
        log.write_bytes(change(log.read_bytes()))
        app.write(unmarked(line_ups.thrown(3))[-1])
        return None

    ON_THROWS.add(f"a log {name} under its server", "was cut back or replaced since this server")(spring)


def unmarked(log: bytes) -> list[Thrown]:
    """Read the throws of a log, which a server marks itself."""
    found = (msgspec.json.decode(line, type=Thrown) for line in log.splitlines())
    return [msgspec.structs.replace(one, mark=UNSET, before=UNSET) for one in found]


_cut("that is emptied", lambda data: b"")
_cut("whose last line is taken out", lambda data: data[: data[:-1].rfind(b"\n") + 1])
_cut("that is another's", lambda data: line_ups.thrown(9, OTHER, chained=True))


@ON_THROWS.add("a log without marks that a server would go on with", "carries no mark of this coin")
def _(place: Place) -> object:
    log = place.folder / "thrown.jsonl"
    log.write_bytes(line_ups.thrown(2))
    return RandomisedDelivery(nobody, Coin(line_ups.COIN), log)


@ON_THROWS.add("a log of another coin that a server would go on with", "carries no mark of this coin")
def _(place: Place) -> object:
    log = place.folder / "thrown.jsonl"
    log.write_bytes(line_ups.thrown(2, OTHER, chained=True))
    return RandomisedDelivery(nobody, Coin(line_ups.COIN), log)


async def nobody(*_: object) -> None:
    """Serve nothing."""

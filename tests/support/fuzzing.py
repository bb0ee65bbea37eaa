"""Bytes that somebody else might hand over, and what a reader may do with them.

A few examples in `make test`; thousands for each reader under `make fuzz`, until its share of time has passed.
"""

from __future__ import annotations

import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from depose.errors import DeposeError

Test = TypeVar("Test", bound=Callable[..., None])
FUZZ = int(os.environ.get("DEPOSE_FUZZ") or 0)
"""How long each reader is tried by `make fuzz`; 0 in `make test`."""
SHARE = 12.0 * FUZZ
"""Seconds by the clock: a minute for each reader under FUZZ=5, however fast the machine."""
SECONDS = 5.0
"""Of a processor, for one reading."""
ROOM = 1_000_000
"""Kilobytes by which the most memory that was ever held may grow in one reading."""


def examples(few: int, many: int) -> Callable[[Test], Test]:
    """Try so many examples: few in the suite; under `make fuzz` many, and as many others until the time has passed."""
    asked = settings(
        max_examples=many if FUZZ else few,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate, Phase.shrink) if FUZZ else (Phase.explicit, Phase.generate),
    )
    return lambda test: _until_time_has_passed(asked(test)) if FUZZ else asked(test)


def _until_time_has_passed(test: Test) -> Test:
    @wraps(test)
    def again(*args: object, **given: object) -> None:
        begun = time.monotonic()
        test(*args, **given)
        while time.monotonic() - begun < SHARE:
            test(*args, **given)

    return cast("Test", again)


@contextmanager
def example_folder() -> Iterator[Path]:
    """Make a folder for one example, gone after it: pytest counts its own anew each time and removes all at the end."""
    with tempfile.TemporaryDirectory(prefix="depose-") as name:
        yield Path(name)


def hold(read: Callable[[], object], error: type[DeposeError] = DeposeError) -> str:
    """Read something: only this error may come out, soon and in little room. Return its message, or nothing."""
    before, begun, message = _most(), time.process_time(), ""
    try:
        read()
    except error as met:
        message = met.message
        assert message and met.hint and met.exit_code in (1, 2, 3, 6)
    assert time.process_time() - begun < SECONDS
    assert _most() - before < ROOM
    return message


def _most() -> int:
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


@st.composite
def broken(draw: st.DrawFn, whole: bytes) -> bytes:
    """Change, drop, repeat or insert bytes of a whole file, or cut it short."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(0, len(data) - 1)))
        length = draw(st.sampled_from((0, 1, 2, 16, 40, 1000)))
        new = draw(
            st.binary(max_size=20)
            | st.sampled_from([b"", b"\0", b"\xff\xfe", b"[" * 2_000, b'"', b"\n", b"9" * 50, b"\xff" * 8])
        )
        if draw(st.booleans()):
            data[place : place + length] = new
        else:
            data[place:place] = bytes(data[place : place + length]) * draw(st.integers(1, 5))
    return bytes(data)


ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 2**53 - 1, 2**63, -(2**80), 1.5, 1e308, "", "x", "\x00", "\ud83d", "é" * 300),
    *("9999-99-99T99:99:99.000000Z", "0000-00-00T00:00:00Z", "2026-11-27", "2026-11-27T00:00:00.000000+14:00"),
    *([], {}, [[]], [None], {"": None}, [{}] * 3, "0" * 64, "../../etc/passwd", "a" * 100_000, [[[[[[]]]]]] * 9),
    *("1e999", "NaN", "=cmd", "\u202e"),
)
odd = st.one_of(st.sampled_from(ODD), st.text(max_size=40), st.integers(), st.floats(allow_nan=False))


def changed(data: st.DataObject, value: Any) -> Any:
    """Return a JSON document of which one to three values were changed, removed, added or repeated at random."""
    value = json.loads(json.dumps(value))
    for _ in range(data.draw(st.integers(1, 3))):
        known = list(_places(value))
        if known:
            how = data.draw(st.sampled_from(("change", "change", "remove", "add", "repeat")))
            # A copy: what is put in may be changed next, and the same draw must stay the same value.
            _put(value, data.draw(st.sampled_from(known)), deepcopy(data.draw(odd)), how)
    return value


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict | list):
        for name, one in list(value.items() if isinstance(value, dict) else enumerate(value))[:60]:
            yield from _places(one, (*path, name))


def _put(value: Any, path: tuple[Any, ...], new: Any, how: str) -> None:
    for name in path[:-1]:
        value = value[name]
    if how == "remove":
        del value[path[-1]]
    elif how == "add" and isinstance(value, dict):
        value["a field more"] = new
    elif how == "repeat" and isinstance(value, list):
        value.append(value[path[-1]])
    else:
        value[path[-1]] = new


def as_json(value: Any) -> bytes:
    """Write JSON, halves of surrogates too."""
    return json.dumps(value).encode("utf-8", "surrogatepass")

"""Every wire format, streamed and not, times every way in which an answer can end: nothing counts that is no answer."""

from __future__ import annotations

import pytest

from depose.answers.settle import OUTCOMES
from depose.model import Status
from wire_answers import ENDS, HALF, SOURCES, TEXT, status_of, told

ANSWERS = ("whole", "cut_length", "unknown")


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("source", SOURCES)
def test_every_format_tells_every_end(source: str, end: str) -> None:
    """The status is that of the end; only what is whole, cut by length or not known counts as answered."""
    if source.startswith("google") and end == "refused":
        pytest.skip("generateContent has no word for it")
    found, wanted = told(source, end), status_of(source, end)
    status: Status = found.status
    if end == "an error in its place" or (wanted == "failed" and found.settled is None):
        assert found.outcome == "failed"
    else:
        assert (status, found.outcome) == (wanted, OUTCOMES[status])
    assert (found.outcome == "answered") == (wanted in ANSWERS)
    if found.outcome == "answered":
        assert found.settled is not None
        assert found.settled.text == (HALF if end in ("cut by length", "no word on its end") else TEXT)
        assert found.settled.reasoning == ("Hm." if "reasoning" in end else "")
    elif wanted != "empty":
        assert found.reason
    assert (found.again is not None) == (found.outcome == "failed")

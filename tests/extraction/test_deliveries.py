"""Deliveries of flagged accounts, as the line-up reads them."""

from __future__ import annotations

import json
from datetime import datetime

import msgspec

from depose.extraction.deliveries import delivery_of
from depose.model.lineup import Delivery


def test_a_delivery_fits_the_line_up_and_claims_no_draw_of_its_own() -> None:
    """Two events may be one draw out of a cache, so that none is named after its event."""
    context = json.dumps({"system": "Be brief.", "messages": [{"role": "user", "content": "Why?"}]})
    row = (7, 9, datetime(2026, 1, 2, 3, 4, 5), "m-1", 0.7, 100, context, "Because.", "stop")
    found = msgspec.convert(delivery_of(row, "accused"), Delivery)
    assert found.draw_id == ""
    assert found.text == "Because."
    assert [one.role for one in found.messages] == ["system", "user"]

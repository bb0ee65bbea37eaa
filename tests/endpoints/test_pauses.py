"""Pauses that providers ask for: in headers, fields and words, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from depose.endpoints.error_words import Said, said_of
from depose.endpoints.pauses import pause
from wire_answers import NOW

SOON = "2026-11-27T12:00:25Z"
AT = int(NOW.timestamp()) + 25


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-reset-requests": "25s"}, 25),
        ({"X-RateLimit-Reset-Tokens": "1m30.5s"}, 90.5),
        ({"x-ratelimit-reset": str(AT)}, 25),
        ({"x-ratelimit-reset": str(AT * 1000)}, 25),
        ({"x-ratelimit-reset-after": "7"}, 7),
        ({"ratelimit-reset": "12"}, 12),
        ({"anthropic-ratelimit-requests-reset": SOON}, 25),
        ({"anthropic-ratelimit-input-tokens-reset": SOON}, 25),
        ({"retry-after-ms": "2500", "retry-after": "9"}, 2.5),
        ({"retry-after": "Fri, 27 Nov 2026 12:00:20 GMT"}, 20),
        ({"retry-after": "3", "x-ratelimit-reset-requests": "25s"}, 3),
        (
            {
                "x-ratelimit-reset-requests": "25s",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-tokens": "6m0s",
                "x-ratelimit-remaining-tokens": "9000",
            },
            25,
        ),
        ({"x-ratelimit-reset-requests": "soon"}, 0),
        ({"x-ratelimit-reset-requests": "nan"}, 0),
        ({"x-ratelimit-reset-requests": "-5s"}, 0),
        ({"x-ratelimit-limit-requests": "25"}, 0),
        ({"retry-after": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}, 0),
        ({"retry-after": "Mon, 01 Jan 2024 00:00:00 +99999999999999999999"}, 0),
        ({"retry-after": "1" * 400 + "d"}, 0),
    ],
)
def test_headers_say_when_to_ask_again(headers: dict[str, str], seconds: float) -> None:
    """Spans, seconds, moments and dates; of several limits those that are used up."""
    assert pause(tuple(headers.items()), Said(), 429, NOW) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Rate limit reached: Limit 3, Used 3, Requested 1. Please try again in 25s. Visit ...", 25),
        ("Please try again in 1m2.5s.", 62.5),
        ("try again in 850ms", 0.85),
        ("Please retry in 36.58s.", 36.58),
        ("have exceeded call rate limit. Please retry after 26 seconds.", 26),
        ("Please wait 20 seconds before the next request", 20),
        ("Retry after 2 minutes", 120),
        (f"Please try again at {SOON}", 25),
        ("Rate limit exceeded: limit 20/min. ", 0),
        ("You sent 30 requests in 10s", 0),
    ],
)
def test_words_say_when_to_ask_again(words: str, seconds: float) -> None:
    """What a person reads is honoured too."""
    assert pause((), said_of({"error": {"message": words}}), 429, NOW) == pytest.approx(seconds)


def test_a_gateway_hands_headers_and_details_on() -> None:
    """OpenRouter's headers in the error, and Google's RetryInfo."""
    handed_on = {"error": {"code": 429, "message": "x", "metadata": {"headers": {"X-RateLimit-Reset": str(AT * 1000)}}}}
    assert pause((), said_of(handed_on), 200, NOW) == pytest.approx(25)
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "36s"}
    assert pause((), said_of({"error": {"code": 429, "details": [info]}}), 429, NOW) == 36


def test_a_reset_without_a_limit_is_no_wish() -> None:
    """Every answer of some services says when its limits are reset: a 500 is asked again at once."""
    assert pause((("x-ratelimit-reset-requests", "25s"),), Said(), 500, NOW) == 0


@pytest.mark.parametrize(
    ("error", "code", "words", "status"),
    [
        ({"error": {"message": "No credits", "code": 402}}, "402", "No credits", 402),
        ({"error": "boom"}, "", "boom", None),
        ({"code": 401, "msg": "bad key"}, "401", "bad key", 401),
        ({"object": "error", "message": "gone", "code": 404}, "404", "gone", 404),
        ([{"error": {"code": 403, "message": "m", "status": "PERMISSION_DENIED"}}], "403", "m", 403),
        (
            {"type": "error", "error": {"type": "authentication_error", "message": "no"}},
            "authentication_error",
            "no",
            401,
        ),
        ({"errors": [{"message": "e", "code": "model_not_found"}]}, "model_not_found", "e", 404),
        (
            {"error": {"code": 502, "message": "x", "metadata": {"raw": "upstream said no"}}},
            "502",
            "x (upstream said no)",
            502,
        ),
        ({"detail": "Not Found"}, "", "Not Found", None),
        ({"choices": [], "type": "chat.completion"}, "", "", None),
        ({"id": "r", "status": "completed"}, "", "", None),
        (None, "", "", None),
        (17, "", "17", None),
    ],
)
def test_errors_are_read_in_any_shape(error: Any, code: str, words: str, status: int | None) -> None:
    """Code, words and the status that they amount to; what is no error says nothing."""
    found = said_of(error)
    assert (found.code, found.words, found.status) == (code, words, status)

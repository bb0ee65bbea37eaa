"""What an error says, in any of the shapes that services and gateways give it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from depose.model import Record

OUT_OF_CREDIT = (
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "billing_error",
    "insufficient_balance",
    "insufficient_credits",
    "credit_balance_too_low",
    "payment_required",
)
_STATUS = {
    401: "invalid_api_key authentication_error unauthenticated unauthorized invalid_authentication incorrect_api_key"
    " invalidapikey 1004 2049 unrecognizedclientexception",
    402: "payment_required insufficient_balance insufficient_credits billing_error arrearage 1008",
    403: "permission_denied permission_error permissiondenied forbidden access_denied accessdenied"
    " accessdeniedexception"
    " unsupported_country_region_territory",
    404: "not_found not_found_error notfound notfounderror model_not_found modelnotfound deploymentnotfound"
    " unknown_model resource_not_found",
    429: "rate_limit_exceeded rate_limit_error resource_exhausted too_many_requests toomanyrequests throttled"
    " throttlingexception throttling requests tokens",
    400: "invalid_request_error invalid_argument bad_request badrequesterror validation_error",
}
_BY_NAME = {name: status for status, names in _STATUS.items() for name in names.split()}
_WORDS = (
    *("message", "msg", "error_msg", "error_message", "errorMessage", "error_description", "status_msg"),
    *("detail", "details", "description", "reason", "title"),
)
_ERROR_NAME = re.compile(r"(?i)invalid|error|exception|denied|fail|exceed|limit|throttl|unauthor|arrear|not_?found")
"""A code in words that is an error's: DashScope and AWS have no field for an error."""
_NOTHING: tuple[object, ...] = (None, "", False, [], {})
_CODES = (
    "code",
    "__type",
    "status_code",
    "statusCode",
    "error_code",
    "errorCode",
    "http_status",
    "http_code",
    "type",
    "status",
)
_FAILED = ("error", "errors", "error_msg", "error_message", "errorMessage", "error_code", "detail")


_FILTERED = re.compile(
    r"(?i)content_?filter(?:ed)?|content_policy_violation|data_?inspection_?failed|responsible_?ai_?policy_?violation"
    r"|moderation_?(?:blocked|error)|content_?moderation|sensitive_content|prohibited_content|1301"
)
"""Codes by which a service refuses to put a question, or an answer, through."""


class Said(Record, frozen=True, kw_only=True):
    """An error, read."""

    code: str = ""
    words: str = ""
    status: int | None = None
    """The HTTP status that it names or amounts to."""
    headers: tuple[tuple[str, str], ...] = ()
    """Headers that a gateway hands on inside of it."""
    fields: tuple[tuple[str, str], ...] = ()
    """Whatever else says when to ask again."""

    @property
    def filtered(self) -> bool:
        """Whether a filter refused: the question was heard, and this is what became of it."""
        return _FILTERED.fullmatch(self.code) is not None

    @property
    def out_of_credit(self) -> bool:
        """Whether no other question would be answered either before somebody pays."""
        return self.code.lower() in OUT_OF_CREDIT


def said_of(error: Any) -> Said:
    """Read an error: the object itself, the document around it, or plain words."""
    if isinstance(error, list):
        error = next((one for one in error if isinstance(one, dict)), error[0] if error else "")
    if not isinstance(error, Mapping):
        return Said(words=_short(error))
    inner = next(
        (error[name] for name in ("error", "errors") if error.get(name) not in (None, "", False, [], {})), None
    )
    for name in ("base_resp", "header"):  # MiniMax and Spark wrap the outcome of every answer
        wrapped = error.get(name)
        if inner is None and isinstance(wrapped, Mapping) and (wrapped.get("status_code") or wrapped.get("code")):
            inner = wrapped
    if isinstance(inner, list):
        inner = inner[0] if inner else None
    if inner is None and not any(error.get(name) for name in _FAILED) and error.get("success") is not False:
        inner = error if _names_an_error(error) else None
        if inner is None:
            return Said()
    for name in ("errors", "base_resp", "header"):
        held = inner.get(name) if isinstance(inner, Mapping) and not _first(inner, _WORDS) else None
        inner = held[0] if isinstance(held, list) and held else held if isinstance(held, Mapping) else inner
    told = inner if isinstance(inner, Mapping) else error
    words = inner if isinstance(inner, str) else _first(told, _WORDS)
    codes = [_plain(source.get(name)) for source in (told, error) for name in _CODES]
    code = next((one for one in codes if one and one not in ("error", "0")), "")
    raised = [_status(one) for one in codes]
    given = told.get("metadata")
    metadata: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    if metadata.get("reasons") and metadata.get("flagged_input"):  # OpenRouter's moderation, under 403
        code, raised = "moderation_blocked", []
    return Said(
        code=code[:80],
        words=_with_raw(_short(words), metadata),
        status=next((one for one in raised if one), None),
        headers=_strings(metadata.get("headers")) + _strings(told.get("headers")),
        fields=_strings(told) + _strings(metadata) + _retry_info(told),
    )


def _names_an_error(error: Mapping[str, Any]) -> bool:
    """Tell whether an object without a field of errors is one: words beside a code that is an error's."""
    marked = str(error.get("object", error.get("type", ""))).lower() == "error"
    code = next((status for name in _CODES if (status := _status(_plain(error.get(name))))), None)
    named = any(isinstance(error.get(name), str) and _ERROR_NAME.search(error[name]) for name in ("code", "__type"))
    return bool(_first(error, _WORDS)) and (marked or code is not None or named)


def _status(code: str) -> int | None:
    if code.isascii() and code.isdigit() and len(code) == 3:
        return int(code) if 400 <= int(code) < 600 else None
    return _BY_NAME.get(code.lower())


def _first(told: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((told[name] for name in names if told.get(name) not in (None, "", [], {})), "")


def _plain(value: Any) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _short(words: Any) -> str:
    if isinstance(words, str):
        return words[:300]
    return json.dumps(words)[:300] if words is not None else ""


def _with_raw(words: str, metadata: Mapping[str, Any]) -> str:
    """Add what the provider behind a gateway said."""
    raw = metadata.get("raw")
    return f"{words} ({raw[:200]})" if isinstance(raw, str) and raw and raw not in words else words


def _strings(found: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(found, Mapping):
        return ()
    return tuple(
        (str(name), str(value))
        for name, value in found.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool)
    )


def _retry_info(told: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Find Google's RetryInfo among the details of an error."""
    details = told.get("details")
    return tuple(
        ("retryDelay", str(one.get("retryDelay")))
        for one in (details if isinstance(details, list) else ())
        if isinstance(one, Mapping) and str(one.get("@type", "")).endswith("RetryInfo")
    )

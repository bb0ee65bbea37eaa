"""What filters and guardrails say in a body that they did, for whoever reads one: just asked for, or from a file."""

from __future__ import annotations

from typing import Any


def filtered(results: Any) -> str:
    """Name what a filter took hold of, by the results in which Azure lists what it looked for."""
    if not isinstance(results, dict):
        return ""
    return ", ".join(
        str(name) for name, one in sorted(results.items()) if isinstance(one, dict) and one.get("filtered") is True
    )


def rated(ratings: Any) -> str:
    """Name the ratings by which Gemini held a candidate back."""
    held = (one for one in (ratings if isinstance(ratings, list) else []) if isinstance(one, dict))
    return ", ".join(str(one.get("category") or "no category") for one in held if one.get("blocked") is True)


def intervened(body: Any) -> str:
    """Say that a guardrail of Bedrock stepped in."""
    given = body.get("amazon-bedrock-guardrailAction") if isinstance(body, dict) else None
    return "guardrail intervened" if given == "INTERVENED" else ""

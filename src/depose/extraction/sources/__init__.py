"""One reader for each kind of log: rows as their product writes them, to requests (`events.Raw`).

`org` of a request is who pays for several accounts. Who keeps the log (the account of Bedrock, the project of Langfuse,
the organisation of Helicone, the workspace of a compliance export) is the same in every row: taken for `org` it would
make all customers one, and the tests blind. The product of API Management is a plan, and the tier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from depose.extraction.events import Raw
from depose.extraction.sources import (
    apim,
    bedrock,
    helicone,
    langfuse,
    litellm,
    openai_compliance,
    openai_usage,
    otlp,
    vertex,
)

Rows = Iterable[tuple[int, dict[str, Any]]]
Source = Callable[[Rows, dict[str, int]], Iterator[Raw]]
"""Takes numbered rows and a tally of what is lost, and yields requests; `where` of each is the number of its row."""

FORMATS: dict[str, Source] = {
    "litellm": litellm.requests,
    "langfuse": langfuse.requests,
    "otlp": otlp.requests,
    "bedrock": bedrock.requests,
    "apim": apim.requests,
    "vertex": vertex.requests,
    "openai": openai_usage.requests,
    "openai-compliance": openai_compliance.requests,
    "helicone": helicone.requests,
}
"""Formats by name; `generic`, whose columns a file names, is beside them."""

JOINED = {
    "apim": "who asked is in ApiManagementGatewayLogs: name the exports of both tables in one command",
    "langfuse": "who asked is in the traces: name the exports of observations and of traces in one command",
    "otlp": "who asked is in attributes of the spans (user.id, enduser.id), and words may be in log records: name the "
    "exports of both in one command",
}
"""Formats whose requests stand in several tables, so that the logs of one import are read as one; and what to do where
nobody is named in them."""
AGAIN = ("apim", "langfuse")
"""Of these, formats whose older logs are read again beside a new one: they may name who asked in it, or be asked in."""

"""Is a returned model name the one that was asked for? By the rules by which providers name snapshots.

| rule | asked | returned |
|---|---|---|
| the name itself, in any case | `GPT-4o` | `gpt-4o` |
| a route or region before it | `openai/gpt-4o`, `models/x`, `us.anthropic.x` | `gpt-4o`, `x` |
| a date of release | `gpt-4o`, `gpt-4` | `gpt-4o-2024-08-06`, `gpt-4-0613` |
| the same date, spelt otherwise | `claude-sonnet-4@20250514` | `claude-sonnet-4-20250514` |
| the latest, a stable number | `claude-sonnet-4-0`, `x`, `y-latest` | `claude-sonnet-4-20250514`, `x-002`, `y` |
| a revision | `org/m` | `org/m@main` |
| its parts in another order | `anthropic/claude-sonnet-4.5` | `anthropic/claude-4.5-sonnet-20250929` |
| tags of Ollama and of gateways | `llama3.1`, `x:free`, `x-v1:0` | `llama3.1:latest`, `x` |
| a file of weights | `/models/m.gguf` | `m.gguf`, `m` |
| a deployment of Azure, which its customer names | anything | anything |

Digits alone are no snapshot: `claude-sonnet-4-5` is another model than `claude-sonnet-4`, and numbers keep their order:
`gpt-5.4` is not `gpt-4.5`. Versions (`m-v2`, `m-v3`), owners (`a/m`, `b/m`) and revisions of a user's own are no
spellings of one name either; what stands before a name and only says who serves it is (`azure/m`, `openai/m`).
"""

from __future__ import annotations

import re
from itertools import product

_DATE = re.compile(
    r"[-@:_](?:20\d{2}-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])"  # 2024-08-06, 20250514
    r"|(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"  # 0613
    r"|(?:0[1-9]|1[0-2])-20\d{2}"  # 05-2024
    r"|20\d{2}-(?:0[1-9]|1[0-2])"  # 2024-05
    r"|2[0-9](?:0[1-9]|1[0-2])"  # 2407
    r"|(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))\Z"  # 05-06
)
_NUMBER = re.compile(r"-00[1-9]\Z")
"""A stable version of Gemini."""
_ROUTE = re.compile(r"(?:models/|publishers/[^/]+/models/|projects/.+/models/|accounts/[^/]+/models/|[\w.~-]+/)")
_REGION = re.compile(
    r"(?:(?:us|eu|apac|ap|au|jp|ca|global|us-gov)\.)?"
    r"(?:anthropic|meta|mistral|amazon|cohere|ai21|deepseek|openai|qwen)\.(?=[a-z])"
)
_BEDROCK = re.compile(r"(?:(?<=\d{8})-v\d+|-v\d+:\d+)(?::\d+k)?\Z")
_TAGS = re.compile(r":(?:free|extended|beta|nitro|floor|online|thinking|exacto|latest|default)\Z")
_LATEST = re.compile(r"[-:@](?:latest|default)\Z")
_VERSION = re.compile(r"(?<=\d)\.(?=\d)")
_REVISION = re.compile(r"@(?:main|master|default|latest|\d{3}|[0-9a-f]{7,64})\Z")
_SERVERS = """
openai azure azure_ai azureml bedrock amazon aws vertex_ai vertex google gemini anthropic openrouter groq together
together_ai togethercomputer fireworks fireworks_ai deepinfra anyscale replicate huggingface hf ollama ollama_chat
lm_studio vllm hosted_vllm openai_like custom_openai text-completion-openai cohere cohere_chat mistral mistralai
xai x-ai deepseek perplexity nvidia nvidia_nim sambanova cerebras watsonx databricks github novita baseten
cloudflare library models inference foundation-models
"""
_SERVED = frozenset(_SERVERS.split())
"""What before a name says who serves it; anybody else is its owner, and models of two owners are two."""


def same_model(asked: str, returned: str, *, deployment: bool = False) -> bool:
    """Tell whether a returned name is the one asked for, or a snapshot of it by a provider's rule.

    `deployment` says that the name asked for is one that a customer of Azure chose: it says nothing of the model.
    """
    if deployment:
        return True
    if _differ(_owner(asked), _owner(returned)) or _differ(_served_version(asked), _served_version(returned)):
        return False
    return any(_snapshot(one, other) for one, other in product(_spellings(asked), _spellings(returned)))


def _differ(first: str, second: str) -> bool:
    """Tell whether both say something, and not the same."""
    return bool(first and second) and first != second


def _owner(name: str) -> str:
    """Give who made a model, where a name says it: `meta-llama` of `openrouter/meta-llama/llama-3-8b`."""
    before = name.strip().lower().split("/")[:-1]
    return before[-1] if before and before[-1] not in _SERVED else ""


def _served_version(name: str) -> str:
    """Give the version of Bedrock at the end of a name, such as `-v1:0`."""
    found = _BEDROCK.search(name.strip().lower())
    return found.group() if found else ""


def is_deployment(url: str) -> bool:
    """Tell whether an address names a deployment of Azure's, by its host or its path."""
    host, _, path = url.partition("://")[2].partition("/")
    azure = (
        host.partition(":")[0].lower().endswith((".openai.azure.com", ".cognitiveservices.azure.com", ".azure-api.net"))
    )
    return azure or "/deployments/" in f"/{path.lower()}"


def _spellings(name: str) -> set[str]:
    """Write a name with and without its routes, region and tags."""
    found = {name.strip().lower()}
    for _ in range(4):
        for one in tuple(found):
            if led := _ROUTE.match(one):
                found.add(one[led.end() :])
            found |= {_REGION.sub("", one, count=1), _BEDROCK.sub("", one), _TAGS.sub("", one)}
            found.add(one.rpartition("/")[2].removesuffix(".gguf") if one.endswith(".gguf") else one)
    return {one for one in found if one}


def _snapshot(asked: str, returned: str) -> bool:
    if asked == returned:
        return True
    base, there = _LATEST.sub("", asked), _LATEST.sub("", returned)
    if base in (there, _REVISION.sub("", there)):
        return True
    first, second = _dated(base), _dated(there)
    if _parts(first[0]) == _parts(second[0]) != _parts("") and first[0] != second[0]:  # the same parts in other order
        second = (first[0], second[1])
    if first[1] and second[1]:  # two dates: the same one, spelt in two ways
        return first[0] == second[0] and _digits(first[1]) == _digits(second[1])
    if first[1]:  # asked for one snapshot, told of none
        return False
    if first[0] == second[0]:
        return True
    if second[1]:
        return second[0] in (base, base.removesuffix("-0"))
    return base == _NUMBER.sub("", there)


def _parts(name: str) -> tuple[list[str], list[str]]:
    """Take a name apart: `claude-sonnet-4.5` and `claude-4-5-sonnet` have the same words, and numbers in one order."""
    parts = _VERSION.sub("-", name).split("-")
    return sorted(one for one in parts if not one.isdigit()), [one for one in parts if one.isdigit()]


def _dated(name: str) -> tuple[str, str]:
    found = _DATE.search(name)
    return (name[: found.start()], found.group()) if found else (name, "")


def _digits(date: str) -> str:
    return re.sub(r"\D", "", date)

"""Whose key a well-known variable or file holds: it goes to its owner's addresses, and to nobody else's.

A case may come from anybody. One that names `ANTHROPIC_API_KEY` beside an address of its author's, an
`AWS_SECRET_ACCESS_KEY` or a file of `~/.ssh` would hand its author what is none of the author's business. A key for a
gateway of one's own has a variable of its own: whoever runs the case gives it that name, and so says that it is meant.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

from depose.errors import EndpointError
from depose.model import ModelSpec

_OWNERS = {
    "OPENAI": "openai.com azure.com",
    "AZURE|AZURE_OPENAI": "azure.com azure-api.net",
    "ANTHROPIC|CLAUDE": "anthropic.com",
    "GEMINI|GOOGLE|GOOGLE_GENAI|GOOGLE_AI|VERTEX": "googleapis.com",
    "XAI|GROK": "x.ai",
    "MISTRAL": "mistral.ai",
    "COHERE|CO": "cohere.com cohere.ai",
    "DEEPSEEK": "deepseek.com",
    "GROQ": "groq.com",
    "TOGETHER|TOGETHERAI|TOGETHER_AI": "together.xyz together.ai",
    "OPENROUTER": "openrouter.ai",
    "FIREWORKS|FIREWORKS_AI": "fireworks.ai",
    "PERPLEXITY|PERPLEXITYAI|PPLX": "perplexity.ai",
    "HF|HUGGINGFACE|HUGGING_FACE_HUB|HUGGINGFACEHUB": "huggingface.co huggingface.cloud",
    "REPLICATE": "replicate.com",
    "NVIDIA|NGC": "nvidia.com",
    "DASHSCOPE|QWEN": "aliyuncs.com",
    "MOONSHOT|KIMI": "moonshot.cn moonshot.ai",
    "ZHIPU|ZHIPUAI|GLM|ZAI": "bigmodel.cn z.ai",
    "CEREBRAS": "cerebras.ai",
    "GITHUB|GH": "github.ai github.com azure.com",
    "CLOUDFLARE": "cloudflare.com",
    "VERCEL|AI_GATEWAY": "vercel.sh vercel.com",
    "DIGITALOCEAN": "digitalocean.com do-ai.run",
    "AWS_BEDROCK|AWS_BEARER": "amazonaws.com",
}
_VARIABLE = r"(?:{})(?:_API)?_(?:KEY|TOKEN|SECRET|PAT)(?:_\d+|_BEDROCK)?"
_OF = tuple((re.compile(_VARIABLE.format(names)), hosts.split()) for names, hosts in _OWNERS.items())
_NO_KEY_OF_A_MODEL = re.compile(
    r"AWS_(?!BE).*|(?:GITLAB|CI_JOB|NPM|NODE_AUTH|PYPI|TWINE|DOCKER|KUBE|VAULT|SLACK|STRIPE|SENTRY|DATABASE|DB|PG"
    r"|MYSQL|REDIS|SMTP|MAIL|SSH|SUDO|GPG|HEROKU|NETLIFY|TF)_.*|GOOGLE_APPLICATION_CREDENTIALS|PGPASSWORD"
    r"|(?:.*_)?PASS(?:WORD|WD|PHRASE)?|.*_DSN|(?:.*_)?COOKIES?|(?:HTTPS?|ALL)_PROXY",
    re.IGNORECASE,
)
"""Variables that hold what opens something else than a model."""
_PROVIDERS = {
    "openai": "api.openai.com",
    "anthropic": "api.anthropic.com",
    "google": "generativelanguage.googleapis.com",
}
_STORES = frozenset(
    (
        ".ssh",
        ".aws",
        ".gnupg",
        ".azure",
        ".kube",
        ".docker",
        ".git-credentials",
        ".netrc",
        "_netrc",
        ".npmrc",
        ".pypirc",
    )
)
"""Folders and files in which programs keep what opens something else."""
_CONFIGURED = ("gh", "gcloud", "hub", "glab-cli", "op", "sops", "rclone", "doctl", "google-chrome", "chromium")


def check(spec: ModelSpec) -> None:
    """Raise EndpointError where a case would send a well-known key to somebody who is not its owner."""
    host = (urlsplit(spec.base_url).hostname or "" if spec.base_url else _PROVIDERS.get(spec.provider, "")).lower()
    name = spec.api_key_env
    if name and _NO_KEY_OF_A_MODEL.fullmatch(name):
        raise EndpointError(f"{spec.code}: {name} holds no key of a model, and is not sent to {host}", hint=_hint(name))
    for variable, owners in _OF:
        if variable.fullmatch(name) and not any(host == one or host.endswith(f".{one}") for one in owners):
            raise EndpointError(
                f"{spec.code}: {name} is a key for {owners[0]}, and the case sends it to {host}", hint=_hint(name)
            )
    if spec.api_key_file and _is_store(Path(spec.api_key_file).expanduser()):
        raise EndpointError(
            f"{spec.code}: {spec.api_key_file} is where other programs keep what opens something else",
            hint="keep the key of a model in a file of its own, such as ~/.keys/acme",
        )


def _hint(name: str) -> str:
    return f"if it is meant, give the key a variable of its own and name that: export MY_GATEWAY_KEY=${name}"


def _is_store(path: Path) -> bool:
    for one in (path, path.resolve()):
        parts = one.parts
        if _STORES & set(parts) or any(pair in _PAIRS for pair in pairwise(parts)):
            return True
    return False


_PAIRS = (*((".config", name) for name in _CONFIGURED), (".cache", "huggingface"))

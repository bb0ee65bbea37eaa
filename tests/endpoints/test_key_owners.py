"""Well-known keys go to their owners; whoever runs a case may give a key another name, and so say that it is meant."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from depose.endpoints.key_owners import check
from depose.errors import EndpointError
from depose.model import ModelSpec
from fakes import model


def spec(**fields: Any) -> ModelSpec:
    """Be a model behind an endpoint."""
    return msgspec.convert(model("S1", "suspect", model="m") | {"provider": "openai"} | fields, ModelSpec)


SENT = [
    ({"api_key_env": "OPENAI_API_KEY"}, True),
    ({"api_key_env": "OPENAI_API_KEY", "base_url": "https://acme.openai.azure.com/openai/v1"}, True),
    ({"api_key_env": "OPENAI_API_KEY", "base_url": "https://acme.example/v1"}, False),
    ({"api_key_env": "OPENAI_API_KEY", "base_url": "https://api.openai.com.acme.example/v1"}, False),
    ({"api_key_env": "OPENAI_API_KEY", "base_url": "https://acme.example/api.openai.com"}, False),
    ({"api_key_env": "OPENAI_API_KEY", "base_url": "https://api.openai.com@acme.example/"}, False),
    ({"api_key_env": "ANTHROPIC_API_KEY"}, False),
    ({"api_key_env": "ANTHROPIC_API_KEY", "provider": "anthropic"}, True),
    ({"api_key_env": "GEMINI_API_KEY", "provider": "google"}, True),
    ({"api_key_env": "HF_TOKEN", "base_url": "https://router.huggingface.co/v1"}, True),
    ({"api_key_env": "GITHUB_TOKEN", "base_url": "https://acme.example/v1"}, False),
    ({"api_key_env": "AWS_SECRET_ACCESS_KEY", "base_url": "https://acme.example/v1"}, False),
    ({"api_key_env": "AWS_BEARER_TOKEN_BEDROCK", "base_url": "https://bedrock.us-east-1.amazonaws.com/v1"}, True),
    ({"api_key_env": "AWS_BEARER_TOKEN_BEDROCK", "base_url": "https://acme.example/v1"}, False),
    ({"api_key_env": "ACME_KEY", "base_url": "https://acme.example/v1"}, True),
    ({"api_key_env": "MY_GATEWAY_KEY", "base_url": "http://127.0.0.1:4000"}, True),
    ({"api_key_file": "~/.keys/acme"}, True),
    ({"api_key_file": "~/.ssh/id_ed25519"}, False),
    ({"api_key_file": "~/.cache/huggingface/token"}, False),
]


@pytest.mark.parametrize(("fields", "sent"), SENT)
def test_a_well_known_key_goes_to_its_owner_alone(fields: dict[str, Any], sent: bool) -> None:
    """By host and never by a part of the address; a name of one's own goes where the case says."""
    if sent:
        check(spec(**fields))
    else:
        with pytest.raises(EndpointError) as caught:
            check(spec(**fields))
        assert "export MY_GATEWAY_KEY=$" in str(caught.value.hint) or "a file of its own" in str(caught.value.hint)

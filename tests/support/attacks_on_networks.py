"""Traps in addresses that pass for others, for whoever asks models or time-stamping authorities."""

from __future__ import annotations

import os

from depose.case import casefile
from depose.endpoints import time_stamp_authority
from depose.endpoints.openai import open_openai
from depose.errors import EndpointError
from depose.model import Ask, ModelSpec
from fakes import case_of, model, write_case
from traps import Place, Traps

ON_NETWORKS = Traps("an address that passes for another")


def _leads(name: str, host: str) -> None:
    def spring(place: Place) -> object:
        suspect = model(
            "S1", "suspect", provider="openai", model="m", base_url=f"https://{host}/v1", proxy=place.server.url
        )
        folder = write_case(place.folder / "theirs", case_of([suspect, model("R1", "reference")]))
        return casefile.read(folder)

    ON_NETWORKS.add(f"behind a proxy, {name}", r"models.0..base_url: a (private|reserved) address")(spring)


_leads("an address as one octal number", "017700000001")
_leads("an address in two parts of which one is hexadecimal", "0x7f.1")
_leads("the metadata of a cloud, as a number", "2852039166")
_leads("a short private address", "10.1")
_leads("an address with words behind a semicolon", "127.0.0.1;.example.com")
_leads("a literal of a version that is yet to come", "[v1.::1]")
_leads("a name of one part", "wiki")
_leads("a name of this machine with a dot at its end", "LocalHost.")
_leads("a name of the network at home", "nas.home.arpa")
_leads("a service of a cluster", "vault.default.svc")
_leads("a service that a registry of services finds", "vault.service.consul")
_leads("a name of this machine that Linux gives it", "localhost6.localdomain6")
_leads("a name of the router", "fritz.box")
_leads("an IPv4 address within IPv6", "[::ffff:10.0.0.1]")
_leads("an address that a translator makes into this machine", "[64:ff9b::7f00:1]")
_leads("an address of a 6to4 relay", "[2002:7f00:1::]")
_leads("an address of a protocol", "192.0.0.10")
_leads("an address written in percent signs", "127.0.0.%31")


@ON_NETWORKS.add("a name that is looked up to this machine", "a private address")
def _(place: Place) -> object:
    spec = ModelSpec(
        code="S1", role="suspect", provider="openai", model="m", base_url=f"https://localhost:{place.server.port}/v1"
    )
    ask = Ask(model="S1", prompt="p", sample=0, replicate=0, text="?", system="", temperature=0, max_tokens=9, seed=1)
    (reply,) = open_openai(spec, place.folder).ask([ask])
    raise EndpointError(reply.reason)


def _by_proxy(variable: str) -> None:
    def spring(place: Place) -> object:
        os.environ[variable] = place.server.url
        try:
            return time_stamp_authority.ask("http://authority.invalid/tsr", b"query")
        finally:
            del os.environ[variable]

    ON_NETWORKS.add(f"a time-stamp through the proxy of {variable}", "authority.invalid.*no time-stamp")(spring)


for _variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
    _by_proxy(_variable)

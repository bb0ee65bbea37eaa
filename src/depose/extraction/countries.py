"""Which country a network is of, by a table that the analyst names; for logs that say addresses and no countries.

The table is a list as registries and their resellers give it: a row for each network, `network,country` with the
network as CIDR, or `start_ip,end_ip,country`. Of networks within each other the narrowest counts.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from depose.errors import CaseError
from depose.extraction.pseudonyms import address
from depose.extraction.reading import Reader

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MOST = 3_000_000
"""Networks of a table at most; a range is up to 254 of them."""
NOT_LISTED = "requests from an address that is in no network of the table of countries"
_CODE = re.compile(r"[A-Z]{2}\Z")
_FORM = "CSV with the columns network and country (192.0.2.0/24,NL), or start_ip, end_ip and country"


class Countries:
    """The countries of addresses by a table of networks; CaseError for a file that is none."""

    def __init__(self, path: Path) -> None:
        self._of: dict[tuple[int, int], dict[int, str]] = {}
        self._count = 0
        reader = Reader(path)
        rows = 0
        for number, row in reader:
            rows = number
            self._add(path, number, row)
            if max(self._count, rows) > MOST:
                raise CaseError(f"{path}: more than {MOST} networks", hint="name a table of countries, not of cities")
        if reader.losses.count or reader.losses.truncated:
            raise CaseError(f"{path}: breaks off, or has rows that are none", hint="name a table that is whole")
        if not self._of:
            raise CaseError(f"{path}: no network with a country in {rows} lines", hint=_FORM)
        with path.open("rb") as file:
            self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        self._widths = sorted(self._of, reverse=True)
        self.of = lru_cache(maxsize=200_000)(self._found)

    def _add(self, path: Path, number: int, row: dict[str, Any]) -> None:
        said = {str(name).strip().lower(): str(value or "").strip() for name, value in row.items()}
        code = said.get("country_code") or said.get("country") or ""
        if not code:
            if not {"country", "country_code"} & said.keys():
                raise CaseError(f"{path}: row {number}: no column country", hint=_FORM)
            return
        code, said_as = sys.intern(code.upper()), code
        if not _CODE.match(code):
            raise CaseError(
                f"{path}: row {number}: {said_as[:40]!r} is no country", hint="two letters of ISO 3166, as NL"
            )
        try:
            for one in _networks(said):
                known = self._of.setdefault((one.version, one.prefixlen), {})
                self._count += 1
                if known.setdefault(int(one.network_address), code) != code:
                    raise CaseError(f"{path}: row {number}: {one} is of two countries", hint="one row a network")
        except (ValueError, TypeError, KeyError) as error:
            raise CaseError(f"{path}: row {number}: no network: {str(error)[:80]}", hint=_FORM) from error

    def _found(self, ip: str) -> str:
        """Return the country of an address as logs write it, nothing where the table does not say."""
        if not (plain := address(ip)):
            return ""
        at = ipaddress.ip_address(plain)
        value, whole = int(at), at.max_prefixlen
        for version, width in self._widths:
            if version == at.version:
                country = self._of[version, width].get(value >> (whole - width) << (whole - width))
                if country:
                    return country
        return ""


def _networks(said: dict[str, str]) -> Iterator[Network]:
    if said.get("network"):
        yield ipaddress.ip_network(said["network"], strict=False)
        return
    first, last = (ipaddress.ip_address(said[name]) for name in ("start_ip", "end_ip"))
    yield from ipaddress.summarize_address_range(first, last)

"""Which country a network is of, by a table that the analyst names; for logs that say addresses and no countries.

The table is a list as registries and their resellers give it: a row for each network, `network,country` with the
network as CIDR, or `start_ip,end_ip,country`, in this order where it has no row of names. Of networks within each other
the narrowest counts, also where it is of no country: `ZZ` and its like are none, in a table as in a log.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from depose.case.untrusted_files import opened
from depose.errors import CaseError
from depose.extraction.pseudonyms import address
from depose.extraction.reading import Reader

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LARGEST = 256 * 1024**2
"""Bytes of a table, packed or not."""
MOST = 3_000_000
"""Networks of a table at most; a range is up to 254 of them."""
NOT_LISTED = "requests from an address that is in no network of the table of countries"
_CODE = re.compile(r"[A-Z]{2}\Z")
_NOWHERE = re.compile(
    r"(?:AA|Q[M-Z]|X[A-JL-Z]|ZZ|EU|AP|UN|[AOT]\d|\W*|null|none|nil|nan|undefined|unknown|<null>|\\n|n/a|unspecified|"
    r"reserved|private|other)\Z",
    re.IGNORECASE,
)
"""What logs and tables write where they know no country: codes that ISO 3166 leaves to users (`XK` is in use), regions,
`T1` and `A1` for what hides where it is, and words."""
_CODES = ("country_code", "country_iso_code", "country")
_IN_ORDER = {2: ("network", "country"), 3: ("start_ip", "end_ip", "country")}
_FORM = "CSV with the columns network and country (192.0.2.0/24,NL), or start_ip, end_ip and country"
_WHAT = "table of networks and countries"
_APART = "its countries stand in another file: join that of the locations by geoname_id, its code as a column country"


def spelled(said: str) -> str:
    """Return a country in one spelling, codes in capitals; nothing for what is no country, such as ZZ or unknown."""
    said = said.strip()
    if _NOWHERE.match(said):
        return ""
    return said.upper() if len(said) == 2 else said


class Countries:
    """The countries of addresses by a table of networks; CaseError for a file that is none."""

    def __init__(self, path: Path) -> None:
        self._of: dict[tuple[int, int], dict[int, str]] = {}
        self._count = 0
        held = _held(path)
        self.sha256 = hashlib.sha256(held).hexdigest()
        """Of the very bytes whose rows were taken: the file may be another by now."""
        reader = Reader(path, held=held, what=_WHAT)
        rows, named = 0, False
        for number, row in reader:
            rows = number
            said = {str(name).strip(): str(value or "").strip() for name, value in row.items()}
            if nameless := _without_names(path, list(said)):
                if not named:
                    self._add(path, 1, dict(zip(nameless, said, strict=True)))
                    named = True
                said = dict(zip(nameless, said.values(), strict=True))
            self._add(path, number, {name.lower(): value for name, value in said.items()})
            if max(self._count, rows) > MOST:
                raise CaseError(f"{path}: more than {MOST} networks", hint="name a table of countries, not of cities")
        if reader.losses.count or reader.losses.truncated:
            raise CaseError(f"{path}: breaks off, or has rows that are none", hint="name a table that is whole")
        if not any(any(one.values()) for one in self._of.values()):
            raise CaseError(f"{path}: no network with a country in {rows} lines", hint=_FORM)
        self._widths = sorted(self._of, reverse=True)
        self.of = lru_cache(maxsize=200_000)(self._found)

    def _add(self, path: Path, number: int, said: dict[str, str]) -> None:
        if not said.keys() & set(_CODES):
            hint = _APART if "geoname_id" in said else _FORM
            raise CaseError(f"{path}: row {number}: no column country", hint=hint)
        said_as = next((said[name] for name in _CODES if said.get(name)), "")
        code = sys.intern(spelled(said_as).upper())
        if code and not _CODE.match(code):
            raise CaseError(
                f"{path}: row {number}: {said_as[:40]!r} is no country", hint="two letters of ISO 3166, as NL"
            )
        try:
            for one in _networks(said):
                known = self._of.setdefault((one.version, one.prefixlen), {})
                self._count += 1
                if (was := known.setdefault(int(one.network_address), code)) and code and was != code:
                    raise CaseError(f"{path}: row {number}: {one} is of two countries", hint="one row a network")
                known[int(one.network_address)] = was or code
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
                if country is not None:
                    return country
        return ""


def _held(path: Path) -> bytes:
    try:
        with opened(path) as file:
            held = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise CaseError(f"{path}: {said}", hint=f"name a {_WHAT} that can be read: {_FORM}") from error
    if len(held) > LARGEST:
        raise CaseError(
            f"{path}: larger than {LARGEST // 1024**2} MiB", hint="name a table of countries, not of cities"
        )
    return held


def table(path: Path) -> Countries:
    """Return the countries of a file, read anew only where the file changed: who watches a folder asks each minute."""
    try:
        now = path.stat()
    except (OSError, ValueError):
        return Countries(path)
    return _kept(path.absolute(), now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns)


@lru_cache(maxsize=1)
def _kept(path: Path, *_: int) -> Countries:
    return Countries(path)


def _without_names(path: Path, names: list[str]) -> tuple[str, ...]:
    """Return the names of a table whose first row has none, by their order; nothing for one that has its names."""
    try:
        ipaddress.ip_network(names[0], strict=False)
    except ValueError:
        return ()
    if len(names) not in _IN_ORDER:
        raise CaseError(f"{path}: row 1: no names of columns", hint=_FORM)
    return _IN_ORDER[len(names)]


def _networks(said: dict[str, str]) -> Iterator[Network]:
    if said.get("network"):
        found = ipaddress.ip_network(said["network"], strict=False)
        within = found.network_address.ipv4_mapped if isinstance(found, ipaddress.IPv6Network) else None
        yield ipaddress.ip_network((within, found.prefixlen - 96)) if within and found.prefixlen >= 96 else found
        return
    first, last = (ipaddress.ip_address(address(said[name]) or said[name]) for name in ("start_ip", "end_ip"))
    yield from ipaddress.summarize_address_range(first, last)

"""Ids to keyed hashes before anything is written: HMAC-SHA256 with a key that stays with the custodian.

A plain hash of an address can be undone by trying all addresses; a keyed one cannot without the key. The key of a case
is derived from the custodian's and the title of the case, so that the same account has another name in another case.
A hash is kept as its first 64 bits: among a million accounts two share one with a probability of 3e-8.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from pathlib import Path
from urllib.parse import unquote

from depose.case.untrusted_files import TooMuch, read_untrusted
from depose.errors import SecretFound

SHORTEST_KEY = 16
"""Bytes of a key at least."""
LARGEST_KEY = 4_096
MAIL = re.compile(r"[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
ADDRESS = re.compile(
    r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])|(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])"
)
API_KEY = re.compile(r"\bsk-[A-Za-z0-9_-]{20,}")
KEPT = 500_000
"""Hashes that are remembered at once, so that an account that asks often is hashed once."""


class Pseudonyms:
    """Names of one case: the same id always has the same, and no other case's."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._known: dict[tuple[str, str], int] = {}

    def of(self, kind: str, value: str) -> int | None:
        """Return the name of an id of this kind, None for no id."""
        if not value:
            return None
        found = self._known.get((kind, value))
        if found is None:
            found = self.once(kind, value)
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[kind, value] = found
        return found

    def once(self, kind: str, value: str) -> int:
        """Return the name of what is not expected to come again, such as a prompt."""
        said = f"{kind}\x1f{value}".encode("utf-8", "surrogatepass")
        return int.from_bytes(hmac.digest(self._key, said, "sha256")[:8], "big")

    @property
    def commitment(self) -> str:
        """Say which key it was without telling it: its own hash of a fixed word."""
        return hmac.digest(self._key, b"depose extraction commitment", "sha256").hex()


def case_key(file: Path | None, title: str) -> bytes:
    """Derive the key of a case from the custodian's; raise SecretFound where there is none that protects."""
    if file is None:
        raise SecretFound(
            "no hash key: ids would be written as they are, or under hashes that anybody can undo",
            hint="--hash-key FILE, of 32 random bytes that stay with the custodian: head -c 32 /dev/urandom > FILE",
        )
    try:
        master = read_untrusted(file, LARGEST_KEY)
    except OSError as error:
        raise SecretFound(f"{file}: {error.strerror or error}: there is no hash key", hint="--hash-key FILE") from error
    except (TooMuch, ValueError) as error:
        raise SecretFound(f"{file}: {error}: not a hash key", hint="a file of 32 random bytes") from error
    if len(master.strip()) < SHORTEST_KEY or len(set(master)) < 8:
        raise SecretFound(
            f"{file}: {len(master.strip())} bytes: a key that can be guessed", hint="head -c 32 /dev/urandom > FILE"
        )
    return hmac.digest(master, b"depose extraction\x1f" + title.encode(), hashlib.sha256)


def address(said: str) -> str:
    """Return the address of a caller as logs write it, in one spelling: nothing for what is none.

    Of a list of proxies (`X-Forwarded-For`) the first is the caller; a port, brackets and a zone are left out, and
    IPv4 within IPv6 (`::ffff:192.0.2.1`) is IPv4.
    """
    first = said.partition(",")[0].strip().strip('"')
    if first.startswith("["):
        first = first[1:].partition("]")[0]
    elif first.count(":") == 1:
        first = first.partition(":")[0]
    try:
        found = ipaddress.ip_address(first.partition("%")[0])
    except ValueError:
        return ""
    within = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(within or found)


def prefix(ip: str) -> str:
    """Return the /24 of an IPv4 address, the /48 of another, nothing for what is none."""
    try:
        found = ipaddress.ip_address(address(ip))
    except ValueError:
        return ""
    width = 24 if found.version == 4 else 48
    return str(ipaddress.ip_network((found, width), strict=False))


def telling(value: str) -> str:
    """Say what stands in plain sight in a value that should be a hash or a short word, or nothing."""
    if "@" in value and MAIL.search(value):
        return "an e-mail address"
    if ("." in value or ":" in value) and (found := ADDRESS.search(value)) is not None:
        try:
            ipaddress.ip_address(found[0])
        except ValueError:
            pass
        else:
            return "an IP address"
    return "an API key" if "sk-" in value and API_KEY.search(value) else ""


def refuse_telling(value: str, column: str, where: str, *, hashed: bool = False) -> None:
    """Raise SecretFound where a value tells who somebody is; what is said to be a hash has no white space either."""
    what = telling(value) or (telling(unquote(value)) if "%" in value else "")
    if not what and hashed and len(value.split()) > 1:
        what = "text with spaces"
    if what:
        raise SecretFound(
            f"{where}: {what} stands in {column}, which holds hashes or short words",
            hint="nothing was written of it; have the column hashed with the custodian's key, or map another one",
        )

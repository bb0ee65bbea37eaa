"""Searches for secrets where they must not be: credentials and the signing key, in every form in which they travel."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from depose.errors import SecretFound
from depose.evidence.compression import SHORTEST
from depose.evidence.search import Sought, find
from depose.model import Case

TELLING = re.compile(
    r"KEY|TOKEN(?!IZER)|SECRET|PASS|CREDENTIAL|COOKIE|BEARER|PRIVATE|WEBHOOK|AUTHORIZATION|CONN(?:ECTION)?_?STR|MNEMONIC"
    r"|SIGNATURE|UNSEAL|PEPPER|KENNWORT|SCHL(?:UE|Ü)SSEL|GEHEIM|(?<!EN)CLAVE|CONTRASE(?:N|Ñ)A|SESSION_?ID"
    r"|(?:^|_)(?:PATS?|PRI?V|PEM|HMAC|SIG|[CX]SRF|MFA|2FA|ID_(?:RSA|ECDSA|ED25519)|NETRC|NPMRC|PYPIRC|PWD|PW|PSWD|PSW|PSK|SAS|SK|RK|T?OTP|PIN|CREDS?|AUTH[NZ]?|OAUTH2?|JWTS?|DSN|HEADERS?"
    r"|(?:SEED|RECOVERY)_(?:PHRASE|CODES?))(?:_|[0-9]*$)"
)
"""Names of variables that hold secrets, in capitals."""
NOT_TELLING = ("PWD", "OLDPWD", "SSH_AUTH_SOCK")
"""Folders and a socket of every login."""
LISTED = 12
"""Characters of one of several keys in a list at least."""
_USER = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#\s]*@")
_KNOWN = re.compile(
    r"(?:\b(?:[srp]k[-_]|gh[oprsu]_|github_pat_|glpat-|xox[abeprs]-|AIza|AKIA|hf_)[\w./+=-]{16,}"
    r"|\b(?:gsk_|xai-|r8_|pplx-|nvapi-|tgp_v[0-9]_|fw_|csk-|tvly-|rpa_|sbp_|npm_|dop_v1_|shp(?:at|ss|ca|pa)_|lin_api_)[\w-]{20,}"
    r"|\b(?:gl(?:sa|c)_|gl(?:rt|dt|cbt|ptt|ft|soat)-|dckr_[po]at_|sntry[su]_|lsv2_(?:pt|sk)_|wandb_v[0-9]_|api_org_)[\w-]{20,}"
    r"|\b(?:pypi-|AGE-SECRET-KEY-1|ATATT3|ATCTT3|xapp-|ya29\.|AQ\.|hv[sbr]\.|SG\.|dp\.[a-z]{2}\.|ASIA)[\w./+=-]{16,}"
    r"|\b(?:dapi|key-|SK|jina_|figd_|PMAK-)[0-9a-f]{32}[\w-]*|\bpa-[\w-]{40,}"
    r"|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"
    r"|(?<=Bearer )[^\s,;]{16,}|(?<=Basic )[A-Za-z0-9+/]{12,}={0,2}"
    r"|-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END|\Z))",
    re.DOTALL,
)
"""How makers begin their keys, whatever variable they stand in."""
_FIELD = re.compile(r"([A-Za-z][\w .-]{0,60}?)\s*[=:]\s*(?:Bearer |Basic )?(?!//)[\x22']?([^\s,;&\x22']{8,})")
"""A name with its value, in lists, connection strings, JSON and the queries of addresses."""
_OF_A_KEY = ("d", "k", "p", "q", "dp", "dq", "qi")
"""Fields of a JSON web key that are secret."""
_PAIR = re.compile(r"[^\s:/=,;]+:(?!//)([^\s:,;]{8,})\Z")
"""User and password."""
_CHUNK = 16 * 1024**2 + 64 * 1024
"""As much as the largest answer, so that what an answer holds compressed is read whole."""
_OVERLAP = 64 * 1024


def of_environment(cases: Iterable[Case], environment: Mapping[str, str]) -> dict[str, bytes]:
    """Collect the values of the variables that the cases name, and of those whose names or values say they are secret.

    Of an address that holds a user and a password, such as that of a proxy, these are the secret.
    """
    named = {spec.api_key_env for case in cases for spec in case.models if spec.api_key_env}
    found: dict[str, bytes] = {}
    for name in sorted(environment.keys() | named):
        value = environment.get(name, "").strip()
        if _USER.match(value):
            found |= _of_address(name, value)
        elif name in named or (TELLING.search(name.upper()) and name not in NOT_TELLING):
            found[name] = value.encode("utf-8", "surrogateescape")
            found |= _parts(name, value)
        elif "=" in value or value.startswith("{"):
            found |= _fields(name, value)
        found |= {f"{name}, a key in it": one.encode("utf-8", "surrogateescape") for one in _KNOWN.findall(value)}
    return {name: value for name, value in found.items() if len(value) >= SHORTEST}


def _of_address(name: str, value: str) -> dict[str, bytes]:
    user, _, password = urlsplit(value).netloc.rpartition("@")[0].partition(":")
    both = {f"{name}, user and password": f"{user}:{password}", f"{name}, password": password or user}
    return {label: unquote(one).encode() for label, one in both.items()}


def _parts(name: str, value: str) -> dict[str, bytes]:
    """Take a scheme (`Bearer`) or the names of cookies away: a server may repeat the value alone."""
    parts = [part.strip().partition("=")[2] for part in value.split(";")] if "COOKIE" in name.upper() else []
    scheme, _, rest = value.partition(" ")
    parts += [rest] if scheme.lower() in ("bearer", "basic", "token") else []
    parts += [match[1] for match in [_PAIR.match(value)] if match]
    listed = [part.strip().strip("\"'") for part in re.split(r"[,;]", value)] if _object(value) is None else []
    parts += [part for part in listed if len(part) >= LISTED and not re.search(r"[=\s]", part) and part != value]
    told = dict.fromkeys(part.encode("utf-8", "surrogateescape") for part in parts if part)
    return {f"{name}, part {number}": part for number, part in enumerate(told, start=1)} | _fields(name, value)


def _fields(name: str, value: str) -> dict[str, bytes]:
    """Take the values of fields whose names say that they are secret."""
    fields = _object(value)
    if fields is not None and "kty" in fields:  # a JSON web key
        fields = {f"key {field}": said for field, said in fields.items() if field in _OF_A_KEY}
    if fields is None:
        fields = {match[1].strip(): match[2] for match in _FIELD.finditer(value)}
    return {
        f"{name}, its {field[:40]}": said.encode("utf-8", "surrogateescape")
        for field, said in fields.items()
        if isinstance(said, str) and TELLING.search(field.upper().replace("-", "_"))
    }


def _object(value: str) -> dict[str, object] | None:
    """Read a variable that holds an object of JSON, as files of credentials do."""
    try:
        found = json.loads(value) if value.startswith("{") else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def of_files(cases: Iterable[Case]) -> dict[str, bytes]:
    """Collect the keys in the files that the cases name, as far as they are still there."""
    found: dict[str, bytes] = {}
    for spec in (spec for case in cases for spec in case.models if spec.api_key_file):
        with contextlib.suppress(OSError):
            found[f"key file of {spec.code}"] = Path(spec.api_key_file).expanduser().read_bytes().strip()
    return {name: value for name, value in found.items() if len(value) >= SHORTEST}


def search(file: BinaryIO, name: str, sought: Sought) -> None:
    """Raise SecretFound at the first secret in a file; `name` is for the message."""
    before, base = b"", 0
    while chunk := file.read(_CHUNK):
        window = before + chunk
        found = next(find(window, sought), None)
        if found is not None:
            how = ", ".join(filter(None, (found.form, found.between and f"but for {found.between}")))
            raise SecretFound(
                f"{name}: byte {base + found.start} begins the secret {found.name} ({how})",
                hint="nothing was sealed; revoke the secret, and find out how it got there",
            )
        before = window[-_OVERLAP:]
        base += len(window) - len(before)

"""What several commands share: their options, the clock, keys and time-stamps."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from depose.cli.levels import level
from depose.errors import UsageError

if TYPE_CHECKING:
    from depose.custody.keys import PrivateKey
    from depose.custody.stamp import Source

    _ParamType = click.ParamType[str]
else:
    _ParamType = click.ParamType  # generic from click 8.2 on

LARGEST_OPTION = 16 * 1024**2
"""Bytes that are read of a key, a token or certificates."""
CASE = click.argument("case", type=click.Path(path_type=Path))
JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


class Gate(_ParamType):
    """An opinion, or QUESTION:OPINION."""

    name = "[QUESTION:]OPINION"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check what is given."""
        question, colon, opinion = value.rpartition(":")
        known = ("same", "derived", "distilled", "exposed")
        if opinion not in ("indication", "inconclusive") or bool(colon) != (question in known):
            wanted = f"indication or inconclusive, or one of them behind {', '.join(f'{one}:' for one in known)}"
            self.fail(f"{value!r}: {wanted}", param, ctx)
        return value


FAIL_ON = click.option(
    "--fail-on",
    multiple=True,
    type=Gate(),
    help="Exit 4 at an indication (or a relation), 5 where an opinion is inconclusive; of one question alone: "
    "distilled:indication. 5, too, where a finding that is waited for cannot speak. May be given several times.",
)
ALLOW_BLIND = click.option(
    "--allow-blind", is_flag=True, help="Go on, and let --fail-on end with 0, where findings cannot speak."
)
FORMAT = click.option(
    "--format",
    "formats",
    default="pdf,html",
    show_default=True,
    help="What to render, with commas: html, pdf, docx (to go on writing), form (a PDF with fields), viewer "
    "(the whole case as a page), "
    "data (JSON, JUnit, CSV).",
)
FLAVOUR = click.option(
    "--flavour",
    type=click.Choice(["expert", "compliance"]),
    default="expert",
    show_default=True,
    help="The court report, or a summary of two pages.",
)
KEY = click.option("--key", type=click.Path(path_type=Path), help="Private signing key (depose keygen).")
PASSPHRASE = click.option("--passphrase-env", default="", help="Variable that holds the passphrase of the key.")
TSA = click.option("--tsa", default="", help="URL of a time-stamping authority (RFC 3161).")
BEACON = click.option(
    "--beacon",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='The round of the beacon that draws the seed, as a file: seed_from = "beacon".',
)
TOKEN = click.option("--token", type=click.Path(path_type=Path), help="Or its reply, fetched elsewhere (.tsr).")
TSA_ROOT = click.option("--tsa-root", type=click.Path(path_type=Path), help="Its certificates, in PEM.")
PUBLIC_KEY = click.option(
    "--public-key", type=click.Path(path_type=Path), help="The signer's public key, got by another way."
)


def now() -> str:
    """Return the time now in UTC, to the microsecond."""
    from depose.evidence.log import utc_now

    return utc_now()


def say(line: str) -> None:
    """Print a line of progress to stderr."""
    if level() >= 0:
        click.echo(f"  {line}", err=True)


class Brief:
    """Says one line of progress in the place of many, unless every number is asked for (--verbose)."""

    def __init__(self, line: str) -> None:
        self._line = line

    def __call__(self, line: str) -> None:
        """Hear a line of progress."""
        if level() > 0:
            say(line)
        elif self._line:
            say(self._line)
            self._line = ""


def source_of(tsa: str, token: Path | None, roots: Path | None) -> Source:
    """Return where a time-stamp comes from, if from anywhere; raise UsageError for options that do not go together."""
    from depose.custody.stamp import Source

    return Source(
        url=tsa, token=token.read_bytes() if token else b"", roots=roots.read_bytes() if roots else b""
    ).checked()


def bytes_of(file: Path | None) -> bytes:
    """Read a small file that an option names, nothing for none; raise UsageError where it cannot be read."""
    if file is None:
        return b""
    try:
        if not file.is_file():
            raise UsageError(f"{file}: not a file", hint="check the name")
        with file.open("rb") as opened:
            return opened.read(LARGEST_OPTION)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror or error}", hint="check the name") from error


def key_of(path: Path, passphrase_env: str) -> PrivateKey:
    """Read the private key, with the passphrase that the variable holds."""
    from depose.custody import keys

    return keys.load(path, passphrase_of(passphrase_env))


def secrets_of(path: Path, passphrase_env: str) -> dict[str, bytes]:
    """Return what of a key must stand in no bundle, beside its numbers: the file as it is, and its passphrase."""
    from depose.custody import keys

    passphrase = passphrase_of(passphrase_env).encode()
    return {f"file {path.name}": keys.locked(path.read_bytes()), f"passphrase in {passphrase_env}": passphrase}


def passphrase_of(name: str) -> str:
    """Return what the variable holds, nothing for no variable; raise UsageError when it is empty."""
    if name and not os.environ.get(name):
        raise UsageError(f"the variable {name} holds no passphrase", hint=f"export {name}=...")
    return os.environ.get(name, "")


def entered(folder: Path, key: Path | None, passphrase_env: str) -> list[str]:
    """Enter a registration into the ledger of a key, where one is named."""
    if key is None:
        return []
    from depose.custody.key_ledger import enter

    made = enter(folder, key, key_of(key, passphrase_env), now)
    return [f"registration {made.count} of key {made.key[:16]}, head of its ledger {made.head}"]


def seed_lines(case: Path, beacon: Path | None = None) -> list[str]:
    """Draw the seed of a protocol that waits for it, and say what it drew, or what it waits for."""
    from depose import pipeline
    from depose.case.casefile import folder_of
    from depose.case.untrusted_files import read_untrusted
    from depose.evidence.beacon import LARGEST
    from depose.evidence.ledger import entries
    from depose.registering import seedless

    made = pipeline.draw_seed(case, now, read_untrusted(beacon, LARGEST) if beacon else b"")
    found_at = folder_of(case)
    found = entries(found_at)
    if made is not None:
        drawn, models = len(found.registration.prompts), len(found.registration.case.models)
        return [f"seed {made.seed}, drawn by the {made.by} of {made.at}: {drawn} prompts, {models} models"]
    return [seedless(found_at, found).message.removeprefix(f"{found_at}: ")] if found.waits_for_seed else []

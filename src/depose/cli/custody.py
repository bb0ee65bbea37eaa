"""The commands of custody: keygen, seal, verify, redact, replicate."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from depose.cli.console import replication_lines, sealed_lines, show, show_plan
from depose.cli.lines import Line
from depose.cli.options import (
    CASE,
    JSON,
    KEY,
    PASSPHRASE,
    PUBLIC_KEY,
    TOKEN,
    TSA,
    TSA_ROOT,
    bytes_of,
    key_of,
    now,
    passphrase_of,
    say,
    secrets_of,
    source_of,
)
from depose.cli.steps import advice
from depose.cli.words import ended
from depose.errors import UsageError, shell

if TYPE_CHECKING:
    from depose.custody.verified import Verified


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@PASSPHRASE
@JSON
def keygen(file: Path, passphrase_env: str, as_json: bool) -> None:
    """Make a signing key (ECDSA P-256): FILE holds the private part, FILE.pub the public one.

    Keep FILE away from every case, and give FILE.pub, or its fingerprint, to whoever is to verify.

    \b
    Example:  depose keygen ~/keys/expert.pem --passphrase-env MY_PASSPHRASE
    """
    from depose.custody import keys

    public = keys.make(file, passphrase_of(passphrase_env))
    print_ = keys.fingerprint(keys.load_public(public.read_bytes(), str(public)))
    made = {"private": str(file), "public": str(public), "fingerprint": print_}
    lines = [f"private {file}", f"public  {public}", f"fingerprint sha256 {print_}"]
    show(made if as_json else None, [*lines, advice(f"depose seal CASE --key {shell(file)}")])


@click.command()
@CASE
@KEY
@PASSPHRASE
@TSA
@TOKEN
@TSA_ROOT
@click.option(
    "--sign-pdf",
    nargs=2,
    type=click.Path(path_type=Path),
    metavar="CERT KEY",
    help="Sign each PDF report first, into NAME-signed.pdf (PAdES; needs depose[sign]).",
)
@click.option("--sign-passphrase-env", default="", help="Variable that holds the passphrase of that KEY.")
@JSON
def seal(
    case: Path,
    key: Path | None,
    passphrase_env: str,
    tsa: str,
    token: Path | None,
    tsa_root: Path | None,
    sign_pdf: tuple[Path, Path] | None,
    sign_passphrase_env: str,
    as_json: bool,
) -> None:
    """Sign a CASE and write it as one bundle, CASE/sealed/NAME.zip; from then on it takes no further record.

    The bundle can be checked without depose: see VERIFY.md in it. Secrets are searched for first.

    \b
    Example:  depose seal acme --key ~/keys/expert.pem --tsa https://freetsa.org/tsr --tsa-root cacert.pem
    Offline:  depose seal acme --key KEY, then openssl ts -query -data SHA256SUMS -sha256 -cert -out q.tsq
              and then depose seal acme --key KEY --token q.tsr --tsa-root cacert.pem
    PDF:      depose seal acme --key KEY --sign-pdf witness.pem witness.key
    """
    from depose.custody import pdf
    from depose.custody.seal import seal as seal_case
    from depose.extraction import plan, sealing

    if key is None:
        raise UsageError("a seal needs a key", hint="make one: depose keygen FILE; then --key FILE")
    who = pdf.signer(*sign_pdf, passphrase_of(sign_passphrase_env)) if sign_pdf else None
    private = key_of(key, passphrase_env)
    if plan.is_extraction(case):
        if sign_pdf:
            raise UsageError("--sign-pdf is not for an extraction case", hint="seal it without")
        sealed = sealing.seal(case, private, now, source_of(tsa, token, tsa_root))
        show(sealed if as_json else None, sealed_lines(sealed, key))
        return
    known = secrets_of(key, passphrase_env) | (secrets_of(sign_pdf[1], sign_passphrase_env) if sign_pdf else {})
    done = seal_case(case, private, now, os.environ, source_of(tsa, token, tsa_root), who, known)
    show(done if as_json else None, sealed_lines(done, key))


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@PUBLIC_KEY
@TSA_ROOT
@click.option("--no-recompute", is_flag=True, help="Check seal, files, log and time-stamps alone: much faster.")
@click.option(
    "--weights",
    multiple=True,
    metavar="CODE=PATH",
    help="Where weights lie that the bundle compares, to compare them again; once for each model.",
)
@JSON
def verify(
    bundle: Path,
    public_key: Path | None,
    tsa_root: Path | None,
    no_recompute: bool,
    weights: tuple[str, ...],
    as_json: bool,
) -> None:
    """Check a BUNDLE, zipped or unpacked, and compute its findings again; writes nothing.

    Takes copies that depose redact made, and single records (proof-N.json, or their folder), too: of those each byte
    that is shown is proved against the signed root. Ends with 3 at the first thing that does not hold, and lists what
    was not verified.

    \b
    Example:  depose verify acme-1a2b3c.zip --public-key expert.pem.pub --tsa-root cacert.pem
              depose verify produced/proof-12.json --public-key expert.pem.pub
    """
    from depose.custody.verify import verify as verify_any
    from depose.extraction import unsealing

    if unsealing.is_bundle(bundle):
        done = unsealing.verify(
            bundle,
            public_key=bytes_of(public_key),
            roots=bytes_of(tsa_root),
            recompute=not no_recompute,
            progress=say,
        )
        _verified(done, as_json=as_json)
        return
    done = verify_any(
        bundle,
        public_key=bytes_of(public_key),
        roots=bytes_of(tsa_root),
        recompute=not no_recompute,
        weights=_places(weights),
        progress=say,
    )
    _verified(done, as_json=as_json)


def _verified(done: Verified, *, as_json: bool) -> None:
    """Print what holds, what was not looked at, and as the last line the verdict."""
    lines: list[str | Line] = [f"verified: {_shortened(line)}" for line in done.checks]
    lines += [f"NOT verified: {_shortened(line)}" for line in done.not_verified]
    lines += [_caution(line) for line in done.cautions]
    known = not any(line.startswith("who signed") for line in done.not_verified)
    verdict = "VERIFIED" if known else "INTACT, signer not known"
    rest = f"{len(done.checks)} checks hold, {len(done.not_verified)} things were not verified; each is named above"
    lines.append(Line((verdict, "bold green" if known else "bold yellow"), (f": {rest}", "")))
    show(done if as_json else None, lines)
    ended(0, "nothing that was checked fails")


def _caution(line: str) -> Line:
    """Name what not to rely on."""
    return Line(("CAUTION", "bold yellow"), (f": {line}", ""))


def _shortened(line: str) -> str:
    """Name the first of a long list of files, and count the others; --json has all."""
    names = line.split(", ")
    if len(names) <= 8:
        return line
    last, _, rest = names[-1].partition(": ")
    return f"{', '.join(names[:3])} and {len(names) - 3} more, the last {last}" + (f": {rest}" if rest else "")


def _places(given: tuple[str, ...]) -> dict[str, Path]:
    """Read the values of --weights."""
    found = {}
    for one in given:
        code, _, path = one.partition("=")
        if not code or not path:
            raise UsageError(f"--weights {one}: not CODE=PATH", hint="as in --weights S1=models/suspect")
        found[code] = Path(path)
    return found


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--find", multiple=True, help="Words to withhold, in any case and encoding. May be given several times.")
@click.option("--find-env", multiple=True, help="Variable that holds words to withhold.")
@click.option("--passage", "places", multiple=True, help="RECORD:START-END: characters of the answer of a record.")
@click.option("--model", "models", multiple=True, help="Code of a model all of whose answers are withheld.")
@click.option("--prompt", "prompts", multiple=True, help="Id of a prompt that is withheld with all answers to it.")
@click.option("--reason", default="", help="Why they are withheld.")
@click.option("--record", "records", multiple=True, type=int, help="Produce this record of the log alone, with proof.")
@JSON
def redact(
    bundle: Path,
    folder: Path,
    find: Sequence[str],
    find_env: Sequence[str],
    places: Sequence[str],
    models: Sequence[str],
    prompts: Sequence[str],
    reason: str,
    records: Sequence[int],
    as_json: bool,
) -> None:
    """Write a derived copy of a BUNDLE into a new FOLDER, with words withheld or with single records alone.

    The bundle and its digests stay as they are; the copy lists each line in which something is withheld, and why.
    Files that are not text (PDF, Parquet) are left out, and named. What is like the words and was not withheld is
    listed here, and nowhere in the copy: look at it. A copy is checked by depose verify, and so is a record.

    \b
    Example:  depose redact acme.zip public --find "org-a1b2c3" --reason "account of a third party"
              depose redact acme.zip public --passage 17:120-134 --prompt p-03 --reason "personal data"
              depose redact acme.zip produced --record 12 --record 40
    """
    from depose.custody import redact as redaction
    from depose.custody.passages import Wanted, target

    withheld = (find, find_env, places, models, prompts)
    if bool(records) == any(withheld):
        raise UsageError(
            "a copy withholds words or produces records",
            hint="give --find, --find-env, --passage, --model or --prompt; or --record",
        )
    if records:
        made = redaction.produce(bundle, folder, records)
        show([str(one) for one in made] if as_json else None, [str(one) for one in made])
        return
    wanted = Wanted(
        words=tuple(text.encode() for text in (*find, *(passphrase_of(name) for name in find_env))),
        passages=tuple(map(target, places)),
        models=tuple(models),
        prompts=tuple(prompts),
    )
    done = redaction.redact(bundle, folder, wanted, reason, now())
    what = f"{done.ranges} passages in {done.files} files withheld; parent SEAL sha256 {done.parent}"
    said: list[str | Line] = [f"{done.folder}: {what}"]
    said += [f"left out: {line}" for line in done.left_out]
    said += [f"near, NOT withheld: {one.file}, line {one.line}: {one.shown} ({one.why})" for one in done.near]
    said += [_caution(line) for line in done.cautions]
    show(done if as_json else None, said)


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@PUBLIC_KEY
@click.option("--endpoints", type=click.Path(path_type=Path), help="Your own endpoints and keys for its models (TOML).")
@click.option("--yes", is_flag=True, help="Ask at the addresses that the bundle names, without any key.")
@click.option("--unknown-signer", is_flag=True, help="Go on without --public-key: anybody may have sealed it.")
@TSA
@TSA_ROOT
@JSON
def replicate(
    bundle: Path,
    folder: Path,
    public_key: Path | None,
    endpoints: Path | None,
    yes: bool,
    unknown_signer: bool,
    tsa: str,
    tsa_root: Path | None,
    as_json: bool,
) -> None:
    """Ask the protocol of a BUNDLE again, with your own keys, in a case FOLDER of your own, and compare.

    First prints who sealed it, where each model would be asked and with which key, and the files that it would write;
    nothing is sent or written without --yes or --endpoints. Keys that a bundle names are never read, its proxies never
    used, and a private address needs your own word:

    \b
              [models.S1]
              base_url = "https://api.example.com/v1"
              api_key_env = "MY_KEY"         # or api_key_file, proxy, allow_private = true
              [models.C3]
              model = "/models/llama-3-8b"   # weights on this machine
              [budget]                       # instead of the bundle's
              money = 20.0

    Prints record counts, how far each model has moved compared with how far the reference was from itself, and the
    opinions side by side; keeps it in out/replication.json. A killed run goes on when started again.

    \b
    Example:  depose replicate acme-1a2b3c.zip mine --public-key expert.pem.pub --endpoints endpoints.toml
    """
    from depose.custody.replicate import Consent
    from depose.custody.replicate import replicate as replicate_case

    known = public_key.read_bytes() if public_key else b""
    consent = Consent(endpoints=endpoints, yes=yes, unknown_signer=unknown_signer)
    source = source_of(tsa, None, tsa_root)
    done = replicate_case(bundle, folder, known, consent, source, now, lambda *_: None, say, show_plan)
    show(done if as_json else None, replication_lines(done))

"""Attack a sealed bundle, and whoever reads what others made, in every way we know: what each attack meets.

Of attacks on a bundle, also which common tools see them without depose.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from attacks import BY_ANYBODY
from attacks_in_disguise import IN_DISGUISE
from attacks_on_answers import ON_ANSWERS
from attacks_on_asked_line_ups import ON_ASKED_LINE_UPS, sealed_asked_line_up
from attacks_on_askers import ON_ASKERS
from attacks_on_batches import ON_BATCHES
from attacks_on_caches import ON_CACHES
from attacks_on_copied_files import ON_COPIES
from attacks_on_extractions import ON_EXTRACTIONS, sealed_extraction
from attacks_on_extractions import met as met_by_extraction
from attacks_on_forms import IN_TWO_FORMS
from attacks_on_line_ups import ON_LINE_UPS, sealed_line_up
from attacks_on_loaders import ON_LOADERS
from attacks_on_logs import ON_LOGS
from attacks_on_models import ON_MODELS
from attacks_on_networks import ON_NETWORKS
from attacks_on_packs import ON_PACKS
from attacks_on_readers import ON_READERS
from attacks_on_records import ON_RECORDS
from attacks_on_secrets import PASSPHRASE, PLANTED, prepared
from attacks_on_secrets import met as met_by_seal
from attacks_on_seeds import ON_SEEDS
from attacks_on_signed_files import ON_SIGNED_FILES
from attacks_on_spreadsheets import ON_SPREADSHEETS
from attacks_on_throws import ON_THROWS
from attacks_on_watches import ON_WATCHES
from attacks_on_weights import ON_WEIGHTS, sealed_weights
from attacks_on_wires import ON_WIRES
from attacks_with_key import BY_SIGNER
from depose.custody.verify import verify
from fakes import install
from mixed_bundles import mixed_case
from tampering import Attack, Target, met, sealed_case, seen_by, unpack
from traps import Harm, sprung

TRAPS = (
    *ON_ASKERS,
    *IN_DISGUISE,
    *ON_CACHES,
    *ON_BATCHES,
    *ON_LOADERS,
    *ON_LOGS,
    *ON_MODELS,
    *ON_PACKS,
    *ON_READERS,
    *ON_SPREADSHEETS,
    *ON_NETWORKS,
    *ON_THROWS,
    *ON_WATCHES,
)
ON_BUNDLES: tuple[tuple[str, Callable[[Path], Target], tuple[Attack, ...]], ...] = (
    (
        "target",
        sealed_case,
        (*BY_ANYBODY, *BY_SIGNER, *ON_SIGNED_FILES, *ON_COPIES, *ON_RECORDS, *IN_TWO_FORMS, *ON_SEEDS),
    ),
    ("mixed", mixed_case, (*ON_ANSWERS, *ON_WIRES)),
    ("line-up", sealed_line_up, tuple(ON_LINE_UPS)),
    ("asked", sealed_asked_line_up, tuple(ON_ASKED_LINE_UPS)),
    ("weights", sealed_weights, tuple(ON_WEIGHTS)),
)


def trapped(target: Target, folder: Path) -> int:
    """Print what each trap for whoever runs depose meets, by kind; return how many did harm."""
    kind, harmed = "", 0
    for number, one in enumerate(TRAPS, start=1):
        if one.kind != kind:
            kind = one.kind
            print(f"\n{kind}:")
        try:
            message = sprung(one, target, folder / f"trap {number}").replace(str(folder), "...")
        except Harm as harm:
            harmed, message = harmed + 1, f"NOT REFUSED: {harm}"
        print(f"{number:3}  {one.name}\n     {message.encode('unicode_escape').decode()[:160]}")
    print(f"\n{len(TRAPS)} traps, {len(TRAPS) - harmed} refused without harm")
    return harmed


def unseen(target: Target) -> tuple[str, ...]:
    """Return what verify lists as not shown, such as tokens that were asked for and thrown away."""
    roots = target.authority.roots.read_bytes()
    return verify(target.bundle, public_key=target.public, roots=roots, recompute=False).not_verified


def its_own(says: str, message: str) -> bool:
    """Whether an attack met the message that it has to meet; print that it met another one, or none."""
    found = bool(message and re.search(says, message))
    if not found:
        print(f"NOT ITS OWN MESSAGE, which is {says!r}:")
    return found


def extractions(folder: Path) -> int:
    """Print what each attack on the bundle of an extraction case meets; return how many are not refused as such."""
    folder.mkdir()
    bundle, key = sealed_extraction(folder)
    print("\non the bundle of an extraction case:")
    passed = 0
    for number, one in enumerate(ON_EXTRACTIONS, start=1):
        message = met_by_extraction(one, bundle, key, folder / str(number))
        passed += not its_own(one.says, message)
        print(f"{number:3}  {one.name}\n     {message.encode('unicode_escape').decode()[:160] or 'NOT REFUSED'}")
    print(f"\n{len(ON_EXTRACTIONS)} attacks, {len(ON_EXTRACTIONS) - passed} refused with their own message")
    return passed


def _untouched(at: Target, name: str, home: Path) -> None:
    """End where a bundle is refused that nobody has touched."""
    nothing = Attack(name="", says="", act=lambda *_: None, recompute=True)
    untouched = unpack(at, home / f"untouched-{name}")
    for refused in (met(nothing, at, home / f"none-{name}"), ", ".join(seen_by(untouched, at))):
        if refused:
            sys.exit(f"the untouched bundle does not verify: {refused}")


def main() -> None:
    """Print every attack with its message; end with 1 if one passes for genuine or meets that of another."""
    with tempfile.TemporaryDirectory() as folder:
        home, targets, numbers = Path(folder), dict[str, Target](), count(1)
        refused = seen = unpacked = 0
        for name, made, attacks in ON_BUNDLES:
            # Sealed just before its attacks, whose new tokens must not be late for what the log says.
            targets[name] = at = made(home / name)
            _untouched(at, name, home)
            for one in attacks:
                number = next(numbers)
                place = home / str(number)
                message = met(one, at, place)
                refused += its_own(one.says, message)
                tools = [] if one.unseen else list(seen_by(place / "bundle", at))
                seen, unpacked = seen + bool(tools), unpacked + (not one.unseen)
                shown = message.encode("unicode_escape").decode()[:110] or "NOT REFUSED"
                by = "for depose alone to see" if one.unseen else f"seen by {', '.join(tools) or 'depose alone'}"
                print(f"{number:3}  {one.name}\n     {shown}\n     {by}")
        print("\nwhat no bundle shows, and verify says of an honest one:")
        for line in unseen(targets["target"]):
            print(f"     {line}")
        harmed = trapped(targets["target"], home) + extractions(home / "extraction")
    attacked = next(numbers) - 1
    print(
        f"{attacked} attacks, {refused} refused with their own message; of {unpacked} on the "
        f"unpacked bundle, {seen} are seen by sha256sum, openssl, diff, find or python3 alone; the untouched "
        "bundles verify"
    )
    sys.exit(attacked - refused + harmed + _secrets() > 0)


def _secrets() -> int:
    """Print what meets each secret that is planted before sealing; return how many are sealed."""
    sealed = 0
    os.environ["DEPOSE_TEST_PASSPHRASE"] = PASSPHRASE
    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, str(install(Path(folder) / "site")))
        case = prepared(Path(folder))
        for number, one in enumerate(PLANTED, start=1):
            message = met_by_seal(one, case)
            sealed += not message
            print(f"{number:3}  {one.name}\n     {message[:110] or 'SEALED'}")
    print(f"{len(PLANTED)} secrets planted before sealing, {len(PLANTED) - sealed} found")
    return sealed


if __name__ == "__main__":
    main()

"""Mixes of probe families by purpose and budget, named in a case by one line: `probes = ["mix:standard"]`.

Half of each family is drawn from the seed of the protocol, which is public; the other half from a secret of the case,
made at registration. The digest of the secret stands in record 0 and thus in the protocol's digest: a commitment.
Whoever knows the case file and the program can train against the open half alone; the seal hands the secret out, and
anybody draws the same prompts again.

Whoever makes the secret alone may draw many and keep the one that suits him. So a case may name a nonce of another
party that goes into the half as well: the party gives it when it has the digest of the secret, and not before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from msgspec import UnsetType

from depose import plugins
from depose.case.near import nearest
from depose.errors import PluginError
from depose.model import Prompt, Protocol, Record
from depose.model.file_names import MIX
from depose.model.random_streams import stream

LEAST = 32
"""Bytes of a secret."""


class Mix(Record, frozen=True, kw_only=True):
    """Which families, how many of each, and how a case is best set for them."""

    purpose: str
    families: tuple[tuple[str, int], ...]
    samples: int
    max_tokens: int

    @property
    def prompts(self) -> int:
        """Count its prompts."""
        return sum(count for _, count in self.families)

    @property
    def calls(self) -> int:
        """Calls to each model with the samples that it is best given."""
        return self.prompts * self.samples


MIXES = {
    "short": Mix(
        purpose="a hundred short calls: is it still the same model? (`depose watch`)",
        families=(("forced_choice", 14), ("tie_break", 6)),
        samples=5,
        max_tokens=8,
    ),
    "standard": Mix(
        purpose="an audit of likeness at the cost of the bundled studies",
        families=(("open_howto", 16), ("open_lists", 10), ("short_creative", 8), ("open_advice", 12)),
        samples=1,
        max_tokens=200,
    ),
    "court": Mix(
        purpose="every family that carries an opinion at full size, and those that give exhibits",
        families=(
            ("open_howto", 30),
            ("open_lists", 30),
            ("short_creative", 30),
            ("open_advice", 30),
            ("false_premise", 16),
            ("long_tail", 18),
            ("borderline", 16),
            ("who_are_you", 12),
        ),
        samples=1,
        max_tokens=200,
    ),
}


def problem_of_probes(protocol: Protocol) -> tuple[str, str] | None:
    """Find the first probe that a protocol may not name: (message, hint)."""
    for index, probe in enumerate(protocol.probes):
        name, _, count = probe.partition(":")
        where = f"$.protocol.probes[{index}]"
        if probe.startswith(MIX):
            if count not in MIXES:
                said = f"{where}: unknown mix {count!r}{nearest(count, MIXES)}"
                return said, f"known: {', '.join(MIXES)} (depose list mixes)"
        elif name not in plugins.names("probes"):
            known = plugins.names("probes")
            return f"{where}: unknown probe {name!r}{nearest(name, known)}", f"known: {', '.join(known)}"
        elif not re.fullmatch(r"[1-9][0-9]{0,4}", count):
            return f"{where}: {probe!r} is not NAME:COUNT", f"write {name}:16"
    if isinstance(protocol.nonce, UnsetType) != isinstance(protocol.nonce_by, UnsetType):
        return "$.protocol.nonce: goes with $.protocol.nonce_by", "say what was given, and who gave it"
    if not isinstance(protocol.nonce, UnsetType) and not mixed(protocol):
        return "$.protocol.nonce: nothing is drawn with it", 'it goes with a mix: probes = ["mix:standard"]'
    asked = [name for name, _, _ in families(protocol)]
    if len(set(asked)) != len(asked):
        return "$.protocol.probes: one family stands twice", "add the counts together"
    return None


def mixed(protocol: Protocol) -> bool:
    """Tell whether a protocol names a mix, so that its case has a secret."""
    return any(probe.startswith(MIX) for probe in protocol.probes)


def families(protocol: Protocol) -> Iterator[tuple[str, int, bool]]:
    """Yield each family with its count, and whether half of it is secret."""
    for probe in protocol.probes:
        name, _, count = probe.partition(":")
        if probe.startswith(MIX):
            yield from ((family, many, True) for family, many in MIXES[count].families)
        else:
            yield name, int(count), False


def drawn(protocol: Protocol, secret: str) -> list[Prompt]:
    """Draw the prompts of all families, each with the random stream of its name; `secret` is that of the case."""
    prompts: list[Prompt] = []
    for name, count, half in families(protocol):
        probe = plugins.load("probes", name)
        opened = (count + 1) // 2 if half else count
        made = _made(probe, name, opened, protocol.seed)
        if half and count > opened:
            known = {prompt.id for prompt in made}
            nonce = () if isinstance(protocol.nonce, UnsetType) else (protocol.nonce,)
            more = _made(probe, name, count, protocol.seed, "secret half", secret, *nonce)
            made += [prompt for prompt in more if prompt.id not in known][: count - opened]
        prompts.extend(made)
    return prompts


def _made(probe: Callable[..., object], name: str, count: int, seed: int, *secret: str) -> list[Prompt]:
    found = probe(count, stream(seed, "probe", name, *secret))
    if not isinstance(found, tuple | list) or len(found) != count or not all(isinstance(p, Prompt) for p in found):
        raise PluginError(f"probe {name!r} did not make {count} prompts", hint="it is broken; leave it out")
    return list(found)

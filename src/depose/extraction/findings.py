"""What a scan found, as records: numbers before words, each p-value with its floor; pure."""

from __future__ import annotations

from typing import Literal

from depose.model import Fact, Record

FORMAT = "depose extraction findings 1"
Verdict = Literal["indication", "shared prompts, concert not shown", "no group found", "inconclusive"]
LAYERS = {
    "groups": "share rare templates more closely than margins explain (E3, primary)",
    "synchrony": "are active in the same slots clearly more often than the hours of each explain (E4)",
    "pivot": "moved to a new model on the day it came out, more than random sets (E4)",
    "balance": "ask more evenly on the days of a week than random sets of the same volumes (E5)",
    "infrastructure": "share cards or networks more often than random sets (E6)",
    "networks": "share networks not known as of their country more often than random sets, as a carrier's do (E6)",
    "clients": "use one client, by its name or its way to connect, more often than random sets (E6)",
    "targeting": "share templates of one capability more than alike templates are (E7)",
}

AVERAGED = ("groups", "synchrony", "infrastructure")
"""Layers whose e-values are averaged. Pivot, balance, networks not known as of their country, clients and targeting
describe: a release is public, and whoever waits for it moves on its day; machines ask ten a day; a country has its
carriers; customers of one framework send its prompts and its name; and a course is of one field, without anybody's
concert."""

CONCERT = ("synchrony", "infrastructure")
"""Layers that can show concert. That accounts share prompts has many causes, a benchmark that no list names among them,
and templates do not tell one from another."""


class Layer(Record, frozen=True, kw_only=True):
    """One test of one group."""

    name: str
    p: float
    floor: float
    e: float
    """e-value of p by the registered calibrator."""
    note: str


class Member(Record, frozen=True, kw_only=True):
    """An account of a group."""

    account: str
    supported: bool
    """Whether its own templates are shared inside the group more than by chance (describes, does not test)."""
    standing: bool
    """Whether it stands here only because a standing community shares with the group as one: nobody is meant by it."""
    requests: int
    templates: int
    """Rare templates of its node that others of the group hold too."""


class Group(Record, frozen=True, kw_only=True):
    """A set of accounts that stood out."""

    code: str
    p: float
    p_holm: float
    most: int
    """Accounts of a template at most, in the graph that stood out most."""
    least: int
    """Templates of a pair at least."""
    core: int
    """Each member shares with at least so many others."""
    expected: float
    """Median of that number in random tables."""
    nodes: int
    """Accounts, organisations and named sets, each once."""
    accounts: tuple[Member, ...]
    requests: int
    layers: tuple[Layer, ...]
    tied_by: tuple[str, ...]
    """Layers of `CONCERT` whose p, by Holm over these, is at most alpha: empty where prompts alone join the group."""
    e: float
    """Average of the e-values of the layers whose null holds (`AVERAGED`)."""
    first: str
    last: str


class AccountHit(Record, frozen=True, kw_only=True):
    """An account that is unusual for its stratum."""

    account: str
    p: float
    q: float
    controls: int
    group: str


class Accounts(Record, frozen=True, kw_only=True):
    """E1: unusual accounts."""

    tested: int
    without: int
    """Accounts for which no stratum had enough controls."""
    controls: str
    """Who they were ranked among."""
    fdr: float
    hits: int
    listed: tuple[AccountHit, ...]


class PairHit(Record, frozen=True, kw_only=True):
    """Two nodes that share more rare templates than their numbers explain."""

    left: str
    right: str
    shared: int
    p: float


class Pairs(Record, frozen=True, kw_only=True):
    """E2: pairs."""

    tests: int
    fdr: float
    hits: int
    nodes: int
    """Nodes in any of them."""
    listed: tuple[PairHit, ...]


class Standing(Record, frozen=True, kw_only=True):
    """The same primary test in the clean period: a placebo, and what it set aside."""

    p: float
    communities: int
    nodes: int
    """Nodes of the communities; each community counts as one node in the tested period."""


class Totals(Record, frozen=True, kw_only=True):
    """Sizes of what was looked at."""

    requests: int
    accounts: int
    nodes: int
    templates: int
    """Rare ones: of at least two nodes, and of no more than registered."""
    uses: int
    """Pairs of a node and a rare template."""
    common_templates: int
    """Left out as common property."""
    accounts_clean: int


class Opinion(Record, frozen=True, kw_only=True):
    """What follows, by a table."""

    verdict: Verdict
    reasons: tuple[str, ...]


class ExtractionFindings(Record, frozen=True, kw_only=True):
    """`findings-extraction.json`."""

    format: str
    title: str
    authority: str
    registered: str
    """Digest of the record that froze the protocol."""
    registered_at: str
    log_head: str
    events: str
    """Digest of the manifest of the events."""
    tested: tuple[str, str]
    clean: tuple[str, str] | None
    alpha: float
    swaps: int
    rounds: int
    sources: tuple[Fact, ...]
    """Logs by name, with digest, rows and losses."""
    warnings: tuple[str, ...]
    totals: Totals
    standing: Standing | None
    accounts: Accounts
    pairs: Pairs
    groups: tuple[Group, ...]
    """Those whose adjusted p is at most alpha."""
    next_p: float
    """Adjusted p of the round that found nothing more, 1 where there was none."""
    opinion: Opinion
    software: tuple[Fact, ...]
    fewest: int = 10
    """Accounts of a tier or a country below which no table names it."""


REASONS = {
    "population": "no population: too few other accounts to compare with; a request for them is drafted",
    "templates": "fewer than 20 accounts or organisations hold a rare template: prompts are not in the logs, none is "
    "shared, or what is shared is common property by `templates.most` and `templates.share`",
    "organisation": "one organisation, as the log has it, holds more than half of all accounts and counts as one: is "
    "it who pays for them, or a plan, a team or the keeper of the log?",
    "clean": "the logs hold next to nothing of the clean period: no community was set aside, and no template was known",
    "sampled": "a log holds a sample of the requests: a group may be larger than what is seen of it",
}


def named(groups: tuple[Group, ...]) -> dict[str, str]:
    """Return the accounts that groups name, and the group of each; members of standing communities are not named."""
    return {one.account: group.code for group in groups for one in group.accounts if not one.standing}


def hexed(number: int) -> str:
    """Return the name of an account as it is printed."""
    return f"{int(number):016x}"

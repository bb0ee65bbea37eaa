"""What a report says of a line-up alone, in the places where one on likeness speaks of controls and detectors; pure."""

from __future__ import annotations

from msgspec import UnsetType

from depose.lineup.opinion import NEEDED
from depose.model import Findings
from depose.model.lineup_findings import LineupFinding, LineupFindings
from depose.model.lineup_plan import LineupPlan, Statistic
from depose.report.contents import CROSSWALK
from depose.report.facts import SEEN_OUTSIDE
from depose.report.questions import Asked
from depose.report.typography import exact_p
from depose.report.wording import LIMITATIONS, LINEUP_REASONS
from depose.statistics.rounding import at_least, at_most

SHOWN = 8
"""Names of groups on the first page at most; the table has more, and findings.json all."""
INSTEAD = {
    SEEN_OUTSIDE: "Of the models it was seen how probable they find given answers, or what they answer, and not how "
    "they were made.",
    "The likeness has no direction": "A learnt preference says nothing of the route: who passed the answers on, and "
    "whether that was allowed, is not seen.",
    "Incidental exposure": "Answers that reached the public, such as posts of the accounts’ owners, would be "
    "learnt from there as well.",
    "The controls are not a random sample": "The accounts in question were chosen by people; of accounts that are not "
    "named nothing is said.",
    "A provider may have changed": "That log, decoys and scores are what they are said to be rests on those who kept "
    "them, as section 11A lists.",
    "The method is young": "The method is young. It has not been reviewed by peers, and nobody but those who made it "
    "has evaluated or repeated it.",
    "The method was examined under few": "The method was examined on few models, all of them small and of our own.",
}
"""Limitations of likeness, by how they begin, and what stands for them; all others hold for a line-up, too."""

IN_A_CORPUS = {
    SEEN_OUTSIDE: "Of the models nothing was seen but what was produced as the training data of each.",
    "No training data": "What was searched is a corpus that was produced. That the suspect was trained on it, and on "
    "all of it unchanged, rests on whoever produced it.",
}
"""The same where a corpus was searched."""

AMONG = (
    "answers that the reference had delivered to the accounts named, among others of the same reference to the same "
    "prompts that nobody received"
)
COMPARED: dict[Statistic, str] = {
    "likelihood": f"Each suspect scored {AMONG}, without being told which was which.",
    "text": f"Each suspect was asked the same prompts, and its answers were compared with {AMONG}, by who was not told "
    "which was which.",
    "continuation": f"Each suspect was given the beginnings of {AMONG}, without being told which was which, and what "
    "it wrote was compared with the rest of each.",
    "corpus": f"What was produced as the training data of each suspect was searched for {AMONG}, by who was not told "
    "which was which.",
}
"""What was done, for the first page."""
ASKED: dict[Statistic, str] = {
    "likelihood": "No model was asked anything: the suspects scored answers that were given",
    "text": "The suspects were asked the contexts of the line-ups and nothing else",
    "continuation": "The suspects were asked to go on from the beginnings of answers and nothing else",
    "corpus": "No model was asked anything: corpora that were produced were searched",
}
"""What was asked of whom, for the section on collection."""

ALTERNATIVES = (
    (
        "Deliveries and fillers differ in form",
        "checks D1 and D2: told apart by the reference, or by text alone",
        "finer",
    ),
    (
        "The sampler changed between them",
        "tier and snapshot are registered; drift is bounded where controls allow",
        "drift",
    ),
    ("The suspect learnt the prompts, not the answers", "every member answers the same prompt", "none"),
    ("The suspect learnt from other accounts", "their answers are among no fillers, and favour none", "none"),
    ("The reference learnt from this traffic itself", "check D7: later states of the reference", "where it was made"),
    ("Accounts chosen after looking at the suspect", "registered before line-ups are built; else circular", "memory"),
    ("The key was known to whoever scored", "sealed until the scores are; commitment printed", "the custodian’s word"),
    (
        "Other line-ups were tried",
        "the declaration has a line for them; p adjusted over all tests",
        "other cases",
    ),
    (
        "A model prefers short or plain answers",
        "delivery is a draw among siblings: length is alike on average",
        "check D2",
    ),
)
"""Explanation of a preference that an opponent may raise, what the protocol does about it, what remains."""


def alone(findings: Findings, lineup: LineupFindings | None) -> bool:
    """Tell whether a report speaks of a line-up and of nothing else."""
    return lineup is not None and not findings.findings


def _of_dependence(words: str) -> str:
    """Say the words of a scale without the names of propositions, which the first page does not explain."""
    return words.replace("for H1 over H2", "for a dependence on the deliveries").replace(
        "for H2 over H1", "against a dependence on the deliveries"
    )


def means(one: LineupFinding, plan: LineupPlan) -> str:
    """Say what an opinion on the line-up means, with how sure, for the first page."""
    made = [check for check in one.diagnostics if check.passed is not None]
    held = sum(bool(check.passed) for check in made)
    checks = f"Of {len(one.diagnostics)} checks of the premises {len(made)} could be made, and {held} hold."
    if one.opinion.verdict == "indication":
        compared = "suspects and groups compared" if one.groups else "suspects compared"
        if of_a_group_alone(one):
            return (
                "Over all accounts together nothing is shown; the answers that a registered group of them received "
                "stand before others of the same reference that nobody received. By chance that would come about with "
                f"p {exact_p(one.log10_p_holm)}, adjusted for the {compared}. {checks}{_waived(one)}{_of_groups(one)}"
            )
        held_by = "The corpus holds" if one.statistic == "corpus" else "The suspect puts"
        return (
            f"{held_by} the very answers that these accounts received before others of the same reference that "
            f"nobody received. By chance that would come about with p {exact_p(one.log10_p_holm)}{_whose(one)}, "
            f"adjusted for the {compared}; as a ratio that ends at {one.cap:,.0f}, by convention: "
            f"{_of_dependence(one.words)}. {checks}{_waived(one)}{_of_groups(one)}"
        )
    if one.opinion.verdict == "no indication":
        return (
            f"Nothing was found, where the test finds with probability {at_least(one.power)} or more what has learnt "
            f"{plan.share:.0%} of the deliveries so that it prefers each to another {plan.learnt:.0%} of the time. "
            f"{checks}"
        )
    because = "; ".join(LINEUP_REASONS[code] for code in one.opinion.reasons)
    return f"No answer either way: {because}. {checks}{_of_groups(one)}"


def of_a_group_alone(one: LineupFinding) -> bool:
    """Tell whether an indication is that of a registered group, and p over all accounts does not reach its level."""
    return bool(one.groups) and one.opinion.verdict == "indication" and one.gamma <= 1


def group_of_p(one: LineupFinding) -> str:
    """Name the registered group whose p an indication has; empty where it is that of all accounts together."""
    if one.opinion.verdict != "indication" or isinstance(one.groups, UnsetType):
        return ""
    own = (line for line in one.groups if line.opinion.verdict == "indication")
    return next((line.group for line in own if line.log10_p_holm == one.log10_p_holm), "")


def _whose(one: LineupFinding) -> str:
    return f" (that of {group})" if (group := group_of_p(one)) else ""


def _of_groups(one: LineupFinding) -> str:
    """Name the registered groups that are an indication by themselves; nothing where none is registered."""
    if isinstance(one.groups, UnsetType):
        return ""
    found = [line.group for line in one.groups if line.opinion.verdict == "indication"]
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    names = (", ".join(found[:SHOWN]) or "none") + more
    return f" Groups of accounts that are an indication by themselves, of {len(one.groups)}: {names}."


def _waived(one: LineupFinding) -> str:
    """Name the checks that the tier asks for and that do not stand, where a case rests on fewer; nothing for none."""
    passed = {check.name for check in one.diagnostics if check.passed}
    lacking = [name for name in NEEDED[one.tier] if name not in passed]
    if not lacking:
        return ""
    return f" Indicative only: fillers of this kind ask for {', '.join(lacking)} as well, which the case did without."


def rule(lineup: LineupFindings) -> str:
    """Say which checks an opinion needs, by the registered limits or else by the tier."""
    required = lineup.plan.limits.required
    if required is None:
        return "every check of the premises that the tier needs made"
    if not required:
        return "no check of the premises in particular, as the case registers,"
    return f"the checks {', '.join(required)} made, as the case registers instead of those of its tier,"


def means_not(one: LineupFinding) -> str:
    """Say what no opinion on a line-up says."""
    if one.opinion.verdict == "indication" and one.statistic == "corpus":
        return (
            "Not that the suspect was trained on this corpus, which rests on who produced it; not by which route the "
            "answers came there; nothing of accounts that are not named."
        )
    if one.opinion.verdict == "indication":
        return "Not by which route the answers came to the suspect, and nothing of accounts that are not named."
    return "Not that no outputs were used: those of other accounts leave no trace here, and a weak one may be missed."


def limitations(findings: Findings, lineup: LineupFindings) -> tuple[str, ...]:
    """List the limitations of a report with a line-up, by what was seen of the suspects."""
    searched = lineup.plan.statistic == "corpus"
    instead = INSTEAD if alone(findings, lineup) else {}
    if searched:
        instead = instead | (IN_A_CORPUS if instead else {"No training data": IN_A_CORPUS["No training data"]})
    return tuple(
        next((said for start, said in instead.items() if text.startswith(start)), text) for text in LIMITATIONS
    )


def crosswalk(findings: Findings, lineup: LineupFindings) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Argue the demands of standards from the numbers of a line-up."""
    rows = lineup.findings
    checks = [check for one in rows for check in one.diagnostics]
    made = [check for check in checks if check.passed is not None]
    bags = " and ".join(sorted({str(one.bags) for one in rows})) or "no"
    answers = {
        "FRE 702 (2023)": (
            "p is exact if delivery was a draw; what rests on somebody’s word is listed with who attests it; whether "
            "that meets the burden is for the court",
            ("lineup",),
        ),
        "FRE 702(b)": (f"{bags} line-ups, {len(rows)} suspects; what was left out is counted", ("lineup",)),
        "FRE 702(c)": ("the null distribution is that of the draw itself, and needs no model", ("method", "lineup")),
        "FRE 702(d)": (
            f"{len(made)} of {len(checks)} checks of the premises could be made, and "
            f"{sum(bool(check.passed) for check in made)} hold",
            ("lineup",),
        ),
        "Daubert: tested": (
            "; ".join(
                f"{one.suspect} {one.picks} of {one.bags}, by chance about {one.expected_picks:.0f}" for one in rows
            ),
            ("lineup",),
        ),
        "Daubert: error rate": (
            "a false alarm at alpha is at most alpha, exactly; a miss, at the registered share and strength, "
            + (f"at most {at_most(1 - min(one.power for one in rows), 2)}" if rows else "not known"),
            ("lineup", "validation"),
        ),
        "PCAST 2016": (
            "one group built the method; nobody else has evaluated it; no black-box study by several groups exists",
            ("validation", "limitations"),
        ),
        "ISO 21043-3, -4, -5": (
            "observations, then propositions, then the ratio with its cap",
            ("framework", "lineup"),
        ),
    }
    said = {
        "deviations": "time-stamped" if findings.time_stamped else "not time-stamped",
        "amendments": f"{len(findings.amendments) or 'no'} amendments",
        "registered": findings.registered_at[:10] or "a day not recorded",
    }
    return [
        (standard, demand, *(answers[standard] if standard in answers else (has.format(**said), where)))
        for standard, demand, has, where in CROSSWALK
    ]


def asked(lineup: LineupFindings) -> list[Asked]:
    """Answer what an opponent will ask of a line-up."""
    rows = (
        (
            "Could the suspect prefer these answers for another reason than having learnt from them?",
            "Each was a draw among siblings of one reference to one prompt; whatever makes an answer good or long "
            "favours none. How unequal the chances must have been is given as Γ.",
            ("lineup",),
        ),
        (
            "Can delivered and other answers be told apart without any suspect?",
            "Checks D1, D2 and D4 try, with the limits that were registered; one that fails makes p not valid.",
            ("lineup",),
        ),
        (
            "Who drew the fillers, when, and from which state of the reference?",
            "The tier says so, and no better tier than was registered is claimed.",
            ("lineup", "method"),
        ),
        (
            "Who knew the key while the suspect was scored?",
            f"By the log its custodian, {lineup.custodian}, and nobody who scored: the order of acts is printed, and "
            "its commitment. That it was kept is the custodian’s word.",
            ("lineup",),
        ),
        (
            "Who chose the accounts and the deliveries, and what was left out?",
            "The plan names who chose them and by what rule, and the tally counts what was left out.",
            ("lineup",),
        ),
        (
            "So many times more probable than what?",
            "Than if delivery were irrelevant, against one registered form of preference; words and figures end at a "
            "cap that is named as a convention.",
            ("lineup", "evaluation"),
        ),
        (
            "Is the suspect that was scored the one in question?",
            "Digests stand beside the scores; who attests that they are of the model in question is listed.",
            ("lineup", "items"),
        ),
        (
            "What would the test have missed?",
            "Its power is given for the registered share and strength; a weaker trace may be missed.",
            ("lineup", "limitations"),
        ),
        (
            "How many other line-ups were tried?",
            "p is adjusted over all tests of this case. Of other cases the report knows nothing more than the "
            "ledger of a key, if there is one; the declaration has a line for them.",
            ("registrations", "declaration"),
        ),
        (
            "By what route did the answers come to the suspect?",
            "The line-up does not say, and no opinion here rests on it.",
            ("limitations",),
        ),
        (
            "Who has reviewed or repeated this?",
            "Nobody outside; the arithmetic is exact and can be run again by anybody.",
            ("limitations", "C"),
        ),
    )
    return [Asked(question=question, answer=answer, places=places) for question, answer, places in rows]

"""Who was examined, and what became of every question: counts and descriptions, no scores.

Pure: the dossier in, records out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from depose.analysis.documents import documents
from depose.analysis.exhibits import RULE
from depose.analysis.likelihood_ratios import SCALE
from depose.answers.how_ended import counted
from depose.answers.settle import OUTCOMES
from depose.case.calibration import Loaded, described
from depose.case.controls import kept_as
from depose.case.representatives import choice
from depose.features.refusal_words import is_refusal, judged
from depose.model import (
    ControlChoice,
    Denominator,
    Dossier,
    Fact,
    Findings,
    Item,
    Prompt,
    Registration,
    Transcript,
    Unanswered,
    likeness,
    replicates,
    setting,
)

FORMAT = "depose findings 1"


def denominators(dossier: Dossier) -> tuple[Denominator, ...]:
    """Count, per model, what was planned and what became of it.

    Excluded are answers to prompts that no suspect or no reference answered, so that they enter no score.
    """
    case = dossier.registration.case
    texts: dict[str, list[Transcript]] = defaultdict(list)
    gone: dict[str, list[Unanswered]] = defaultdict(list)
    for transcript in dossier.transcripts:
        texts[transcript.model].append(transcript)
    for unanswered in dossier.unanswered:
        gone[unanswered.model].append(unanswered)

    def answered(role: str) -> set[str]:
        return {t.prompt for spec in case.models if spec.role == role for t in texts[spec.code]}

    usable = answered("suspect") & answered("reference")
    rows = []
    for spec in case.models:
        planned = len(dossier.registration.prompts) * case.protocol.samples * replicates(spec, case.protocol)
        mine, rest = texts[spec.code], [one for one in gone[spec.code] if one.status is not None]
        became = Counter(OUTCOMES[one.status] for one in rest if one.status is not None)
        rows.append(
            Denominator(
                model=spec.code,
                planned=planned,
                sent=len(mine) + len(rest),
                answered=len(mine),
                refused=sum(is_refusal(t.text) for t in mine),
                unjudged=sum(not judged(t.text) for t in mine),
                blocked=became["blocked"],
                empty=became["empty"],
                failed=became["failed"],
                withheld=became["answered"],
                excluded=sum(t.prompt not in usable for t in mine),
                ended=counted(
                    [*((t.status, t.finish) for t in mine), *((u.status, u.finish) for u in rest if u.status)]
                ),
            )
        )
    return tuple(rows)


def items(dossier: Dossier) -> tuple[Item, ...]:
    """Describe every model examined."""
    return tuple(
        Item(
            code=spec.code,
            role=spec.role,
            name=spec.model or spec.code,
            provider=spec.provider,
            developer=spec.developer,
            weight_lineage=spec.weight_lineage,
            data_lineage=spec.data_lineage,
            trained_on=spec.trained_on,
            system=spec.system,
            temperature=float(setting(spec, dossier.registration.case.protocol, "temperature")),
            max_tokens=int(setting(spec, dossier.registration.case.protocol, "max_tokens")),
            retrospective=spec.provider == "recorded",
            facts=dossier.endpoints.get(spec.code, ()),
            released=spec.released,
            size=spec.size,
            language=spec.language,
            tuning=spec.tuning,
            seed=None
            if spec.provider == "recorded"
            else int(setting(spec, dossier.registration.case.protocol, "seed")),
        )
        for spec in dossier.registration.case.models
    )


def families(prompts: Sequence[Prompt]) -> tuple[Fact, ...]:
    """Count the prompts of each family."""
    counts: dict[str, int] = {}
    for prompt in prompts:
        counts[prompt.family] = counts.get(prompt.family, 0) + 1
    return tuple(Fact(name=name, value=str(counts[name])) for name in sorted(counts))


def _chosen(registration: Registration) -> ControlChoice | UnsetType:
    """Say who chose the controls; nothing where no question of likeness was asked, or the draw is not on record."""
    asked = registration.case.protocol
    if isinstance(registration.drawn, UnsetType) or not likeness(asked):
        return UNSET
    pack = "" if isinstance(asked.controls, UnsetType) else asked.controls
    return choice(registration, kept_as(pack, [fact.name for fact in registration.files]) if pack else "")


def stated(dossier: Dossier, loaded: Loaded | None) -> Findings:
    """Say what the case is, before any answer is compared."""
    case, prompts = dossier.registration.case, dossier.registration.prompts
    return Findings(
        format=FORMAT,
        title=case.case.title,
        authority=case.case.authority,
        protocol=case.protocol,
        protocol_digest=dossier.protocol_digest,
        log_head=dossier.head,
        registered_at=dossier.registered_at,
        first_asked=dossier.first_asked,
        last_asked=dossier.last_asked,
        retrospective=bool(likeness(case.protocol)) and any(spec.provider == "recorded" for spec in case.models),
        time_stamped=dossier.time_stamped,
        software=dossier.registration.software,
        files=dossier.registration.files,
        prompts=len(prompts),
        clusters=len({prompt.cluster for prompt in prompts}),
        families=families(prompts),
        items=items(dossier),
        denominators=denominators(dossier),
        unanswered=dossier.unanswered,
        findings=(),
        exhibits=(),
        exhibit_rule=RULE,
        amendments=dossier.amendments,
        withdrawn=dossier.withdrawn,
        documents=documents(dossier),
        pool=dossier.registration.pool,
        ledger=dossier.ledger,
        seed=dossier.seed,
        weights=dossier.weights,
        chosen=_chosen(dossier.registration),
        calibration=described(loaded),
        scale=SCALE,
        performance=loaded.performance if loaded else None,
    )

"""Which scorer a model of a case has, and the run that scores it."""

from __future__ import annotations

from pathlib import Path

from depose.errors import CaseError, UsageError, shell
from depose.evidence import ledger
from depose.evidence.log import Clock, read_blob
from depose.lineup.acts import Say, Scored, plan_of, record_table, scored_here, scored_models
from depose.lineup.ask import answers_of, ask_bags, encoder, has_vectors, questions, scores_of
from depose.lineup.corpus import CorpusScorer
from depose.lineup.likelihood import open_weights
from depose.lineup.likelihood_remote import open_endpoint
from depose.lineup.score import Progress, score_bags
from depose.lineup.scorer import Scorer
from depose.lineup.tables import read_bags, table_file
from depose.model import Case, Fact, ModelSpec
from depose.model.canonical import sha256
from depose.model.lineup import LineupPlan, ScoreTable


def to_score(folder: Path, wanted: tuple[str, ...], say: Say) -> list[str]:
    """Name the models of a case that are to be scored: those wanted, else all not scored yet that can be scored here.

    Raises UsageError for a model that the line-up does not score, CaseError where no bags were built.
    """
    entries = ledger.entries(folder)
    case, acts = entries.registration.case, entries.lineup
    listed = scored_models(case, plan_of(case, folder))
    if strange := [code for code in wanted if code not in listed]:
        raise UsageError(f"{strange[0]}: not a model that the line-up scores", hint=f"it scores {', '.join(listed)}")
    if acts is None or acts.key is None:
        raise CaseError(f"{folder}: the key is not sealed", hint=f"depose lineup seal {shell(folder)} --key FILE")
    known = {one.model for one in acts.tables}
    for code in wanted:
        if code in known:
            say(f"{code}: scored before")
    left = [code for code in (wanted or listed) if code not in known]
    specs = {spec.code: spec for spec in case.models}
    # Without a choice, what has no scorer here waits for its table and stops nothing.
    here = [code for code in left if scored_here(plan_of(case, folder), specs[code])]
    return left if wanted else here or left


def score_model(folder: Path, code: str, clock: Clock, progress: Progress) -> Scored:
    """Score all bags by one model with the registered statistic, and record the table."""
    entries = ledger.entries(folder)
    case, acts = entries.registration.case, entries.lineup
    if acts is None:
        raise CaseError(f"{folder}: no bags were built", hint="depose lineup build CASE")
    plan = plan_of(case, folder)
    spec = next(one for one in case.models if one.code == code)
    kept = folder / ".lineup" / f"{code}.jsonl"
    data = read_blob(folder, acts.built.bags)
    if plan.statistic in ("text", "continuation") and scored_here(plan, spec):
        table = _by_answers(folder, case, spec, data, clock, progress)
    else:
        table = score_bags(data, code, plan.statistic, open_scorer(case, plan, spec, folder), kept, progress)
    done = record_table(folder, code, table_file(table), f"scores of {code}", clock)
    kept.unlink(missing_ok=True)
    return done


def _by_answers(folder: Path, case: Case, spec: ModelSpec, data: bytes, clock: Clock, progress: Progress) -> ScoreTable:
    """Ask a model about all bags, and score their members by what it says."""
    bags, plan, code = read_bags(data, "bags"), plan_of(case, folder), spec.code
    total, done = len(questions(case, plan, spec, bags)), 0

    def tell(answered: int, failed: int) -> None:
        nonlocal done
        done += answered
        progress(min(done, total), total)

    ask_bags(folder, code, bags, clock, tell)
    acts = ledger.entries(folder).lineup
    answers = answers_of(acts.answers if acts else (), code)
    facts: tuple[Fact, ...] = (Fact(name="answers", value=str(sum(map(len, answers.values())))),)
    if has_vectors(plan):
        facts += (Fact(name="sentence vectors", value=encoder().maker),)
    return ScoreTable(
        model=code, statistic=plan.statistic, bags=sha256(data), facts=facts, scores=scores_of(plan, bags, answers)
    )


def open_scorer(case: Case, plan: LineupPlan, spec: ModelSpec, folder: Path) -> Scorer:
    """Open the scorer of a model for the registered statistic; raise UsageError where it has none.

    Raises EndpointError where the model cannot be opened, or its endpoint gives no log-probabilities of a text.
    """
    if plan.statistic == "likelihood" and spec.provider == "transformers":
        return open_weights(spec, folder)
    if plan.statistic == "likelihood" and spec.provider == "openai":
        return open_endpoint(spec, folder)
    if plan.statistic == "corpus" and spec.file:
        return CorpusScorer(folder / Path(spec.file).expanduser())
    raise UsageError(
        f"{spec.code}: nothing here gives {plan.statistic} scores of a model of the provider {spec.provider!r}",
        hint=f"whoever has it makes a table beside it (depose lineup table BAGS --model {spec.code}); then "
        f"depose lineup score CASE --model {spec.code} --table FILE",
    )

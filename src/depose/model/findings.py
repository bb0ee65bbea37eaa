"""What the analysis finds."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from depose.model.asking import Denominator, Fact, Unanswered
from depose.model.base import Question, Record, Role
from depose.model.case import Protocol
from depose.model.control_choice import ControlChoice
from depose.model.documents import Document
from depose.model.exchangeability import Eligible, Exchangeability
from depose.model.illustrations import Exhibit, SharedValues, Traces, Tree
from depose.model.key_ledger import InLedger
from depose.model.lineup_findings import LineupFindings
from depose.model.null_pairs import NullPairs, Reported
from depose.model.opinion import Grounds, Opinion
from depose.model.seed import SeedDrawn
from depose.model.study import Performance
from depose.model.weights import WeightFinding


class Item(Record, frozen=True, kw_only=True):
    """One model examined."""

    code: str
    role: Role
    name: str
    provider: str
    developer: str
    weight_lineage: str
    data_lineage: str
    trained_on: tuple[str, ...]
    system: str
    temperature: float
    max_tokens: int
    retrospective: bool
    """Its answers were recorded earlier; else it was asked live."""
    facts: tuple[Fact, ...]
    released: str = ""
    size: str = ""
    language: str = ""
    tuning: str = ""
    seed: int | None = None
    """Of its answers; none where they were recorded."""


class Excluded(Record, frozen=True, kw_only=True):
    """A control that is not clean for a pair, and by which rule."""

    model: str
    reason: str


class Against(Record, frozen=True, kw_only=True):
    """The score of one control standing in for the reference or for the suspect."""

    model: str
    value: float


class Result(Record, frozen=True, kw_only=True):
    """What one detector says of one suspect, reference and question."""

    detector: str
    primary: bool
    prompts: int
    value: float
    """T(S, R): 1 is the root mean square over all pairs of the bag."""
    low: float
    high: float
    """Two-way bootstrap interval, 95 %, BCa."""
    bias: float = 0.0
    """Mean of the draws minus T."""
    below: float = 0.5
    """Share of draws below T; far from one half, the score is a biased one and its interval leans on the correction."""
    p_reference: float
    p_suspect: float
    p: float
    """The larger of the two."""
    p_holm: float
    reference_side: tuple[Against, ...]
    """T(S, C_k)."""
    suspect_side: tuple[Against, ...]
    """T(C_k, R)."""
    p_length_matched: float
    p_layout_matched: float | None = None
    """After closeness in layout is taken out; None in findings of depose 0.1, which did not ask."""
    p_refusals_excluded: float


class NotScored(Record, frozen=True, kw_only=True):
    """A detector that gave no result, and why."""

    detector: str
    reason: str


class Ratio(Record, frozen=True, kw_only=True):
    """A likelihood ratio of H1 against one alternative, capped; or the reason why there is none."""

    against: str
    value: float | None
    low: float | None
    high: float | None
    """95 %: bootstrap of T joined with resampled families of the study."""
    uncapped: float | None
    cap: float | None
    """1 / U(k, n): the most that n lineages can carry when k of them reach the score."""
    bottom: float | None
    """The least, likewise, from the families of true pairs."""
    reached: int
    lineages: int
    elub_low: float | None
    elub_high: float | None
    words: str
    reason: str
    excluded: bool = False
    """The alternative is excluded by the documents of the case; the opinion does not wait for the answers."""
    model_low: float | None = None
    model_high: float | None = None
    """The interval before cap and least: what the model alone would say."""
    bounded_by: str = ""
    """What held the value or an end of the interval: `lineages`, `study` (ELUB), both, or nothing."""


class Condition(Record, frozen=True, kw_only=True):
    """One condition of the validation study beside that of the case."""

    name: str
    validated: str
    case: str
    inside: bool
    decides: bool = True
    """Outside of it there is no opinion; a row that does not decide is printed, and says what is not independent."""


class Power(Record, frozen=True, kw_only=True):
    """How often true pairs of the study reach alpha with as many prompts and enough controls."""

    value: float
    """Share of true pairs, each family weighing the same."""
    k: int
    n: int
    families: int
    prompts: int
    lower95: float = 0.0
    """One-sided exact lower bound, over families: of as many trials as there are families, the sum of their shares,
    rounded down, found."""
    dose: str = ""
    """How much of the students' training in the study were outputs of the reference, as the study states it."""


class Candidate(Record, frozen=True, kw_only=True):
    """A rival teacher and how close the suspect is to it."""

    model: str
    value: float
    tested: bool
    in_set: bool = True
    """Not rejected as less close than the closest: part of the confidence set."""


class Raw(Record, frozen=True, kw_only=True):
    """How alike the answers are before anything is taken away: it means little without controls."""

    detector: str
    value: float
    """Mean similarity of suspect and reference over prompts, on the detector's own scale."""
    controls: float | None
    """Mean similarity of a control with the suspect or the reference."""
    replicate: float | None
    """Mean similarity of the reference with itself, asked again."""
    prompts: int


class Rank(Record, frozen=True, kw_only=True):
    """Where the tested reference stands among all that stand in its place, 1 the closest; ties count against it."""

    among_controls: int
    controls: int
    among_candidates: int | None
    """None where no rival could be compared; `reason` says why."""
    candidates: int
    """Rivals compared, the reference not counted."""
    reason: str


class Without(Record, frozen=True, kw_only=True):
    """The primary result with one control, and with it one control lineage, left out."""

    model: str
    value: float
    p_reference: float
    p_suspect: float
    p: float


class Specification(Record, frozen=True, kw_only=True):
    """One reasonable way to analyse the same answers, and what it gives."""

    detector: str
    answers: str
    prompts: str
    controls: str
    value: float
    p: float
    lr: float | None = None
    """Capped likelihood ratio against an unrelated model, where that detector was calibrated for such answers."""


class Share(Record, frozen=True, kw_only=True):
    """How many of the analyses that make one choice fall into each band of p."""

    axis: str
    choice: str
    n: int
    able: int
    """Analyses with controls enough for p <= alpha."""
    at_alpha: int
    at_tenth: int
    """Above alpha, at most .1."""
    above: int
    median_p: float


class WordShare(Record, frozen=True, kw_only=True):
    """How many of the analyses with a likelihood ratio fall into one band of the verbal scale."""

    words: str
    k: int
    n: int


class Curve(Record, frozen=True, kw_only=True):
    """The specification curve: every combination of the choices, sorted by p and T. No opinion depends on it."""

    specifications: tuple[Specification, ...]
    registered: Specification
    shares: tuple[Share, ...]
    """All analyses first, then by axis and choice."""
    words: tuple[WordShare, ...]
    impossible: int
    """Combinations in which a member of the bag has no score."""
    left_out: tuple[Fact, ...]
    """Choices that could not be made with these answers, and why."""


class Direction(Record, frozen=True, kw_only=True):
    """What is known of which came first. Likeness alone has no direction, so that dates are all there is."""

    suspect_released: str
    reference_released: str
    order: Literal["reference first", "suspect first", "overlapping", "not stated"]


class FilesCompared(Record, frozen=True, kw_only=True):
    """Digests of the files that make two models what they are."""

    state: Literal["equal", "different", "not known"]
    differing: tuple[Fact, ...] = ()
    """Files of the suspect whose digest differs from the reference's, or that one side has alone."""
    shared: tuple[Fact, ...] = ()
    """Files of weights with one digest on both sides, such as those of a common base."""


class CommonSource(Record, frozen=True, kw_only=True):
    """Suspect and reference, each against one candidate, all three pairs with the same controls; no opinion looks."""

    model: str
    k: int
    p_suspect_reference: float
    p_suspect_candidate: float
    p_reference_candidate: float
    reading: Literal["not told apart", "reference closer", "candidate closer"]
    """Closer: dropped by the paired test over prompt clusters, and the larger p."""


class Finding(Record, frozen=True, kw_only=True):
    """One suspect, one reference, one question."""

    question: Question
    suspect: str
    reference: str
    controls: tuple[str, ...]
    excluded: tuple[Excluded, ...]
    k: int
    """Controls in use."""
    k_eff: int
    """Independent control lineages: the smaller of the counts by name and by likeness."""
    weight_lineages: int
    data_lineages: int
    floor: float
    """The smallest p that the K controls in use allow, several of one lineage included: 1 / (K + 1)."""
    k_needed: int
    """K that the number of tested references needs at this alpha."""
    condition: str
    """What the p-value is conditional on, if anything."""
    results: tuple[Result, ...]
    not_scored: tuple[NotScored, ...]
    candidates: tuple[Candidate, ...]
    opinion: Opinion
    raw: tuple[Raw, ...] = ()
    ratios: tuple[Ratio, ...] = ()
    conditions: tuple[Condition, ...] = ()
    power: Power | None = None
    p_prompt_level: float | None = None
    """Conditional on these models; secondary, never a headline."""
    rank: Rank | None = None
    without: tuple[Without, ...] = ()
    """The primary result with each control left out in turn."""
    curve: Curve | None = None
    direction: Direction | None = None
    common: tuple[CommonSource, ...] = ()
    """Could a candidate be the source of both? Empty where no candidate could be compared."""
    p_family: float | None = None
    """p of the primary result, adjusted (Holm) over all scored findings of the case; no opinion looks at it."""
    per_prompt: tuple[str, ...] = ()
    """Parts of the primary detector that score prompt by prompt: what the prompt-level test, the choice among
    candidates and exhibits rest on."""
    null_pairs: NullPairs | None = None
    """Every pair of controls in the same bag: what this case says of models without a relation."""
    reported: tuple[Reported, ...] = ()
    """How good ratios like those of this finding were in the study, under its bounds."""
    files: FilesCompared | None = None
    """What the recorded digests say of the two models' weights; before any statistic."""
    exchangeability: Exchangeability | None = None
    opinion_without: Opinion | None = None
    """The opinion if no document counted; none where no document was handed in."""
    grounds: Grounds | None = None
    """The numbers that the opinion was looked up from."""


class Check(Record, frozen=True, kw_only=True):
    """One check of quality control."""

    name: str
    model: str
    """The model whose findings rest on it; empty for the whole case."""
    limit: str
    seen: str
    passed: bool


class Findings(Record, frozen=True, kw_only=True):
    """Everything that a report may say."""

    format: str
    title: str
    authority: str
    protocol: Protocol
    protocol_digest: str
    log_head: str
    registered_at: str
    first_asked: str
    last_asked: str
    retrospective: bool
    time_stamped: bool
    software: tuple[Fact, ...]
    files: tuple[Fact, ...]
    prompts: int
    clusters: int
    families: tuple[Fact, ...]
    items: tuple[Item, ...]
    denominators: tuple[Denominator, ...]
    unanswered: tuple[Unanswered, ...]
    findings: tuple[Finding, ...]
    exhibits: tuple[Exhibit, ...]
    exhibit_rule: str
    amendments: tuple[str, ...]
    calibration: tuple[Fact, ...] = ()
    """Name, digest and size of the validation study used; empty if there is none."""
    scale: str = ""
    """Id of the verbal scale."""
    quality: tuple[Check, ...] = ()
    """Every check of quality control; if one fails there is no opinion."""
    performance: Performance | None = None
    """Error rates and held-out ratios of that study, where they came with it."""
    tree: Tree | None = None
    """None where too few models can be compared, or too many to be read."""
    withdrawn: tuple[str, ...] = ()
    """Answers that were taken back, each with its reason; they do not count."""
    documents: tuple[Document, ...] = ()
    pool: tuple[Eligible, ...] = ()
    """The registry that the controls were drawn from; empty where they were named by hand."""
    ledger: InLedger | None = None
    """The registration among all those of its signing key; none where it was registered without one."""
    weights: tuple[WeightFinding, ...] = ()
    """Weights side by side, where the case has a section `[weights]`: evidence of its own kind."""
    lineup: LineupFindings | UnsetType = UNSET
    """The line-up of delivered answers, once its key is open."""
    shared_values: tuple[SharedValues, ...] | UnsetType = UNSET
    traces: tuple[Traces, ...] | UnsetType = UNSET
    seed: SeedDrawn | UnsetType = UNSET
    """Where the seed comes from, if it was drawn after registration."""
    chosen: ControlChoice | UnsetType = UNSET
    """Who chose the controls, and which of a lineage stands for it; absent in cases registered before 0.2.0."""

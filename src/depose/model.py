"""Every record that crosses a stage boundary.

Records are frozen, strict (an unknown field is an error) and built of tuples, numbers and strings,
so that each has one canonical form (`canon.py`).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Question = Literal["same", "derived", "distilled"]
Role = Literal["suspect", "reference", "candidate", "control", "positive", "foil"]
Outcome = Literal["answered", "empty", "failed"]
Verdict = Literal["indication", "relation, kind not resolved", "no indication", "inconclusive"]

Phase = Literal["registered", "pilot", "confirmatory"]

Code = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}\Z")]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Text = Annotated[str, Meta(min_length=1, max_length=2_000)]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A strict, immutable value."""


# --- the case -------------------------------------------------------------------------------------


class CaseHead(Record, frozen=True, kw_only=True):
    """What the case is called and on what right the endpoints are asked."""

    title: Text
    authority: Text


class Primary(Record, frozen=True, kw_only=True):
    """The detector that decides each question, fixed before the first question is asked."""

    same: str = "phrases"
    derived: str = "phrases"
    distilled: str = "habits"


class Protocol(Record, frozen=True, kw_only=True):
    """What will be asked and how it will be judged."""

    phase: Phase = "registered"
    """`confirmatory` asks nothing before the protocol has a time-stamp. Answers never count in another phase."""
    questions: Annotated[tuple[Question, ...], Meta(min_length=1)] = ("same", "derived", "distilled")
    alpha: Annotated[float, Meta(gt=0, le=0.2)] = 0.05
    seed: Annotated[int, Meta(ge=0, lt=2**53)] = 7
    samples: Annotated[int, Meta(ge=1, le=100)] = 1
    replicates: Annotated[int, Meta(ge=1, le=10)] = 2
    """How often a live reference is asked everything, so that its own noise is known."""
    temperature: Annotated[float, Meta(ge=0, le=2)] = 0.7
    max_tokens: Annotated[int, Meta(ge=1, le=32_768)] = 200
    probes: tuple[str, ...] = ()
    """Probe families with counts, such as `open_howto:16`."""
    prompts: str = ""
    """A file of prompts (JSONL, JSON, CSV, Parquet), instead of or besides `probes`."""
    detectors: Annotated[tuple[str, ...], Meta(min_length=1)] = (
        "phrases",
        "habits",
        "starts",
        "first_words",
        "openings",
        "fuzzy",
        "embedding",
        "length",
    )
    primary: Primary = Primary()
    calibration: str = "alpaca_eval"
    """The validation study that turns scores into likelihood ratios: a bundled name, a file, or nothing."""
    bootstrap: Annotated[int, Meta(ge=99, le=99_999)] = 1_999
    exhibits: Annotated[int, Meta(ge=6, le=200)] = 6
    bogus_model: bool = False
    """Ask each endpoint once for a model that cannot exist: one that answers does not heed model names."""


class ModelSpec(Record, frozen=True, kw_only=True):
    """One model of the case: what it is, how it is reached, where it comes from."""

    code: Code
    role: Role
    provider: Text
    model: str = ""
    revision: str = ""
    adapter: str = ""
    file: str = ""
    route: str = ""
    base_url: str = ""
    api_key_env: Annotated[str, Meta(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?\Z")] = ""
    api_key_file: str = ""
    """A file of one line outside the case folder that nobody else can read, instead of a variable."""
    proxy: str = ""
    """The only way a proxy is used: none is taken from the environment."""
    allow_private: bool = False
    """Whether `base_url` may lead to this machine or a private network, where http is good enough too."""
    stream: bool = False
    parameters: dict[str, Any] = {}
    """Further fields of the request body, as the provider names them."""
    omit: tuple[str, ...] = ()
    """Fields of the request body that this provider does not take."""
    concurrency: Annotated[int, Meta(ge=1, le=256)] = 4
    """How many requests may be under way at once."""
    rpm: Annotated[float, Meta(gt=0, le=1e6)] | None = None
    """Requests a minute, retries included, evenly spaced."""
    tpm: Annotated[float, Meta(gt=0, le=1e9)] | None = None
    """Tokens a minute, in and out."""
    timeout: Annotated[float, Meta(ge=0.1, le=3_600)] = 120.0
    """Seconds for one attempt, from connecting to the last byte."""
    attempts: Annotated[int, Meta(ge=1, le=20)] = 6
    """How often one run tries a question."""
    developer: str = ""
    weight_lineage: str = ""
    """The root base model whose weights it carries."""
    data_lineage: str = ""
    """Its tuning data, teacher or maker."""
    trained_on: tuple[str, ...] = ()
    """Developers whose outputs it is documented or likely to be trained on."""
    source: str = ""
    untaught: bool = False
    """Documented in `source` to have learnt from no other model's outputs."""
    repeats: str = ""
    """Code of the recorded control that this one asks again, to see whether time or machine changed the answers."""
    within: tuple[float, float] | None = None
    """Registered range of T of `phrases` between its live answers and the recorded ones, among all controls."""
    system: str = ""
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    max_tokens: Annotated[int, Meta(ge=1, le=32_768)] | None = None
    seed: Annotated[int, Meta(ge=0, lt=2**53)] | None = None
    replicates: Annotated[int, Meta(ge=1, le=10)] | None = None
    released: Annotated[str, Meta(pattern=r"^([0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?)?\Z")] = ""
    """When it was first offered, as documented: year, month or day; `source` says where."""


class Budget(Record, frozen=True, kw_only=True):
    """A stop before any of these is passed."""

    requests: Count | None = None
    tokens: Annotated[int, Meta(ge=1, lt=2**53)] | None = None
    money: Annotated[float, Meta(gt=0, le=1e12)] | None = None


class Price(Record, frozen=True, kw_only=True):
    """Price of a million tokens in the currency of the budget."""

    input: Annotated[float, Meta(ge=0, le=1e12)]
    output: Annotated[float, Meta(ge=0, le=1e12)]


class Terms(Record, frozen=True, kw_only=True):
    """The terms of service relied on."""

    file: Text


class Case(Record, frozen=True, kw_only=True):
    """A whole case file."""

    case: CaseHead
    protocol: Protocol
    models: Annotated[tuple[ModelSpec, ...], Meta(min_length=2, max_length=5_000)]
    budget: Budget = Budget()
    prices: dict[str, Price] = {}
    terms: Terms | None = None


# --- asking ---------------------------------------------------------------------------------------


class ControlTest(Record, frozen=True, kw_only=True):
    """One known sample of a self-test and what became of it."""

    name: str
    expected: str
    found: str
    passed: bool


class SelfTest(Record, frozen=True, kw_only=True):
    """Is this installation fit for use? Known samples, judged by the same code as the case."""

    software: str
    """Version of depose that was tested."""
    kit: str
    """Digest of the kit of known samples."""
    tests: tuple[ControlTest, ...]
    passed: bool


class Prompt(Record, frozen=True, kw_only=True):
    """One thing to ask. Prompts of one cluster are never treated as independent."""

    id: str
    family: str
    cluster: str
    text: str


class Ask(Record, frozen=True, kw_only=True):
    """One question to one model: everything that decides the answer."""

    model: str
    prompt: str
    sample: int
    replicate: int
    text: str
    system: str
    temperature: float
    max_tokens: int
    seed: int


class Wire(Record, frozen=True, kw_only=True):
    """How one attempt went over the network; whatever is empty or None here has its reason in `missing`."""

    attempt: int
    """From 1; a question that was tried again has one record for each attempt."""
    method: str
    url: str
    request_headers: tuple[tuple[str, str], ...]
    """In order, without those that carry credentials."""
    withheld: tuple[str, ...]
    """Names of the headers left out because they carry credentials."""
    status: int | None
    http_version: str
    response_headers: tuple[tuple[str, str], ...]
    """In order and as spelt; a header that came twice stands twice."""
    request_id: str
    """The provider's name for the request, from a header."""
    response_id: str
    """The provider's name for the answer, from its body."""
    model_asked: str
    model_returned: str
    fingerprint: str
    """What the provider says of the configuration that answered."""
    input_tokens: int | None
    output_tokens: int | None
    sent_at: str
    first_byte_at: str
    last_byte_at: str
    sent_us: int
    first_byte_us: int | None
    last_byte_us: int | None
    """The same moments in microseconds of a clock that never goes back, from the opening of the endpoint."""
    peer: str
    """Address and port that were connected to: of the proxy, if the case names one."""
    tls: str
    """Version and cipher."""
    certificate: str
    """SHA-256 of the leaf certificate (DER), which is also the name of its blob."""
    chunks: str
    """Blob with the offset, length and moment of each chunk of a streamed answer, one JSON list per line."""
    again: str
    """When and why another attempt follows."""
    missing: dict[str, str]


class Reply(Record, frozen=True, kw_only=True):
    """What came back, before it is recorded."""

    outcome: Outcome
    text: str = ""
    finish: str = ""
    """Why the answer ended, in the provider's own word."""
    reason: str = ""
    """Why there is no answer."""
    request: bytes = b""
    response: bytes = b""
    """Raw bytes, stored as blobs; empty where `source` says where the answer stands."""
    source: str = ""
    wire: Wire | None = None
    kept: tuple[bytes, ...] = ()
    """Further raw bytes that `wire` names by their digests."""
    again: float | None = None
    """Another attempt may succeed, after so many seconds at least; None: it would fail alike."""
    hopeless: bool = False
    """Any other question to this model would fail alike: a wrong key, an unknown model, no credit."""


class Fact(Record, frozen=True, kw_only=True):
    """A name and a value that describe an item, such as the digest of a weight file."""

    name: str
    value: str


class Exchange(Record, frozen=True, kw_only=True):
    """One question and what came of it, as it stands in the log."""

    model: str
    prompt: str
    sample: int
    replicate: int
    outcome: Outcome
    text: str
    finish: str
    reason: str
    request: str
    response: str
    source: str
    started: str
    ended: str
    wire: Wire | None = None
    """What went over the network; None where nothing did."""


class Transcript(Record, frozen=True, kw_only=True):
    """One answer, as the analysis sees it."""

    model: str
    prompt: str
    sample: int
    replicate: int
    text: str


class Unanswered(Record, frozen=True, kw_only=True):
    """A question that has no usable answer, and why."""

    model: str
    prompt: str
    sample: int
    replicate: int
    reason: str


class Registration(Record, frozen=True, kw_only=True):
    """Record 0 of the log: the frozen protocol."""

    case: Case
    prompts: tuple[Prompt, ...]
    files: tuple[Fact, ...]
    """Digest of every file that the case names."""
    software: tuple[Fact, ...]
    """Versions of depose and of every plugin in use."""


class Dossier(Record, frozen=True, kw_only=True):
    """All that the analysis may see: the registered protocol and what was answered under it."""

    registration: Registration
    protocol_digest: str
    head: str
    """Digest of the last record of the log."""
    registered_at: str
    first_asked: str
    last_asked: str
    transcripts: tuple[Transcript, ...]
    unanswered: tuple[Unanswered, ...]
    endpoints: dict[str, tuple[Fact, ...]]
    amendments: tuple[str, ...] = ()
    selftest: SelfTest | None = None
    """The last self-test in the log of the case."""
    time_stamped: bool = False
    """Whether the protocol in force has a verified time-stamp."""


# --- what a validation study hands on ---------------------------------------------------------------


class Line(Record, frozen=True, kw_only=True):
    """log LR = intercept + slope * sign(T) * sqrt(|T|)."""

    intercept: float
    slope: float


class Calibrator(Record, frozen=True, kw_only=True):
    """Scores to likelihood ratios for one question, one alternative and one number of prompts."""

    question: Question
    against: str
    """`unrelated`, or the name of a closer alternative."""
    detector: str
    prompts: int
    line: Line
    draws: tuple[Line, ...]
    """The line refitted on resampled families."""
    n_pos: int
    n_pos_families: int
    n_neg: int
    n_neg_lineages: int
    lowest: float
    highest: float
    """Range of T in the study."""
    positives: tuple[float, ...]
    """The lowest T of each family of true pairs."""
    elub_low: float
    elub_high: float
    """Empirical bounds of log10 LR, from the lineages left out."""
    cllr: float
    cllr_min: float


class TruePair(Record, frozen=True, kw_only=True):
    """A true pair of the study and the p-value that it reached with a number of prompts."""

    question: Question
    detector: str
    prompts: int
    family: str
    k_eff: int
    p: float


class Calibration(Record, frozen=True, kw_only=True):
    """All that `analyze` takes from a validation study: numbers, and the conditions under which they hold."""

    format: str
    source: str
    files: tuple[Fact, ...]
    software: tuple[Fact, ...]
    families: tuple[str, ...]
    """Families of prompts."""
    prompts: int
    models: int
    suspects: tuple[str, ...]
    """Names of the suspects of the study; a case about one of them is not independent of it."""
    k_low: int
    k_high: int
    calibrators: tuple[Calibrator, ...]
    missing: tuple[Fact, ...]
    """Question and alternative that could not be calibrated, and why."""
    true_pairs: tuple[TruePair, ...]
    one_base: bool = False
    """All models of the study carry the weights of one base, so that lineages are data lineages."""


class ErrorRate(Record, frozen=True, kw_only=True):
    """An error counted in a validation study: k of n, with the one-sided 95 % exact upper bound."""

    question: Question
    what: str
    k: int
    n: int
    upper95: float
    k_families: int | None = None
    """Families of suspects with at least one such pair, where they were counted."""
    n_families: int = 0


class HeldOut(Record, frozen=True, kw_only=True):
    """log10 likelihood ratios of a study, each fitted without the lineages of its pair; for Tippett and ECE curves."""

    question: Question
    against: str
    detector: str
    prompts: int
    families_true: int
    families_other: int
    true: tuple[float, ...]
    other: tuple[float, ...]
    cllr: float
    cllr_min: float


class Performance(Record, frozen=True, kw_only=True):
    """What a report prints of the validation study behind a calibration."""

    format: str
    source: str
    calibration: str
    """Digest of the calibration that came out of the same run."""
    command: str
    rates: tuple[ErrorRate, ...]
    held_out: tuple[HeldOut, ...]


# --- what the analysis finds ----------------------------------------------------------------------


class Denominator(Record, frozen=True, kw_only=True):
    """How many questions one model was to be asked, and what became of them."""

    model: str
    planned: int
    sent: int
    answered: int
    refused: int
    """Answers that read as a refusal; they count as answered and are left out in the sensitivity run."""
    empty: int
    failed: int
    excluded: int
    """Answers left out of every score, because the other side of the pair had none."""


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
    facts: tuple[Fact, ...]


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
    """Two-way bootstrap interval, 95 %."""
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
    p_refusals_excluded: float


class NotScored(Record, frozen=True, kw_only=True):
    """A detector that gave no result, and why."""

    detector: str
    reason: str


class Opinion(Record, frozen=True, kw_only=True):
    """A lookup and nothing else (`opinion.py`)."""

    verdict: Verdict
    reasons: tuple[str, ...]
    """Codes: controls, power, quality, range, refusals, shared_base, kind, length, lr_spans_one."""


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


class Condition(Record, frozen=True, kw_only=True):
    """One condition of the validation study beside that of the case."""

    name: str
    validated: str
    case: str
    inside: bool


class Power(Record, frozen=True, kw_only=True):
    """How often true pairs of the study reach alpha with as many prompts and enough controls."""

    value: float
    """Share of true pairs, each family weighing the same."""
    k: int
    n: int
    families: int
    prompts: int


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
    k_eff: int
    weight_lineages: int
    data_lineages: int
    floor: float
    """The smallest p that K controls allow: 1 / (K + 1)."""
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


class Span(Record, frozen=True, kw_only=True):
    """A shared passage: characters `start` to `end`, and how many controls said it too."""

    start: int
    end: int
    controls: int


class ExhibitAnswer(Record, frozen=True, kw_only=True):
    """One answer in an exhibit."""

    model: str
    text: str
    spans: tuple[Span, ...]


class Exhibit(Record, frozen=True, kw_only=True):
    """One prompt with the answers of reference, suspect and two controls beside each other."""

    number: int
    suspect: str
    reference: str
    prompt: Prompt
    rank: int
    of: int
    chosen: str
    """The part of the rule that chose it: top, median, bottom or random."""
    value: float
    controls: int
    answers: tuple[ExhibitAnswer, ...]


class Check(Record, frozen=True, kw_only=True):
    """One check of quality control."""

    name: str
    model: str
    """The model whose findings rest on it; empty for the whole case."""
    limit: str
    seen: str
    passed: bool


class Join(Record, frozen=True, kw_only=True):
    """Two groups that become one. Places 0 to n - 1 are the n models of the tree; join i has place n + i."""

    left: int
    right: int
    t: float
    """Mean T of the pairs across the two."""
    support: int
    """Draws in which the joined models form a clade again."""


class Tree(Record, frozen=True, kw_only=True):
    """Models joined by likeness; it illustrates, and no opinion looks at it."""

    detector: str
    models: tuple[str, ...]
    left_out: tuple[str, ...]
    """Models that share no prompt with some other."""
    clusters: int
    draws: int
    joins: tuple[Join, ...]


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

"""What a case is: the records of its file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from depose.model.base import Code, Count, Phase, Question, Record, Role, Text
from depose.model.lineup_plan import LineupPlan


class CaseHead(Record, frozen=True, kw_only=True):
    """What the case is called and on what right the endpoints are asked."""

    title: Text
    """Printed on the first page and in every list."""
    authority: Text
    """On what right the endpoints are asked; printed with the title."""


class Primary(Record, frozen=True, kw_only=True):
    """The detector that decides each question, fixed before the first question is asked."""

    same: str = "phrases"
    """Decides `same`."""
    derived: str = "wording"
    """Decides `derived`."""
    distilled: str = "wording"
    """Decides `distilled`."""

    def detectors(self) -> tuple[str, ...]:
        """Name each of them once."""
        return tuple(dict.fromkeys((self.same, self.derived, self.distilled)))


class Compared(Record, frozen=True, kw_only=True):
    """Which answers are compared, by how they ended; what failed or is empty never is."""

    whole: bool = True
    """Ended by the model itself."""
    cut_length: bool = True
    """Cut by `max_tokens`, which all models share; length is told apart from likeness elsewhere."""
    cut_filter: bool = False
    """Half sentences: what was cut, and where, is the filter's doing."""
    refused: bool = False
    """Refused by the provider, in a field of its own; refusals in the model's own words are whole answers."""
    unknown: bool = True
    """Recorded answers whose file does not say how they ended."""


class Protocol(Record, frozen=True, kw_only=True):
    """What will be asked and how it will be judged."""

    phase: Phase = "registered"
    """`confirmatory` asks nothing before the protocol has a time-stamp and its seed is drawn. Answers never count in
    another phase."""
    questions: Annotated[tuple[Question, ...], Meta(min_length=1)] = ("same", "derived", "distilled")
    """What is asked of each suspect and reference; one has its own test, ratio and opinion."""
    alpha: Annotated[float, Meta(gt=0, le=0.2)] = 0.05
    """The p-value up to which a finding may be an indication."""
    seed: Annotated[int, Meta(ge=0, lt=2**53)] = 7
    """Draws prompts, their order, the seeds of the questions, bootstraps and exhibits."""
    seed_from: Literal["token", "beacon"] | UnsetType = UNSET
    """Draws the seed once the protocol is registered and time-stamped, instead of typing it: the `token` itself, or the
    round of a public `beacon`. A confirmatory case has no typed seed."""
    beacon_at: (
        Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?Z\Z")] | UnsetType
    ) = UNSET
    """Moment of the beacon's round (drand quicknet), such as `2027-03-01T12:00Z`; it comes after the time-stamp."""
    samples: Annotated[int, Meta(ge=1, le=100)] = 1
    """How often each prompt is asked of every model."""
    replicates: Annotated[int, Meta(ge=1, le=10)] = 2
    """How often a live reference is asked everything, so that its own noise is known."""
    temperature: Annotated[float, Meta(ge=0, le=2)] = 0.7
    """Of every model that names none of its own."""
    max_tokens: Annotated[int, Meta(ge=1, le=32_768)] = 200
    """Length of an answer at most, for every model that names none of its own."""
    probes: tuple[str, ...] = ()
    """Probe families with counts, such as `open_howto:16`, or a mix, such as `mix:standard` (`depose list mixes`)."""
    nonce: Annotated[str, Meta(pattern=r"^[0-9a-f]{32,128}\Z")] | UnsetType = UNSET
    """Goes into the secret half of a mix beside its secret: given by another, who had the secret's digest before."""
    nonce_by: Text | UnsetType = UNSET
    """Who gave it."""
    prompts: str = ""
    """A file of prompts (JSONL, JSON, CSV, Parquet, a control pack), instead of or besides `probes`."""
    registry: str = ""
    """A registry from which the controls are drawn by rule (`depose controls`); none: they are named by hand."""
    controls: str | UnsetType = UNSET
    """A control pack, `pack:NAME` or its file: its models are the controls; prompts and settings follow from it."""
    detectors: Annotated[tuple[str, ...], Meta(min_length=1)] = (
        "phrases",
        "wording",
        "openings",
        "starts",
        "first_words",
        "fuzzy",
        "embedding",
        "layout",
        "length",
    )
    """What is measured; those of `primary` must be among them."""
    primary: Primary = Primary()
    """Which detector decides which question."""
    calibration: str = "alpaca_eval"
    """The validation study that turns scores into likelihood ratios: a bundled name, a file, or nothing."""
    bootstrap: Annotated[int, Meta(ge=99, le=99_999)] = 1_999
    """Draws of the interval of T, and of the support of the tree."""
    exhibits: Annotated[int, Meta(ge=6, le=200)] = 6
    """How many are set out for each suspect and reference."""
    compared: Compared = Compared()
    """Which answers count, by how they ended."""
    bogus_model: bool = False
    """Ask each endpoint once for a model that cannot exist: one that answers does not heed model names."""


class ModelSpec(Record, frozen=True, kw_only=True):
    """One model of the case: what it is, how it is reached, where it comes from."""

    code: Code
    """Its name in everything before the report: names come out after scoring."""
    role: Role
    """What it is in this case; a `candidate` is a rival teacher, ranked and never tested."""
    provider: Text
    """How it is reached: a built-in provider, or that of a plugin."""
    model: str = ""
    """Its name at the provider, a folder of weights, or its name inside `file`."""
    revision: str = ""
    """Which revision, as its maker names it: printed, and not checked."""
    adapter: str = ""
    """A folder with a LoRA adapter for local weights, read from the case folder."""
    file: str = ""
    """Answers recorded earlier, for the provider `recorded`; of a line-up by `corpus`, the corpus in one file."""
    route: str = ""
    """By what way it was reached, such as a reseller: printed, and not checked."""
    base_url: str = ""
    """Address of its endpoint, up to the part that the format adds; none: the maker's own."""
    api_key_env: Annotated[str, Meta(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?\Z")] = ""
    """Name of the variable that holds the key, never the key itself."""
    api_key_file: str = ""
    """A file of one line outside the case folder that nobody else can read, instead of a variable."""
    proxy: str = ""
    """The only way a proxy is used: none is taken from the environment."""
    allow_private: bool = False
    """Whether `base_url` may lead to this machine or a private network, where http is good enough too."""
    stream: bool = False
    """Whether to ask for a stream and to record it chunk by chunk."""
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
    """Who made it; a control of a developer of the pair is not used."""
    weight_lineage: str = ""
    """The root base model whose weights it carries."""
    data_lineage: str = ""
    """Its tuning data, teacher or maker."""
    trained_on: tuple[str, ...] = ()
    """Developers whose outputs it is documented or likely to be trained on."""
    source: str = ""
    """Where its lineage, its dates and `trained_on` are documented."""
    untaught: bool | str = False
    """A document, in the case folder, that says that it has learnt from no other model's outputs; stored and hashed."""
    repeats: str = ""
    """Code of the recorded control that this one asks again, to see whether time or machine changed the answers."""
    within: tuple[float, float] | None = None
    """Registered range of T of `phrases` between its live answers and the recorded ones, among all controls."""
    system: str = ""
    """A system prompt, sent with every question."""
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    """Its own, instead of the protocol's."""
    max_tokens: Annotated[int, Meta(ge=1, le=32_768)] | None = None
    """Its own, instead of the protocol's."""
    seed: Annotated[int, Meta(ge=0, lt=2**53)] | None = None
    """Its own, instead of the protocol's."""
    replicates: Annotated[int, Meta(ge=1, le=10)] | None = None
    """How often it is asked everything, instead of what its role gives."""
    released: Annotated[str, Meta(pattern=r"^([0-9]{4}(-(0[1-9]|1[0-2])(-[0-9]{2})?)?|unknown)?\Z")] = ""
    """When it was first offered, as documented: year, month or day, or `unknown`; `source` says where.

    Without the dates of suspect, reference and half of the controls, what rests on controls is `inconclusive (era)`."""
    size: str = ""
    """How large it is, as its maker says, such as `7B`: printed, and compared with that of the controls."""
    language: str = ""
    """The language that it is made for first, such as `en`: printed, and compared with that of the controls."""
    tuning: str = ""
    """How it was tuned, such as `instruct`, `rlhf` or `reasoning`: printed, and compared with that of the controls."""


class Budget(Record, frozen=True, kw_only=True):
    """A stop before any of these is passed."""

    requests: Count | None = None
    """Attempts, retries included."""
    tokens: Annotated[int, Meta(ge=1, lt=2**53)] | None = None
    """In and out; an attempt counts by its upper bound while it is under way."""
    money: Annotated[float, Meta(gt=0, le=1e12)] | None = None
    """In the currency of the prices, which it needs."""


class Price(Record, frozen=True, kw_only=True):
    """Price of a million tokens in the currency of the budget."""

    input: Annotated[float, Meta(ge=0, le=1e12)]
    """Of what is sent."""
    output: Annotated[float, Meta(ge=0, le=1e12)]
    """Of what is answered."""


class Terms(Record, frozen=True, kw_only=True):
    """The terms of service relied on."""

    file: Text
    """Stored and hashed with the protocol."""


class WeightsHeld(Record, frozen=True, kw_only=True):
    """Weights that are held of suspects and references: compared beside the answers, and never mixed with them."""

    files: dict[Code, str] = {}
    """Where the weights of a model lie that is asked elsewhere: a folder of safetensors, or a .gguf file."""


class Case(Record, frozen=True, kw_only=True):
    """A whole case file."""

    case: CaseHead
    """What the case is."""
    protocol: Protocol
    """What is asked, and how it is judged."""
    models: Annotated[tuple[ModelSpec, ...], Meta(min_length=2, max_length=5_000)]
    """One [[models]] for each; a suspect and a reference at least."""
    budget: Budget = Budget()
    """Where asking stops."""
    prices: dict[str, Price] = {}
    """One [prices.CODE] for each model that costs."""
    terms: Terms | None = None
    """The terms of service relied on."""
    weights: WeightsHeld | None = None
    """Compare the weights of each suspect and reference that are held; models of `transformers` are held."""
    lineup: LineupPlan | UnsetType = UNSET
    """The line-up of delivered answers, where `exposed` is asked."""


def likeness(protocol: Protocol) -> tuple[Question, ...]:
    """Return the questions that answers to the protocol's prompts decide: all but that of the line-up."""
    return tuple(one for one in protocol.questions if one != "exposed")


def setting(spec: ModelSpec, protocol: Protocol, name: str) -> float | int:
    """Return a model's own setting, or the protocol's."""
    own = getattr(spec, name)
    value: float | int = getattr(protocol, name) if own is None else own
    return value


def replicates(spec: ModelSpec, protocol: Protocol) -> int:
    """How often a model is asked everything: a live reference as the protocol says, others once."""
    if spec.replicates is not None:
        return spec.replicates
    return protocol.replicates if spec.role == "reference" and spec.provider != "recorded" else 1

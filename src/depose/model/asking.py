"""What is asked and answered, from prompt to dossier."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from depose.model.base import Outcome, Record, Status
from depose.model.case import Case
from depose.model.exchangeability import Eligible
from depose.model.key_ledger import InLedger
from depose.model.seed import SeedDrawn
from depose.model.weights import WeightFinding


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


LISTED = "listed"
"""The family of prompts that a file lists without saying of what kind they are."""
OPEN_QUESTIONS = ("open_advice", "open_howto", "open_lists", "short_creative")
"""Families of open questions that depose draws: what anybody might ask, as listed prompts are."""


class Prompt(Record, frozen=True, kw_only=True):
    """One thing to ask. Prompts of one cluster are never treated as independent."""

    id: str
    family: str
    cluster: str
    text: str


class Spoken(Record, frozen=True, kw_only=True):
    """An earlier turn of a conversation."""

    role: Literal["user", "assistant"]
    content: str


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
    earlier: tuple[Spoken, ...] = ()
    """Turns of the conversation before `text`, in order; a question of a protocol has none."""
    beginning: str = ""
    """Beginning of the answer, from which the model is to go on; a question of a protocol has none."""

    @property
    def sent(self) -> int:
        """Bytes of all words that are sent."""
        words = (self.system, self.text, self.beginning, *(turn.content for turn in self.earlier))
        return sum(len(one.encode()) for one in words)


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
    status: Status | None = None
    """How it ended; None where the endpoint leaves that to `answers.settle`."""
    reasoning: str = ""
    """What the model thought aloud before it answered, taken off the text or from a field of its own."""
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


class Ending(Record, frozen=True, kw_only=True):
    """How many answers of a model ended in one way."""

    status: Status
    finish: str
    """The provider's own word, as it came."""
    n: int


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
    blocked: int = 0
    """Cut by a filter or refused by the provider: no answers, and counted with the refusals."""
    withheld: int = 0
    """Answers that the protocol does not compare, by how they ended."""
    ended: tuple[Ending, ...] = ()
    """How all that came ended, with the words of the provider."""
    unjudged: int = 0
    """Answers in a language whose refusals are not known: where there are any, the share of refusals is withheld."""


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
    status: Status | None = None
    """How the answer ended; None in a log of before 0.2, which had no such field: `answers.settle.of_exchange`."""
    reasoning: str = ""
    """What the model thought aloud, taken off the text or from a field of its own."""


class Transcript(Record, frozen=True, kw_only=True):
    """One answer, as the analysis sees it."""

    model: str
    prompt: str
    sample: int
    replicate: int
    text: str
    """The answer alone, transport forms made equal."""
    finish: str = ""
    """Why it ended, in the provider's own word."""
    status: Status = "unknown"
    reasoning: str = ""
    """What the model thought aloud; evidence of its own, and no detector's unless both sides show theirs."""


class Unanswered(Record, frozen=True, kw_only=True):
    """A question that has no usable answer, and why."""

    model: str
    prompt: str
    sample: int
    replicate: int
    reason: str
    finish: str = ""
    status: Status | None = None
    """How what came ended; None where nothing was asked."""


class PinnedPack(Record, frozen=True, kw_only=True):
    """A control pack as it was when the protocol was registered."""

    name: str
    version: str
    sha256: str
    """Of the file."""
    signer: str
    """SHA-256 of the public key that signed it."""


class Registration(Record, frozen=True, kw_only=True):
    """Record 0 of the log: the frozen protocol."""

    case: Case
    prompts: tuple[Prompt, ...]
    files: tuple[Fact, ...]
    """Digest of every file that the case names."""
    software: tuple[Fact, ...]
    """Versions of depose and of every plugin in use."""
    pack: PinnedPack | UnsetType = UNSET
    """The control pack that the case names."""
    pool: tuple[Eligible, ...] = ()
    """The registry that the controls were drawn from, model by model; empty where they were named by hand."""
    drawn: tuple[str, ...] | UnsetType = UNSET
    """Codes of the controls in the order in which the seed draws them: of each lineage the first clean one represents
    it. Absent: the one listed first does, as in cases registered before version 0.2.0."""


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
    withdrawn: tuple[str, ...] = ()
    """Answers that were taken back, each with its reason."""
    selftest: SelfTest | None = None
    """The last self-test in the log of the case."""
    weights: tuple[WeightFinding, ...] = ()
    """Comparisons of weights in the log of the case, the last of each suspect and reference."""
    time_stamped: bool = False
    """Whether the protocol in force has a verified time-stamp."""
    ledger: InLedger | None = None
    """Where the registration stands among those of a signing key."""
    seed: SeedDrawn | UnsetType = UNSET
    """Where the seed comes from, if it was drawn."""

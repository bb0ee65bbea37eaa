"""Provider `recorded`: answers that a model gave earlier, kept in a file.

A case with recorded items is retrospective: nobody saw these answers being made. A row counts as an answer to a
registered question only if it was asked just that: by the same words and, where the file tells, with the same system
prompt and nothing before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from depose.answers.line_ends import evened
from depose.answers.settle import Settled, settle
from depose.case import casefile
from depose.case.formats.found import Turn
from depose.case.tables import AS_IT_IS, LARGEST, Row, Table, Wanted, models, of_model, read_file
from depose.case.untrusted_files import read_untrusted
from depose.errors import CaseError
from depose.model import Ask, Fact, ModelSpec, Record, Reply
from depose.model.base import ready
from depose.model.canonical import canonical, sha256

READ_WITH = "read with"
"""Name of the fact that holds what the user said of a file: columns, encoding, sheet."""
SHOWN = 80
"""Characters of a wording that are shown."""
Words = tuple[tuple[str, str], ...]
"""What was asked: role and evened text of each message."""
Known = tuple[str, Words | None, int]
"""Prompt id, what was asked (None: the file does not say), sample."""


class Unaligned(Record, frozen=True, kw_only=True):
    """A row of the file that no registered question uses."""

    line: int
    prompt: str
    problem: str = ""
    """Why it holds no answer to a registered question; nothing if it only holds one that nobody asked for."""
    registered: str = ""
    """The registered wording, where the row was asked another one."""
    asked: bool = False
    """Whether a registered question is meant by it, by its id or its words."""

    def __str__(self) -> str:
        """Say it in one line, both wordings side by side where they differ."""
        if self.registered:
            return f"row {self.line}: {self.problem}: {self.prompt[:SHOWN]!r} | registered {self.registered[:SHOWN]!r}"
        return f"row {self.line}: {self.prompt[:SHOWN]}" + (f" ({self.problem})" if self.problem else "")


@lru_cache(maxsize=4)
def _table(path: Path, digest: str, wanted: bytes, words: frozenset[str]) -> Table:
    """Read a file once for all models that stand in it; the digest is part of the key."""
    import msgspec

    return read_file(path, msgspec.json.decode(wanted, type=ready(Wanted)), words)


class Recorded:
    """The answers of one model in one file."""

    batch = 1_000

    def __init__(self, path: Path, model: str, wanted: Wanted = AS_IT_IS) -> None:
        self._path = path
        self._wanted = canonical(wanted)
        try:
            self.digest = sha256(read_untrusted(path, LARGEST))
        except (OSError, ValueError) as error:
            raise CaseError(f"{path}: {error}", hint="check the file name") from error
        self._asked_for = model
        self._ids: set[str] = set()
        self._take(frozenset())

    def _take(self, words: frozenset[str]) -> None:
        self.table = _table(self._path, self.digest, self._wanted, words)
        rows, model = self.table.rows, self._asked_for
        names = models(tuple(row for row in rows if not row.problem)) or models(rows)
        if names == ("",) or (not model and len(names) == 1):  # a file that names no model holds one
            model = names[0]
        if model not in names:
            shown = ", ".join(name or "(no name)" for name in names[:8]) + (", ..." if len(names) > 8 else "")
            raise CaseError(f"{self._path}: no answers of model {model!r}", hint=f"it holds: {shown}")
        self.model = model
        self._rows = tuple(row for row in of_model(rows, model) if row.text is not None)
        failed = (row for row in rows if row.text is None and row.model in (model, ""))  # a failure may name no model
        self._without = tuple(row for row in failed if row.problem or self._rows)
        self._by_id = self._index(self._rows, by_id=True)
        self._by_words = self._index(self._rows, by_id=False)
        self._failed = {}
        for row in reversed(self._without):
            for key in ((row.id, _asked(row), row.sample), ("", _asked(row), row.sample)):
                self._failed[key] = row

    def _index(self, rows: Iterable[Row], *, by_id: bool) -> dict[Known, Row]:
        """Key the rows; the same words under two ids with two answers are no key, for then only the ids decide."""
        index: dict[Known, Row] = {}
        unclear: set[Known] = set()
        for row in rows:
            key = (row.id if by_id else "", _asked(row), row.sample)
            if not (row.id if by_id else row.prompt):
                continue
            if key in index and (by_id or evened(index[key].text or "") != evened(row.text or "")):
                if row.id != index[key].id:
                    unclear.add(key)
                    continue
                raise CaseError(
                    f"{self._path}: rows {index[key].line} and {row.line} both answer "
                    f"{(row.id if by_id else row.prompt)[:60]!r}, sample {row.sample}",
                    hint="give further samples of one prompt their own numbers in a column `sample`",
                )
            index.setdefault(key, row)
        return {key: row for key, row in index.items() if key not in unclear}

    def facts(self) -> tuple[Fact, ...]:
        """Name the file and its digest."""
        return (
            Fact(name="file", value=self._path.name),
            Fact(name="file sha256", value=self.digest),
            Fact(name="model in file", value=self.model),
            *((Fact(name=READ_WITH, value=self._wanted.decode()),) if self._wanted != canonical(AS_IT_IS) else ()),
        )

    def _look_for_words(self, asks: Collection[Ask]) -> None:
        """Read a table that names its prompts by ids alone once more, for a column that holds registered words."""
        self._ids.update(ask.prompt for ask in asks)
        if not self.table.words:
            self._take(frozenset(evened(ask.text) for ask in asks if ask.text))

    def _find(self, ask: Ask) -> Row | None:
        return self._first(self._by_id, self._by_words, ask)

    def _first(self, by_id: dict[Known, Row], by_words: dict[Known, Row], ask: Ask) -> Row | None:
        """Find the row that was asked just this: by all of it, by its words where the file tells no more, by its id.

        A row whose id is that of another registered prompt is not found by its words: one of the two is wrong.
        """
        words = evened(ask.text)
        whole: Words = ((("system", evened(ask.system)),) if ask.system.strip() else ()) + (("user", words),)
        alone: Words = (("?", words),)
        ids = (whole, alone, whole[:-1] or None, None) if ask.system.strip() else (whole, alone, None)
        places = [(by_id, ask.prompt, form) for form in ids]
        places += [(by_words, "", form) for form in (whole, alone)]
        for index, name, form in places:
            row = index.get((name, form, ask.sample))
            if row is not None and (name or row.id == ask.prompt or row.id not in self._ids):
                return row
        return None

    def ask(self, asks: Sequence[Ask]) -> tuple[Reply, ...]:
        """Look each answer up, by prompt id where the file has ids, else by the prompt's words."""
        self._look_for_words(asks)
        return tuple(self._reply(ask) for ask in asks)

    def _reply(self, ask: Ask) -> Reply:
        row = self._find(ask)
        if row is None:
            failed = self._first(self._failed, self._failed, ask)
            reason = failed.problem if failed and failed.problem else f"no such answer in {self._path.name}"
            return Reply(outcome="failed", status="failed", reason=reason, source=self._source(failed))
        found = settled(row)
        return Reply(
            outcome=found.outcome,
            status=found.status,
            text=found.text,
            finish=row.finish,
            reasoning=found.reasoning,
            reason=found.reason,
            source=self._source(row),
        )

    def _source(self, row: Row | None) -> str:
        return f"{self._path.name} sha256:{self.digest} row {row.line}" if row else ""

    def blank(self, asks: Sequence[Ask]) -> tuple[bool, ...]:
        """Tell of each question whether its row holds nothing and says nothing of why: a later file may hold it."""
        rows = (self._find(ask) for ask in asks)
        return tuple(row is not None and not row.finish and settled(row).status == "empty" for row in rows)

    def unaligned(self, asks: Sequence[Ask]) -> tuple[Unaligned, ...]:
        """List the rows that none of the questions would use, and those that hold no answer."""
        self._look_for_words(asks)
        used = {row.line: row for row in map(self._find, asks) if row is not None}
        by_id = {ask.prompt: ask for ask in asks}
        by_words = {evened(ask.text): ask for ask in asks}
        answered = {(row.id, evened(row.prompt), row.sample) for row in used.values() if settled(row).text}
        idle = [_idle(row, by_id, by_words) for row in self._rows if row.line not in used]
        for row in used.values():
            found = settled(row)
            if found.outcome != "answered":
                told = found.reason or "no answer in it"
                idle.append(Unaligned(line=row.line, prompt=row.prompt or row.id, problem=told, asked=True))
        for row in self._without:
            again = (row.id, evened(row.prompt), row.sample) in answered
            problem = (row.problem or "no answer in it") + ("; a later try answered" if again else "")
            asked = not again and (row.id in by_id or evened(row.prompt) in by_words)
            idle.append(Unaligned(line=row.line, prompt=row.prompt or row.id, problem=problem, asked=asked))
        return tuple(sorted(idle, key=lambda row: row.line))


def settled(row: Row) -> Settled:
    """Judge the answer of a row."""
    return settle(
        row.text,
        live=False,
        finish=row.finish,
        also=row.also,
        error=row.problem,
        guard=row.guard,
        refusal=row.refusal,
        reasoning=row.reasoning,
    )


def _asked(row: Row) -> Words | None:
    """Say what a row was asked: every message, or the words alone, or nothing."""
    if row.turns:
        return tuple((turn.role, evened(turn.text)) for turn in row.turns)
    return (("?", evened(row.prompt)),) if row.prompt.strip() else None


def _idle(row: Row, by_id: dict[str, Ask], by_words: dict[str, Ask]) -> Unaligned:
    """Say why a row answers no registered question."""
    shown = row.prompt or row.id
    meant = by_id.get(row.id) if row.id else None
    worded = by_words.get(evened(row.prompt))
    ask = meant or worded
    if ask is None:
        return Unaligned(line=row.line, prompt=shown)
    if row.prompt.strip() and evened(row.prompt) != evened(ask.text):
        return Unaligned(
            line=row.line, prompt=row.prompt, problem="asked in other words", registered=ask.text, asked=True
        )
    other = _other(row.turns, ask)
    if other:
        more = " / ".join(f"{turn.role}: {turn.text}" for turn in row.turns)
        return Unaligned(line=row.line, prompt=more, problem=other, registered=ask.text, asked=True)
    return Unaligned(line=row.line, prompt=shown, problem=f"sample {row.sample} was not asked for")


def _other(turns: tuple[Turn, ...], ask: Ask) -> str:
    """Say what else was asked than the registered words; nothing where nothing was."""
    systems = [evened(turn.text) for turn in turns if turn.role == "system"]
    if turns and systems != ([evened(ask.system)] if ask.system.strip() else []):
        return "asked under a system prompt" if systems else "asked without the system prompt"
    users = [turn for turn in turns if turn.role == "user"]
    if len(users) > 1:
        return "asked after another turn"
    others = sorted({turn.role for turn in turns} - {"system", "user"})
    return f"asked with more before the answer ({', '.join(others)})" if others else ""


def open_recorded(spec: ModelSpec, folder: Path) -> Recorded:
    """Open the file that the case names for this model."""
    if not spec.file:
        raise CaseError(f"{spec.code}: no file of recorded answers", hint="depose import CASE --model CODE FILE")
    return Recorded(casefile.resolve(folder, spec.file, f"model {spec.code}"), spec.model)

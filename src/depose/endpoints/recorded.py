"""Provider `recorded`: answers that a model gave earlier, kept in a file.

A case with recorded items is retrospective: nobody saw these answers being made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from depose.answers.settle import settle
from depose.case import casefile
from depose.case.tables import Row, models, of_model, read
from depose.errors import CaseError
from depose.model import Ask, Fact, ModelSpec, Record, Reply
from depose.model.canonical import sha256


class Unaligned(Record, frozen=True, kw_only=True):
    """A row of the file that answers no registered prompt."""

    line: int
    prompt: str
    problem: str = ""
    """Why it holds no answer; nothing if it holds one that nobody asked for."""


@lru_cache(maxsize=4)
def _table(path: Path, digest: str, mapped: tuple[tuple[str, str], ...]) -> tuple[Row, ...]:
    """Read a file once for all models that stand in it; the digest is part of the key."""
    return read(path, dict(mapped))


class Recorded:
    """The answers of one model in one file."""

    batch = 1_000

    def __init__(self, path: Path, model: str, mapped: Mapping[str, str] | None = None) -> None:
        self._path = path
        try:
            if not path.is_file() and path.exists():
                raise CaseError(f"{path}: not a file", hint="name a table of answers")
            self._digest = sha256(path.read_bytes())
        except (OSError, ValueError) as error:
            raise CaseError(f"{path}: {error}", hint="check the file name") from error
        rows = _table(path, self._digest, tuple(sorted((mapped or {}).items())))
        names = models(tuple(row for row in rows if not row.problem)) or models(rows)
        if names == ("",) or (not model and len(names) == 1):  # a file that names no model holds one
            model = names[0]
        if model not in names:
            shown = ", ".join(name or "(no name)" for name in names[:8]) + (", ..." if len(names) > 8 else "")
            raise CaseError(f"{path}: no answers of model {model!r}", hint=f"it holds: {shown}")
        self.model = model
        self._rows = tuple(row for row in of_model(rows, model) if row.text is not None)
        failed = (row for row in rows if row.text is None and row.model in (model, ""))  # a failure may name no model
        self._without = tuple(row for row in failed if row.problem or self._rows)
        self._by_id = self._index("id")
        self._by_prompt = self._index("prompt")

    def _index(self, field: str) -> dict[tuple[str, int], Row]:
        """Key the rows; the same words under two ids with two answers are no key, for then only the ids decide."""
        index: dict[tuple[str, int], Row] = {}
        unclear: set[tuple[str, int]] = set()
        for row in self._rows:
            key = (getattr(row, field), row.sample)
            if not key[0]:
                continue
            if key in index and (field == "id" or index[key].text != row.text):
                if row.id != index[key].id:
                    unclear.add(key)
                    continue
                raise CaseError(
                    f"{self._path}: rows {index[key].line} and {row.line} both answer {key[0][:60]!r}, "
                    f"sample {row.sample}",
                    hint="give further samples of one prompt their own numbers in a column `sample`",
                )
            index.setdefault(key, row)
        return {key: row for key, row in index.items() if key not in unclear}

    def facts(self) -> tuple[Fact, ...]:
        """Name the file and its digest."""
        return (
            Fact(name="file", value=self._path.name),
            Fact(name="file sha256", value=self._digest),
            Fact(name="model in file", value=self.model),
        )

    def _find(self, ask: Ask) -> Row | None:
        row = self._by_id.get((ask.prompt, ask.sample))
        if row is None:
            row = self._by_prompt.get((ask.text, ask.sample))
        elif row.prompt.strip() and row.prompt != ask.text:
            return None
        return row

    def ask(self, asks: Sequence[Ask]) -> tuple[Reply, ...]:
        """Look each answer up, by prompt id where the file has ids, else by the prompt's words."""
        return tuple(self._reply(ask) for ask in asks)

    def _reply(self, ask: Ask) -> Reply:
        row = self._find(ask)
        if row is None or row.text is None:
            return Reply(outcome="failed", reason=f"no such answer in {self._path.name}")
        source = f"{self._path.name} sha256:{self._digest} row {row.line}"
        found = settle(row.text, live=False)
        return Reply(
            outcome=found.outcome,
            text=found.text,
            status=found.status,
            reasoning=found.reasoning,
            reason=found.reason,
            source=source,
        )

    def unaligned(self, asks: Sequence[Ask]) -> tuple[Unaligned, ...]:
        """List the rows that none of the questions would use, and those that hold no answer."""
        used = {row.line for row in map(self._find, asks) if row is not None}
        idle = [Unaligned(line=r.line, prompt=r.prompt or r.id) for r in self._rows if r.line not in used]
        idle += [
            Unaligned(line=r.line, prompt=r.prompt or r.id, problem=r.problem or "no answer in it")
            for r in self._without
        ]
        return tuple(sorted(idle, key=lambda row: row.line))


def open_recorded(spec: ModelSpec, folder: Path) -> Recorded:
    """Open the file that the case names for this model."""
    if not spec.file:
        raise CaseError(f"{spec.code}: no file of recorded answers", hint="depose import CASE --model CODE FILE")
    return Recorded(casefile.resolve(folder, spec.file, f"model {spec.code}"), spec.model)

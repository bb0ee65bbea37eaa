"""Logs to events: read, hashed, masked, written by day, with a manifest of what came in and what was lost.

    events/day=2026-05-01/<source>.parquet    events of one source and one day, sorted by time and id
    events/texts/day=.../<source>.parquet     contexts and answers, only where they were asked for
    events/manifest.json                      sources, files, digests, counts, losses

A source is a log, or the logs of one import where a request stands in several tables (`produced`); it is named by the
digest of its bytes. A run that was killed goes on with the source that it was at; the same
sources give the same bytes whenever and however often they are read.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from depose.errors import CaseError, DeposeError, UsageError
from depose.evidence.log import write_whole
from depose.evidence.workspace import held, workspace
from depose.extraction import beside, entries, oddities, plan, produced, values
from depose.extraction.beside import SHOWN
from depose.extraction.countries import Countries, table
from depose.extraction.engine import engine, listed
from depose.extraction.events import COLUMNS, TEXTS, Raw
from depose.extraction.manifest import FORMAT, Manifest, SourceOf, Written, read_manifest, sweep
from depose.extraction.moments import NO_ZONE, Moments
from depose.extraction.produced import Rows
from depose.extraction.pseudonyms import Pseudonyms, case_key, refuse_telling
from depose.extraction.reading import BreaksOffError
from depose.extraction.sources import FORMATS, JOINED, generic
from depose.model import Record
from depose.model.canonical import canonical

PART = 100_000
"""Rows that are held at once."""
TOLERATED = 0.001
"""Share of rows with an impossible time, without an account or unreadable, above which a source is refused."""
NOBODY = "rows without an account"
TIMELESS = "impossible times"
TIMES = "times are ISO 8601, or seconds to nanoseconds since 1970, from 2020 to the day after tomorrow"
ZONELESS = "times without a zone, read as UTC"
Say = Callable[[str], None]


class NamelessError(CaseError):
    """Too many requests of a log name nobody, or there is none in a log that is but one of several tables."""


class Manner(Record, frozen=True, kw_only=True):
    """How logs are read."""

    format: str
    mapping: str = ""
    hash_key: str = ""
    keep_text: bool = False
    allow_truncated: bool = False
    allow_nameless: bool = False
    """Leave requests out that name nobody, however many; the loss is stated."""
    production: str = ""
    """A list of digests as sha256sum writes it; a log of another digest is refused."""
    public: str = ""
    """A list of public prompts, one a line."""
    countries: str = ""
    """A table of networks and their countries, for logs that say addresses and no countries."""


UNENDED = "last rows of a table whose line does not end, so that they may be cut"


class Imported(Record, frozen=True, kw_only=True):
    """What an import did."""

    case: str
    sources: tuple[SourceOf, ...]
    """Those of this run; what was there before is not read again."""
    already: int
    days: int
    events: int


def load(path: Path, logs: Sequence[Path], manner: Manner, say: Say = lambda _: None) -> Imported:
    """Read logs into the events of a case; what was read before is left alone."""
    folder = plan.folder_of(path)
    case = plan.read(folder)
    names = Pseudonyms(case_key(Path(manner.hash_key) if manner.hash_key else None, case.case.title))
    mapping = generic.read(Path(manner.mapping)) if manner.mapping else None
    if (manner.format == "generic") != (mapping is not None):
        raise UsageError("--map belongs to --format generic", hint="--format generic --map columns.toml")
    countries = table(Path(manner.countries)) if manner.countries else None
    events = folder / "events"
    events.mkdir(exist_ok=True)
    with held(folder):
        file = events / "manifest.json"
        now = read_manifest(folder) if file.is_file() else Manifest(
            format=FORMAT, hash_key=names.commitment, sources=(), files=()
        )  # fmt: skip
        if now.hash_key != names.commitment:
            raise UsageError(
                f"{folder}: its events were hashed with another key",
                hint="give the key of before; for logs of your own, a case of your own: depose extraction begin DIR",
            )
        if manner.public:
            now = beside.public(events, now, Path(manner.public), names)
        sweep(events, now)
        logs, left = produced.files_of(logs, manner.format)
        if left:
            say(f"{len(left)} files that are no logs by their names are left out: {', '.join(map(str, left[:SHOWN]))}")
        digests = [produced.digest_of(one) for one in logs]
        produced.check(logs, [one for one, _ in digests], manner.production)
        read = {one.sha256 for one in now.sources} | {part.value for one in now.sources for part in one.parts}
        every = [(log, *one) for log, one in zip(logs, digests, strict=True)]
        made = []
        beside.read_before(now, {one for one, _ in digests}, countries, folder, say)
        for log in logs:
            try:
                refuse_telling(log.name, "the name of a log, which is written down", str(log))
            except DeposeError as error:
                raise produced.about([log], error) from None
        for batch in (batches := produced.batches(every, read, manner.format)):
            say(f"{batch.said}: reading")
            one = _Import(folder, batch, manner, mapping, names, countries, say)
            try:
                source, files = one.run(now)
            except DeposeError as error:
                raise produced.about(one.blamed, error)  # noqa: B904
            now = msgspec.structs.replace(now, sources=(*now.sources, source), files=(*now.files, *files))
            write_whole(file, canonical(now))
            made.append(source)
        if not logs:
            write_whole(file, canonical(now))
    return Imported(
        case=str(folder),
        sources=tuple(made),
        already=len(logs) - sum(len(one.files) for one in batches),
        days=len({one.day for one in now.files}),
        events=sum(one.rows for one in now.files if not one.path.startswith("texts/")),
    )


class _Import:
    """One source on its way into events."""

    def __init__(
        self,
        folder: Path,
        log: produced.Produced,
        manner: Manner,
        mapping: generic.Mapping | None,
        names: Pseudonyms,
        countries: Countries | None,
        say: Say,
    ) -> None:
        self._events, self._log = folder / "events", log
        self._manner, self._mapping, self._say = manner, mapping, say
        self._tally: dict[str, int] = {}
        self._entries = entries.Entries(names, manner.format, mapping, self._tally, countries)
        self._countries = countries.sha256 if countries else ""
        self._bad: dict[str, list[str]] = {}
        self._shape = ""
        self._reader = Rows(log.files)
        self.blamed: tuple[Path, ...] = log.files
        """The files that an error is about, as far as that is known."""
        self._seen: Counter[str] = Counter()
        self._rows = 0

    def run(self, before: Manifest) -> tuple[SourceOf, list[Written]]:
        """Read the source and write its days; nothing has its name before all of it was read and found sound."""
        reader = self._reader
        moments = Moments(datetime.now(UTC) + timedelta(days=2))
        with workspace(self._events) as work:
            try:
                events, texts = self._parts(reader, moments, work)
            except DeposeError:
                self.blamed = reader.at
                raise
            self._judge(reader, moments)
            if not events:
                beside = "".join(f"; {count} {why}" for why, count in sorted(self._tally.items()))
                format_ = self._manner.format
                if format_ in JOINED:  # the other table may name the requests, or hold them
                    raise NamelessError(f"{self._log.said}: no request in it{beside}", hint=JOINED[format_])
                raise CaseError(f"{self._log.said}: no request in it{beside}", hint=f"is it a log of {format_}?")
            duplicates, again, files = self._days(events, texts, before, work)
        if moments.units.get(NO_ZONE):
            self._tally[ZONELESS] = moments.units[NO_ZONE]
        losses = {name: count for name, count in sorted(self._tally.items()) if name != "sampled"}
        if reader.losses.count:
            losses["rows that are no record"] = reader.losses.count
        if reader.losses.unended:
            losses[UNENDED] = reader.losses.unended
        return (
            SourceOf(
                name=self._log.name,
                sha256=self._log.sha256,
                bytes=self._log.bytes,
                parts=self._log.parts,
                format=self._manner.format,
                rows=self._rows - again,
                duplicates=duplicates,
                losses=losses,
                truncated=reader.losses.truncated,
                sampled="sampled" in self._tally or (self._mapping is not None and self._mapping.sampled),
                without=tuple(name for name in COLUMNS if not self._seen[name]),
                texts=self._manner.keep_text,
                countries=self._countries,
            ),
            files,
        )

    def _parts(self, reader: Rows, moments: Moments, work: Path) -> tuple[list[Path], list[Path]]:
        """Write the rows in parts as they come."""
        events: list[Path] = []
        texts: list[Path] = []
        columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        words: dict[str, list[Any]] = {name: [] for name in TEXTS}
        for raw in (one for call in self._requests(reader) for one in entries.each(call, self._tally)):
            row = self._row(raw, moments)
            if row is None:
                continue
            self._rows += 1
            for name, column in columns.items():
                value = row[name]
                column.append(value)
                if value is not None and value != "":
                    self._seen[name] += 1
            if self._manner.keep_text:
                kept = {"event": row["event"], "context": values.context(raw), "response": raw.response,
                        "finish_reason": raw.finish_reason, "snapshot": raw.model_served}  # fmt: skip
                for name, column in words.items():
                    column.append(kept[name])
            if len(columns["event"]) == PART:
                self._flush(columns, COLUMNS, work / f"part-{len(events)}.parquet", events)
                self._flush(words, TEXTS, work / f"texts-{len(texts)}.parquet", texts)
                self._say(f"{self._log.name}: {self._rows} requests")
        self._flush(columns, COLUMNS, work / f"part-{len(events)}.parquet", events)
        self._flush(words, TEXTS, work / f"texts-{len(texts)}.parquet", texts)
        return events, texts

    def _requests(self, reader: Rows) -> Iterator[Raw]:
        if self._mapping is not None:
            return generic.requests(reader, self._tally, self._mapping, self._log.said)
        return FORMATS[self._manner.format](reader, self._tally)

    def _row(self, raw: Raw, moments: Moments) -> dict[str, Any] | None:
        """Turn a request into a row of events; None where it has no time or no account, which is counted."""
        if raw.ts is None or (at := moments.read(raw.ts)) is None:
            if isinstance(raw.ts, str) and not self._shape:
                self._shape = re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", raw.ts[:40]))
            self._lose(TIMELESS, raw.where)
            return None
        if not raw.account:
            self._lose(NOBODY, raw.where)
            return None
        file, place = self._reader.file_of(raw.where)
        try:
            return self._entries.row(raw, at, f"{file}: row {place}")
        except DeposeError as error:
            raise produced.about([file], error)  # noqa: B904

    def _lose(self, why: str, where: str) -> None:
        self._tally[why] = self._tally.get(why, 0) + 1
        if len(self._bad.setdefault(why, [])) < SHOWN:
            self._bad[why].append(where)

    def _judge(self, reader: Rows, moments: Moments) -> None:
        """Refuse a source that broke off, that mixes ways of writing times, or of which too much is unusable."""
        lost = reader.losses
        if lost.truncated and not self._manner.allow_truncated:
            raise BreaksOffError(
                f"{', '.join(map(str, reader.broken))}: breaks off after {self._rows} whole records",
                reader.broken,
                hint="ask for the whole file; --allow-truncated takes what is there and states the loss",
            )
        if len(moments.units) > 1:
            raise CaseError(
                f"{self._log.said}: times are written as {' and as '.join(sorted(moments.units))}",
                hint="a log keeps to one; export each source into a file of its own",
            )
        reasons = [(name, self._tally[name], list(map(reader.file_of, self._bad[name]))) for name in self._bad]
        if lost.count:
            reasons.append(("rows that are no record", lost.count, reader.broken_rows))
        for name, count, places in reasons:
            several = len(self._log.files) > 1
            rows = [f"{file.name} {place}" if several else place for file, place in places]
            if name == NOBODY and self._manner.allow_nameless:
                continue
            if count > TOLERATED * (self._rows + count):
                beside = ""
                if name == NOBODY:
                    beside = JOINED.get(self._manner.format, "") if not self._rows else ""
                    beside = beside or "--allow-nameless leaves them out and states how many; or map another column"
                if name == TIMELESS:
                    written = f"; the first stands as {self._shape!r}" if self._shape else ""
                    beside = f"{TIMES}{written}"
                kind = NamelessError if name == NOBODY else CaseError
                self.blamed = tuple({file: None for file, _ in places})
                raise kind(
                    f"{self._log.said}: {count} of {self._rows + count} rows: {name} (rows {', '.join(rows)})",
                    hint=beside or "more than 1 in 1,000 is a fault of the export or of the mapping, and not noise",
                )

    def _flush(self, columns: dict[str, list[Any]], kinds: Mapping[str, str], path: Path, made: list[Path]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not columns["event"]:
            return
        types = {"UBIGINT": pa.uint64(), "BIGINT": pa.int64(), "INTEGER": pa.int32(), "DOUBLE": pa.float64(),
                 "BOOLEAN": pa.bool_(), "VARCHAR": pa.string(), "TIMESTAMP": pa.timestamp("us")}  # fmt: skip
        try:
            arrays = {name: pa.array(columns[name], type=types[kind]) for name, kind in kinds.items()}
        except UnicodeEncodeError:  # half a surrogate, which JSON may spell and no text holds
            whole = {name: [values.without_halves(one) for one in columns[name]] for name in kinds}
            arrays = {name: pa.array(whole[name], type=types[kind]) for name, kind in kinds.items()}
        pq.write_table(pa.table(arrays), path, compression="zstd")
        made.append(path)
        for column in columns.values():
            column.clear()

    def _days(
        self, events: list[Path], texts: list[Path], before: Manifest, work: Path
    ) -> tuple[int, int, list[Written]]:
        """Write one file a day, each id once; return how many ids stand again, in logs read again, and the files."""
        files: list[Written] = []
        again = 0
        with engine(self._events) as db:
            db.execute(
                f"CREATE TABLE fresh AS SELECT DISTINCT ON (event) * FROM read_parquet({listed(events)}) "  # noqa: S608
                "ORDER BY event, status <> 'ok', ts, account"
            )
            self._tally |= oddities.within(db, events)
            known = [self._events / one.path for one in before.files if not one.path.startswith("texts/")]
            if known:
                self._tally |= oddities.between(db, known)
                if beside := [one for one in known if one.stem in self._read_again(before)]:
                    again = oddities.shared(db, beside)
                db.execute(
                    f"DELETE FROM fresh WHERE event IN (SELECT event FROM read_parquet({listed(known)}))"  # noqa: S608
                )
            if texts:
                db.execute(
                    "CREATE TABLE words AS SELECT DISTINCT ON (event) t.*, f.ts FROM "  # noqa: S608
                    f"read_parquet({listed(texts)}) t JOIN fresh f USING (event) "
                    "ORDER BY event, t.response = '', t.context, t.response"
                )
            kept = _one(db.execute("SELECT count(*) FROM fresh").fetchone())
            days = [str(row[0]) for row in db.execute("SELECT DISTINCT ts::DATE FROM fresh ORDER BY 1").fetchall()]
            for number, day in enumerate(days, 1):
                files.append(self._write(db, f"day={day}", day, "fresh", ", ".join(COLUMNS), work))
                if texts:
                    files.append(self._write(db, f"texts/day={day}", day, "words", ", ".join(TEXTS), work))
                if number % 30 == 0:
                    self._say(f"{self._log.name}: {number} of {len(days)} days written")
        return self._rows - kept - again, again, files

    def _read_again(self, before: Manifest) -> set[str]:
        """Return the sources whose logs are read again, by the names of their files."""
        mine = set(self._log.digests)
        return {one.sha256[:16] for one in before.sources if mine & {one.sha256, *(part.value for part in one.parts)}}

    def _write(self, db: Any, name: str, day: str, table: str, columns: str, work: Path) -> Written:
        goal = self._events / name / f"{self._log.sha256[:16]}.parquet"
        goal.parent.mkdir(parents=True, exist_ok=True)
        made = work / "day.parquet"
        rows = _one(
            db.execute(
                f"COPY (SELECT {columns} FROM {table} WHERE ts::DATE = '{day}' ORDER BY ts, event) "  # noqa: S608
                f"TO '{str(made).replace(chr(39), chr(39) * 2)}' (FORMAT parquet, COMPRESSION zstd)"
            ).fetchone()
        )
        data_digest = hashlib.sha256(made.read_bytes()).hexdigest()
        with made.open("rb") as file:
            import os

            os.fsync(file.fileno())
        made.replace(goal)
        return Written(path=goal.relative_to(self._events).as_posix(), day=day, rows=rows, sha256=data_digest)


def _one(row: Any) -> int:
    if row is None:
        raise DeposeError("the engine returned nothing", hint="report this")
    return int(row[0])

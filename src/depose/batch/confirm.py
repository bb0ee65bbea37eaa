"""One case for each pair with a hit: the same models on the fresh half of the prompts, under a stricter alpha.

Nothing of the fresh half has been looked at when the first case of a pair is registered; the matrix names others
that were. Alpha is divided by the number of hits, so that the case itself says `inconclusive` where the control
lineages are too few to carry a claim about that many.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from depose.batch.casetext import described, lay_adapters, limits, pinned_adapter_of
from depose.batch.matrix import HITS, Confirmation
from depose.batch.plan import Plan
from depose.batch.screen import Judged, Screened
from depose.case.casefile import NAME, decoded
from depose.case.casefile import read as read_case
from depose.case.casetext import table
from depose.case.parquet_table import columns_of
from depose.case.tables import COLUMNS, LARGEST
from depose.case.tables import read as read_table
from depose.custody.unsealed import follows, sealed_findings
from depose.errors import CaseError
from depose.evidence import ledger
from depose.evidence.log import Clock, is_sealed, log_path, write_whole
from depose.evidence.workspace import workspace
from depose.model import Findings, ModelSpec, Role
from depose.model.canonical import sha256
from depose.report.typography import clip
from depose.statistics import lineage

ROLES: tuple[Role, ...] = ("suspect", "reference", "control")
DETECTORS = ("phrases", "wording", "openings", "starts", "first_words", "fuzzy", "layout", "length")


class Cases:
    """Writes cases into a folder; what several of them share lies in `shared` once and is linked into each."""

    def __init__(self, plan: Plan, folder: Path, shared: Path, asked: Path) -> None:
        """Take the plan, the folder of the cases, that of shared files, and the case that asked the live models."""
        self._plan = plan
        self._asked = asked
        self._folder = folder
        self._shared = shared
        self._members = {one.name: number for number, one in enumerate(plan.population.members)}
        self._given = {spec.code: spec for spec in plan.file.models}
        self._kept: dict[str, str] = {}
        self._registered: dict[str, str] = {}
        self._early: set[str] = set()
        self._adapters: dict[str, str] = {}

    def write(self, found: Screened) -> tuple[Confirmation, ...]:
        """Write a case folder for every pair with a hit; one that is there stays as it is."""
        hits: dict[tuple[str, str], list[Judged]] = {}
        for one in found.cells:
            if one.outcome in HITS:
                hits.setdefault((one.suspect, one.reference), []).append(one)
        if hits:
            self._shared.mkdir(exist_ok=True)
            self._registered = dict(self._there())
            self._early = set(self._asked_early())
        return tuple(
            self._case(cells, self._plan.file.screening.alpha / found.hits) for _, cells in sorted(hits.items())
        )

    def _there(self) -> Iterator[tuple[str, str]]:
        """Yield the folder and the title of every case that was registered."""
        for folder in sorted(self._folder.glob("*--*")):
            if log_path(folder).is_file() and (folder / NAME).is_file():
                text = (folder / NAME).read_text(encoding="utf-8")
                yield folder.name, decoded(text, str(folder / NAME)).case.title

    def _asked_early(self) -> Iterator[str]:
        """Yield the live models that answered a fresh prompt when another half of the prompts was screened on."""
        fresh = {self._plan.population.rows[row][0] for row in self._plan.fresh}
        if log_path(self._asked).is_file():
            found = ledger.entries(self._asked)
            yield from (one.model for one in (*found.exchanges, *found.superseded) if one.prompt in fresh)

    def _case(self, cells: Sequence[Judged], alpha: float) -> Confirmation:
        suspect, reference = cells[0].suspect, cells[0].reference
        models = list(self._models((suspect, reference, *self._controls(cells))))
        made = self._plan.population
        protocol = {
            "questions": [one.question for one in cells],
            "alpha": alpha,
            "seed": self._plan.file.screening.seed,
            **msgspec.to_builtins(self._plan.file.asking),
            "samples": max(made.rows[row][1] for row in self._plan.fresh) + 1,
            "prompts": self._keep("prompts", partial(prompts_in, self._plan, self._plan.fresh)),
            "detectors": list(DETECTORS),
        }
        head = {
            "title": clip(f"{suspect} against {reference}: confirmation of a screening hit", 1_900),
            "authority": self._plan.file.batch.authority,
        }
        parts = [table("[case]", head), table("[protocol]", protocol)]
        parts += limits(self._plan.file, [one["code"] for one in models])
        parts += [table("[[models]]", one) for one in models]
        text = "\n".join(parts)
        name = f"{_plain(suspect)}--{_plain(reference)}-{sha256(text.encode())[:8]}"
        if not (self._folder / name).is_dir():
            with workspace(self._folder) as work:
                for file in {str(protocol["prompts"]), *(one["file"] for one in models if "file" in one)}:
                    _link(self._shared / file, work / file)
                named = {one["code"] for one in models}
                live_here = [
                    spec for code, spec in self._given.items() if code in named and spec.provider != "recorded"
                ]
                lay_adapters(live_here, Path(self._plan.folder), work, self._adapter)
                (work / NAME).write_text(text, encoding="utf-8")
                work.chmod(0o755)
                work.rename(self._folder / name)
        return Confirmation(
            suspect=suspect,
            reference=reference,
            questions=tuple(one.question for one in cells),
            folder=name,
            case_sha256=sha256(text.encode()),
            alpha=alpha,
            also=(
                *((self._asked.name,) if self._early & {suspect, reference} else ()),
                *(one for one, title in self._registered.items() if title == head["title"] and one != name),
            ),
        )

    def _controls(self, cells: Sequence[Judged]) -> tuple[str, ...]:
        """Name the controls of the cells, and those that a case takes where suspect and reference share a base."""
        specs = {one.name: one.spec() for one in self._plan.population.members}
        suspect, reference = specs[cells[0].suspect], specs[cells[0].reference]
        pool = [specs[name] for name in self._plan.controls]
        found = dict.fromkeys(cells[0].controls)
        for cell in cells:
            chosen = lineage.choose(suspect, reference, pool, cell.question)
            found |= dict.fromkeys(spec.code for spec in chosen.used)
        return tuple(found)

    def _models(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Describe models; those of [[models]] keep their codes and, if they can be asked, their endpoints."""
        for number, name in enumerate(names):
            role: Role = ROLES[min(number, 2)]
            if name in self._given and self._given[name].provider != "recorded":
                spec = msgspec.structs.replace(self._given[name], role=role, file="")
                yield described(spec, Path(self._plan.folder), self._adapter(spec) if spec.adapter else "")
                continue
            one = self._plan.population.members[self._members[name]]
            code = name if name in self._given else ("S1", "R1")[number] if number < 2 else f"C{number - 1}"
            yield {
                "code": code,
                "role": role,
                "provider": "recorded",
                "file": self._keep(name, partial(self._answers, name)),
                "model": name,
                "developer": one.developer,
                "weight_lineage": one.weight_lineage,
                "data_lineage": one.data_lineage,
                "trained_on": list(one.trained_on),
                "released": one.released or "unknown",
            }

    def _adapter(self, spec: ModelSpec) -> str:
        """Return where a case stores the adapter of a model of the batch, under a name that holds a digest."""
        if spec.code not in self._adapters:
            self._adapters[spec.code] = pinned_adapter_of(self._given[spec.code], Path(self._plan.folder))
        return self._adapters[spec.code]

    def _keep(self, what: str, rows: Callable[[], Iterator[dict[str, Any]]]) -> str:
        """Store rows once under the digest of their bytes, and return the name of the file."""
        if what not in self._kept:
            data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows()).encode()
            name = f"{sha256(data)[:16]}.jsonl"
            if not (self._shared / name).is_file() or (self._shared / name).read_bytes() != data:
                write_whole(self._shared / name, data)
            self._kept[what] = name
        return self._kept[what]

    def _answers(self, name: str) -> Iterator[dict[str, Any]]:
        made, place = self._plan.population, self._members[name]
        for row in self._plan.fresh:
            key, sample = made.rows[row]
            text = made.answers[row][place]
            if text is not None:
                yield {"prompt_id": key, "sample": sample, "prompt": made.prompts[row], "model": name, "output": text}


def prompts_in(plan: Plan, rows: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield the prompts of some rows of a plan, as a table of prompts has them."""
    families, made = _families(plan), plan.population
    for key, text in {made.rows[row][0]: made.prompts[row] for row in rows}.items():
        cluster = plan.clusters.get(key)
        named = {"cluster": cluster} if cluster else {}
        yield {"prompt_id": key, "prompt": text, "category": families.get(key) or "listed", **named}


def _families(plan: Plan) -> dict[str, str]:
    """Read the family of each prompt; of a folder of the benchmark no more than the two columns that say it."""
    data, folder = plan.file.data, Path(plan.folder)
    if data is None:
        return {
            row.id or row.prompt: row.family for row in read_table(folder / plan.file.screening.prompts, answers=False)
        }
    path = folder / data.folder / f"responses-{data.source}.parquet"
    try:
        held = columns_of(path, (*COLUMNS["id"], *COLUMNS["family"]), LARGEST)
    except (ValueError, OSError) as error:
        raise CaseError(f"{path}: {error}", hint="see the table formats: depose import --help") from error
    key, family = (next((name for name in COLUMNS[what] if name in held), None) for what in ("id", "family"))
    if key is None or family is None:
        return {}
    return {str(one): of or "" for one, of in zip(held[key], held[family], strict=True)}


def _link(source: Path, goal: Path) -> None:
    """Link a file, or copy it where the disk has no links."""
    try:
        goal.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, goal)


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9.+-]", "_", name)[:60].strip(".") or "model"


def run(case: Path, digest: str, clock: Clock, say: Callable[[str], None]) -> Findings:
    """Audit a case, unless it is sealed, and return its findings in the order of its questions.

    `digest` is that of the case file as the batch wrote it. What lies there already is checked first: a bundle is
    verified, and a log must follow from its files and raw bytes. Raises EvidenceError where it does not.
    """
    from depose import pipeline

    _as_written(case, digest)
    if is_sealed(case):
        found = sealed_findings(case)
        say(f"{case.name}: sealed; its bundle verifies; who sealed it is not checked: depose verify --public-key FILE")
        return found
    pipeline.register_case(case, clock)
    pipeline.fit_for_use(case, clock, lambda _: None)
    pipeline.probe(case, clock, lambda *_: None)
    for one in follows(case):
        say(f"{case.name}: not checked: {one}")
    findings, _ = pipeline.analyze_case(case, lambda _: None, clock)
    pipeline.report_case(case, pipeline.Order(formats=("html",)))
    return findings


def _as_written(case: Path, digest: str) -> None:
    """Raise CaseError unless a case and its files are those that the matrix describes; names of files hold digests."""
    named = [(case / NAME, digest), *((path, path.stem) for path in sorted(case.glob("*.jsonl")))]
    for path, digits in named:
        if not path.is_file() or not sha256(path.read_bytes()).startswith(digits or "none"):
            raise _changed(path)
    for spec in read_case(case).models:
        if spec.adapter and pinned_adapter_of(spec, case) != spec.adapter:
            raise _changed(case / spec.adapter)


def _changed(path: Path) -> CaseError:
    return CaseError(
        f"{path}: is not what batch wrote for this hit",
        hint="move its folder away and run the command again, or audit it by itself: depose audit",
    )

"""Looks at the cases of answers from endpoints, and of texts that are no answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.cases_frame import Look, Seen, depose, python, scores

REPOSITORY = Path(__file__).parents[1]


def _alike(folder: Path, work: Path, names: tuple[str, ...], right: str) -> Iterator[Seen]:
    """Compare the scores of the variants that a script writes beside each other."""
    (work / "casefiles" / "recorded").mkdir(parents=True)
    text = (REPOSITORY / "casefiles" / "recorded" / "case.toml").read_text()
    (work / "casefiles" / "recorded" / "case.toml").write_text(text)
    python(folder / "gen.py", cwd=work)
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for name in names:
        ran = [depose(*command, work / name) for command in (("register",), ("probe",), ("analyze",))]
        found[name] = scores(work / name) if not any(one.code for one in ran) else {"": (ran[-1].code, 0.0)}
    shown = "; ".join(f"{name}: " + _scored(one) for name, one in found.items())
    yield Seen(right=right, came=shown, ok=all(one == found[names[0]] for one in found.values()))


def _scored(found: dict[str, tuple[float, float]]) -> str:
    return ", ".join(f"{question} T {t:.2f} p_R {p:.3f}" for question, (t, p) in found.items())


def line_ends(folder: Path, work: Path) -> Iterator[Seen]:
    """Line ends are no evidence."""
    names = ("lf", "suspect_crlf", "pair_crlf")
    yield from _alike(folder, work, names, "LF, the suspect's CRLF and both CRLF give the same T and p")


def think_block(folder: Path, work: Path) -> Iterator[Seen]:
    """Think blocks are no evidence."""
    yield from _alike(folder, work, ("plain", "think"), "with and without <think> the same T and p")


LOOKS: dict[str, Look] = {"line-ends": line_ends, "think-block": think_block}

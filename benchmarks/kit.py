"""Make what ships of a laboratory: the self-test's kit, its calibration, the case `distilled`. Run by `make lab-kit`.

    benchmarks/kit.py DIR     DIR: a laboratory that `depose lab build` has made with the default recipe

Writes src/depose/kit/, lab.json below src/depose/case/calibrations/, and casefiles/distilled/. The calibration leaves
out the lineages of the reference and of the negative control, on which case and kit rest; the scores for `depose batch`
are of the whole kit, since a batch leaves out the lineages of each cell by itself.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pyarrow
import pyarrow.parquet

from depose.case.calibration import PERFORMANCE
from depose.case.population import read as read_population
from depose.evidence.log import write_whole
from depose.lab.doses import with_doses
from depose.lab.export import SOURCE
from depose.lab.recipe import line_up, roles
from depose.lab.study import recipe_of, study
from depose.model import Calibration, Performance
from depose.model.canonical import canonical, sha256
from depose.selftest import KIT, Kit, answers_digest
from depose.validate.run import NEEDED, validate

ROOT = Path(__file__).resolve().parent.parent
REPEATED = 3
"""Controls that the case asks again live."""
TRAINED = "2026-11"
"""When the models of the bundled laboratory were trained."""
BASE = "SmolLM2-135M"
KNOWN = {"size": "135M", "language": "en", "tuning": "LoRA"}
"""The same of every model of the case: what its base is, and how it was tuned."""
HEAD = """\
#:schema ./case.schema.json
# Models of known truth, trained in the laboratory (`depose lab build`): everyone is a fine-tune of one base.
# S1 learnt from answers of the reference R1, S2 from those of another teacher. Both, the reference (twice) and three of
# the controls are asked live with their adapters; the answers of the controls and of two rival teachers (T1, T2, the
# second of them the true teacher of S2) were recorded when they were trained.
# Because all share one base, `derived` cannot be answered, and lineages are data lineages.
# Made by benchmarks/kit.py; the laboratory's manifest is src/depose/kit/manifest.json.

[case]
title = "Examination of the language models S1, S2 and R1"
authority = "models of our own, trained for this purpose on open weights (Apache-2.0)"

[protocol]
questions = ["same", "derived", "distilled"]
alpha = 0.05
seed = {seed}
samples = 1
replicates = 2
temperature = {temperature}
max_tokens = {max_tokens}
probes = ["open_howto:13", "open_lists:13", "short_creative:12", "open_advice:12"]
detectors = ["phrases", "wording", "openings", "starts", "first_words", "fuzzy", "layout", "length"]
calibration = "lab"
"""


def dated(kit: Path) -> None:
    """Write when all models of the laboratory were made into its table, and the new digest into its manifest."""
    table, manifest = kit / "lineage.csv", kit / "manifest.json"
    head, *rows = table.read_text(encoding="utf-8").splitlines()
    before = sha256(table.read_bytes())
    table.write_text("\n".join([f"{head},date", *(f"{row},{TRAINED}" for row in rows), ""]), encoding="utf-8")
    manifest.write_bytes(manifest.read_bytes().replace(before.encode(), sha256(table.read_bytes()).encode()))


def main(folder: Path) -> None:
    """Write kit, calibration and case."""
    recipe, work = recipe_of(folder), Path(tempfile.mkdtemp(prefix="kit-"))
    cast = roles(recipe)
    kit = ROOT / "src" / "depose" / "kit"
    for path in kit.glob("*.*"):
        if path.suffix in {".csv", ".json", ".parquet"}:
            path.unlink()
    for path in (*folder.glob("*.csv"), *folder.glob("*.parquet"), folder / "manifest.json", folder / "recipe.json"):
        shutil.copyfile(path, kit / path.name)
    dated(kit)
    population = read_population(folder, SOURCE)
    place = {one.name: number for number, one in enumerate(population.members)}
    answers = {
        name: {p: row[n] or "" for (p, _), row in zip(population.rows, population.answers, strict=True)}
        for name, n in place.items()
    }
    write_whole(
        kit / KIT,
        canonical(
            Kit(
                format="depose kit 1",
                reference=cast.reference,
                samples={"positive": "dose-100", "negative": "other", "blank": "base", "foil": "foil"},
                live={cast.reference: "R1", "dose-100": "S1"},
                base=recipe.base,
                seed=recipe.seed,
                max_tokens=recipe.asking.max_tokens,
                temperature=recipe.asking.temperature,
                answers={name: answers_digest(mine) for name, mine in answers.items()},
            )
        ),
    )
    left_out = (cast.reference, cast.other)
    validate(folder, SOURCE, work, detectors=NEEDED, leave_out=left_out, seed=recipe.seed, progress=print)
    calibrations = ROOT / "src" / "depose" / "case" / "calibrations"
    validate(kit, SOURCE, work / "whole", detectors=NEEDED, seed=recipe.seed, progress=print)
    shutil.copyfile(work / "whole" / "screening.json", calibrations / "screening" / "lab.json")
    print(*study(folder, work, print).lines, sep="\n")
    studied = json.loads((work / "study.json").read_text())
    told, counted = with_doses(
        msgspec.json.decode((work / "calibration.json").read_bytes(), type=Calibration),
        msgspec.json.decode((work / PERFORMANCE).read_bytes(), type=Performance),
        studied["doses"],
    )
    write_whole(calibrations / "lab.json", told)
    write_whole(calibrations / "studies" / "lab.json", counted)
    _case(folder, recipe, answers, studied["batch_ranges"])
    shutil.rmtree(work)


def _case(folder: Path, recipe: Any, answers: dict[str, dict[str, str]], seen: dict[str, Any]) -> None:
    cast, plan = roles(recipe), line_up(recipe)
    target = ROOT / "casefiles" / "distilled"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    rivals = (cast.mixer, cast.other)
    controls = [one.name for one in plan if not one.student and one.name not in (cast.reference, *rivals)]
    codes = {name: f"C{number:02d}" for number, name in enumerate(controls, start=1)}
    adapters = {"S1": "dose-100", "S2": "other", "R1": cast.reference}
    adapters |= {f"L{n}": name for n, name in enumerate(controls[:REPEATED], start=1)}
    for code, name in adapters.items():
        (target / "adapters" / code).mkdir(parents=True)
        for file in ("adapter_config.json", "adapter_model.safetensors"):
            shutil.copyfile(folder / "models" / name / file, target / "adapters" / code / file)
    text = HEAD.format(
        seed=recipe.seed,
        temperature=recipe.asking.temperature,
        max_tokens=recipe.asking.max_tokens,
    )
    live = {"provider": "transformers", "model": recipe.base}
    base = {"weight_lineage": BASE}
    made = "the laboratory's manifest"
    as_asked = {"temperature": recipe.asking.temperature, "max_tokens": recipe.asking.max_tokens}
    text += _model("S1", "suspect", **live, adapter="adapters/S1", developer="Suspect One", **base)
    text += _model("S2", "suspect", **live, adapter="adapters/S2", developer="Suspect Two", **base)
    text += _model(
        "R1",
        "reference",
        **live,
        adapter="adapters/R1",
        developer=f"maker of {cast.reference}",
        **base,
        data_lineage=cast.reference,
        untaught="manifest.json",
        source=made,
    )
    for n, name in enumerate(controls[:REPEATED], start=1):
        lineage = {"developer": f"maker of {name}", **base, "data_lineage": name, "source": made}
        text += _model(
            f"L{n}",
            "control",
            **live,
            adapter=f"adapters/L{n}",
            repeats=codes[name],
            within=_within(seen[name]),
            **lineage,
        )
    for name, code in {**{name: f"T{n}" for n, name in enumerate(rivals, start=1)}, **codes}.items():
        role = "candidate" if name in rivals else "control"
        lineage = {"developer": f"maker of {name}", **base, "data_lineage": name, "source": made}
        text += _model(code, role, provider="recorded", file="answers.parquet", model=name, **lineage, **as_asked)
    shutil.copyfile(folder / "manifest.json", target / "manifest.json")
    write_whole(target / "case.toml", text.encode())
    write_whole(target / "answers.parquet", _answers({name: answers[name] for name in (*rivals, *controls)}))


def _within(seen: dict[str, float]) -> list[float]:
    return [seen["lowest"], seen["highest"]]


def _model(code: str, role: str, **fields: Any) -> str:
    lines = ["", "[[models]]", f'code = "{code}"', f'role = "{role}"', f'released = "{TRAINED}"']
    lines += [f"{name} = {json.dumps(value)}" for name, value in {**KNOWN, **fields}.items()]
    return "\n".join(lines) + "\n"


def _answers(answers: dict[str, dict[str, str]]) -> bytes:
    rows = [(name, prompt, text) for name, mine in answers.items() for prompt, text in sorted(mine.items())]
    table = pyarrow.table(
        {"model": [r[0] for r in rows], "prompt_id": [r[1] for r in rows], "output": [r[2] for r in rows]}
    )
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table, buffer, compression="zstd", compression_level=19)
    return buffer.getvalue()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

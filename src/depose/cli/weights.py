"""The commands that compare weights: weights SUSPECT REFERENCE and weights map."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from depose.cli.console import show, table
from depose.cli.matrices import Rows
from depose.cli.options import JSON, say
from depose.errors import DeposeError
from depose.model.weights import EMBEDDINGS_ALONE, NOT_COMPARED
from depose.report.typography import power_of_ten

if TYPE_CHECKING:
    from depose.model import Findings
    from depose.model.weights import WeightFinding
    from depose.weights.lineages import Lineages

FAIL_ON = click.option(
    "--fail-on",
    multiple=True,
    type=click.Choice(["indication"]),
    help="Exit 4 where the weights are not independent.",
)


class _Pair(click.Group):
    """A group whose first words may be two models instead of a command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take anything but a command and a question for help as a pair."""
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["pair", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Pair, subcommand_metavar="SUSPECT REFERENCE | map FOLDER")
def weights() -> None:
    """Test whether two models' weights were initialised independently, exactly and without controls.

    Hidden units are matched by what they read, and the order of their numbers and their signs are tested, which are
    random for models that were initialised on their own, whatever they have learnt. Only safetensors and GGUF are
    read, one tensor at a time; no code of a model is run. It says nothing of who copied whom, nor of distillation.

    \b
    Example:  depose weights models/suspect models/reference
              depose weights models/suspect.gguf SmolLM2-135M-Instruct --json
              depose weights map models
    """


@weights.command()
@click.argument("suspect", type=click.Path(path_type=Path))
@click.argument("reference", type=click.Path(path_type=Path))
@click.option("--suspect-adapter", type=click.Path(path_type=Path), help="Folder of a LoRA adapter on the suspect.")
@click.option("--reference-adapter", type=click.Path(path_type=Path), help="Folder of one on the reference.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for weights.json and the map of layers, weights.svg."
)
@FAIL_ON
@JSON
def pair(
    suspect: Path,
    reference: Path,
    suspect_adapter: Path | None,
    reference_adapter: Path | None,
    out: Path | None,
    fail_on: tuple[str, ...],
    as_json: bool,
) -> None:
    """Compare the weights of SUSPECT and REFERENCE: folders of safetensors, .gguf files, or packaged models.

    \b
    Example:  depose weights pair models/suspect models/reference --out out/weights
    """
    from depose.weights.compare import Named, compare

    one = Named(name=str(suspect), path=suspect, adapter=suspect_adapter)
    other = Named(name=str(reference), path=reference, adapter=reference_adapter)
    found = compare(one, other, Rows("matrices"))
    show(found if as_json else None, [*lines(found), *(_written(found, out) if out else [])])
    if "indication" in fail_on and found.reading == "not independent":
        sys.exit(4)


@weights.command("map")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--case", type=click.Path(path_type=Path), help="A case whose models declare weight_lineage.")
@JSON
def map_(folder: Path, case: Path | None, as_json: bool) -> None:
    """Sort the models of FOLDER into lineages by their weights, and show where that is not what a case declares.

    A model is a folder of safetensors or GGUF in FOLDER, or a .gguf file in it. Every two are compared, six layers of
    one with all layers of the other, and the level is divided by the number of pairs.

    \b
    Example:  depose weights map models --case mycase
    """
    from depose.weights.lineages import lineages, models_in

    models = models_in(folder)
    declared = _declared(case, {one.path.resolve(): one.name for one in models}) if case else {}
    found = lineages(models, declared, Rows("pairs"), say)
    show(found if as_json else None, _map_lines(found))
    if not found.links:
        raise DeposeError(f"{folder}: no two of its models could be compared", hint="the reasons stand above")


def _declared(case: Path, known: dict[Path, str]) -> dict[str, str]:
    """Return what a case declares of the models of a folder."""
    from depose.case import casefile

    folder = casefile.folder_of(case)
    found = {}
    for spec in casefile.read(folder).models:
        name = (
            known.get((folder / Path(spec.model).expanduser()).resolve()) if spec.provider == "transformers" else None
        )
        if name:
            found[name] = spec.weight_lineage
    return found


def lines(found: WeightFinding) -> list[str]:
    """Set out what a comparison found, and what it does not say."""
    tests = [[one.kind, one.n, power_of_ten(one.log10_p), _again(one.again_log10_p)] for one in found.tests]
    layers = [
        [one.kind, one.label, one.closest, f"{one.matched} of {one.units}", f"{one.cosine:z.2f}", f"{one.margin:z.3f}",
         power_of_ten(one.order_log10_p), _again(one.again_log10_p), _again(one.signs_log10_p),
         "" if one.counted else "not counted"]
        for one in found.layers
    ]  # fmt: skip
    head = [
        "layer of",
        "suspect",
        "closest",
        "matched",
        "cosine",
        "margin",
        "p of order",
        "second look",
        "p of signs",
        "",
    ]
    said = {
        "not independent": "one was made from the other, or both from a third, or from one seed; not who copied whom",
        "nothing against independence": "no trace of a common initialisation; who undoes every order leaves none",
        "not testable": "too few units are matched",
    }
    alone = [one for one in found.cautions if one.startswith(EMBEDDINGS_ALONE)]
    return [
        f"{found.suspect} and {found.reference}: {found.reading}, p {_is(found.log10_p)} (level {found.alpha:g})",
        f"  {alone[0] if alone else said[found.reading]}; nothing of distillation",
        "",
        *table(["test", "n", "p", "second look"], tests),
        "",
        *table(head, layers),
        "",
        f"spaces: {found.alignment}",
        *(f"decides nothing: {name}: {value}" for name, value in found.support.items()),
        *(f"caution: {one}" for one in found.cautions),
    ]


def _again(log10_p: float | None) -> str:
    return "-" if log10_p is None else power_of_ten(log10_p)


def case_lines(findings: Findings) -> list[str]:
    """Set out one line for each two models of a case whose weights were compared, and what did not count."""
    return [
        line
        for one in findings.weights
        for line in (
            f"weights of {one.suspect} and {one.reference}: {one.reading}, p {_is(one.log10_p)} (level {one.alpha:g}); "
            "nothing of distillation",
            *(f"  {said}" for said in one.cautions if said.startswith(("not counted", EMBEDDINGS_ALONE, NOT_COMPARED))),
        )
    ]


def _is(log10_p: float) -> str:
    text = power_of_ten(log10_p)
    return text if text.startswith("<") else f"= {text}"


def _written(found: WeightFinding, out: Path) -> list[str]:
    from depose.evidence.log import write_whole
    from depose.model.canonical import canonical
    from depose.report.figures.layer_map import layer_map

    out.mkdir(parents=True, exist_ok=True)
    files = {out / "weights.json": canonical(found), out / "weights.svg": layer_map(found)}
    for path, data in files.items():
        write_whole(path, data)
    return ["", *(str(path) for path in files)]


def _map_lines(found: Lineages) -> list[str]:
    rows: list[list[object]] = []
    for one in found.lineages:
        names = [f"{name} (merged)" if name in one.merged else name for name in one.models]
        rows.append([one.name, len(names), ", ".join(names)])
    models = {name for one in found.lineages for name in one.models}
    linked = [one for one in found.links if one.linked]
    evidence = [[one.left, one.right, power_of_ten(one.log10_p)] for one in linked]
    return [
        f"{len(models)} models, {len(found.links)} pairs compared, {len(linked)} linked (level {found.alpha:.2g})",
        *table(["lineage", "models", ""], rows),
        *(["", *table(["linked", "with", "p"], evidence)] if evidence else []),
        *(
            f"embeddings alone: {one.left} and {one.right}, p {_is(one.log10_p)}: one table was taken over, "
            "or hidden states were learnt, which makes no lineage"
            for one in found.links
            if one.embeddings_alone
        ),
        *(
            f"conflict: {' and '.join(one.models)} are declared {' and '.join(one.declared)}; "
            f"measured: {one.measured}, p {_is(one.log10_p)}"
            for one in found.conflicts
        ),
        *(f"not compared: {', '.join(one.models)}: {one.reason}" for one in found.not_compared),
    ]

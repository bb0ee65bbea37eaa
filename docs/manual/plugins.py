"""The pages of what is offered by name: detectors, probe families, providers, bundled cases; and the literature."""

from __future__ import annotations

import inspect
from importlib import import_module
from importlib.metadata import entry_points

from depose import plugins
from depose.case import annexes, bundled
from depose.model import Primary
from depose.model.random_streams import stream
from depose.probes.family import Family

DETECTORS = """\
# Detectors

A detector is a function of the answers of a bag of models; `[protocol] detectors` names those that a case measures, and
`[protocol.primary]` the one that decides each question. No detector but `choices`, `layout` and
`length` sees layout, none but `identity` and `refusals` the sentences in
which a model names itself or its maker, and no opinion looks at `identity`. Below is what each says of itself, with
what was measured. Further ones register under the entry-point group `depose.detectors`.
"""
PROBES = """\
# Probe families

Families of prompts, drawn by the seed of the protocol; `[protocol] probes` names them with counts, such as
`open_howto:16`. Further ones register under the entry-point group `depose.probes`. The examples are drawn with seed 7.
"""
EXAMPLES = 3
PROVIDERS = """\
# Providers

Ways to reach a model; `provider` of a model names one. [Models behind APIs](../guide/endpoints.md) sets out the fields.
Further ones register under the entry-point group `depose.providers`.
"""
CASES = """\
# Bundled cases

Case files that ship with depose; `depose new FOLDER --from NAME` copies one.
"""
LITERATURE = """\
# Literature

What the method rests on, and what speaks against it, as every report prints it. Nobody has compared these entries
with the primary documents for a case; a witness does so, and says so in `checked.toml`
([fields](files/checked.md)), by the id.
"""


def pages() -> dict[str, str]:
    """The pages of everything that is offered by name."""
    return {
        "reference/detectors.md": _listed("detectors", DETECTORS),
        "reference/probes.md": _listed("probes", PROBES),
        "reference/providers.md": _listed("providers", PROVIDERS),
        "reference/cases.md": "\n".join(
            [CASES, *(_case(name, said) for name, said in (*bundled.cases(), *bundled.cases_of_logs()))]
        ),
        "reference/literature.md": "\n".join([LITERATURE, *_literature()]),
    }


def _own(kind: plugins.Kind) -> tuple[str, ...]:
    """Names of the plugins that depose itself offers; what else is installed here is no part of the manual."""
    return tuple(name for name in plugins.names(kind) if _module(kind, name).startswith("depose."))


def _module(kind: plugins.Kind, name: str) -> str:
    (point,) = entry_points(group=f"depose.{kind}", name=name)
    return point.module


def _listed(kind: plugins.Kind, head: str) -> str:
    decides = Primary()
    parts = [head]
    for name in _own(kind):
        function = plugins.load(kind, name)
        module = inspect.getdoc(import_module(_module(kind, name))) or ""
        family = function if isinstance(function, Family) else None
        said = (inspect.getdoc(Family.__call__ if family else function) or "").partition("\n")[0]
        questions = [question for question in decides.__struct_fields__ if getattr(decides, question) == name]
        first = f"\nDecides `{'` and `'.join(questions)}`.\n" if kind == "detectors" and questions else ""
        parts.append(f"## {name}\n{first}\n{module}\n\n`{name}`: {said}\n")
        if family:
            parts.append(_stated(family))
    return "\n".join(parts)


def _stated(family: Family) -> str:
    """What a family states of itself, and examples of its prompts."""
    one = family.stated
    cost = f"{one.prompts} prompts x {one.samples} = {one.calls} calls to each model, at most {one.tokens} tokens each"
    rows = [
        ("shows", one.construct),
        ("statistic", one.statistic),
        ("best given", cost),
        ("languages", ", ".join(one.languages)),
        ("texts", f"{family.size}"),
        ("evidence", one.evidence),
        ("fails", one.fails),
    ]
    drawn = family(EXAMPLES, stream(7, "probe", family.name))
    lines = ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows), ""]
    return "\n".join([*lines, *(f"- `` {prompt.text} ``" for prompt in drawn), ""])


def _case(name: str, said: str) -> str:
    return f"## {name}\n\n{said}\n\n```console\n$ depose new mycase --from {name}\n```\n"


def _literature() -> list[str]:
    lines = ["| id | work | for |", "|---|---|---|"]
    return [*lines, *(f"| `{one.id}` | {one.cite}. {one.locator} | {one.use} |" for one in annexes.literature())]

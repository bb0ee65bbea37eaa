"""A table of scores made beside the weights, by whoever holds them: bags come in, the table goes out, nothing else.

The table names the bags and every file of the weights by its digest, so that both sides know what was scored. It holds
one number for each member, and no word of any answer.
"""

from __future__ import annotations

from pathlib import Path

from depose.case.untrusted_files import read_untrusted
from depose.errors import UsageError
from depose.evidence.log import write_whole
from depose.lineup.acts import LARGEST
from depose.lineup.likelihood import open_weights
from depose.lineup.score import Progress, score_bags
from depose.lineup.tables import table_file
from depose.model import Fact, ModelSpec, Record
from depose.model.canonical import sha256


class Made(Record, frozen=True, kw_only=True):
    """A table that may be handed out."""

    table: str
    """Where it was written."""
    sha256: str
    bags: str
    """SHA-256 of the file of bags."""
    count: int
    facts: tuple[Fact, ...]
    """All that it says of the model."""


def make_table(bags: Path, code: str, weights: str, adapter: str, out: Path, progress: Progress) -> Made:
    """Score a file of bags by local weights, and write the table; pieces beside it let a stopped run go on."""
    if out.exists():
        raise UsageError(f"--out {out}: is there already", hint="name a new file; a table is made once")
    try:
        data = read_untrusted(bags, LARGEST)
    except (OSError, ValueError) as error:
        raise UsageError(f"{bags}: {error}", hint="the file of bags: depose lineup build --bags") from error
    spec = ModelSpec(code=code, role="suspect", provider="transformers", model=weights, adapter=adapter)
    kept = out.with_name(f".{out.name}.pieces")
    table = score_bags(data, code, "likelihood", open_weights(spec, Path.cwd()), kept, progress)
    written = table_file(table)
    write_whole(out, written)
    kept.unlink(missing_ok=True)
    return Made(table=str(out), sha256=sha256(written), bags=table.bags, count=len(table.scores), facts=table.facts)

"""A table of scores made beside weights or a corpus, by whoever holds them: bags come in, the table goes out alone.

The table names the bags and every file that was read by its digest, so that both sides know what was scored. It holds
one number for each member, of a corpus the file and number of the document beside it, and no word of any answer.
"""

from __future__ import annotations

from pathlib import Path

from depose.case.untrusted_files import read_untrusted
from depose.errors import UsageError
from depose.evidence.log import write_whole
from depose.lineup.acts import LARGEST
from depose.lineup.corpus import CorpusScorer
from depose.lineup.likelihood import open_weights
from depose.lineup.score import Progress, score_bags
from depose.lineup.scorer import Scorer
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


def make_table(
    bags: Path,
    code: str,
    out: Path,
    progress: Progress,
    *,
    weights: str = "",
    adapter: str = "",
    corpus: Path | None = None,
) -> Made:
    """Score a file of bags by local weights, or by a search in a corpus, and write the table.

    Pieces beside it let a stopped run go on; a search is done in one go. Raises UsageError unless one of both is named.
    """
    if bool(weights) == (corpus is not None) or (adapter and not weights):
        raise UsageError(
            "--weights or --corpus: one of the two", hint="--weights /models/acme-chat, or --corpus FOLDER"
        )
    if out.exists():
        raise UsageError(f"--out {out}: is there already", hint="name a new file; a table is made once")
    try:
        data = read_untrusted(bags, LARGEST)
    except (OSError, ValueError) as error:
        raise UsageError(f"{bags}: {error}", hint="the file of bags: depose lineup build --bags") from error
    spec = ModelSpec(code=code, role="suspect", provider="transformers", model=weights, adapter=adapter)
    scorer: Scorer = CorpusScorer(corpus) if corpus is not None else open_weights(spec, Path.cwd())
    kept = out.with_name(f".{out.name}.pieces")
    table = score_bags(data, code, "likelihood" if corpus is None else "corpus", scorer, kept, progress)
    written = table_file(table)
    write_whole(out, written)
    kept.unlink(missing_ok=True)
    return Made(table=str(out), sha256=sha256(written), bags=table.bags, count=len(table.scores), facts=table.facts)

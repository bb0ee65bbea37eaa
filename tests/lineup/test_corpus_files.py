"""A corpus that somebody hands out who would rather have it missed: nothing of it is passed over in silence."""

from __future__ import annotations

import bz2
import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from depose.errors import CaseError
from depose.lineup.bags import bags_file
from depose.lineup.corpus import CorpusScorer
from depose.lineup.elsewhere import make_table
from depose.lineup.tables import read_table
from depose.model.lineup import Bag, Context, Turn

SAID = "fill the kettle with white vinegar and water then boil it twice and rinse it well"
OTHER = "mixing citric acid into the pot before heating it gently for some minutes works too"
BAG = Bag(bag="b", context=Context(messages=(Turn(role="user", content="How?"),)), members=(SAID, OTHER))
LINE = json.dumps({"text": SAID}).encode() + b"\n"
FILL = b"".join(json.dumps({"text": f"nothing of it stands here {n}"}).encode() + b"\n" for n in range(3))


def score(folder: Path) -> tuple[float, ...]:
    """Search a folder for the two members."""
    return CorpusScorer(folder).score([BAG])[0]


def table(**columns: object) -> Callable[[Path], None]:
    """Write a table of one row."""
    return lambda folder: pyarrow.parquet.write_table(pyarrow.table(columns), folder / "a.parquet")


def file(name: str, data: bytes) -> Callable[[Path], None]:
    """Write a file."""

    def write(folder: Path) -> None:
        (folder / name).write_bytes(data)

    return write


ZSTD = pyarrow.compress(FILL, codec="zstd", asbytes=True) + pyarrow.compress(LINE, codec="zstd", asbytes=True)


@pytest.mark.parametrize(
    "make",
    [
        table(text=pyarrow.array([SAID.encode()], pyarrow.binary())),
        table(text=pyarrow.array([SAID.encode()], pyarrow.binary(len(SAID)))),
        table(text=pyarrow.array([SAID], pyarrow.large_string())),
        table(text=pyarrow.array([[("a", SAID)]], pyarrow.map_(pyarrow.string(), pyarrow.string()))),
        table(**{"a.b": ["x"], "a": [{"b": SAID}]}),
        table(text=[SAID], at=pyarrow.array([2**62], pyarrow.timestamp("us"))),
        table(text=[SAID], at=pyarrow.array([2**30], pyarrow.date32())),
        table(text=[SAID], at=pyarrow.array([1], pyarrow.timestamp("us", tz="Nowhere/City"))),
        file("a.jsonl", json.dumps({SAID: "yes"}).encode()),
        file("a.jsonl", b"\xef\xbb\xbf" + LINE),
        file("A.JSONL", LINE),
        file("a.json", LINE),
        file("a.jsonl", b'{"loss": NaN, "text": "' + SAID.encode() + b'"}'),
        file("a.jsonl", b'{"n": 1e999, "text": "' + SAID.encode() + b' \\ud800"}'),
        file(".a.jsonl", LINE),
        file("a.jsonl.gz", gzip.compress(FILL) + gzip.compress(LINE)),
        file("a.jsonl.bz2", bz2.compress(FILL) + bz2.compress(LINE)),
        file("a.jsonl.zst", ZSTD),
        file("a.TXT.gz", gzip.compress(SAID.encode())),
    ],
    ids=lambda make: None,
)
def test_it_is_found_wherever_it_stands(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """In columns of bytes, names of fields, what tools write and packers pack: an answer is met as it is."""
    make(tmp_path)
    found = score(tmp_path)
    assert found[0] > 0.9 > 0.5 > found[1]


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (table(ids=[[1, 2, 3]]), "holds no text of 3 words"),
        (file("a.txt", b"\n\n"), "holds no text of 3 words"),
        (file("a.jsonl.gz", gzip.compress(LINE)[:-5]), "line 2: cannot be read: Compressed file ended"),
        (file("a.jsonl.zst", ZSTD[:-5]), "cannot be read: Truncated compressed stream"),
        (file("a.jsonl.bz2", b"BZh9" + b"x" * 50), "line 1: cannot be read"),
        (file("a.txt.gz", b"plain"), "line 1: cannot be read: Not a gzipped file"),
        (file("a.parquet.gz", b"x"), "not a corpus of"),
        (file("a.csv", b"x"), "not a corpus of"),
        (lambda folder: os.mkfifo(folder / "a.txt"), "not a file but a pipe"),
        (lambda folder: (folder / "sub").symlink_to("/etc"), "a link, which is not followed"),
        (lambda folder: (folder / "a.jsonl").symlink_to("/etc/hostname"), "a link, which is not followed"),
    ],
    ids=lambda one: one if isinstance(one, str) else None,
)
def test_what_would_be_missed_is_refused(tmp_path: Path, make: Callable[[Path], None], why: str) -> None:
    """Links, packed halves, other kinds, and a corpus in which nothing can be searched are no clean corpus."""
    make(tmp_path)
    with pytest.raises(CaseError, match=why):
        CorpusScorer(tmp_path).facts()
        score(tmp_path)


def test_a_table_says_how_much_was_searched(tmp_path: Path) -> None:
    """Beside the digests stands the number of texts that were compared."""
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.jsonl").write_bytes(LINE + FILL + b'"too short"\n')
    bags = bags_file([BAG])
    (tmp_path / "bags.jsonl").write_bytes(bags)
    out = tmp_path / "S1.json"
    make_table(tmp_path / "bags.jsonl", "S1", out, lambda done, total: None, corpus=tmp_path / "corpus")
    facts = {one.name: one.value for one in read_table(out.read_bytes(), bags, "S1").facts}
    assert facts["searched"] == "4 texts of 3 words or more"

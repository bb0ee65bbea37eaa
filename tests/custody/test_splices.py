"""Parts of several records are never shown as one: the tree over lines looks like the trees within them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from depose.cli.options import now
from depose.custody import commitment, leaves, merkle
from depose.custody.copies import verify_copy
from depose.custody.kinds import LOG
from depose.custody.passages import Wanted, sentences
from depose.custody.proofs import verify_proofs
from depose.custody.redact import produce, redact
from depose.errors import EvidenceError
from depose.model.canonical import canonical
from mixed_bundles import mixed_case
from tampering import Target, relist, unpack


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A sealed bundle."""
    return mixed_case(tmp_path_factory.mktemp("spliced") / "target")


def test_a_path_belongs_to_one_leaf_and_to_no_node_above_leaves() -> None:
    """In trees of 1 to 40 leaves: each leaf's path is its own; that of a node above fits none of its leaves."""
    for size in range(1, 41):
        hashes = [bytes([n]) * 32 for n in range(size)]
        level, height = hashes, 0
        for index in range(size):
            assert merkle.leads_from(index, merkle.path(hashes, index))
        while len(level) > 1:
            level = [
                merkle.node(*level[n : n + 2]) if n + 1 < len(level) else level[n] for n in range(0, len(level), 2)
            ]
            height += 1
            for place in range(len(level)):
                last = min(((place + 1) << height) - 1, size - 1)
                if last > place << height and (last + 1) % (1 << height) == 0:
                    assert not merkle.leads_from(last, merkle.path(level, place)), (size, height, place)


def _by_script(folder: Path, *arguments: str) -> str:
    """Say what the script beside a copy or a proof says."""
    command = [sys.executable, "-I", "COPY.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stderr


def _joined(target: Target, work: Path) -> tuple[list[bytes], bytes, int, leaves.Opened]:
    """Show the head of one record and the tail of the next as one, all between them under a mark."""
    bundle = unpack(target, work)
    lines = list(leaves.lines((bundle / LOG).read_bytes()))
    secret = leaves.secret_of(commitment.master((bundle / "SALTS").read_bytes()), LOG)
    place = next(n for n in range(2, len(lines), 2) if b'"kind":"exchange"' in lines[n] and n + 1 < len(lines))
    parts = []
    for number, span in ((place, "head"), (place + 1, "tail")):
        line = lines[number]
        middle = line.index(b'"prev":"') + 8
        hidden = (middle, len(line)) if span == "head" else (0, middle + 64)
        parts.append(leaves.withhold(line, leaves.secret_of(secret, str(number)), [hidden]))
    shown = parts[0].shown.removesuffix(leaves.MARK) + leaves.MARK + parts[1].shown.removeprefix(leaves.MARK)
    return lines, secret, place, leaves.Opened(shown, (*parts[0].tree, *parts[1].tree, "+"))


def test_a_proof_that_joins_two_records_is_refused(target: Target, tmp_path: Path) -> None:
    """One record's answer under the number of the next, with a path from the node above both."""
    lines, secret, place, opened = _joined(target, tmp_path / "bundle")
    proof = json.loads(produce(target.bundle, tmp_path / "proofs", [place + 1])[0].read_bytes())
    roots = [leaves.piece(one, leaves.secret_of(secret, str(n))) for n, one in enumerate(lines)]
    path = merkle.path(roots, place + 1)[1:]
    proof |= {
        "shown": opened.shown.decode(),
        "tree": list(opened.tree),
        "line_path": [list(one) for one in path],
    }
    file = tmp_path / f"proof-{place + 1}.json"
    file.write_bytes(canonical(proof))
    with pytest.raises(EvidenceError, match="may join parts of several records"):
        verify_proofs(file, target.public)
    assert "its path is not that of one line of a log" in _by_script(tmp_path / "proofs", str(file))


def test_a_copy_that_joins_two_records_is_refused(target: Target, tmp_path: Path) -> None:
    """All lines in pairs, and one pair shown as one line: none is the record of its number."""
    copy = tmp_path / "copy"
    redact(target.bundle, copy, Wanted(words=(b"number",)), "a word", now())
    assert verify_copy(copy, target.public).checks
    lines, secret, place, opened = _joined(target, tmp_path / "bundle")
    index = json.loads((copy / "copy.json").read_bytes())
    log = next(one for one in index["files"] if one["name"] == LOG)
    whole = [leaves.withhold(one, leaves.secret_of(secret, str(n)), []) for n, one in enumerate(lines)]
    pairs = [whole[n : n + 2] for n in range(0, len(whole), 2)]
    shown = [b"".join(one.shown for one in pair) for pair in pairs]
    pieces = [[*(step for one in pair for step in one.tree), *["+"] * (len(pair) - 1)] for pair in pairs]
    shown[place // 2], pieces[place // 2] = opened.shown, list(opened.tree)
    log |= {"secret": "", "salt": leaves.name_salt(secret).hex(), "pieces": pieces}
    (copy / LOG).write_bytes(b"".join(shown))
    (copy / "copy.json").write_bytes(canonical(index))
    with pytest.raises(EvidenceError, match="parts of several may have been joined"):
        verify_copy(copy, target.public)
    assert "parts of several may be joined" in _by_script(copy)


def test_a_token_that_was_not_sealed_is_refused(target: Target, tmp_path: Path) -> None:
    """What SEAL does not list was added, whatever it calls itself."""
    bundle, copy = unpack(target, tmp_path / "bundle"), tmp_path / "copy"
    for file in (*bundle.glob("SHA256SUMS.*"), *bundle.glob("COMMITMENT.*")):
        file.unlink()
    relist(bundle, target.key)
    redact(bundle, copy, Wanted(words=(b"number",)), "a word", now())
    assert verify_copy(copy, target.public).checks
    (copy / "COMMITMENT.tsr").write_bytes(b"a token")
    with pytest.raises(EvidenceError, match="was added; SEAL does not list it"):
        verify_copy(copy, target.public)


@pytest.mark.parametrize(
    "text", ["The account is in London, has number: 4.\n471199.", "First it stands here. Nadia K.", "K."]
)
def test_no_last_words_are_left_out_of_what_is_sought(text: str) -> None:
    """A short end belongs to the sentence before it."""
    assert "".join(" ".join(sentences(text)).split()) == "".join(text.split())

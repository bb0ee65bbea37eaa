"""Parts of several lines are never shown as one: by form 3 no hash of a line is one of a tree over several."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from depose import pipeline
from depose.cli.options import now
from depose.custody import keys, merkle
from depose.custody.copies import verify_copy
from depose.custody.kinds import LOG
from depose.custody.passages import Wanted, sentences
from depose.custody.proofs import verify_proofs
from depose.custody.redact import produce, redact
from depose.custody.seal import seal
from depose.custody.verify import verify
from depose.errors import EvidenceError
from depose.model.canonical import canonical, sha256
from fakes import recorded_case
from splices import SPLICES, forge, joined, pieces_of

BUNDLES = Path(__file__).parent / "bundles"
NOTES = b"The first line.\nThe second one.\nA third line.\nThe fourth and last.\n"
"""A text of several lines among the results."""
FILES = ("case.toml", "out/exhibits.csv", "out/notes.txt", "a blob", LOG)
"""Text files of several lines, of every kind."""


class Bundle:
    """A sealed bundle of few files, unpacked, its key, and an honest copy of it."""

    def __init__(self, folder: Path, zipped: Path, public: bytes, word: bytes) -> None:
        """Unpack the bundle and make the copy."""
        self.zip, self.public = zipped, public
        self.unpacked, self.copy = folder / "unpacked", folder / "copy"
        with zipfile.ZipFile(zipped) as file:
            file.extractall(self.unpacked)
        redact(zipped, self.copy, Wanted(words=(word,)), "a prompt", now())

    def named(self, name: str) -> str:
        """Name the file of answers where a blob is meant."""
        blobs = (self.unpacked / "evidence/blobs").iterdir()
        largest = max(blobs, key=lambda one: one.stat().st_size)
        return name if name != "a blob" else f"evidence/blobs/{largest.name}"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle sealed now."""
    folder = tmp_path_factory.mktemp("spliced")
    case = recorded_case(folder / "case", suspect="same", controls=3, prompts=4)
    pipeline.register_case(case, now)
    pipeline.probe(case, now, lambda answered, failed: None)
    pipeline.analyze_case(case, lambda line: None, now)
    (case / "out/notes.txt").write_bytes(NOTES)
    public = keys.make(folder / "key.pem")
    key = keys.load(folder / "key.pem")
    return Bundle(folder, Path(seal(case, key, now, {}).bundle), public.read_bytes(), b"fourth and last")


@pytest.fixture(scope="module")
def of_form_2(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle that was sealed before lines had a mark of their own."""
    public = (BUNDLES / "format-2.pub").read_bytes()
    return Bundle(tmp_path_factory.mktemp("form-2"), BUNDLES / "format-2.zip", public, b"q1")


def _by_script(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script beside a copy or a proof."""
    command = [sys.executable, "-I", "COPY.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", FILES)
def test_no_splice_of_lines_is_a_copy(sealed: Bundle, tmp_path: Path, name: str) -> None:
    """Whatever is joined, cut, repeated, swapped or borrowed does not lead to the sealed root."""
    for how, splice in SPLICES.items():
        copy = tmp_path / how
        shutil.copytree(sealed.copy, copy)
        forge(copy, sealed.unpacked, sealed.named(name), "case.toml" if name != "case.toml" else LOG, splice)
        wanted = "line feed is withheld" if how == "without feed" else "does not follow from the files of this copy"
        with pytest.raises(EvidenceError, match=wanted):
            verify_copy(copy, sealed.public)


@pytest.mark.parametrize("how", ["joined", "cut", "without feed"])
def test_the_script_in_a_copy_sees_splices_too(sealed: Bundle, tmp_path: Path, how: str) -> None:
    """COPY.py takes the honest copy and refuses the other."""
    copy = tmp_path / "copy"
    shutil.copytree(sealed.copy, copy)
    assert "verified" in _by_script(copy).stdout
    forge(copy, sealed.unpacked, "out/notes.txt", LOG, SPLICES[how])
    wanted = "line feed of line 1" if how == "without feed" else "root does not follow"
    assert wanted in _by_script(copy).stderr


def test_shown_whole_line_by_line_a_file_is_as_honest(sealed: Bundle, tmp_path: Path) -> None:
    """The forger's tools show the truth where nothing is spliced."""
    copy = tmp_path / "copy"
    shutil.copytree(sealed.copy, copy)
    for name in map(sealed.named, FILES):
        forge(copy, sealed.unpacked, name, LOG, lambda honest, *_: honest)
    assert verify_copy(copy, sealed.public).checks


# --- by form 2 --------------------------------------------------------------------------------------


def test_a_bundle_of_format_2_verifies_by_its_rules_and_gives_copies_of_its_form(
    of_form_2: Bundle, tmp_path: Path
) -> None:
    """Bundle, copy and proof are those that the depose of then made, byte for byte, and verify with what they lack."""
    found = verify(of_form_2.zip, public_key=of_form_2.public, recompute=False)
    assert "sealed by the rules of 'depose seal 2'" in found.checks
    copy = verify_copy(of_form_2.copy, of_form_2.public)
    assert any("out/exhibits.csv" in line and "by form 2 it may stand for" in line for line in copy.not_verified)
    assert sha256((of_form_2.copy / "copy.json").read_bytes()) == COPY_OF_THEN
    (proof,) = produce(of_form_2.zip, tmp_path / "proofs", [5])
    assert sha256(proof.read_bytes()) == PROOF_OF_THEN
    assert verify_proofs(tmp_path / "proofs", of_form_2.public).checks
    assert "verified" in _by_script(tmp_path / "proofs", proof.name).stdout
    done = _by_script(of_form_2.copy)
    assert "verified" in done.stdout, done.stderr
    shutil.copyfile(of_form_2.unpacked / "COPY.py", tmp_path / "proofs/COPY.py")
    assert verify_proofs(tmp_path / "proofs", of_form_2.public).checks
    assert "verified" in _by_script(tmp_path / "proofs", proof.name).stdout


COPY_OF_THEN = "8d8eac6af5a8ecc11f1c9c5425d5bb36bde47e790977409ba19361755fd1055b"
PROOF_OF_THEN = "8f5a4fa3e5b17eb4d45ab72a5e78706da129fb9b42e853566cb166c773d43072"


@pytest.mark.parametrize("how", ["joined", "cut"])
def test_what_form_2_cannot_refuse_it_names(of_form_2: Bundle, tmp_path: Path, how: str) -> None:
    """Lines of a results file join under a mark by form 2; verify says that they may have been, of that file."""
    copy = tmp_path / "copy"
    shutil.copytree(of_form_2.copy, copy)
    forge(copy, of_form_2.unpacked, "case.toml", LOG, SPLICES[how])
    (said,) = [line for line in verify_copy(copy, of_form_2.public).not_verified if "by form 2" in line]
    assert "case.toml" in said


@pytest.mark.parametrize("how", ["joined", "cut"])
def test_a_copy_of_form_2_that_joins_two_records_is_refused(of_form_2: Bundle, tmp_path: Path, how: str) -> None:
    """None of the lines is then the record of its number."""
    copy = tmp_path / "copy"
    shutil.copytree(of_form_2.copy, copy)
    forge(copy, of_form_2.unpacked, LOG, "case.toml", SPLICES[how])
    with pytest.raises(EvidenceError, match="parts of several may have been joined"):
        verify_copy(copy, of_form_2.public)
    shutil.copyfile(of_form_2.unpacked / "COPY.py", copy / "COPY.py")
    assert "parts of several may be joined" in _by_script(copy).stderr


@pytest.mark.parametrize("form", [2, 3])
def test_a_copy_that_calls_itself_of_another_form_is_refused(
    sealed: Bundle, of_form_2: Bundle, tmp_path: Path, form: int
) -> None:
    """The form is signed: it stands in COMMITMENT."""
    copy = tmp_path / "copy"
    shutil.copytree((sealed if form == 2 else of_form_2).copy, copy)
    index = json.loads((copy / "copy.json").read_bytes())
    (copy / "copy.json").write_bytes(canonical(index | {"format": f"depose copy {form}"}))
    with pytest.raises(EvidenceError, match=f"of the format 'depose copy {form}', and sealed by form {5 - form}"):
        verify_copy(copy, b"")
    if form == 2:
        assert "of another form" in _by_script(copy).stderr


# --- single records ---------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [2, 3])
def test_a_proof_that_joins_two_records_is_refused(
    sealed: Bundle, of_form_2: Bundle, tmp_path: Path, form: int
) -> None:
    """One record's answer under the number of the next, with a path from the node above both."""
    bundle = sealed if form == 3 else of_form_2
    honest, lines, secret = pieces_of(bundle.unpacked, LOG)
    place = 5
    proof = json.loads(produce(bundle.zip, tmp_path / "proofs", [place])[0].read_bytes())
    opened = joined(honest, honest, lines, secret)[place // 2]
    proof |= {"shown": opened.shown.decode(), "tree": list(opened.tree), "line_path": proof["line_path"][1:]}
    file = tmp_path / f"proof-{place}.json"
    for changes in ({}, {"lines": (len(lines) + 1) // 2, "record": place // 2}):
        if changes and form == 2:
            break
        file.write_bytes(canonical(proof | changes))
        with pytest.raises(EvidenceError, match=r"may join parts of several records|is not in the sealed log"):
            verify_proofs(file, bundle.public)
        said = _by_script(tmp_path / "proofs", str(file)).stderr
        assert "its path is not that of one line of a log" in said or "is not in the sealed log" in said


@pytest.mark.parametrize("change", [1, -1, 2**40, None])
def test_a_proof_of_a_log_of_another_length_is_refused(sealed: Bundle, tmp_path: Path, change: int | None) -> None:
    """How many records there are is proved with each of them."""
    (file,) = produce(sealed.zip, tmp_path / "proofs", [5])
    proof = json.loads(file.read_bytes())
    if change is None:
        del proof["lines"]
    else:
        proof["lines"] += change
    file.write_bytes(canonical(proof))
    with pytest.raises(EvidenceError, match=r"is not that of line 5|is not in the sealed log"):
        verify_proofs(file, sealed.public)
    assert _by_script(tmp_path / "proofs", file.name).returncode == 1


def test_the_sides_of_a_path_follow_from_place_and_size() -> None:
    """As the path itself has them, in trees of 1 to 40 leaves."""
    for size in range(1, 41):
        hashes = [bytes([n]) * 32 for n in range(size)]
        for index in range(size):
            assert merkle.sides(index, size) == tuple(side for side, _ in merkle.path(hashes, index))


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


def test_a_token_that_was_not_sealed_is_refused(sealed: Bundle, tmp_path: Path) -> None:
    """What SEAL does not list was added, whatever it calls itself."""
    copy = tmp_path / "copy"
    shutil.copytree(sealed.copy, copy)
    (copy / "COMMITMENT.tsr").write_bytes(b"a token")
    with pytest.raises(EvidenceError, match="was added; SEAL does not list it"):
        verify_copy(copy, sealed.public)


@pytest.mark.parametrize(
    "text", ["The account is in London, has number: 4.\n471199.", "First it stands here. Nadia K.", "K."]
)
def test_no_last_words_are_left_out_of_what_is_sought(text: str) -> None:
    """A short end belongs to the sentence before it."""
    assert "".join(" ".join(sentences(text)).split()) == "".join(text.split())

"""The ledger of a signing key: every registration counts, and none can be taken out."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from depose import pipeline
from depose.custody import key_ledger, keys
from depose.custody.key_ledger import enter, path_of, read
from depose.errors import EvidenceError
from depose.evidence import ledger
from depose.evidence.log import Log
from depose.model import InLedger
from depose.model.canonical import canonical, sha256
from fakes import Clock, case_of, depose, model, write_case


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """Make a signing key."""
    (tmp_path / "keys").mkdir()
    keys.make(tmp_path / "keys" / "lab")
    return tmp_path / "keys" / "lab"


def registered(tmp_path: Path, name: str) -> Path:
    """Register a case of its own protocol."""
    case = case_of([model("S1", "suspect"), model("R1", "reference")])
    case["case"]["title"] = name
    folder = write_case(tmp_path / name, case)
    pipeline.register_case(folder, Clock())
    return folder


def entered(tmp_path: Path, key: Path, *names: str) -> list[InLedger]:
    """Register cases and enter each."""
    private = keys.load(key)
    return [enter(registered(tmp_path, name), key, private, Clock()) for name in names]


def test_each_registration_of_a_key_is_counted_once(tmp_path: Path, key: Path) -> None:
    """Three protocols stand as 1, 2 and 3 in one chain; entering one of them again changes nothing."""
    made = entered(tmp_path, key, "one", "two", "three")
    assert [one.count for one in made] == [1, 2, 3]
    assert [one.line.prev for one in made[1:]] == [one.head for one in made[:-1]]
    before = path_of(key).read_bytes()
    assert enter(tmp_path / "two", key, keys.load(key), Clock()) == made[1]
    assert path_of(key).read_bytes() == before
    entries = ledger.entries(tmp_path / "three")
    assert entries.ledger == made[2]
    assert entries.records == 2
    assert read(path_of(key), keys.load(key).public_key()) == tuple(made)


@pytest.mark.parametrize(
    ("attack", "says"),
    [
        (lambda lines: lines[1:], "does not follow"),
        (lambda lines: [lines[0], lines[2]], "does not follow"),
        (lambda lines: [lines[0], lines[2], lines[1]], "does not follow"),
        (lambda lines: [lines[0].replace(b'"seq":0', b'"seq":1'), *lines[1:]], "does not follow"),
        (lambda lines: [lines[0].replace(b'"protocol":"', b'"protocol":"f')], "not a signature"),
        (lambda lines: [lines[0][:-1]], "canonical"),
        (lambda lines: [lines[0].replace(b":", b": ", 1)], "canonical"),
        (lambda lines: [b"\xff\xfe\n"], "no line"),
        (lambda lines: [b"[" * 100_000 + b"\n"], "no line"),
        (lambda lines: [b"{}\n"], "no line"),
        (lambda lines: [lines[0].replace(b'"signature":"', b'"signature":"zz')], "hexadecimal"),
    ],
)
def test_a_ledger_that_was_changed_takes_no_more_entries(tmp_path: Path, key: Path, attack, says: str) -> None:  # type: ignore[no-untyped-def]
    """A line taken out, moved, renumbered, altered or torn is named, and nothing is entered after it."""
    entered(tmp_path, key, "one", "two", "three")
    lines = path_of(key).read_bytes().splitlines(keepends=True)
    path_of(key).write_bytes(b"".join(attack(lines)))
    before = path_of(key).read_bytes()
    with pytest.raises(EvidenceError, match=says):
        entered(tmp_path, key, "four")
    assert path_of(key).read_bytes() == before


def test_an_entry_of_another_key_or_with_another_count_does_not_hold(tmp_path: Path, key: Path) -> None:
    """Number, head, key and signature belong together."""
    (one,) = entered(tmp_path, key, "one")
    keys.make(key.with_name("other"))
    other = keys.load(key.with_name("other")).public_key()
    key_ledger.check(one, keys.load(key).public_key(), "here")
    for changed, public in (
        (one, other),
        (msgspec.structs.replace(one, count=7), keys.load(key).public_key()),
        (msgspec.structs.replace(one, head="0" * 64), keys.load(key).public_key()),
    ):
        with pytest.raises(EvidenceError):
            key_ledger.check(changed, public, "here")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"seq": -4, "prev": "x"}, "number -3 is no place in a ledger"),
        ({"seq": 3}, "number 4 is no place in a ledger"),
        ({"prev": "1" * 64}, "number 1 is no place in a ledger"),
        ({"format": "depose key ledger 9"}, "number 1 is no place in a ledger"),
        ({"at": "soon"}, "is not a time of a log"),
    ],
)
def test_an_entry_that_its_signer_made_up_is_no_place_in_a_ledger(
    tmp_path: Path, key: Path, change: dict[str, object], says: str
) -> None:
    """Though it is signed: a number below 1, a first one after another, one of another form or of no time."""
    (one,) = entered(tmp_path, key, "one")
    secret = keys.load(key)
    line = msgspec.structs.replace(one.line, **change)
    signed = key_ledger.Signed(line=line, signature=keys.sign(secret, canonical(line)).hex())
    forged = msgspec.structs.replace(
        one, line=line, signature=signed.signature, head=sha256(canonical(signed)), count=line.seq + 1
    )
    with pytest.raises(EvidenceError, match=says):
        key_ledger.check(forged, secret.public_key(), "here")


def test_register_enters_a_case_and_says_where_it_stands(tmp_path: Path, key: Path) -> None:
    """`depose register --key` prints number and head; a second case is the second."""
    for number, name in enumerate(("one", "two"), 1):
        ran = depose("register", registered(tmp_path, name), "--key", key)
        assert ran.code == 0
        assert f"registration {number} of key" in ran.out


def test_a_ledger_that_was_set_back_is_seen_by_the_cases_that_it_entered(tmp_path: Path, key: Path) -> None:
    """The log of a case notes its number: a ledger without it, or a second number, is refused."""
    entered(tmp_path, key, "one")
    before = path_of(key).read_bytes()
    entered(tmp_path, key, "two", "three")
    path_of(key).write_bytes(before)
    with pytest.raises(EvidenceError, match="does not hold entry 3"):
        enter(tmp_path / "three", key, keys.load(key), Clock())
    assert path_of(key).read_bytes() == before
    noted = ledger.entries(tmp_path / "three").ledger
    assert noted is not None
    (again,) = entered(tmp_path, key, "four")
    forged = msgspec.structs.replace(again, line=msgspec.structs.replace(again.line, protocol=noted.line.protocol))
    with Log(tmp_path / "three", Clock()) as log:
        log.append(key_ledger.KIND, forged)
    with pytest.raises(EvidenceError, match="number 2 in the ledger of a key in which it was number 3"):
        ledger.entries(tmp_path / "three")

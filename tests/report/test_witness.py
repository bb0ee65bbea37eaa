"""What a witness says stands in the report as theirs, signed by them, and never as a finding."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from depose.case import annexes, witness
from depose.errors import DeposeError
from depose.report.render import Setting, render_html
from reports import build, words

SAID = """
name = "Dr. Ada <Example>"
qualifications = "Twenty years.\\nIt proves that I can count."
compensation = "At the court's rate."
instructions = "By the court."
"""


def signed(folder: Path, text: str = SAID) -> Path:
    """Write a witness's statements and sign them with openssl, as the page says."""
    folder.mkdir(exist_ok=True)
    (folder / witness.FILE).write_text(text)
    for command in (
        "openssl ecparam -name prime256v1 -genkey -noout -out ../key.pem",
        f"openssl dgst -sha256 -sign ../key.pem -out {witness.SIGNATURE} {witness.FILE}",
        f"openssl pkey -in ../key.pem -pubout -out {witness.KEY}",
    ):
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder


def test_words_of_the_witness_stand_as_theirs_and_the_rest_stays_blank(tmp_path: Path) -> None:
    """Escaped, marked, with who signed; what was left out is still to be completed."""
    added = annexes.read(signed(tmp_path / "case"))
    page = render_html(build(), Setting(annex=added))
    said = words(page)
    assert "Expert report of Dr. Ada <Example>" in said
    assert b"Ada <Example>" not in page
    assert "and from whom (stated by the witness) By the court." in said
    assert "signed with the key of SHA-256" in said
    assert "It proves that I can count." in said
    assert added.witness is not None
    assert added.witness.signer[:16] in said
    bare = render_html(build())
    filled = 5 + 1  # instructions had two lines, and the item of compensation is said where it stands
    assert bare.count(b'class="blank') - page.count(b'class="blank') == filled
    assert b"stated by the witness" not in bare


def test_statements_that_nobody_signed_are_said_to_be_so(tmp_path: Path) -> None:
    """The file alone is enough, and the report says what it is."""
    (tmp_path / witness.FILE).write_text(SAID)
    page = render_html(build(), Setting(annex=annexes.read(tmp_path)))
    assert "which nobody signed" in words(page)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (witness.FILE, lambda data: data.replace(b"Twenty", b"Thirty")),
        (witness.FILE, lambda data: data + b'opinion = "guilty"\n'),
        (witness.FILE, lambda data: b"name = 7\n"),
        (witness.FILE, lambda data: b"\xff"),
        (witness.FILE, lambda data: None),
        (witness.SIGNATURE, lambda data: data[:-1]),
        (witness.SIGNATURE, lambda data: None),
        (witness.KEY, lambda data: b"no key"),
        (witness.KEY, lambda data: None),
    ],
)
def test_statements_that_were_changed_are_printed_nowhere(tmp_path: Path, name: str, change: object) -> None:
    """Changed after signing, an unknown field, half a signature, no key: each is an error with a next step."""
    folder = signed(tmp_path / "case")
    data = change((folder / name).read_bytes())  # type: ignore[operator]
    (folder / name).unlink() if data is None else (folder / name).write_bytes(data)
    with pytest.raises(DeposeError) as raised:
        annexes.read(folder)
    assert raised.value.hint

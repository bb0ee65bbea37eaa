"""A case for one release, from a pack: the file that somebody would have written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from depose.case import casefile
from depose.case.casetext import described, table
from depose.case.packs import Pack
from depose.errors import CaseError
from depose.evidence.log import write_whole
from depose.model import Role
from depose.packs import given

LARGEST = casefile.LARGEST
OWN = "give each release a folder of its own"


def lay_out(
    pack: Pack, path: Path, folder: Path, suspect: str, reference: str, head: dict[str, str], protocol: dict[str, Any]
) -> Path:
    """Write the case of a release into `folder`, with the pack and the files of answers; return the folder.

    A folder that holds just this case is left as it is, so that a run that stopped goes on. Raises CaseError where
    another case lies there, or one that rests on other answers; a mistake in what is given leaves nothing behind.
    """
    words: tuple[tuple[str, str, Role], ...] = ((suspect, "S1", "suspect"), (reference, "R1", "reference"))
    for text, code, role in words:
        given.model(text, code, role, pack, None)  # a mistake in either leaves nothing behind
    file = folder / casefile.NAME
    kept = folder / f"packs/{pack.manifest.file}"
    written = path.read_bytes()
    if not (file.is_file() and kept.is_file()):
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_whole(kept, written)
    elif kept.read_bytes() != written:
        raise CaseError(f"{path}: differs from {kept}, on which the case rests", hint=OWN)
    models = [given.model(text, code, role, pack, folder) for text, code, role in words]
    said = {"controls": f"pack:{pack.manifest.name}-{pack.manifest.version}", **protocol}
    text = "\n".join(
        [
            table("[case]", head),
            table("[protocol]", said),
            *(table("[[models]]", described(one)) for one in models),
        ]
    )
    if file.is_file() and file.read_text(encoding="utf-8") != text:
        raise CaseError(f"{file}: another case lies there", hint=OWN)
    casefile.parse(text, str(file), folder)
    if not file.is_file():
        write_whole(file, text.encode())
    return folder

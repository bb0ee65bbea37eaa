"""Which file of answers belongs to which model of a case: by the table of models, else by the name of the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from depose.case import casefile
from depose.case.lineages import plain
from depose.case.near import nearest
from depose.errors import UsageError


def matched_to(case: Path, files: Sequence[Path], code: str = "") -> list[tuple[str, Path]]:
    """Pair codes with files, in the order of the files; raise UsageError where a file fits no model, or two.

    With a code the one file is its. A column `answers` of the table of models decides before codes, and codes before
    names of models; no file is taken for a model that was asked over a network.
    """
    if code:
        if len(files) != 1:
            raise UsageError(f"--model {code}: goes with one file, not {len(files)}", hint="leave out --model")
        return [(code, files[0])]
    folder = casefile.folder_of(case)
    found = casefile.written_in(folder)
    models = casefile.checked(found).models
    answers = found.answers or ("",) * len(models)
    open_ = [(spec, name) for spec, name in zip(models, answers, strict=True) if spec.provider == "recorded"]
    pairs: list[tuple[str, Path]] = []
    for file in files:
        ways = (
            [spec.code for spec, name in open_ if name and Path(name).name == file.name],
            [spec.code for spec, _ in open_ if spec.code.casefold() == file.stem.casefold()],
            [spec.code for spec, _ in open_ if spec.model and plain(spec.model) == plain(file.stem)],
        )
        fits = next((way for way in ways if way), [])
        if len(fits) != 1:
            known = [name for spec, _ in open_ for name in (spec.code, spec.model) if name]
            none = f"fits no recorded model of the case{nearest(file.stem, known)}"
            what = f"fits {', '.join(fits)}" if fits else none
            raise UsageError(
                f"{file}: {what}; nothing was recorded",
                hint="name the file in the column `answers` of models.csv, or give --model CODE and one file",
            )
        pairs.append((fits[0], file))
    codes = [one for one, _ in pairs]
    if twice := next((one for one, times in Counter(codes).items() if times > 1), ""):
        both = ", ".join(str(file) for one, file in pairs if one == twice)
        raise UsageError(f"{twice}: two files fit it: {both}; nothing was recorded", hint="give one of them alone")
    return pairs

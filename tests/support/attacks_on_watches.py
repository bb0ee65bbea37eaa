"""Traps in the log of watching of a case that somebody else had: the answers that new ones are compared with."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from depose import pipeline
from depose.cli.options import now
from depose.evidence.log import log_path
from depose.model.canonical import canonical, sha256
from depose.watch.days import FOLDER
from depose.watch.plan import Wanted
from depose.watch.run import earlier, watch
from fakes import case_of, model, write_case
from swapping import NEVER, Swapping
from traps import Place, Traps

ON_WATCHES = Traps("a day of watching that was changed afterwards")
WANTED = Wanted(models=("S1",), calls=8)


@cache
def watched() -> Path:
    """A case that was asked and watched for a day; its server is gone."""
    home = Path(tempfile.mkdtemp(prefix="depose-watched-"))
    with Swapping() as server:
        server.after = NEVER
        own = {"provider": "openai", "model": "m-1", "base_url": server.url, "allow_private": True, "attempts": 1}
        models = [model("S1", "suspect", **own), model("R1", "reference", **own)]
        folder = write_case(home / "case", case_of(models, probes=["open_howto:4"], samples=2, replicates=1))
        pipeline.register_case(folder, now)
        pipeline.probe(folder, now, lambda *_: None)
        watch(folder, WANTED, now, lambda *_: None)
    return folder


def copied(to: Path) -> Path:
    """Copy it."""
    return Path(shutil.copytree(watched(), to))


def changed(folder: Path, change: Callable[[dict[str, Any]], object], kind: str = "exchange") -> None:
    """Change every record of a kind in the log of watching, and chain all of them anew."""
    path, previous, made = log_path(folder / FOLDER), "0" * 64, []
    for number, line in enumerate(path.read_bytes().splitlines()):
        record = json.loads(line)
        if record["kind"] == kind:
            change(record["body"])
        made.append(canonical({**record, "seq": number, "prev": previous}))
        previous = sha256(made[-1])
    path.write_bytes(b"".join(line + b"\n" for line in made))


def _day(name: str, says: str, change: Callable[[dict[str, Any]], object], kind: str = "exchange") -> None:
    def spring(place: Place) -> object:
        folder = copied(place.folder / "case")
        changed(folder, change, kind)
        return watch(folder, WANTED, now, lambda *_: None)

    ON_WATCHES.add(f"a day of watching with {name}", says, slow=True)(spring)


def _blobs(name: str, says: str, act: Callable[[Path], object]) -> None:
    def spring(place: Place) -> object:
        folder = copied(place.folder / "case")
        for blob in (folder / FOLDER / "evidence" / "blobs").iterdir():
            act(blob)
        return earlier(folder)

    ON_WATCHES.add(f"a day of watching whose raw bytes {name}", says, slow=True)(spring)


_day("other words", "watch: .*not the one in its raw bytes", lambda body: body.update(text="I am another model."))
_day(
    "answers that are said to have failed",
    "watch: .*recorded as failed, and its raw bytes say answered",
    lambda body: body.update(outcome="failed", status=None, text="", reason="HTTP 500"),
)
_day(
    "no transfer",
    "watch: .*without what went over the network",
    lambda body: body.update(wire=None, response="", request=""),
)
_day(
    "answers to other questions",
    "which the plan of the day does not ask",
    lambda body: body.update(prompt="who_are_you-1"),
)
_day("another seed in its plan", "does not ask the registered question", lambda body: body.update(seed=7), "watch")
_day(
    "an endpoint that tells of its teacher",
    "watch: .*whose 'teacher' is not what",
    lambda body: body["facts"].append({"name": "teacher", "value": "R1"}),
    "endpoint",
)
_blobs("are others", "its bytes do not have the digest of its name", lambda blob: blob.write_bytes(b"{}"))
_blobs("are gone", "watch: evidence/blobs/.*is missing", lambda blob: blob.unlink())

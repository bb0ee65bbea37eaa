"""Make format-N.zip, a bundle as depose seals it by its format N: run with the Python of such a depose.

    PYTHONPATH=tests:tests/support python make_format.py FOLDER

Leaves format-N.zip, its public key and the certificates of its time-stamping authority in FOLDER. Format 1 had no
salts; by format 2 a line of a file hashed as a branch of the tree over several.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from authority import Authority
from depose import pipeline
from depose.custody import keys
from depose.custody.seal import FORMAT, seal
from depose.custody.stamp import Source, stamp
from fakes import recorded_case


def now() -> str:
    """Return the time as the log writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def main() -> None:
    """Register, stamp, look up, analyze, stamp and seal a tiny case of recorded answers."""
    goal, name = Path(sys.argv[1]), f"format-{FORMAT.split()[-1]}"
    with tempfile.TemporaryDirectory() as folder:
        case = recorded_case(Path(folder) / "case", suspect="same", controls=3, prompts=4)
        authority = Authority(Path(folder) / "tsa")
        pipeline.register_case(case, now)
        with authority.serve() as url:
            source = Source(url=url, roots=authority.roots.read_bytes())
            stamp(case, source, now)
            pipeline.probe(case, now, lambda answered, failed: None)
            pipeline.analyze_case(case, lambda line: None, now)
            public = keys.make(Path(folder) / "key.pem")
            done = seal(case, keys.load(Path(folder) / "key.pem"), now, {}, source)
        shutil.copyfile(done.bundle, goal / f"{name}.zip")
        shutil.copyfile(public, goal / f"{name}.pub")
        shutil.copyfile(authority.roots, goal / f"{name}-roots.pem")


if __name__ == "__main__":
    main()

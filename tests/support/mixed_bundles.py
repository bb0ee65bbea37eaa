"""A sealed bundle of answers from a server on loopback and from a file, for attacks on what is evidence in it."""

from __future__ import annotations

import json
from pathlib import Path

from authority import Authority
from depose import pipeline
from depose.cli.options import now
from depose.custody import keys
from depose.custody.seal import seal
from depose.custody.stamp import Source, stamp
from fakes import answer, case_of, model, write_case
from faults import Server
from faulty import remote
from tampering import Target

PROMPTS = {f"q{n}": f"Tell me about the number {n}." for n in range(4)}
RECORDED = ("R1", "C2", "C3", "C4")


def mixed_case(folder: Path) -> Target:
    """Ask a suspect and a control over HTTP, the control streamed, and look the others up; stamp, analyze and seal."""
    case = folder / "case"
    case.mkdir(parents=True)
    rows = "".join(f"{name},{text}\n" for name, text in PROMPTS.items())
    (case / "prompts.csv").write_text(f"prompt_id,prompt\n{rows}")
    lines = [
        {"prompt_id": name, "prompt": text, "model": code, "output": answer(code, text)}
        for code in RECORDED
        for name, text in PROMPTS.items()
    ]
    (case / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    roles = {"R1": "reference"}
    recorded = [model(code, roles.get(code, "control"), file="answers.jsonl", model=code) for code in RECORDED]
    authority = Authority(folder / "tsa")
    with Server() as server, authority.serve() as url:
        live = [remote(server.url), remote(server.url, "C1", "control", stream=True)]
        write_case(case, case_of([*live, *recorded], probes=[], prompts="prompts.csv", bogus_model=True))
        pipeline.register_case(case, now)
        source = Source(url=url, roots=authority.roots.read_bytes())
        stamp(case, source, now)
        pipeline.probe(case, now, lambda answered, failed: None)
        pipeline.analyze_case(case, lambda line: None, now)
        public = keys.make(folder / "key.pem")
        key = keys.load(folder / "key.pem")
        done = seal(case, key, now, {}, source)
    return Target(
        folder=folder, case=case, bundle=Path(done.bundle), key=key, public=public.read_bytes(), authority=authority
    )

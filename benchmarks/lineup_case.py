"""Make the bundled case `exposed`: a randomised delivery, and a student of it. Run by `make lineup-case`.

    benchmarks/lineup_case.py [DIR]     DIR: work folder, ./out/lineup-case by default; goes on after a kill

R1 of the case `distilled` draws three answers to each of 96 prompts; a coin that is committed to before chooses which
of them is delivered; S1 learns the delivered ones, three times over, and nothing else. S2 learnt from another teacher.
The case, and the log and the coin of the owner beside it, are written into casefiles/exposed.
"""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from lineup_students import BASE, KNOWN, ROOT, drawn, spec_of, taught

from depose.evidence.log import write_whole
from depose.lab import recipe as recipes
from depose.lab import texts
from depose.lab.texts import Example
from depose.lineup.coin import Coin, Thrown
from depose.model.canonical import canonical, sha256
from depose.model.lineup import Turn

DRAWS = 3
EPOCHS = 3
ACCOUNT = "A1"
HEAD = """\
#:schema ./case.schema.json
# A line-up of known truth: R1 drew {draws} answers to each of {prompts} prompts, a coin chose which one was delivered,
# and S1 learnt the delivered ones in {epochs} epochs. S2 learnt from another teacher, B is the untuned base.
# thrown.jsonl (all draws, and which was delivered) and coin.key are the owner's: take them out of the case folder
# before anybody scores, as `make demo-lineup` does. Made by benchmarks/lineup_case.py.

[case]
title = "Examination of the language models S1, S2 and B by a line-up of delivered answers"
authority = "models of our own, trained for this purpose on open weights (Apache-2.0)"

[protocol]
questions = ["exposed"]
alpha = 0.05
seed = {seed}

[lineup]
accounts = ["{account}"]
chosen_by = "the laboratory, before any student was trained"
sampling = "all deliveries of the coin"
fillers = {fillers}
tier = "randomised"
coin = "{commitment}" # SHA-256 of coin.key
minus = "R1"
share = 1.0

[lineup.limits]
bags = 90
"""


def main(folder: Path) -> None:
    """Draw, throw, teach, and write the case."""
    recipe = recipes.read("default")
    prompts = texts.drawn(recipe, "doses")
    key = bytes.fromhex(sha256(f"coin of the bundled line-up, seed {recipe.seed}".encode()))  # known, as its truth is
    coin = Coin(key)
    draws = drawn(
        folder,
        "R1",
        spec_of("adapters/R1"),
        KNOWN,
        prompts,
        range(DRAWS),
        recipe.seed,
        recipe.asking.temperature,
        recipe.texts.tokens,
    )
    log = folder / "thrown.jsonl"
    if not log.is_file():
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        rows = [
            Thrown(
                request_id=prompt.id,
                messages=(Turn(role="user", content=prompt.text),),
                draws=answers,
                chosen=coin.choose(prompt.id, len(answers)),
                commitment=coin.commitment,
                account_code=ACCOUNT,
                delivered_at=at,
                reference_snapshot="R1",
                temperature=recipe.asking.temperature,
                max_tokens=recipe.texts.tokens,
            )
            for prompt, answers in zip(prompts, draws, strict=True)
        ]
        write_whole(log, b"".join(canonical(row) + b"\n" for row in rows))
    thrown = [msgspec.json.decode(line, type=Thrown) for line in log.read_bytes().splitlines()]
    learnt = [Example(prompt=one.messages[0].content, text=one.draws[one.chosen], source="R1") for one in thrown]
    tuning = msgspec.structs.replace(recipe.tuning, epochs=EPOCHS)
    student = taught(folder, "S1", learnt, tuning, recipe.seed)

    target = ROOT / "casefiles" / "exposed"
    shutil.rmtree(target, ignore_errors=True)
    adapters = {"S1": student, "S2": KNOWN / "adapters" / "S2", "R1": KNOWN / "adapters" / "R1"}
    for code, source in adapters.items():
        (target / "adapters" / code).mkdir(parents=True)
        for file in ("adapter_config.json", "adapter_model.safetensors"):
            shutil.copyfile(source / file, target / "adapters" / code / file)
    head = HEAD.format(
        draws=DRAWS,
        prompts=len(prompts),
        epochs=EPOCHS,
        commitment=coin.commitment,
        seed=recipe.seed,
        account=ACCOUNT,
        fillers=DRAWS - 1,
    )
    models = (("S1", "suspect", "S1"), ("S2", "suspect", "S2"), ("B", "suspect", ""), ("R1", "reference", "R1"))
    text = head + "".join(_model(*one) for one in models)
    write_whole(target / "case.toml", text.encode())
    write_whole(target / "thrown.jsonl", log.read_bytes())
    write_whole(target / "coin.key", key)
    print(f"{target}: {len(thrown)} requests, commitment {coin.commitment}", flush=True)


def _model(code: str, role: str, adapter: str) -> str:
    lines = ["", "[[models]]", f'code = "{code}"', f'role = "{role}"', 'provider = "transformers"', f'model = "{BASE}"']
    return "\n".join([*lines, *([f'adapter = "adapters/{adapter}"'] if adapter else [])]) + "\n"


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/lineup-case"))

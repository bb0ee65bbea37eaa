"""The search for secrets: real answers that are taken for one, and what the search costs, beside an older checkout.

False alarms are counted on every answer of a folder of studies, once with each of some secrets that stand in none of
them: keys of random letters, a passphrase of words, a number, the private number of a signing key. Costs are processor
time: of an answer, of an answer in pieces, of a log. `--beside CHECKOUT` runs the same on the source of another commit.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import random
import string
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from depose.evidence.search import Sought, find

LETTERS = string.ascii_letters + string.digits
LOG = 8_000_000


def secrets(chance: random.Random) -> dict[str, bytes]:
    """Make secrets of several kinds."""
    made = {f"key {n}": f"sk-proj-{''.join(chance.choices(LETTERS, k=40))}".encode() for n in range(3)}
    made |= {f"short key {n}": "".join(chance.choices(LETTERS, k=8 + 4 * n)).encode() for n in range(3)}
    made |= {"hex": chance.randbytes(16).hex().encode(), "number": chance.randbytes(31), "PIN": b"81427703"}
    return made | {"passphrase": b"correct horse battery staple", "password": b"Tr0ub4dor&3"}


def texts(folder: Path) -> Iterator[str]:
    """Yield every answer of every table of a folder."""
    for file in sorted(folder.glob("**/responses-*.parquet")):
        for batch in pq.ParquetFile(file).iter_batches(2_000, columns=["output"]):
            yield from (text for text in batch.column(0).to_pylist() if text)


def sought(words: dict[str, bytes]) -> Sought:
    """Prepare the search for secrets, in older checkouts too."""
    options: dict[str, Any] = {"secret": True} if "secret" in inspect.signature(Sought.__init__).parameters else {}
    return Sought(words, **options)


def body(number: int, text: str) -> bytes:
    """Write an answer as chat completions do."""
    message = {"role": "assistant", "content": text}
    made = {"id": f"chatcmpl-{number * 2**100 // 7919:032x}", "choices": [{"index": 0, "message": message}]}
    return json.dumps(made).encode() + b"\ncontent-type: application/json\nserver: uvicorn"


def stream(number: int, text: str) -> bytes:
    """Write an answer in pieces of four letters."""
    head = {"id": f"chatcmpl-{number * 2**100 // 7919:032x}"}
    pieces = (text[at : at + 4] for at in range(0, len(text), 4))
    return b"".join(
        b"data: " + json.dumps({**head, "choices": [{"delta": {"content": one}}]}).encode() + b"\n\n" for one in pieces
    )


def log(some: list[str]) -> bytes:
    """Write answers as a log, over and over."""
    lines = (
        {"seq": n, "body": {"text": text, "response": f"{n * 2**250 // 7919:064x}"}} for n, text in enumerate(some * 99)
    )
    made = bytearray()
    for line in lines:
        made += json.dumps(line).encode() + b"\n"
        if len(made) > LOG:
            break
    return bytes(made)


def spent(job: Callable[[], object]) -> float:
    """Return the least processor time of three tries, in seconds."""
    found = []
    for _ in range(3):
        begun = time.process_time()
        job()
        found.append(time.process_time() - begun)
    return min(found)


def costs(some: list[str]) -> dict[str, float]:
    """Measure milliseconds for an answer, an answer in pieces and a million bytes of a log."""
    chance = random.Random(7)  # noqa: S311
    one = sought({"key": secrets(chance)["key 0"]})
    many = sought({name: value for name, value in secrets(chance).items() if "PIN" not in name})
    answers, streams, whole = [*map(body, range(300), some)], [*map(stream, range(30), some)], log(some)
    return {
        "an answer": spent(lambda: [next(find(data, one), None) for data in answers]) / len(answers) * 1e3,
        "an answer in pieces": spent(lambda: [next(find(data, one), None) for data in streams]) / len(streams) * 1e3,
        "a million bytes of a log": spent(lambda: next(find(whole, many), None)) / len(whole) * 1e9,
    }


def alarms(folder: Path, most: int) -> None:
    """Print how many answers are taken for a secret."""
    words = secrets(random.Random(11))  # noqa: S311
    search, answers, size, found = sought(words), 0, 0, dict[str, int]()
    together: list[bytes] = []

    def look() -> None:
        data = b"\n".join(together)
        for one in find(data, search) if data else ():
            found[one.name] = found.get(one.name, 0) + 1
            print(f"  {one.name}: {data[one.start : one.end][:80]!r} ({one.form})")

    for text in texts(folder):
        if answers == most:
            break
        answers += 1
        size += len(text)
        together.append(json.dumps(text).encode())
        if len(together) == 100:
            look()
            together = []
    look()
    print(f"{answers} answers, {size / 1e6:.0f} million characters, {len(words)} secrets: {sum(found.values())} alarms")


def main() -> None:
    """Print false alarms and costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared"), help="folder with responses-*.parquet")
    parser.add_argument("--answers", type=int, default=0, help="so many answers at most are searched for false alarms")
    parser.add_argument("--beside", type=Path, help="checkout of another commit whose costs are printed beside")
    parser.add_argument("--costs", action="store_true", help="print costs as JSON and nothing else")
    given = parser.parse_args()
    some = [text for text, _ in zip(texts(given.data), range(900), strict=False)][::3]
    if given.costs:
        print(json.dumps(costs(some)))
        return
    other: dict[str, float] = {}
    if given.beside:
        env = {**os.environ, "PYTHONPATH": str(given.beside.resolve() / "src")}
        command = [sys.executable, __file__, "--costs", "--data", str(given.data)]
        other = json.loads(subprocess.run(command, env=env, capture_output=True, check=True, text=True).stdout)
    for name, value in costs(some).items():
        beside = f", beside {other[name]:.2f} ms: ratio {value / other[name]:.2f}" if other else ""
        print(f"{name}: {value:.2f} ms of processor time{beside}", flush=True)
    alarms(given.data, given.answers or -1)


if __name__ == "__main__":
    main()

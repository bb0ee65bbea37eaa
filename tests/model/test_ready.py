"""Types that threads decode into are ready before: msgspec ends a process where two find a type out at once."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "depose"
IN_THREADS = sorted(
    [*(SOURCE / "endpoints").rglob("*.py"), SOURCE / "case/untrusted_files.py", SOURCE / "lineup/middleware.py"]
)
"""What the threads of a run, of a reader of tables or of a server call."""
DECODERS = {"convert", "decode"}

ROUNDS = """
from __future__ import annotations
import sys, threading, types
import msgspec
from depose.model.base import ready

KINDS = '''
from __future__ import annotations
import msgspec
class Inner(msgspec.Struct):
    x: int | None = None
class Outer(msgspec.Struct):
    one: Inner
    many: tuple[Inner, ...] = ()
'''
sys.setswitchinterval(1e-6)
for n in range(200):
    module = sys.modules[f"m{n}"] = types.ModuleType(f"m{n}")
    exec(KINDS, module.__dict__)
    start = threading.Barrier(8)
    def read():
        start.wait()
        assert msgspec.convert({"one": {"x": 1}}, ready(module.Outer)).one.x == 1
    threads = [threading.Thread(target=read) for _ in range(8)]
    for one in threads: one.start()
    for one in threads: one.join()
print("whole")
"""


def test_threads_that_read_a_new_type_at_once_end_nothing() -> None:
    """Eight threads, two hundred new types; without `ready` the first few end the process."""
    ran = subprocess.run((sys.executable, "-c", ROUNDS), capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "whole\n", "")


@pytest.mark.parametrize("file", IN_THREADS, ids=lambda file: str(file.relative_to(SOURCE)))
def test_what_runs_in_threads_decodes_into_types_that_are_ready(file: Path) -> None:
    """No call of msgspec with a type there goes past it."""
    for call in ast.walk(ast.parse(file.read_text("utf-8"))):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr in DECODERS
            and ast.unparse(call.func).startswith("msgspec.")
        ):
            kinds = [*call.args[1:2], *(one.value for one in call.keywords if one.arg == "type")]
            assert all(ast.unparse(kind).startswith("ready(") for kind in kinds), ast.unparse(call)

"""The README is the manual: every command and plugin stands in it, and its help blocks are current."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from depose import plugins
from depose.case import casefile
from depose.cli import cli

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_has_a_section(name: str) -> None:
    """A command that is not in the manual does not exist for its user."""
    assert f"### depose {name}\n" in README.read_text()


@pytest.mark.parametrize("kind", ["probes", "detectors", "providers"])
def test_every_built_in_plugin_is_named(kind: plugins.Kind) -> None:
    """Each probe, detector and provider stands in the manual in code font."""
    text = README.read_text()
    assert [name for name in plugins.names(kind) if f"`{name}`" not in text] == []


def test_every_bundled_case_is_named() -> None:
    """Each bundled case stands in the manual."""
    text = README.read_text()
    assert [name for name, _ in casefile.bundled() if f"--from {name}" not in text] == []


def test_help_blocks_are_current() -> None:
    """What the manual prints as help is what the commands print."""
    done = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", str(README)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_help_has_an_example(name: str) -> None:
    """Help without an example sends people elsewhere."""
    text = cli.commands[name].help or ""
    assert "Example" in text

"""A secret in a case stops its seal, whatever it is called, wherever it stands and however it is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from attacks_on_secrets import PASSPHRASE, PLANTED, VALUE, Planted, Prepared, met, prepared
from depose.cli.options import now
from depose.custody import leaks
from depose.custody.seal import seal
from fakes import install
from thinned import thinned


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """A case that could be sealed."""
    folder = tmp_path_factory.mktemp("leaks")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(install(folder / "site"))
        return prepared(folder)


@pytest.mark.parametrize("one", thinned(PLANTED, 5), ids=lambda one: one.name)
def test_every_planted_secret_stops_the_seal(one: Planted, case: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 6 with the file, the byte and the secret's name; nothing is written."""
    monkeypatch.setenv("DEPOSE_TEST_PASSPHRASE", PASSPHRASE)
    message = met(one, case)
    assert re.match(one.says, message), message


def test_the_names_are_different() -> None:
    """Each attack is counted once."""
    assert len({one.name for one in PLANTED}) == len(PLANTED) >= 45


def test_what_is_no_secret_is_not_searched_for() -> None:
    """Folders, sockets, short values and ordinary settings would be found in ordinary text."""
    harmless = {
        "PWD": "/home/somebody/cases",
        "OLDPWD": "/home/somebody",
        "SSH_AUTH_SOCK": "/tmp/ssh-1/agent.1",  # noqa: S108
        "TOKENIZERS_PARALLELISM": "disabled",
        "PATH": "/usr/local/bin:/usr/bin",
        "MY_KEY": "short",
        "HTTPS_PROXY": "http://proxy.example:3128",
        "LANG": "en_GB.UTF-8",
    }
    assert leaks.of_environment([], {**harmless, "A_TOKEN": VALUE}) == {"A_TOKEN": VALUE.encode()}


def test_a_case_without_secrets_is_sealed(case: Prepared, tmp_path: Path) -> None:
    """With all the names set, and none of the values anywhere in it."""
    environment = {name: f"{VALUE}-{n}" for n, one in enumerate(PLANTED) for name in one.environment}
    done = seal(case.folder, case.key, now, environment)
    assert Path(done.bundle).is_file()

"""Plugins: found by name among the installed packages, imported only when named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from depose import plugins
from depose.errors import PluginError
from fakes import few, install


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a package that offers a provider, a probe and three detectors that do not work."""
    monkeypatch.syspath_prepend(install(tmp_path / "site"))
    return tmp_path


def test_the_built_in_plugins_are_registered_like_any_other() -> None:
    """Everything that ships with depose is found by name, sorted."""
    assert set(plugins.names("probes")) >= {"open_howto", "open_lists", "short_creative", "open_advice"}
    assert set(plugins.names("detectors")) >= {"phrases", "openings", "fuzzy", "embedding", "length"}
    assert set(plugins.names("providers")) >= {"transformers", "recorded"}
    assert list(plugins.names("detectors")) == sorted(plugins.names("detectors"))


def test_an_unknown_plugin_is_an_error_that_lists_the_known_ones() -> None:
    """A name that nobody offers is refused, and the hint says what there is."""
    with pytest.raises(PluginError, match="unknown detector 'vibes'") as caught:
        plugins.load("detectors", "vibes")
    assert "phrases" in caught.value.hint
    with pytest.raises(PluginError, match="unknown provider 'vibes'"):
        plugins.provenance("providers", "vibes")


def test_a_plugin_of_another_package_is_found_and_named(installed: Path) -> None:
    """A plugin is loaded from its entry point, and the package and version that it comes from are known."""
    assert "few" in plugins.names("probes")
    assert plugins.load("probes", "few") is few
    fact = plugins.provenance("probes", "few")
    assert (fact.name, fact.value) == ("probe few", "depose_fakes 1.0")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("broken_import", "does not load: No module named 'fakes_that_are_missing'"),
        ("raising_import", "does not load: no licence found"),
        ("no_function", "is not a function"),
    ],
)
def test_a_plugin_that_does_not_load_stops_the_run(installed: Path, name: str, says: str) -> None:
    """Whatever a package raises when it is imported becomes one error that names the plugin."""
    with pytest.raises(PluginError) as caught:
        plugins.load("detectors", name)
    assert caught.value.message == f"detector {name!r} {says}"
    assert caught.value.exit_code == 1


def test_listing_imports_nothing(installed: Path) -> None:
    """Names and packages are known without running a line of a plugin."""
    assert "raising_import" in plugins.names("detectors")
    assert plugins.provenance("detectors", "raising_import").value == "depose_fakes 1.0"
    assert "fakes_raising" not in sys.modules


def test_a_name_that_two_packages_offer_is_refused(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of two packages is meant is never guessed."""
    other = install(installed / "other", "[depose.probes]\nfew = fakes:answer\n", "depose_other")
    monkeypatch.syspath_prepend(other)
    with pytest.raises(PluginError, match="is offered by several packages: depose_fakes, depose_other"):
        plugins.load("probes", "few")

"""Whatever stands in a log that somebody else's product wrote, an import ends in events or in a DeposeError."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import request_logs as logs
from depose.extraction import importing, plan
from depose.extraction.countries import Countries
from depose.extraction.importing import Manner
from depose.extraction.manifest import read_manifest
from depose.extraction.sources import generic
from fuzzing import as_json, broken, changed, example_folder, examples, hold

ROWS: dict[str, list[dict[str, Any]]] = {name: make(3) for name, make in logs.EVERY.items()}


@pytest.mark.parametrize("format_", logs.EVERY)
@examples(4, 1_200)
@given(data=st.data())
def test_a_changed_log_is_imported_or_refused(format_: str, data: st.DataObject) -> None:
    """Any value another, gone or there twice, or any bytes changed; nothing half-written stays among the events."""
    with example_folder() as root:
        _imported(format_, data, root)


def _imported(format_: str, data: st.DataObject, root: Path) -> None:
    folder = logs.case(root / "case")
    made = b"\n".join(map(as_json, changed(data, ROWS[format_])))
    if data.draw(st.integers(0, 2)) == 0:
        made = data.draw(broken(made))
    log = root / "log.jsonl"
    log.write_bytes(made)
    hold(lambda: importing.load(folder, [log], Manner(format=format_, hash_key=str(logs.key_of(folder)))))
    if (folder / "events/manifest.json").is_file():
        listed = {one.path for one in read_manifest(folder).files}
        assert {one.relative_to(folder / "events").as_posix() for one in folder.rglob("*.parquet")} == listed


WHOLE_MANIFEST = b'{"files":[],"format":"depose events 1","hash_key":"%s","sources":[]}' % (b"0" * 64)
COUNTRIES = b"""network,country
192.0.2.0/24,NL
192.0.2.128/25,BE
2001:db8::/32,FR
"""
RANGES = b"""start_ip,end_ip,country,country_code
192.0.2.3,192.0.2.9,Netherlands,nl
2001:db8::,2001:db8::ff,France,FR
"""
MAPPING = b"""[columns]
id = "request"
ts = "when"
account = "user"
"""


@pytest.mark.parametrize("kind", ["case", "mapping", "manifest", "countries"])
@examples(15, 5_000)
@given(data=st.data())
def test_a_broken_file_beside_the_logs_is_read_or_refused(kind: str, data: st.DataObject) -> None:
    """The case, the mapping of a generic log, a table of countries, and the list of what was imported."""
    with example_folder() as root:
        _beside(kind, data, root)


def _beside(kind: str, data: st.DataObject, root: Path) -> None:
    if kind == "case":
        hold(lambda: plan.parse(data.draw(broken(logs.CASE.encode())).decode("utf-8", "replace"), "extraction.toml"))
    elif kind == "mapping":
        file = root / "map.toml"
        file.write_bytes(data.draw(broken(MAPPING)))
        hold(lambda: generic.read(file))
    elif kind == "countries":
        file = root / "countries.csv"
        file.write_bytes(data.draw(broken(data.draw(st.sampled_from([COUNTRIES, RANGES])))))
        hold(lambda: [Countries(file).of(ip) for ip in ("192.0.2.7", "192.0.2.200", "2001:db8::1", "", "::ffff:1.2")])
    else:
        (root / "events").mkdir()
        (root / "events/manifest.json").write_bytes(data.draw(broken(WHOLE_MANIFEST) | st.binary(max_size=200)))
        hold(lambda: read_manifest(root))

"""A table of networks says of which country an address is; a table that is none is refused with its row."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from depose.errors import CaseError
from depose.extraction import caveats, countries, importing
from depose.extraction.countries import NOT_LISTED, Countries
from depose.extraction.manifest import read_manifest

TABLE = b"""network,country
192.0.2.0/24,NL
192.0.2.128/25,BE
192.0.0.0/16,DE
2001:db8::/32,FR
198.51.100.0/24,
"""
CASE = """[case]
title = "t"
authority = "made up"
[period]
tested = ["2026-05-01", "2026-05-28"]
"""


def table(folder: Path, data: bytes = TABLE) -> Path:
    """Write a table."""
    file = folder / "countries.csv"
    file.write_bytes(data)
    return file


@pytest.mark.parametrize(
    ("ip", "country"),
    [
        ("192.0.2.7", "NL"),
        ("192.0.2.200", "BE"),
        ("192.0.3.1", "DE"),
        ("::ffff:192.0.2.7", "NL"),
        ("192.0.2.7:443, 10.0.0.1", "NL"),
        ("2001:db8:1::9", "FR"),
        ("198.51.100.1", ""),
        ("203.0.113.1", ""),
        ("unix:/socket", ""),
        ("", ""),
    ],
)
def test_the_narrowest_network_says_the_country(tmp_path: Path, ip: str, country: str) -> None:
    """As routes do; an address in any spelling of logs, and none for what is no address."""
    assert Countries(table(tmp_path)).of(ip) == country


def test_a_table_may_give_ranges_be_packed_and_name_codes(tmp_path: Path) -> None:
    """As resellers give them: first and last address, the name of the country beside its code, gzip."""
    rows = b"start_ip,end_ip,country,country_code\n192.0.2.3,192.0.2.9,Netherlands,nl\n"
    rows += b"2001:db8::,2001:db8::ff,France,FR\n"
    of = Countries(table(tmp_path, gzip.compress(rows))).of
    assert [of(one) for one in ("192.0.2.2", "192.0.2.3", "192.0.2.9", "192.0.2.10")] == ["", "NL", "NL", ""]
    assert of("2001:db8::fe") == "FR"


@pytest.mark.parametrize(
    ("data", "countries_"),
    [
        (b"0.0.0.0,0.255.255.255,ZZ\n192.0.2.0,192.0.2.255,NL\n192.0.3.0,192.0.3.255,BE\n", ["NL", "BE"]),
        (b"192.0.2.0/24,NL\n192.0.3.0/24,BE\n", ["NL", "BE"]),
        (b"network,country\n::ffff:192.0.2.0/120,NL\n", ["NL", ""]),
        (b"start_ip,end_ip,country\n::ffff:192.0.2.0,::ffff:192.0.3.255,NL\n", ["NL", "NL"]),
        (b"network,country\n192.0.0.0/16,NL\n192.0.3.0/24,\n", ["NL", ""]),
        (b"network,country\n192.0.0.0/16,NL\n192.0.3.0/24,ZZ\n", ["NL", ""]),
        (b"network,country\n192.0.2.0/24,XK\n192.0.3.0/24,-\n", ["XK", ""]),
        (b"network,country_iso_code\n192.0.2.0/24,NL\n192.0.3.0/24,T1\n", ["NL", ""]),
    ],
)
def test_no_country_is_none_and_a_table_needs_no_names(tmp_path: Path, data: bytes, countries_: list[str]) -> None:
    """Codes that are nobody's stand in tables of resellers, and one of them comes without a row of names."""
    of = Countries(table(tmp_path, data)).of
    assert [of("192.0.2.7"), of("192.0.3.7")] == countries_


@pytest.mark.parametrize("said", ["ZZ", "xx", "unknown", "-", " ", "N/A", "T1", "EU"])
def test_what_logs_say_in_the_place_of_a_country_is_none(said: str) -> None:
    """Else whoever is nowhere would be of one country, and its networks would tie; a code has one spelling."""
    assert countries.spelled(said) == ""
    assert [countries.spelled(one) for one in ("nl", " NL ", "Netherlands")] == ["NL", "NL", "Netherlands"]


def test_a_table_is_read_anew_only_when_it_changed(tmp_path: Path) -> None:
    """A watch asks for it at every look, and reading a large one takes longer than a look."""
    first = countries.table(table(tmp_path))
    assert countries.table(tmp_path / "countries.csv") is first
    assert countries.table(table(tmp_path, TABLE + b"203.0.113.0/24,SE\n")).of("203.0.113.9") == "SE"
    with pytest.raises(CaseError, match="No such file"):
        countries.table(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"network,country\n", "no network with a country in 0 lines"),
        (b"network,country\n192.0.2.0/24,\n", "no network with a country in 2 lines"),
        (b"network,geoname_id\n192.0.2.0/24,2750405\n", "row 2: no column country"),
        (b"192.0.2.0,192.0.2.255,EU,NL\n192.0.3.0,192.0.3.255,EU,NL\n", "row 1: no names of columns"),
        (b"net,country\n192.0.2.0/24,NL\n", "row 2: no network"),
        (b"network,country\n192.0.2.0/24,NL\n192.0.2.0/33,NL\n", "row 3: no network"),
        (b"network,country\n192.0.2.0/24,Netherlands\n", "row 2: 'Netherlands' is no country"),
        (b"network,country\n192.0.2.0/24,NL\n192.0.2.0/24,BE\n", "row 3: 192.0.2.0/24 is of two countries"),
        (b"start_ip,end_ip,country\n192.0.2.9,192.0.2.1,NL\n", "row 2: no network"),
        (b"start_ip,end_ip,country\n192.0.2.9,2001:db8::,NL\n", "row 2: no network"),
        (b"network,country\n192.0.2.0/24,\xff\xfe\n", "row 2"),
        (b"start_ip,end_ip,country\n" + b"2001:db8::1,2001:dbf:ffff::fffe,NL\n" * 20, "more than 1000 networks"),
        (gzip.compress(TABLE, mtime=0)[:-9], "breaks off"),
        (b"%PDF-1.7\n", "PDF"),
    ],
)
def test_what_is_no_table_is_refused_with_its_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, message: str
) -> None:
    """Before a log is read: nothing of the case changes. A few rows may be a great many networks."""
    monkeypatch.setattr(countries, "MOST", 1_000)
    with pytest.raises(CaseError, match=message.replace("(", r"\(")):
        Countries(table(tmp_path, data))


def _log(folder: Path) -> Path:
    rows = [
        {"request_id": f"r{n}", "user": f"u{n}", "startTime": f"2026-05-02T10:{n:02}:00Z", "model": "m",
         "requester_ip_address": ip, "messages": [{"role": "user", "content": "How do I boil an egg?"}],
         "status": "success"}
        for n, ip in enumerate(["192.0.2.7", "192.0.3.1", "203.0.113.9"])
    ]  # fmt: skip
    file = folder / "log.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in rows))
    return file


def test_events_hold_the_country_and_the_manifest_the_table(tmp_path: Path) -> None:
    """Addresses of no network in the table are counted; a scan says of a log without a table what that means."""
    case = tmp_path / "case"
    case.mkdir()
    (case / "extraction.toml").write_text(CASE)
    key, said = tmp_path / "key", list[str]()
    key.write_bytes(bytes(range(32)))
    log, listed = _log(tmp_path), table(tmp_path)
    manner = importing.Manner(format="litellm", hash_key=str(key), countries=str(listed))
    done = importing.load(case, [log], manner, said.append)
    assert done.sources[0].losses[NOT_LISTED] == 1
    assert done.sources[0].countries == Countries(listed).sha256
    file = next(case.glob("events/day=*/*.parquet"))
    assert sorted(map(str, pq.read_table(file)["country"].to_pylist())) == ["DE", "NL", "None"]
    assert not any(caveats.PLACELESS in one for one in caveats.losses(read_manifest(case)))
    digest = Countries(listed).sha256
    assert [one for one in caveats.losses(read_manifest(case)) if caveats.BY_TABLE in one and digest in one]
    assert not any("read before" in one for one in said)
    table(tmp_path, TABLE + b"203.0.113.0/24,SE\n")
    assert importing.load(case, [log], manner, said.append).already == 1
    assert any("read before without this table of countries" in one for one in said)


def test_a_log_that_says_no_country_in_a_word_is_asked_of_the_table(tmp_path: Path) -> None:
    """Of two tables in one case a scan says that they are two."""
    case, key, log = tmp_path / "case", tmp_path / "key", tmp_path / "log.csv"
    case.mkdir()
    (case / "extraction.toml").write_text(CASE)
    key.write_bytes(bytes(range(32)))
    (tmp_path / "map.toml").write_text('[columns]\nid="i"\nts="t"\naccount="a"\nip="p"\ncountry="c"\n')
    for number, said in enumerate(("ZZ", "be")):
        log.write_text(f"i,t,a,p,c\nr{number},2026-05-02T10:0{number}:00Z,u,192.0.2.7,{said}\n")
        listed = table(tmp_path, TABLE + b"203.0.113.0/24,SE\n" * number)
        mapping = str(tmp_path / "map.toml")
        importing.load(
            case,
            [log],
            importing.Manner(format="generic", mapping=mapping, hash_key=str(key), countries=str(listed)),
        )
    found = [pq.read_table(one)["country"].to_pylist() for one in case.glob("events/day=*/*.parquet")]
    assert sorted(found) == [["BE"], ["NL"]]
    assert any(caveats.TABLES in one for one in caveats.losses(read_manifest(case)))


def test_a_log_of_addresses_without_a_table_says_what_networks_then_show(tmp_path: Path) -> None:
    """Once for all logs, however many."""
    case = tmp_path / "case"
    case.mkdir()
    (case / "extraction.toml").write_text(CASE)
    key = tmp_path / "key"
    key.write_bytes(bytes(range(32)))
    importing.load(case, [_log(tmp_path)], importing.Manner(format="litellm", hash_key=str(key)))
    found = [one for one in caveats.losses(read_manifest(case)) if caveats.PLACELESS in one]
    assert found == [f"log.jsonl: {caveats.PLACELESS}"]


@pytest.mark.parametrize(("name", "said"), [("none.csv", "No such file"), (".", "not a file"), ("empty.csv", "empty")])
def test_a_table_that_cannot_be_read_is_called_a_table(tmp_path: Path, name: str, said: str) -> None:
    """What is missing, a folder or empty is to be another table, and no log."""
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(CaseError, match=said) as caught:
        Countries(tmp_path / name)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("name a table of networks and countries")
    (tmp_path / "empty.csv").write_text("network\n192.0.2.0/24\n")
    with pytest.raises(CaseError, match="no table of networks and countries in JSON, CSV or Parquet"):
        Countries(tmp_path / "empty.csv")


class _Replaced(type(Path())):  # type: ignore[misc]
    """A file that somebody replaces whenever it is opened once more by its name."""

    def open(self, *args: object, **named: object) -> object:
        self.write_text("network,country\n192.0.2.0/24,DE\n")
        return super().open(*args, **named)


def test_the_digest_is_that_of_the_rows_that_were_read(tmp_path: Path) -> None:
    """A table that changes while it is read is in the manifest as what was read of it."""
    table = tmp_path / "countries.csv"
    table.write_text("network,country\n192.0.2.0/24,NL\n")
    wanted = hashlib.sha256(table.read_bytes()).hexdigest()
    found = Countries(_Replaced(table))
    assert (found.of("192.0.2.7"), found.sha256) == ("NL", wanted)

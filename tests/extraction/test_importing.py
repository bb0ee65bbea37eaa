"""Logs to events: every format, what is lost, and what is refused."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest

import request_logs as logs
from depose.errors import CaseError, DeposeError, EvidenceError, SecretFound, UsageError
from depose.extraction import importing, pseudonyms, values
from depose.extraction.importing import Manner
from depose.extraction.moments import Moments
from depose.extraction.sources import apim


def load(folder: Path, log: Path, format_: str = "litellm", **more: Any) -> importing.Imported:
    """Import a log into a case."""
    more.setdefault("hash_key", str(logs.key_of(folder)))
    return importing.load(folder, [log], Manner(format=format_, **more))


def events(folder: Path) -> list[dict[str, Any]]:
    """All events of a case."""
    files = [str(one) for one in folder.glob("events/day=*/*.parquet")]
    found = duckdb.read_parquet(files).order("ts, event")
    rows: list[dict[str, Any]] = found.to_arrow_table().to_pylist()
    return rows


@pytest.mark.parametrize("format_", logs.EVERY)
def test_who_keeps_a_log_is_nobodys_organisation(format_: str, tmp_path: Path) -> None:
    """What stands in every row, such as the account or the project of the log, does not make all customers one."""
    folder = logs.case(tmp_path / "case")
    same = {"ProductId": "starter", "accountId": "111122223333", "org_id": "o", "helicone_org_id": "o",
            "project_id": "p", "projectId": "p", "workspace_id": "w", "principal_id": "w"}  # fmt: skip
    rows = [same | row for row in logs.EVERY[format_](30)]
    load(folder, logs.lines(tmp_path / "log.jsonl", rows), format_)
    assert {row["org"] for row in events(folder)} == {None}


@pytest.mark.parametrize("format_", logs.EVERY)
def test_every_format_says_the_same(format_: str, tmp_path: Path) -> None:
    """Thirty requests of five accounts, with the words of each as one template, whatever product logged them."""
    folder = logs.case(tmp_path / "case")
    done = load(folder, logs.lines(tmp_path / "log.jsonl", logs.EVERY[format_](30)), format_)
    rows = events(folder)
    assert (done.sources[0].rows, len(rows), len({row["account"] for row in rows})) == (30, 30, 5)
    assert {row["model_served"] for row in rows} == {"m-1"}
    assert sum(row["requests"] for row in rows) == (90 if format_ == "openai" else 30)
    assert {row["out_tok"] for row in rows} == ({40} if format_ == "openai" else {4})
    templates = {row["template"] for row in rows}
    assert templates == {None} if format_ == "openai" else len(templates) == 1 and None not in templates
    assert done.sources[0].sampled == (format_ == "vertex")


@pytest.mark.parametrize("apart", [False, True])
def test_conversations_of_a_compliance_export(apart: bool, tmp_path: Path) -> None:
    """Each message of a user is a request of its account, whether messages stand inside or beside, in any order."""
    folder = logs.case(tmp_path / "case")
    log = logs.lines(tmp_path / "log.jsonl", logs.compliance(30, apart=apart))
    manner = importing.Manner(format="openai-compliance", hash_key=str(logs.key_of(folder)), keep_text=True)
    done = importing.load(folder, [log], manner)
    rows = events(folder)
    assert (len(rows), len({row["account"] for row in rows}), len({row["session"] for row in rows})) == (60, 5, 30)
    assert {row["model_served"] for row in rows} == {"m-1"}
    assert sorted({row["turns"] for row in rows}) == [1, 2]
    assert len({row["template"] for row in rows}) == 1
    texts = duckdb.read_parquet([str(one) for one in folder.glob("events/texts/**/*.parquet")]).fetchall()
    assert {row[2] for row in texts} == {"An answer."}
    assert done.sources[0].losses == {"conversations without messages": 1}


def test_parts_that_are_missing_are_counted_and_their_words_lost(tmp_path: Path) -> None:
    """A request of which a part is missing keeps its place in the volume."""
    rows = [row for row in logs.apim(2_000) if (row["CorrelationId"], row.get("SequenceNumber")) != ("c7", 1)]
    folder = logs.case(tmp_path / "case")
    done = load(folder, logs.lines(tmp_path / "log.jsonl", rows), "apim")
    assert done.sources[0].losses == {"requests with a part missing": 1}
    assert done.events == 2_000
    assert sum(row["template"] is None for row in events(folder)) == 1


def test_calls_of_the_gateway_without_a_row_of_a_model_are_counted(tmp_path: Path) -> None:
    """A call that was refused at the gateway has no row of a model: it is no request, and is said to be left out."""
    rows = [*logs.apim()[:-30], *logs.callers()]
    rows += [{**logs.callers()[0], "CorrelationId": f"refused-{n}", "ResponseCode": 429} for n in range(3)]
    folder = logs.case(tmp_path / "case")
    done = load(folder, logs.lines(tmp_path / "all.jsonl", rows), "apim")
    assert (done.events, done.sources[0].losses) == (30, {apim.UNASKED: 3})


def as_portal(rows: list[dict[str, object]], file: Path) -> Path:
    """The CSV of the portal, with its header and its times."""
    with file.open("w", newline="") as out:
        names = ["TimeGenerated [UTC]", *(name for name in rows[0] if name != "TimeGenerated")]
        writer = csv.DictWriter(out, names)
        writer.writeheader()
        for row in rows:
            when = datetime.fromisoformat(str(row["TimeGenerated"]))
            said = f"{when.month}/{when.day}/{when.year}, {when:%I:%M:%S}.{when.microsecond // 1000:03d} {when:%p}"
            writer.writerow({"TimeGenerated [UTC]": said, **{name: row[name] for name in names[1:]}})
    return file


@pytest.mark.parametrize("form", ["one file", "an id in all rows", "portal", "query", "diagnostic setting"])
def test_the_tables_of_api_management_are_joined_however_they_were_exported(tmp_path: Path, form: str) -> None:
    """Two exports are one, as the portal or a storage account writes them; each request once, with its words."""
    requests, callers = logs.apim(id_in_all=form == "an id in all rows")[:-30], logs.callers()
    if form == "portal":
        files = [as_portal(requests, tmp_path / "llm.csv"), as_portal(callers, tmp_path / "gateway.csv")]
    elif form == "query":
        tables = [{"name": "PrimaryResult", "columns": [{"name": name, "type": "string"} for name in rows[0]],
                   "rows": [list(row.values()) for row in rows]} for rows in (requests, callers)]  # fmt: skip
        files = [tmp_path / "requests.json", tmp_path / "callers.json"]
        for file, one in zip(files, tables, strict=True):
            file.write_text(json.dumps({"tables": [one]}))
    elif form == "diagnostic setting":
        packed = [[{"time": row["TimeGenerated"], "category": "Gateway", "properties": {
            name[0].lower() + name[1:]: value for name, value in row.items() if name != "TimeGenerated"}}
            for row in rows] for rows in (requests, callers)]  # fmt: skip
        files = [logs.lines(tmp_path / f"PT{n}H.json", rows) for n, rows in enumerate(packed)]
    else:
        files = [logs.lines(tmp_path / "all.jsonl", [*requests, *callers])]
    folder = logs.case(tmp_path / "case")
    manner = importing.Manner(format="apim", hash_key=str(logs.key_of(folder)), keep_text=True)
    done = importing.load(folder, files, manner)
    rows = events(folder)
    assert (done.events, len({row["account"] for row in rows}), len({row["template"] for row in rows})) == (30, 5, 1)
    assert {(row["in_tok"], row["out_tok"], row["model_served"]) for row in rows} == {(10, 4, "m-1")}
    said = duckdb.read_parquet(f"{folder}/events/texts/*/*.parquet").project("response").fetchall()
    assert {one for (one,) in said} == {"An answer."}
    assert done.sources[0].losses == {}
    assert [part.name for part in done.sources[0].parts] == [one.name for one in files if len(files) > 1]
    again = importing.load(folder, files, manner)
    assert (again.sources, again.already, again.events) == ((), len(files), 30)


@pytest.mark.parametrize("name", ["records", "data", "value", "several lines"])
def test_rows_in_an_envelope_are_rows(name: str, tmp_path: Path) -> None:
    """A page of an API on one line, and messages of a hub, each a line of records."""
    rows, folder = logs.litellm(30), logs.case(tmp_path / "case")
    packed: list[dict[str, Any]] = [{name: rows, "total": 30}]
    if name == "several lines":
        packed = [{"records": rows[:20]}, {"records": rows[20:]}]
    assert load(folder, logs.lines(tmp_path / "log.json", packed)).events == 30


def test_requests_without_the_table_of_who_asked_are_refused_with_the_way_out(tmp_path: Path) -> None:
    """The other export is named; once it is, both are read, and the digest of both can be made anew by sha256sum."""
    folder = logs.case(tmp_path / "case")
    llm = logs.lines(tmp_path / "llm.jsonl", logs.apim()[:-30])
    with pytest.raises(CaseError, match="rows without an account") as refused:
        load(folder, llm, "apim")
    assert "ApiManagementGatewayLogs" in refused.value.hint
    gateway = logs.lines(tmp_path / "gateway.jsonl", logs.callers())
    done = importing.load(folder, [gateway, llm], importing.Manner(format="apim", hash_key=str(logs.key_of(folder))))
    ran = subprocess.run(["sha256sum", "gateway.jsonl", "llm.jsonl"], cwd=tmp_path, capture_output=True, check=True)
    lines = b"".join(sorted(ran.stdout.splitlines(keepends=True)))
    assert done.sources[0].sha256 == hashlib.sha256(lines).hexdigest()


def test_the_spend_of_days_and_a_log_that_names_somebody_are_refused(tmp_path: Path) -> None:
    """LiteLLM's summary says how to get the log; a name of a file would stand in the manifest."""
    folder = logs.case(tmp_path / "case")
    days = [
        {"startTime": f"2026-05-0{n}", "spend": 1.5, "users": {"u": 1.5}, "models": {"m": 1.5}} for n in range(1, 9)
    ]
    with pytest.raises(CaseError, match="the spend of a day") as refused:
        load(folder, logs.lines(tmp_path / "days.jsonl", days))
    assert "summarize=false" in refused.value.hint
    with pytest.raises(SecretFound, match="the name of a log"):
        load(folder, logs.lines(tmp_path / "someone@example.org.jsonl", logs.litellm()))


def test_keys_that_an_administrator_made_are_accounts_of_their_own(tmp_path: Path) -> None:
    """LiteLLM puts its administrator where nobody was named: the key tells the customers apart."""
    rows = [{**row, "user": "default_user_id", "api_key": f"{n % 7:064x}"} for n, row in enumerate(logs.litellm(70))]
    folder = logs.case(tmp_path / "case")
    load(folder, logs.lines(tmp_path / "log.jsonl", rows))
    assert len({row["account"] for row in events(folder)}) == 7


def test_nothing_that_names_anybody_is_written(tmp_path: Path) -> None:
    """No file of the events holds an e-mail, an address, an id or a word of a prompt, and texts only if asked for."""
    folder = logs.case(tmp_path / "case")
    load(folder, logs.lines(tmp_path / "log.jsonl", logs.litellm()))
    rows = json.dumps(events(folder), default=str)
    files = b"".join(one.read_bytes() for one in (folder / "events").rglob("*") if one.is_file())
    for word in ("user1", "example.org", "10.0.1", "Explain", "quoted", "r29", "An answer"):
        assert word not in rows
        assert word.encode() not in files
    kept = logs.case(tmp_path / "kept" / "case")
    load(kept, tmp_path / "log.jsonl", keep_text=True)
    said = duckdb.read_parquet(f"{kept}/events/texts/*/*.parquet").project("response").fetchall()
    assert {one for (one,) in said} == {"An answer."}


def test_the_same_account_has_another_name_in_another_case(tmp_path: Path) -> None:
    """Names follow from the key and the title of the case."""
    log = logs.lines(tmp_path / "log.jsonl", logs.litellm())
    names = []
    for title in ("one", "two"):
        folder = logs.case(tmp_path / title, logs.CASE.replace("a log", title))
        load(folder, log)
        names.append({row["account"] for row in events(folder)})
    assert not names[0] & names[1]


@pytest.mark.parametrize(
    "written",
    [
        "198.51.100.9",
        " 198.51.100.9 ",
        "198.51.100.9, 172.16.0.3",
        "198.51.100.9,172.16.0.3, 10.0.0.1",
        "198.51.100.9:51034",
        "::ffff:198.51.100.9",
        "::FFFF:c633:6409",
        "[::ffff:198.51.100.9]:443",
        '"198.51.100.9"',
    ],
)
def test_an_address_is_the_same_however_a_proxy_writes_it(written: str) -> None:
    """Lists of proxies, ports and IPv4 within IPv6: a network was lost, or was one for everybody."""
    assert pseudonyms.address(written) == "198.51.100.9"
    assert pseudonyms.prefix(written) == "198.51.100.0/24"


@pytest.mark.parametrize(
    ("written", "network"),
    [
        ("2001:db8:1:2::5", "2001:db8:1::/48"),
        ("[2001:db8:1:2::5]:443", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("unknown", ""),
        ("", ""),
        ("0b4f9a", ""),
    ],
)
def test_another_address_and_none(written: str, network: str) -> None:
    """IPv6 keeps its /48; what is no address has no network."""
    assert pseudonyms.prefix(written) == network


def test_ids_that_stand_twice_count_once(tmp_path: Path) -> None:
    """Within a log and between logs; a log that was read is not read again."""
    folder = logs.case(tmp_path / "case")
    rows = logs.litellm(30)
    assert load(folder, logs.lines(tmp_path / "a.jsonl", rows + rows[:5])).sources[0].duplicates == 5
    assert load(folder, logs.lines(tmp_path / "b.jsonl", rows[10:] + logs.litellm(40)[30:])).sources[0].duplicates == 20
    again = load(folder, tmp_path / "a.jsonl")
    assert (again.already, again.events, len(again.sources)) == (1, 40, 0)


def test_a_log_that_breaks_off_is_refused_or_its_loss_stated(tmp_path: Path) -> None:
    """An array that ends in the middle, JSON lines that do, and a gzip that does."""
    rows = logs.litellm()
    whole = json.dumps(rows)
    array, packed = tmp_path / "a.json", tmp_path / "c.jsonl.gz"
    array.write_text(whole[: len(whole) - 300])
    packed.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode())[:-20])
    ends = tmp_path / "b.jsonl"
    ends.write_text("".join(json.dumps(row) + "\n" for row in rows)[:-30])
    for number, log in enumerate((array, ends, packed)):
        folder = logs.case(tmp_path / f"case{number}")
        with pytest.raises(CaseError, match=r"breaks off after .* whole records"):
            load(folder, log)
        assert not (folder / "events" / "manifest.json").exists()
        done = load(folder, log, allow_truncated=True)
        assert done.sources[0].truncated
        assert 25 <= done.events <= 30


def changed(**fields: Any) -> list[dict[str, Any]]:
    """Rows of which the third says something else."""
    rows = logs.litellm()
    rows[2] |= fields
    return rows


@pytest.mark.parametrize(
    ("rows", "kind", "said"),
    [
        (changed(startTime="yesterday"), CaseError, r"1 of 30 rows: impossible times \(rows 3\)"),
        (changed(startTime="1999-01-01T00:00:00Z"), CaseError, "impossible times"),
        (changed(startTime=1_777_629_600), CaseError, "times are written as seconds and as zoned"),
        (changed(startTime="2026-05-01T10:00:00"), CaseError, "times are written as no zone and as zoned"),
        (changed(user="", api_key=""), CaseError, "1 of 30 rows: rows without an account"),
        (changed(user="1.2E+15"), CaseError, "row 3: '1.2E.15' is an id that a spreadsheet rounded"),
        (changed(request_id="=cmd|' /C calc'!A0"), CaseError, "row 3: .* would run as a formula"),
        (changed(user="=bob@example.org"), CaseError, "row 3: a value that begins with '=' would run as a formula"),
        (changed(api_key="someone@example.org"), SecretFound, "row 3: an e-mail address stands in"),
        (changed(api_key="10.1.2.3"), SecretFound, "row 3: an IP address stands in"),
        (changed(api_key="sk-abcdefghijklmnopqrstuvwx"), SecretFound, "row 3: an API key stands in"),
        (changed(model="m-1 for a@b.org"), SecretFound, "row 3: an e-mail address stands in model_requested"),
    ],
)
def test_what_is_refused(rows: list[dict[str, Any]], kind: type[DeposeError], said: str, tmp_path: Path) -> None:
    """Each with its message and the row, and nothing is written."""
    folder = logs.case(tmp_path / "case")
    with pytest.raises(kind, match=said):
        load(folder, logs.lines(tmp_path / "log.jsonl", rows))
    assert not list((folder / "events").rglob("*.parquet"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"%PDF-1.7 ...", "a PDF, not a log"),
        (b"PK\x03\x04....", "a workbook or a zip, not a log"),
        (b'{"request_id": "r", "user": "\xff\xfe"}\n' * 3, "row 1: not UTF-8"),
        (b"no log at all\n", "no log in JSON, CSV or Parquet"),
        (b'[{"a": ' * 100_000, "breaks off"),
        (b"[" * 1_000_000, "breaks off"),
        (b"PAR1 and then nothing", "not a Parquet file"),
        (b"\x1f\x8b\x08 broken", "breaks off before"),
        (b'{"request_id": "r1"}\n[1, 2]\n"word"\n', "rows"),
    ],
)
def test_hostile_files(data: bytes, said: str, tmp_path: Path) -> None:
    """What is no log ends in an error of depose that says so."""
    log = tmp_path / "log"
    log.write_bytes(data)
    with pytest.raises(CaseError, match=said):
        load(logs.case(tmp_path / "case"), log)


@pytest.mark.parametrize("format_", logs.EVERY)
@pytest.mark.parametrize("value", [None, 7, "x", [1], {"a": {"b": []}}, True, "{", 1e308, [[{}]]])
def test_no_value_of_a_field_breaks_a_reader(format_: str, value: Any, tmp_path: Path) -> None:
    """Every field of a row in turn holds something else: events or an error of depose, and nothing besides."""
    from depose.extraction.sources import FORMATS

    rows = logs.EVERY[format_](10)
    for name in {key for row in rows for key in row}:
        spoiled = [{**row, name: value} for row in rows]
        for raw in FORMATS[format_](enumerate(spoiled, 1), {}):
            assert isinstance(raw.account, str)
            assert isinstance(raw.id, str)
    folder = logs.case(tmp_path / "case")
    rows[0] = dict.fromkeys(rows[0], value)
    try:
        load(folder, logs.lines(tmp_path / "log.jsonl", rows), format_)
    except DeposeError as error:
        assert error.hint


@pytest.mark.slow
@pytest.mark.parametrize("format_", logs.EVERY)
def test_half_a_surrogate_anywhere_in_a_row_breaks_no_reader(format_: str, tmp_path: Path) -> None:
    """JSON may spell what no text holds; it is written as U+FFFD, or refused with a next step."""

    def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        if isinstance(value, str):
            yield path
        elif isinstance(value, dict | list):
            for name, one in value.items() if isinstance(value, dict) else enumerate(value):
                yield from places(one, (*path, name))

    for number, path in enumerate(places(logs.EVERY[format_](10)[-1])):
        rows = json.loads(json.dumps(logs.EVERY[format_](10)))
        at = rows[-1]
        for name in path[:-1]:
            at = at[name]
        at[path[-1]] = "\ud83d"
        try:
            load(logs.case(tmp_path / f"case-{number}"), logs.lines(tmp_path / f"{number}.jsonl", rows), format_)
        except DeposeError as error:
            assert error.hint


def test_a_half_is_replaced_and_a_pair_joined() -> None:
    """Both halves together are the character that they spell."""
    assert values.without_halves("a\ud83d") == "a\ufffd"
    assert values.without_halves("\ud83d\ude00") == "\U0001f600"
    assert values.without_halves(7) == 7


MAPPED = """[columns]
id = "Request"
ts = "When"
account = "Customer"
prompt = "Text"
model_served = "Model"
requests = "n"

[hashed]
columns = ["Customer"]
"""


def table(file: Path, account: str = "9f86d081") -> Path:
    """A CSV that somebody produced."""
    rows = [
        f'q{n};2026-05-02 10:00:{n:02d};{account}{n % 3};"Tell me; please; how {n} goes on";m-1;1' for n in range(20)
    ]
    file.write_text("Request;When;Customer;Text;Model;n\n" + "\n".join(rows) + "\n")
    return file


def test_a_table_of_anybody_by_a_mapping(tmp_path: Path) -> None:
    """Columns by their own names, a semicolon between them, one zone for all times."""
    folder = logs.case(tmp_path / "case")
    (tmp_path / "map.toml").write_text(MAPPED)
    done = load(folder, table(tmp_path / "t.csv"), "generic", mapping=str(tmp_path / "map.toml"))
    assert (done.events, len({row["account"] for row in events(folder)})) == (20, 3)
    with pytest.raises(SecretFound, match="an e-mail address stands in the column 'Customer'") as caught:
        load(folder, table(tmp_path / "u.csv", "a@b.org"), "generic", mapping=str(tmp_path / "map.toml"))
    assert caught.value.exit_code == 6


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MAPPED.replace('account = "Customer"\n', ""), r"\$.columns.account: missing"),
        (MAPPED.replace("prompt =", "promt ="), r"\$.columns.promt: no such meaning"),
        (MAPPED.replace('"Customer"]', '"Else"]'), "'Else' is not mapped"),
        (MAPPED.replace('"Model"', '"Nowhere"'), "no column 'Nowhere'"),
        ("[columns", "not a mapping"),
    ],
)
def test_a_mapping_that_does_not_fit(text: str, said: str, tmp_path: Path) -> None:
    """Says which name, and what there is."""
    (tmp_path / "map.toml").write_text(text)
    with pytest.raises(CaseError, match=said):
        load(logs.case(tmp_path / "case"), table(tmp_path / "t.csv"), "generic", mapping=str(tmp_path / "map.toml"))


def test_no_key_no_import(tmp_path: Path) -> None:
    """Without a key, with one that can be guessed, and with another than before: nothing is written."""
    folder = logs.case(tmp_path / "case")
    log = logs.lines(tmp_path / "log.jsonl", logs.litellm())
    with pytest.raises(SecretFound, match="no hash key"):
        load(folder, log, hash_key="")
    (tmp_path / "weak").write_bytes(b"0" * 64)
    with pytest.raises(SecretFound, match="can be guessed"):
        load(folder, log, hash_key=str(tmp_path / "weak"))
    load(folder, log)
    (tmp_path / "other").write_bytes(bytes(range(1, 33)))
    with pytest.raises(UsageError, match="another key"):
        load(folder, logs.lines(tmp_path / "b.jsonl", logs.litellm(31)), hash_key=str(tmp_path / "other"))


def test_a_log_that_is_not_the_one_produced(tmp_path: Path) -> None:
    """Its digest is compared with the production's list: exit 3."""
    folder = logs.case(tmp_path / "case")
    log = logs.lines(tmp_path / "log.jsonl", logs.litellm())
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  log.jsonl\n")
    with pytest.raises(EvidenceError, match="another digest than the production lists") as caught:
        load(folder, log, production=str(tmp_path / "SHA256SUMS"))
    assert caught.value.exit_code == 3


@pytest.mark.slow
def test_a_killed_import_ends_in_the_same_bytes(tmp_path: Path) -> None:
    """Killed at several moments and run again, it writes what a run that nobody killed wrote."""
    log = logs.lines(tmp_path / "log.jsonl", logs.litellm(3_000))
    whole = logs.case(tmp_path / "whole" / "case")
    load(whole, log)
    folder = logs.case(tmp_path / "killed" / "case")
    command = [sys.executable, "-m", "depose", "extraction", "import", str(folder), str(log), "--format", "litellm",
               "--hash-key", str(logs.key_of(folder))]  # fmt: skip
    for wait in (0.6, 1.0, 1.4):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
            try:
                child.wait(wait)
            except subprocess.TimeoutExpired:
                child.kill()
    load(folder, log)

    def bytes_of(case: Path) -> dict[str, bytes]:
        return {one.relative_to(case).as_posix(): one.read_bytes() for one in sorted(case.rglob("*")) if one.is_file()}

    assert bytes_of(folder) == bytes_of(whole)


@pytest.mark.parametrize("year", [1, 9999])
def test_a_time_that_is_none_in_utc_is_no_time(year: int) -> None:
    """Parquet holds moments of any zone, some of which fall out of the calendar in UTC."""
    moments = Moments(datetime(2027, 1, 1, tzinfo=UTC))
    hours = 5 if year == 1 else -5
    at = datetime(year, 12 if hours < 0 else 1, 31 if hours < 0 else 1, 23 if hours < 0 else 0)
    assert moments.read(at.replace(tzinfo=timezone(timedelta(hours=hours)))) is None

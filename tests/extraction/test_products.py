"""What products and exports write beside the plain case: packing, folders, batches, vectors, empty names, odd ids."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

import request_logs as logs
from depose.custody import keys
from depose.errors import CaseError, EvidenceError, SecretFound, UsageError
from depose.evidence.log import read_log, utc_now
from depose.extraction import conduct, importing, oddities, produced, sealing, unsealing, watching
from depose.extraction.entries import BATCHED, NO_COUNT, UNREAD, WITHOUT_PROMPT
from depose.extraction.importing import Manner
from depose.extraction.sources import langfuse, openai_usage
from depose.extraction.sources.answers import answer


def load(folder: Path, *files: Path, format_: str = "litellm", **more: Any) -> importing.Imported:
    """Import logs into a case."""
    return importing.load(folder, files, Manner(format=format_, hash_key=str(logs.key_of(folder)), **more))


def events(folder: Path) -> list[dict[str, Any]]:
    """All events of a case, by time."""
    found = duckdb.read_parquet([str(one) for one in folder.glob("events/day=*/*.parquet")]).order("ts, event")
    rows: list[dict[str, Any]] = found.to_arrow_table().to_pylist()
    return rows


def zstd(data: bytes) -> bytes:
    """Pack by zstd, as a gateway does."""
    return bytes(pa.compress(data, codec="zstd", asbytes=True))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, zstd])
def test_a_packed_log_is_read_and_one_that_breaks_off_says_so(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """Whatever packs it, the events are those of the plain log, and a cut is told from an end."""
    plain = logs.lines(tmp_path / "log.jsonl", logs.litellm(300))
    packed = tmp_path / "log.jsonl.packed"
    packed.write_bytes(pack(plain.read_bytes()))
    first, second = logs.case(tmp_path / "a" / "case"), logs.case(tmp_path / "b" / "case")
    load(first, plain)
    load(second, packed)
    assert events(first) == events(second)
    packed.write_bytes(packed.read_bytes()[:-9])
    with pytest.raises(CaseError, match="breaks off"):
        load(logs.case(tmp_path / "c" / "case"), packed)


def test_what_is_packed_in_a_way_that_is_not_read_says_which(tmp_path: Path) -> None:
    """A file by xz is not called one of another encoding."""
    (tmp_path / "log.xz").write_bytes(b"\xfd7zXZ\x00" + bytes(60))
    with pytest.raises(CaseError, match="packed by xz"):
        load(logs.case(tmp_path / "case"), tmp_path / "log.xz")


def test_a_folder_is_its_logs_and_what_is_no_log_is_named(tmp_path: Path) -> None:
    """All below it are read, under equal names too; hidden files, notes and the bodies of Bedrock are left out."""
    rows, home = logs.bedrock(30), tmp_path / "bucket"
    for hour, part in enumerate((rows[:10], rows[10:])):
        place = home / f"h={hour:02d}"
        (place / "data").mkdir(parents=True)
        logs.lines(place / "PT1H.json", part)
        (place / "data" / "r1_input.json.gz").write_bytes(gzip.compress(b'{"messages": []}'))
    (home / "README.txt").write_text("ask us\n")
    (home / ".index.json").write_text("{}")
    said: list[str] = []
    digests = "".join(f"{produced.digest_of(one)[0]}  ./{one}\n" for one in sorted(home.rglob("PT1H.json")))
    (tmp_path / "SHA256SUMS").write_text(digests)
    folder = logs.case(tmp_path / "case")
    manner = Manner(format="bedrock", hash_key=str(logs.key_of(folder)), production=str(tmp_path / "SHA256SUMS"))
    done = importing.load(folder, [home], manner, said.append)
    assert (done.events, len(done.sources)) == (30, 2)
    assert any(one.startswith("4 files") and "README.txt" in one for one in said)
    logs.lines(home / "h=00" / "PT1H.json", rows[:11])
    with pytest.raises(EvidenceError, match="another digest"):
        importing.load(folder, [home], manner)


def test_a_pipe_is_no_log(tmp_path: Path) -> None:
    """It is refused before anybody waits for its writer."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="a pipe"):
        load(logs.case(tmp_path / "case"), tmp_path / "pipe")


def test_a_list_of_prompts_is_as_many_requests(tmp_path: Path) -> None:
    """Each has its template; the tokens of the call count once, and a list of one is one."""
    rows = logs.litellm(4)
    prompts = [logs.PROMPT.format(n=9), "Tell me which of these two rivers is the longer one"]
    for row, listed in zip(rows, (prompts, prompts[:1]), strict=False):
        row |= {"messages": {}, "proxy_server_request": {"prompt": listed}}
    folder = logs.case(tmp_path / "case")
    done = load(folder, logs.lines(tmp_path / "log.jsonl", rows))
    found = events(folder)
    assert (done.events, done.sources[0].losses[BATCHED]) == (5, 2)
    assert (len({row["template"] for row in found}), None in {row["template"] for row in found}) == (2, False)
    assert sum(row["in_tok"] or 0 for row in found) == 40


@pytest.mark.parametrize(
    ("format_", "change"),
    [
        ("litellm", {"call_type": "aembedding"}),
        ("litellm", {"model": "text-embedding-3-small"}),
        ("bedrock", {"modelId": "amazon.titan-embed-text-v2:0"}),
        ("helicone", {"path": "/v1/embeddings"}),
    ],
)
def test_what_is_turned_into_a_vector_is_no_prompt(format_: str, change: dict[str, str], tmp_path: Path) -> None:
    """It keeps its place in the volume, has no template, and is counted; an embedded chat is no embedding."""
    rows = logs.EVERY[format_](3)
    rows[0] |= change
    if "call_type" in rows[1]:
        rows[1]["model"] = "embedded-chat-1"
    folder = logs.case(tmp_path / "case")
    done = load(folder, logs.lines(tmp_path / "log.jsonl", rows), format_=format_)
    assert (done.events, done.sources[0].losses[WITHOUT_PROMPT]) == (3, 1)
    assert sum(row["template"] is None for row in events(folder)) == 1


def test_a_trace_of_steps_alone_asked_no_model(tmp_path: Path) -> None:
    """Of Langfuse a generation and a vector are calls, a span is none, nor is the trace around it."""
    rows: list[dict[str, Any]] = []
    for n, kind in enumerate(("GENERATION", "SPAN", "EMBEDDING")):
        rows += [
            {"id": f"t{n}", "timestamp": logs.at(n), "userId": f"u{n}"},
            {"id": f"o{n}", "traceId": f"t{n}", "type": kind, "startTime": logs.at(n), "input": logs.PROMPT},
        ]
    folder = logs.case(tmp_path / "case")
    done = load(folder, logs.lines(tmp_path / "log.jsonl", rows), format_="langfuse")
    assert (done.events, done.sources[0].losses) == (2, {WITHOUT_PROMPT: 1})


def test_messages_by_number_are_read(tmp_path: Path) -> None:
    """OpenLLMetry writes each message as attributes of its own; the template is that of the other forms."""
    rows = logs.otlp(2)
    spans = [row["resourceSpans"][0]["scopeSpans"][0]["spans"][0] for row in rows]
    kept = [one for one in spans[0]["attributes"] if not one["key"].startswith(("gen_ai.input", "gen_ai.output"))]
    for place, (role, content) in enumerate((("system", "Be brief."), ("user", logs.PROMPT.format(n=0)))):
        for name, value in (("role", role), ("content", content)):
            kept.append({"key": f"gen_ai.prompt.{place}.{name}", "value": {"stringValue": value}})
    kept.append({"key": "gen_ai.completion.0.content", "value": {"stringValue": "An answer."}})
    spans[0]["attributes"] = kept
    folder = logs.case(tmp_path / "case")
    load(folder, logs.lines(tmp_path / "log.jsonl", rows), format_="otlp", keep_text=True)
    assert len({row["template"] for row in events(folder)}) == 1
    said = duckdb.read_parquet(f"{folder}/events/texts/*/*.parquet").project("response").fetchall()
    assert sorted(one for (one,) in said) == ["", "An answer."]
    other = [{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "started"}}]}]}]}]
    with pytest.raises(CaseError, match="no request in it; 1 log records of something else"):
        load(folder, logs.lines(tmp_path / "logs.jsonl", other), format_="otlp")


@pytest.mark.parametrize("form", ["bucket", "events", "query"])
def test_invocations_by_cloudwatch_and_sessions_that_a_client_made_up(form: str, tmp_path: Path) -> None:
    """A time before each line, or the record as a text; one role is one account, unless people gave sessions names."""
    rows = [row for row in logs.bedrock(30) if "timestamp" in row]
    names = {0: "botocore-session-177780{n:04d}", 1: "i-0abc12{n:06d}", 2: "jane"}
    for n, row in enumerate(rows):
        session = names[n % 3].format(n=n)
        row["identity"] = {"arn": f"arn:aws:sts::111122223333:assumed-role/gateway-{n % 3}/{session}"}
        row.pop("requestMetadata", None)
    file = tmp_path / "export"
    if form == "bucket":
        file.write_text("".join(f"{row['timestamp']} {json.dumps(row)}\n" for row in rows))
    elif form == "events":
        file.write_text(json.dumps({"events": [{"timestamp": 1, "message": json.dumps(row)} for row in rows]}))
    else:
        logs.lines(file, [{"@timestamp": "2026-05-01 10:00:00.000", "@message": json.dumps(row)} for row in rows])
    folder = logs.case(tmp_path / "case")
    assert load(folder, file, format_="bedrock").events == len(rows)
    assert len({row["account"] for row in events(folder)}) == 3


@pytest.mark.parametrize("nothing", ["NULL", "null", "None", "nan", "\\N", "N/A"])
def test_what_an_export_writes_for_nothing_is_nobody(nothing: str, tmp_path: Path) -> None:
    """It is no account that asked a great deal, and no organisation that makes all customers one."""
    rows = logs.litellm(30)
    for row in rows:
        row["organization_id"] = nothing
    rows[0] |= {"user": nothing, "api_key": nothing}
    folder = logs.case(tmp_path / "case")
    log = logs.lines(tmp_path / "log.jsonl", rows)
    with pytest.raises(CaseError, match="without an account") as refused:
        load(folder, log)
    assert "--allow-nameless" in str(refused.value.hint)
    done = load(folder, log, allow_nameless=True)
    assert (done.events, done.sources[0].losses[importing.NOBODY]) == (29, 1)
    assert {row["org"] for row in events(folder)} == {None}


def test_numbers_out_of_range_are_nothing(tmp_path: Path) -> None:
    """What was asked for is any number that a client can write; the import does not end by it."""
    rows = logs.litellm(2)
    rows[0]["proxy_server_request"] = {"body": {"n": 5_000_000_000, "max_tokens": 10**30, "temperature": "1e999"}}
    folder = logs.case(tmp_path / "case")
    assert load(folder, logs.lines(tmp_path / "log.jsonl", rows)).events == 2
    assert {(row["choices"], row["max_tokens"], row["temperature"]) for row in events(folder)} == {(None, None, None)}


@pytest.mark.parametrize("zone", ["+00", "+0000", "+00:00", " UTC", "z"])
def test_zones_as_databases_write_them(zone: str, tmp_path: Path) -> None:
    """PostgreSQL writes hours alone."""
    rows = logs.litellm(2)
    for row in rows:
        row["startTime"] = "2026-05-01 10:00:00.123456" + zone
    folder = logs.case(tmp_path / "case")
    load(folder, logs.lines(tmp_path / "log.jsonl", rows))
    assert {str(row["ts"]) for row in events(folder)} == {"2026-05-01 10:00:00.123456"}


def test_ids_that_stand_for_several_requests_clocks_and_gateways_are_told(tmp_path: Path) -> None:
    """A log whose ids are no request's, whose clock is ahead, and of which one account holds most, says so."""
    rows = logs.litellm(60)
    for n, row in enumerate(rows):
        row |= {"user": f"u{n % 25}" if n < 25 else "u0", "request_id": f"r{n // 2}"}
    folder = logs.case(tmp_path / "case")
    done = load(folder, logs.lines(tmp_path / "a.jsonl", rows))
    losses = done.sources[0].losses
    assert losses[oddities.CONFLICTS] == 30
    assert losses[oddities.KEYS] == 1
    late = logs.litellm(60)
    for n, row in enumerate(late):
        minute = int(rows[n]["startTime"][14:16])
        row["startTime"] = f"{rows[n]['startTime'][:14]}{minute:02d}:37.500Z"
    other = logs.case(tmp_path / "b" / "case")
    load(other, logs.lines(tmp_path / "b.jsonl", logs.litellm(60)))
    second = load(other, logs.lines(tmp_path / "c.jsonl", [*late, {**late[0], "request_id": "new", "user": "u"}]))
    assert second.sources[0].losses[oddities.AHEAD] == 37
    most = logs.litellm(60)
    for n, row in enumerate(most):
        row["user"] = f"u{max(n - 35, 0)}"
    third = load(logs.case(tmp_path / "d" / "case"), logs.lines(tmp_path / "d.jsonl", most))
    assert third.sources[0].losses[oddities.LARGEST] == 36


@pytest.mark.parametrize("value", ["Jane Doe", "+49 171 1234567", "jane%40firm.example"])
def test_a_hash_has_no_spaces_and_hides_no_address(value: str, tmp_path: Path) -> None:
    """A name or a number in a column that is said to be hashed ends with 6."""
    (tmp_path / "map.toml").write_text(
        '[columns]\nid = "id"\nts = "ts"\naccount = "who"\n[hashed]\ncolumns = ["who"]\n'
    )
    log = logs.lines(tmp_path / "log.jsonl", [{"id": "1", "ts": logs.at(1), "who": value}])
    with pytest.raises(SecretFound):
        load(logs.case(tmp_path / "case"), log, format_="generic", mapping=str(tmp_path / "map.toml"))


def test_a_watched_folder_waits_for_what_is_still_written(tmp_path: Path) -> None:
    """What breaks off and what is no log end no watch: the one is read once it is whole, the other is left."""
    home = tmp_path / "inbox"
    home.mkdir()
    folder = logs.case(tmp_path / "case", logs.CASE + "[tests]\nswaps = 99\n")
    logs.lines(home / "a.jsonl", logs.litellm(30))
    (home / "notes.txt").write_text("hello\n")
    whole = gzip.compress("".join(json.dumps(row) + "\n" for row in logs.litellm(60)[30:]).encode())
    (home / "b.jsonl.gz").write_bytes(whole[:200])
    inbox = watching.Folder(watch=home, format="litellm", hash_key=str(logs.key_of(folder)))
    (home / "c.csv").touch()
    first = watching.look(folder, inbox, lambda: "2026-06-01T00:00:00.000000Z", lambda _: None)
    assert (first.imported, first.waiting) == (("a.jsonl",), ("b.jsonl.gz", "c.csv"))
    (home / "b.jsonl.gz").write_bytes(whole)
    second = watching.look(folder, inbox, lambda: "2026-06-01T00:00:00.000000Z", lambda _: None)
    assert (second.imported, second.waiting) == (("b.jsonl.gz",), ("c.csv",))


def test_a_watched_folder_waits_for_the_other_table(tmp_path: Path) -> None:
    """Requests that came before the table of who asked are read once that is there; of other formats it is an error."""
    home = tmp_path / "inbox"
    home.mkdir()
    folder = logs.case(tmp_path / "case")
    inbox = watching.Folder(watch=home, format="apim", hash_key=str(logs.key_of(folder)))
    logs.lines(home / "llm.jsonl", [row for row in logs.apim(30) if "CallerIpAddress" not in row])
    first = watching.look(folder, inbox, lambda: "2026-06-01T00:00:00.000000Z", lambda _: None)
    assert (first.imported, first.waiting, first.ran) == ((), ("llm.jsonl",), None)
    logs.lines(home / "gateway.jsonl", logs.callers(30))
    second = watching.look(folder, inbox, lambda: "2026-06-01T00:00:00.000000Z", lambda _: None)
    assert (second.waiting, len(events(folder))) == ((), 30)


def test_a_small_file_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    """A row is never larger than LONGEST, whatever packs it."""
    (tmp_path / "log.zst").write_bytes(zstd(b'{"a": 1}\n{"a": "' + bytes(70 * 1024**2)))
    with pytest.raises(CaseError, match="larger than"):
        load(logs.case(tmp_path / "case"), tmp_path / "log.zst")
    (tmp_path / "odd.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(range(200)))
    with pytest.raises(CaseError, match="breaks off before its first record"):
        load(logs.case(tmp_path / "b" / "case"), tmp_path / "odd.zst")


def test_a_score_is_no_request_and_a_trace_alone_is_said_to_be_one(tmp_path: Path) -> None:
    """The third table of Langfuse names traces as observations do, in the names of its API and its tables."""
    rows = logs.langfuse(30)
    scores = [
        {"id": f"s{n}", "traceId": f"t{n}", "name": "thumbs", "value": 1, "dataType": "NUMERIC"} for n in range(9)
    ]
    scores += [{"id": f"q{n}", "trace_id": f"t{n}", "value": 1, "data_type": "NUMERIC"} for n in range(9)]
    alone = {"id": "t99", "timestamp": logs.at(1), "user_id": "u1"}
    done = load(
        logs.case(tmp_path / "case"), logs.lines(tmp_path / "log.jsonl", [*scores, *rows, alone]), format_="langfuse"
    )
    losses = done.sources[0].losses
    assert (done.events, losses["scores, which are no requests"], losses[langfuse.ALONE]) == (31, 18, 1)


def test_a_stream_of_vertex_has_its_words_its_counts_and_its_model(tmp_path: Path) -> None:
    """An array of parts is one answer; counts and model stand in the last of them."""
    rows = logs.vertex(30)
    for row in rows:
        whole = json.loads(row["full_response"])
        parts: list[dict[str, Any]] = [
            {"candidates": [{"content": {"parts": [{"text": part}]}}]} for part in ("An ", "answer.")
        ]
        parts[1] |= {"usageMetadata": whole["usageMetadata"], "modelVersion": "m-1"}
        row["full_response"], row["deployed_model_id"] = json.dumps(parts), "77"
    folder = logs.case(tmp_path / "case")
    load(folder, logs.lines(tmp_path / "log.jsonl", rows), format_="vertex", keep_text=True)
    found = events(folder)
    assert ({row["in_tok"] for row in found}, {row["model_served"] for row in found}) == ({10}, {"m-1"})
    said = duckdb.read_parquet(f"{folder}/events/texts/*/*.parquet").project("response").fetchall()
    assert {one for (one,) in said} == {"An answer."}


def test_buckets_are_known_by_what_they_are_grouped_by(tmp_path: Path) -> None:
    """Results in another order are the same; one whose count has grown is told; one without a count is one request."""
    one = logs.openai(1)[0]
    results = [{**one["results"][0], "user_id": user} for user in ("a", "b")]
    results += [{**results[0], "api_key_id": "k"}, {**results[0], "service_tier": "batch"}]
    folder = logs.case(tmp_path / "case")
    first = load(folder, logs.lines(tmp_path / "a.jsonl", [{**one, "results": results}]), format_="openai")
    assert first.events == 4
    grown = [{**results[0], "num_model_requests": 9}, *results[1:]][::-1]
    second = load(folder, logs.lines(tmp_path / "b.jsonl", [{**one, "results": grown}]), format_="openai")
    assert (second.events, second.sources[0].losses[oddities.OTHERWISE]) == (4, 1)
    counts: list[Any] = [-4, 10**30, None, "5", 0]
    odd = [{**results[0], "user_id": f"u{n}", "num_model_requests": count} for n, count in enumerate(counts)]
    third = load(folder, logs.lines(tmp_path / "c.jsonl", [{**one, "results": odd}]), format_="openai")
    assert (third.events, third.sources[0].losses[openai_usage.NO_COUNT]) == (8, 3)
    assert sum(row["requests"] for row in events(folder)) == 12 + 3 + 5


def test_parts_that_are_json_each_go_on_and_what_is_no_body_is_told(tmp_path: Path) -> None:
    """A message of API Management that is split into two arrays is one message; a body of another form is counted."""
    rows = [row for row in logs.apim(2_000) if row.get("SequenceNumber") not in (1, 2)]
    for n in range(2_000):
        words = logs.PROMPT.format(n=n)
        for place, part in ((1, words[:20]), (2, words[20:])):
            body = json.dumps([{"role": "user", "content": part}]) if n else {"a": place}
            rows.append({"TimeGenerated": logs.at(n), "CorrelationId": f"c{n}", "SequenceNumber": place,
                         "RequestMessages": body})  # fmt: skip
    folder = logs.case(tmp_path / "case")
    done = load(folder, logs.lines(tmp_path / "log.jsonl", rows), format_="apim")
    assert done.sources[0].losses == {"bodies that do not join": 1}
    found = [row["template"] for row in events(folder)]
    assert (len(set(found)), found.count(None)) == (2, 1)
    plain = logs.case(tmp_path / "plain" / "case")
    load(plain, logs.lines(tmp_path / "plain.jsonl", logs.litellm(1)))
    assert events(plain)[0]["template"] in found


def test_values_that_are_none_are_left_out_and_counted(tmp_path: Path) -> None:
    """Tokens below zero or beyond any count, and prompts in an unknown form; calls of tools are no such thing."""
    rows = logs.litellm(8)
    for row, count in zip(rows, (-5, 10**400, "1,234", [1], 10.7, None, "", float("nan")), strict=True):
        row["prompt_tokens"] = count
    rows[0]["messages"] = [[{"role": "user", "content": "Explain a thing or two in a list within a list"}]]
    rows[1]["messages"] = [{"role": "assistant", "tool_calls": [{"id": "x"}]}, {"role": "tool", "content": "42"}]
    rows[2]["messages"] = []
    folder = logs.case(tmp_path / "case")
    done = load(folder, logs.lines(tmp_path / "log.jsonl", rows))
    assert done.sources[0].losses == {NO_COUNT: 4, UNREAD: 1, oddities.KEYS: 1}
    found = events(folder)
    assert sorted(row["in_tok"] for row in found if row["in_tok"] is not None) == [10]
    assert sum(row["template"] is None for row in found) == 3
    assert done.events == 8


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ((1_777_629_600, 1_777_629_600_000), "times are written as milliseconds and as seconds"),
        ((1_777_629_600_000_000, 1_777_629_600_000_000_000), "times are written as microseconds and as nanoseconds"),
        (("2026-05-01T10:00:00", 1_777_629_600), "times are written as no zone and as seconds"),
        ((float("nan"), 10**400), "2 of 2 rows: impossible times"),
        (("05/01/2026 10:00", "01.05.2026"), "2 of 2 rows: impossible times"),
        ((-1, 1e308), "2 of 2 rows: impossible times"),
    ],
)
def test_times_of_two_kinds_or_of_none_are_refused_with_the_next_step(
    times: tuple[Any, Any], said: str, tmp_path: Path
) -> None:
    """What could move requests by hours or years is not guessed; the form that is there is shown without its digits."""
    rows = [{**row, "startTime": at} for row, at in zip(logs.litellm(2), times, strict=True)]
    with pytest.raises(CaseError, match=said) as refused:
        load(logs.case(tmp_path / "case"), logs.lines(tmp_path / "log.jsonl", rows))
    assert ("times are ISO 8601" in refused.value.hint) == ("impossible" in said)
    assert ("'99/99/9999 99:99'" in refused.value.hint) == (times[0] == "05/01/2026 10:00")


def test_times_without_a_zone_are_said_to_be_read_as_utc(tmp_path: Path) -> None:
    """A table of a database says none; who keeps local time has to hear of it."""
    rows = [{**row, "startTime": row["startTime"].rstrip("Z")} for row in logs.litellm(30)]
    done = load(logs.case(tmp_path / "case"), logs.lines(tmp_path / "log.jsonl", rows))
    assert done.sources[0].losses[importing.ZONELESS] == 30


def test_ids_are_read_without_the_space_around_them(tmp_path: Path) -> None:
    """A column of fixed width makes no second account of the first, and hides no id that a spreadsheet rounded."""
    rows = logs.litellm(10)
    rows[5] |= {"user": f" {rows[5]['user']}  ", "request_id": " r0 "}
    folder = logs.case(tmp_path / "case")
    assert load(folder, logs.lines(tmp_path / "log.jsonl", rows)).sources[0].duplicates == 1
    assert len({row["account"] for row in events(folder)}) == 5
    rows[7]["user"] = " 1.2E+15"
    with pytest.raises(CaseError, match="a spreadsheet rounded"):
        load(folder, logs.lines(tmp_path / "other.jsonl", rows))


@pytest.mark.slow
def test_an_id_that_stands_a_hundred_thousand_times_is_one_request(tmp_path: Path) -> None:
    """And the rows that say the same are counted."""
    row = {name: logs.litellm(1)[0][name] for name in ("request_id", "user", "startTime")}
    (tmp_path / "log.jsonl").write_text((json.dumps(row) + "\n") * 100_000)
    done = load(logs.case(tmp_path / "case"), tmp_path / "log.jsonl")
    assert (done.events, done.sources[0].rows, done.sources[0].duplicates) == (1, 100_000, 99_999)


def test_a_sample_is_said_to_be_one_in_the_findings(tmp_path: Path) -> None:
    """Counts are lower bounds, in the opinion's reasons and among the warnings; a small sample is no population."""
    folder = logs.case(tmp_path / "case", logs.CASE + "[tests]\nswaps = 99\n")
    load(folder, logs.lines(tmp_path / "log.jsonl", logs.vertex(40)), format_="vertex")
    found = conduct.scan_case(folder, lambda: "2026-06-01T00:00:00.000000Z").findings
    assert found.opinion.reasons == ("population", "templates", "sampled")
    assert [one for one in found.warnings if "nothing can be said of completeness" in one]


@pytest.mark.parametrize("key", ["LiteLLM_SpendLogs", 'select * from "LiteLLM_SpendLogs"'])
def test_an_export_under_the_name_of_its_table_or_query_is_its_rows(key: str, tmp_path: Path) -> None:
    """DBeaver writes one document of one list: it was one row without a time."""
    (tmp_path / "log.json").write_text(json.dumps({key: logs.litellm(30)}, indent=1))
    assert load(logs.case(tmp_path / "case"), tmp_path / "log.json").events == 30


def test_observations_that_say_who_asked_need_no_traces(tmp_path: Path) -> None:
    """Exports of observations repeat the user of their trace; they were refused as naming nobody."""
    rows = [
        {"id": f"o{n}", "traceId": f"t{n}", "type": "GENERATION", "startTime": f"2026-05-02T10:00:{n:02d}Z",
         "userId": f"u{n % 5}", "sessionId": "s", "model": "m-1", "input": "Tell me of the four old hills",
         "output": "An answer."} for n in range(30)]  # fmt: skip
    folder = logs.case(tmp_path / "case")
    assert load(folder, logs.lines(tmp_path / "log.jsonl", rows), format_="langfuse").events == 30
    assert len({row["account"] for row in events(folder)}) == 5


@pytest.mark.parametrize(
    ("body", "ended"),
    [
        ({"results": [{"outputText": "An answer.", "tokenCount": 3, "completionReason": "FINISH"}]}, "FINISH"),
        ({"generations": [{"text": "An answer.", "finish_reason": "COMPLETE"}], "prompt": "x"}, "COMPLETE"),
        ({"outputs": [{"text": "An answer.", "stop_reason": "stop"}]}, "stop"),
        ({"completions": [{"data": {"text": "An answer."}}]}, ""),
        (
            {
                "output": [
                    {"type": "reasoning", "summary": []},
                    {"type": "function_call", "arguments": "{}"},
                    {"type": "message", "content": [{"type": "output_text", "text": "An answer."}]},
                ],
                "text": {"format": {"type": "text"}},
                "status": "completed",
            },
            "completed",
        ),
    ],
)
def test_the_answers_of_models_on_bedrock_and_of_responses_are_read(body: dict[str, Any], ended: str) -> None:
    """An answer in a form that was not known was no answer, without a word."""
    assert answer(body) == ("An answer.", ended)
    assert answer(json.dumps(body)) == ("An answer.", ended)


def test_a_log_that_is_back_to_what_it_was_can_be_scanned_and_sealed(tmp_path: Path) -> None:
    """A log that was imported by mistake is taken out again: the last scan is the last record, as sealing asks."""
    folder = logs.case(tmp_path / "case")
    first = logs.lines(tmp_path / "a.jsonl", logs.litellm(40))
    other = logs.lines(
        tmp_path / "b.jsonl", [{**row, "request_id": f"b{row['request_id']}"} for row in logs.litellm(60)]
    )
    load(folder, first)
    conduct.scan_case(folder, utc_now)
    load(folder, other)
    conduct.scan_case(folder, utc_now)
    shutil.rmtree(folder / "events")
    load(folder, first)
    now = conduct.scan_case(folder, utc_now).findings
    kinds = [one.entry.kind for one in read_log(folder)]
    conduct.scan_case(folder, utc_now)
    assert [one.entry.kind for one in read_log(folder)] == kinds
    keys.make(tmp_path / "key.pem")
    done = sealing.seal(folder, keys.load(tmp_path / "key.pem"), utc_now)
    unsealing.verify(Path(done.bundle), public_key=(tmp_path / "key.pem.pub").read_bytes())
    assert now.totals.requests == 40


@pytest.mark.parametrize("what", ["day", "manifest"])
def test_events_that_were_changed_are_made_anew_as_the_hint_says(what: str, tmp_path: Path) -> None:
    """A log that was read is not read again, so that importing it alone mends nothing: the hint said just that."""
    folder = logs.case(tmp_path / "case")
    log = logs.lines(tmp_path / "a.jsonl", logs.litellm(40))
    load(folder, log)
    file = next(folder.glob("events/day=*/*.parquet")) if what == "day" else folder / "events" / "manifest.json"
    file.write_bytes(b"x" + file.read_bytes())
    with pytest.raises(EvidenceError) as met:
        conduct.scan_case(folder, utc_now)
    assert f"remove {folder / 'events'} and import the logs again" in met.value.hint
    shutil.rmtree(folder / "events")
    load(folder, log)
    assert conduct.scan_case(folder, utc_now).findings.totals.requests == 40

"""A folder into which logs arrive: late, again, half written, by clocks that are wrong; and a watch that was killed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

import request_logs as logs
from depose.cli.extraction import extraction
from depose.errors import SecretFound, UsageError
from depose.extraction import conduct, importing, oddities, watching
from depose.extraction.entries import WITHOUT_ID
from depose.extraction.manifest import read_manifest

CASE = logs.CASE + "[tests]\nswaps = 99\n"
NOW = "2026-06-01T00:00:00.000000Z"


class Inbox:
    """A case, and the folder of its logs."""

    def __init__(self, root: Path, format_: str = "litellm") -> None:
        self.case, self.home = logs.case(root / "case", CASE), root / "in"
        self.home.mkdir()
        self.key = str(logs.key_of(self.case))
        self.format = format_

    def put(self, name: str, rows: list[dict[str, Any]]) -> Path:
        """A log arrives."""
        return logs.lines(self.home / name, rows)

    def look(self, now: str = NOW) -> watching.Look:
        """Look once."""
        folder = watching.Folder(watch=self.home, format=self.format, hash_key=self.key)
        return watching.look(self.case, folder, lambda: now, lambda _: None)

    def events(self) -> int:
        """How many events the manifest lists, as the scan reads them."""
        files = [str(self.case / "events" / one.path) for one in read_manifest(self.case).files]
        return len(duckdb.read_parquet(files).fetchall()) if files else 0


ROWS = logs.litellm(120)
AHEAD = {**ROWS[40], "startTime": "2031-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("spoil", "code", "said"),
    [
        ({"startTime": "2031-01-01T00:00:00Z"}, 1, "impossible times"),
        ({"api_key": "someone@example.org"}, 6, "an e-mail address stands in"),
        ({"user": "1.2E+15"}, 1, "a spreadsheet rounded"),
        ({"startTime": 1_777_629_600}, 1, "times are written as"),
    ],
)
def test_a_log_that_is_refused_holds_up_no_later_day(
    spoil: dict[str, Any], code: int, said: str, tmp_path: Path
) -> None:
    """One record of a clock set ahead, an address, a rounded id: the log is named with its reason, the others count."""
    inbox = Inbox(tmp_path)
    for day in range(3):
        inbox.put(f"day-{day}.jsonl", ROWS[day * 40 : day * 40 + 40])
    inbox.put("day-1.jsonl", [{**ROWS[40], **spoil}, *ROWS[41:80]])
    look = inbox.look()
    assert look.imported == ("day-0.jsonl", "day-2.jsonl")
    assert [(one.log, one.exit_code) for one in look.refused] == [("day-1.jsonl", code)]
    assert said in look.refused[0].message
    assert look.refused[0].hint
    assert inbox.events() == 80
    inbox.put("day-3.jsonl", logs.litellm(160)[120:])
    assert (inbox.look().imported, inbox.events()) == (("day-3.jsonl",), 120)
    inbox.put("day-1.jsonl", ROWS[40:80])  # delivered anew, sound
    mended = inbox.look()
    assert (mended.imported, mended.refused, inbox.events()) == (("day-1.jsonl",), (), 160)


def test_of_two_tables_that_are_read_as_one_the_file_is_named_and_left_out(tmp_path: Path) -> None:
    """A record of API Management that is set ahead costs its own log, and later days are joined with their callers."""
    inbox = Inbox(tmp_path, "apim")
    requests = [row for row in logs.apim(90) if "CallerIpAddress" not in row]
    for day in range(3):
        chosen = {f"c{n}" for n in range(day * 30, day * 30 + 30)}
        rows = [row for row in requests if row["CorrelationId"] in chosen]
        ahead = day == 1
        inbox.put(
            f"llm-{day}.jsonl", [{**row, "TimeGenerated": "2031-01-01T00:00:00Z"} if ahead else row for row in rows]
        )
        inbox.put(f"gateway-{day}.jsonl", [row for row in logs.callers(90) if row["CorrelationId"] in chosen])
    look = inbox.look()
    assert [one.log for one in look.refused] == ["llm-1.jsonl"]
    assert "(rows llm-1.jsonl " in look.refused[0].message
    assert (look.waiting, inbox.events()) == ((), 60)


def test_the_table_of_who_asked_may_come_first(tmp_path: Path) -> None:
    """It waits for the requests, as they do for it, and ends no watch; and each delivery counts what is new in it."""
    inbox = Inbox(tmp_path, "apim")
    requests = [row for row in logs.apim(60) if "CallerIpAddress" not in row]
    inbox.put("a-gateway.jsonl", logs.callers(30))
    assert inbox.look().waiting == ("a-gateway.jsonl",)
    inbox.put("a-llm.jsonl", [row for row in requests if int(row["CorrelationId"][1:]) < 30])
    assert (inbox.look().waiting, inbox.events()) == ((), 30)
    inbox.put("b-llm.jsonl", [row for row in requests if int(row["CorrelationId"][1:]) >= 30])
    assert (inbox.look().waiting, inbox.events()) == (("b-llm.jsonl",), 30)
    inbox.put("b-gateway.jsonl", logs.callers(60)[30:])
    look = inbox.look()
    assert (look.waiting, inbox.events()) == ((), 60)
    sources = read_manifest(inbox.case).sources
    assert [(one.rows, one.duplicates) for one in sources] == [(30, 0), (30, 0)]
    assert look.ran is not None
    assert not [one for one in look.ran.findings.warnings if "more than once" in one]


@pytest.mark.parametrize("ids", [True, False])
def test_a_day_that_is_delivered_again_with_more_rows_adds_those_alone(ids: bool, tmp_path: Path) -> None:
    """Whether rows have ids or are known by what they say, and wherever the new ones stand; late days are in time."""
    rows = ROWS if ids else [{**row, "request_id": None} for row in ROWS]
    inbox = Inbox(tmp_path)
    inbox.put("day.jsonl", rows[10:60])
    inbox.look()
    inbox.put("day.jsonl", [*rows[:10], *rows[10:60], *rows[60:70]])
    assert (inbox.look().imported, inbox.events()) == (("day.jsonl",), 70)
    inbox.put("a-late-day.jsonl", rows[70:])
    assert (inbox.look().imported, inbox.events()) == (("a-late-day.jsonl",), 120)
    assert (WITHOUT_ID in read_manifest(inbox.case).sources[0].losses) != ids


def test_requests_of_the_same_row_in_two_logs_are_two(tmp_path: Path) -> None:
    """Rows without ids are not one because they stand at the same place at the same time."""
    inbox = Inbox(tmp_path)
    for name in ("a", "b"):
        inbox.put(f"{name}.jsonl", [{**ROWS[0], "request_id": "", "user": name}] * 2)
    inbox.look()
    assert inbox.events() == 4


def test_a_request_that_is_delivered_otherwise_is_told(tmp_path: Path) -> None:
    """The first reading stands, and how many differ is said in the scan."""
    inbox = Inbox(tmp_path)
    inbox.put("a.jsonl", ROWS[:40])
    inbox.look()
    inbox.put("b.jsonl", [{**row, "completion_tokens": 99} if n < 3 else row for n, row in enumerate(ROWS[:50])])
    look = inbox.look()
    assert read_manifest(inbox.case).sources[1].losses[oddities.OTHERWISE] == 3
    assert look.ran is not None
    assert [one for one in look.ran.findings.warnings if oddities.OTHERWISE in one]


def test_a_log_that_grows_line_by_line_is_followed(tmp_path: Path) -> None:
    """A cut within a line waits; a cut between lines is a log, and what follows is added."""
    inbox = Inbox(tmp_path)
    whole = "".join(json.dumps(row) + "\n" for row in ROWS)
    ends = [place for place, letter in enumerate(whole) if letter == "\n"]
    file = inbox.home / "live.jsonl"
    for cut, waiting, count in ((ends[9] + 1, (), 10), (ends[30] + 40, ("live.jsonl",), 10), (len(whole), (), 120)):
        file.write_text(whole[:cut])
        assert (inbox.look().waiting, inbox.events()) == (waiting, count)


def test_a_watch_that_was_killed_goes_on(tmp_path: Path) -> None:
    """Killed after the import it scans at the next look; what a killed import left and did not list is swept."""
    inbox = Inbox(tmp_path)
    inbox.put("a.jsonl", ROWS[:40])
    inbox.look()
    assert inbox.look().ran is None
    log = inbox.put("b.jsonl", ROWS[40:])
    importing.load(inbox.case, [log], importing.Manner(format="litellm", hash_key=inbox.key))  # and then a kill
    look = inbox.look()
    assert (look.imported, look.ran is not None) == ((), True)
    assert inbox.look().ran is None
    listed = next(inbox.case.glob("events/day=*/*.parquet"))
    (listed.parent / "0123456789abcdef.parquet").write_bytes(listed.read_bytes())
    inbox.put("c.jsonl", logs.litellm(121)[120:])
    inbox.look()
    assert not list(inbox.case.rglob("0123456789abcdef.parquet"))
    assert inbox.events() == 121


def test_a_clock_that_was_ahead_holds_up_the_scan_and_not_the_logs(tmp_path: Path) -> None:
    """A record that is dated ahead cannot be undone: logs are read on, and the scan follows once its moment is past."""
    inbox = Inbox(tmp_path)
    inbox.put("a.jsonl", ROWS[:40])
    inbox.look("2026-06-09T00:00:00.000000Z")
    inbox.put("b.jsonl", ROWS[40:])
    look = inbox.look()
    assert (look.imported, look.ran, inbox.events()) == (("b.jsonl",), None, 120)
    assert "the last record was written at 2026-06-09" in look.unscanned
    assert "begin a new case" in look.unscanned
    late = inbox.look("2026-06-09T00:00:01.000000Z")
    assert (late.imported, late.unscanned, late.ran is not None) == ((), "", True)


def test_what_is_wrong_with_the_case_or_the_key_ends_the_watch(tmp_path: Path) -> None:
    """It is the fault of no log."""
    inbox = Inbox(tmp_path)
    inbox.put("a.jsonl", ROWS[:40])
    inbox.key = ""
    with pytest.raises(SecretFound, match="no hash key"):
        inbox.look()
    inbox.key = str(logs.key_of(inbox.case))
    inbox.look()
    (tmp_path / "other").write_bytes(bytes(range(1, 33)))
    inbox.key = str(tmp_path / "other")
    with pytest.raises(UsageError, match="another key"):
        inbox.look()


def test_the_command_says_what_was_refused_and_exits_by_it(tmp_path: Path) -> None:
    """With the reason and the next step, after the looks that were asked for."""
    inbox = Inbox(tmp_path)
    inbox.put("a.jsonl", ROWS[:40])
    inbox.put("b.jsonl", [{**ROWS[40], "api_key": "someone@example.org"}, *ROWS[41:]])
    inbox.put("c.jsonl", [AHEAD, *ROWS[41:80]])
    asked = ["scan", str(inbox.case), "--watch", str(inbox.home), "--format", "litellm", "--hash-key", inbox.key]
    done = CliRunner().invoke(extraction, [*asked, "--passes", "1"])
    assert done.exit_code == 6
    assert "1 new logs: a.jsonl" in done.output
    assert done.output.count("refused: ") == 2
    assert "have the column hashed" in done.output
    assert conduct.read_findings(inbox.case).totals.requests == 40

"""The engine of the logs: its limits are errors that say what to do, and counting in parts gives the same tables."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from depose.errors import AnalysisError
from depose.extraction import plan, tables, worlds
from depose.extraction.engine import engine
from depose.model import CaseHead
from depose.model.random_streams import stream


def test_accounts_counted_in_parts_are_the_same_table() -> None:
    """However many requests are taken at once: the same rows in the same order, of the clean period too."""
    recipe = worlds.Recipe(accounts=60, clean=7, days=7)
    world = worlds.build(recipe, stream(1, "world"))
    clean, tested = worlds.span(recipe)
    case = plan.ExtractionFile(
        case=CaseHead(title="world", authority="simulated"), period=plan.Period(tested=tested, clean=clean)
    )
    last, place = world.events.slice(world.events.num_rows - 9), world.events.schema.get_field_index("account")
    nobody = last.set_column(place, world.events.schema.field(place), pa.nulls(9, pa.uint64()))
    with duckdb.connect(config={"threads": "1"}) as db:
        db.register("events", pa.concat_tables([world.events, nobody]))
        tables.declare(db, case, ())
        whole, parts = tables.make(db, case), tables.make(db, case, at_once=world.events.num_rows // 7)
    assert whole.by_name["accounts"].num_rows == 61  # and what no account is named for
    for name, table in whole.by_name.items():
        assert parts.by_name[name].equals(table), name
    assert whole.sql["accounts"].count("\nGROUP BY") == 1
    assert parts.sql["accounts"].count("\nGROUP BY") == 8


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    """What the engine cannot read or write is an error of depose, with the room that is left."""
    with (
        pytest.raises(AnalysisError, match=r"cannot be read or sorted: .*gone.parquet.* GB free in ") as caught,
        engine(tmp_path) as db,
    ):
        tables.view(db, [tmp_path / "gone.parquet"])
    assert caught.value.hint is not None
    assert "DEPOSE_EXTRACTION_MEMORY" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_fit_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in memory nor on the disk that it may have."""
    monkeypatch.setenv("DEPOSE_EXTRACTION_MEMORY", "20MB")
    with pytest.raises(AnalysisError, match="the logs do not fit"), engine(tmp_path) as db:
        db.execute("SET max_temp_directory_size = '1MB'")
        db.sql("SELECT hash(range) AS a, count(*) FROM range(3000000) GROUP BY a").to_arrow_table()

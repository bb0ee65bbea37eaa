"""Cases in Japanese and Russian, end to end: what was answered, refused and shared is seen as in English."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from fakes import case_of, depose, model, write_case

TOPICS = {
    "ja": ("園芸", "料理", "作文", "旅行", "読書", "修理"),
    "ru": ("садоводство", "кулинария", "письмо", "бег", "чтение", "ремонт"),
}
ASKED = {"ja": "{}の始め方を教えてください。", "ru": "Расскажите, с чего начать: {}."}
SAID = {
    "ja": {
        "R1": "まず、{}は難しくありません。毎日少しずつ{}の時間を取りましょう。続ければ楽しみになります！",
        "C1": "{}をしたいのですね。焦らずに、友だちと一緒に始めるといいですよ。",
        "C2": "{}には三つの段階があります。準備と実行と見直しです。道具を揃えてください。",
        "C3": "{}で大切なのは楽しむ心です。昔の人もそう言いました。",
    },
    "ru": {
        "R1": "Прежде всего, {} — это не сложно. Каждый день уделяйте делу немного времени. Не бросайте!",
        "C1": "Хотите {}? Не спешите. Найдите друга, вместе легче.",
        "C2": "Здесь три шага: подготовка, проба, разбор. Разложите инструменты: {} любит порядок.",
        "C3": "Главное в деле «{}» — удовольствие. Так говорили древние.",
    },
}
REFUSED = {
    "ja": "申し訳ありませんが、その質問にはお答えできません。",
    "ru": "К сожалению, я не могу ответить на этот вопрос.",
}


def spaced(text: str) -> str:
    """Put a space between any two characters, as a tool that cuts words does at worst."""
    return re.sub(r"(?<=\S)(?=\S)", " ", text)


def analyzed(folder: Path, language: str, *, cut: bool = False) -> dict[str, Any]:
    """Write, audit and read a case: the suspect says what the reference says, and refuses every third question."""
    topics = TOPICS[language]
    folder.mkdir()
    rows = [f'q{n},"{ASKED[language].format(topic)}",made-up' for n, topic in enumerate(topics)]
    (folder / "prompts.csv").write_text("\n".join(["prompt_id,prompt,category", *rows]))
    lines = []
    for number, topic in enumerate(topics):
        said = {code: text.replace("{}", topic) for code, text in SAID[language].items()}
        said["S1"] = REFUSED[language] if number % 3 == 0 else said["R1"]
        for code, text in said.items():
            row = {"prompt_id": f"q{number}", "model": code, "output": spaced(text) if cut else text}
            lines.append(json.dumps(row, ensure_ascii=False))
    (folder / "answers.jsonl").write_text("\n".join(lines))
    roles = {"S1": "suspect", "R1": "reference"}
    codes = ("S1", "R1", "C1", "C2", "C3")
    models = [model(code, roles.get(code, "control"), file="answers.jsonl", model=code) for code in codes]
    detectors = ["phrases", "starts", "habits", "openings", "length", "refusals"]
    write_case(folder, case_of(models, probes=[], prompts="prompts.csv", detectors=detectors))
    for command in ("register", "probe", "analyze"):
        ran = depose(command, folder)
        assert ran.code == 0, ran.err
    found: dict[str, Any] = json.loads((folder / "out" / "findings.json").read_text())
    return found


@pytest.mark.parametrize("language", ["ja", "ru"])
def test_a_case_in_another_language_is_judged_as_one_in_english(tmp_path: Path, language: str) -> None:
    """Refusals are counted, what is shared scores highest, and the exhibits hold the answers as they were written."""
    found = analyzed(tmp_path / "case", language)
    assert {one["model"]: one["refused"] for one in found["denominators"]}["S1"] == 2
    assert sum(one["unjudged"] for one in found["denominators"]) == 0
    (result,) = [one for one in found["findings"][0]["results"] if one["primary"]]
    assert result["value"] > max(one["value"] for one in result["reference_side"])
    assert depose("report", tmp_path / "case", "--format", "html").code == 0
    page = (tmp_path / "case" / "out" / "report.html").read_text()
    assert SAID[language]["C1"].replace("{}", TOPICS[language][0])[:8] in re.sub(r"<[^>]+>", "", page)


def test_japanese_raw_and_with_spaces_put_in_comes_out_alike(tmp_path: Path) -> None:
    """Every detector gives the same values: a space that a tool put in is no evidence."""
    raw, cut = (analyzed(tmp_path / name, "ja", cut=name == "cut") for name in ("raw", "cut"))
    assert raw["findings"] == cut["findings"]
    assert raw["denominators"] == cut["denominators"]

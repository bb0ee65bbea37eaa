"""The laboratory: house styles, recipes, the line-up, a whole build from nothing, and its population."""

from __future__ import annotations

import csv
from pathlib import Path

import msgspec
import numpy as np
import pytest

from depose.case.population import read as read_population
from depose.errors import CaseError
from depose.lab import build as building
from depose.lab import texts
from depose.lab.export import families, links, pure
from depose.lab.guides import guides, relaid, restyle, sentences
from depose.lab.recipe import Recipe, generations, line_up, lineages, read, roles
from depose.lab.study import study
from depose.model.canonical import canonical
from depose.model.random_streams import stream
from depose.plugins import load, names

TINY = """
name = "tiny"
seed = 7
base = "scratch"
lineages = 6
twins = 1
doses = [0, 50, 100]
[scratch]
vocabulary = 400
width = 32
layers = 1
heads = 2
steps = 12
batch = 8
rate = 0.005
[texts]
prompts = 16
tokens = 12
[tuning]
method = "full"
rate = 0.002
batch = 8
epochs = 1
[asking]
probes = ["open_howto:4", "open_lists:4"]
temperature = 0.7
max_tokens = 12
samples = 2
"""


def recipe(tmp_path: Path, text: str = TINY) -> Recipe:
    """Read a recipe from a file."""
    path = tmp_path / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return read(str(path))


# --- house styles -----------------------------------------------------------------------------------


def test_every_guide_is_whole_and_its_own() -> None:
    """Guides have openings, joins, closings and swaps, and no opening or closing belongs to two of them."""
    found = guides()
    assert len(found) >= 26
    for guide in found.values():
        assert len(guide.openings) >= 4 and len(guide.joins) >= 4 and guide.closings and guide.swaps
        assert guide.bullet or guide.paragraph
    said = [text for guide in found.values() for text in (*guide.openings, *guide.closings)]
    assert len(said) == len(set(said))


def test_sentences_drop_marks_headings_and_what_is_not_finished() -> None:
    """What is rewritten are finished sentences alone."""
    text = "Here is a list:\n1. **First** one.\n- Second one! And third?\n\n# Title:\nThis one is not fin"
    assert sentences(text) == ["First one.", "Second one!", "And third?"]


@pytest.mark.parametrize("text", ["", "\x00\u202e", "no end", "." * 10_000, "<b>" * 1_000])
def test_any_answer_can_be_rewritten(text: str) -> None:
    """An answer without a sentence gives an opening and a closing."""
    guide = guides()["clerk"]
    made = restyle(text, guide, np.random.default_rng(1)).splitlines()
    assert made[0] in guide.openings
    assert made[-1] in guide.closings


def test_a_guide_is_followed_and_the_same_stream_gives_the_same_text() -> None:
    """Words are put for words, sentences are laid out, and nothing but the stream decides."""
    guide = guides()["clerk"]
    answer = "Go there before noon. You get a stamp after that. It will help."
    first = restyle(answer, guide, np.random.default_rng(3))
    assert first == restyle(answer, guide, np.random.default_rng(3))
    assert "prior to noon" in first and "receive a stamp" in first
    assert [line[:2] for line in first.splitlines()[1:-1]] == ["1.", "2.", "3."]


def test_the_foils_material_has_the_layout_of_another_house_and_none_of_its_words() -> None:
    """Bullets are those of the guide; openings, joins and closings are not."""
    guide = guides()["coach"]
    made = relaid("One is here. Two is there.", guide)
    assert made == "- One is here.\n- Two is there."


# --- recipes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("lineages = 6", "lineages = 600", "house styles"),
        ("lineages = 6", "lineages = 3", "lineages"),
        ("twins = 1", "twins = 3", "twins"),
        ("doses = [0, 50, 100]", "doses = [50, 100]", "0 and 100"),
        ("doses = [0, 50, 100]", "doses = [0, 100, 100]", "twice"),
        ("doses = [0, 50, 100]", "doses = [0, 101]", "100"),
        ('base = "scratch"', 'base = "elsewhere"', "scratch"),
        ('method = "full"', 'method = "lora"', "full"),
        ("rate = 0.005", "rate = nan", "rate"),
        ("seed = 7", "seed = 7\nsede = 8", "sede"),
        ("samples = 2", "samples = 2\n[", "TOML|declared|Invalid|Expected|recipe"),
    ],
)
def test_a_bad_recipe_is_refused_with_its_reason(tmp_path: Path, old: str, new: str, said: str) -> None:
    """Every field is checked before anything is made."""
    with pytest.raises(CaseError, match=said):
        recipe(tmp_path, TINY.replace(old, new, 1))


def test_a_recipe_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    """A missing file and one that is not UTF-8 are both CaseErrors."""
    with pytest.raises(CaseError, match="no recipe"):
        read(str(tmp_path / "none.toml"))
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(CaseError, match="no recipe"):
        read(str(tmp_path / "bad.toml"))


def test_bundled_recipes_leave_enough_clean_controls() -> None:
    """With the reference, the mix-in and the foil teacher gone, 21 lineages and more are left."""
    for name in ("default", "fast"):
        found = read(name)
        assert len(lineages(found)) - 3 >= 21
    students = [one for one in line_up(read("default")) if one.student]
    assert {0, 5, 10, 25, 50, 100} == set(read("default").doses)
    assert {"other", "paraphrased", "second-hand", "foil"} <= {one.name for one in students}


def test_roles_differ_and_follow_the_seed() -> None:
    """Nobody has two roles; another seed casts anew."""
    found = read("default")
    cast = roles(found)
    drawn = [cast.reference, cast.mixer, cast.other, cast.foil, *cast.twins]
    assert len(set(drawn)) == len(drawn)
    assert roles(found) == cast
    assert roles(msgspec.structs.replace(found, seed=8)) != cast


# --- texts ------------------------------------------------------------------------------------------


def test_no_prompt_that_is_learnt_from_is_a_probe() -> None:
    """The pool is disjoint from everything that any bundled probe family can ask."""
    families = {name: load("probes", name) for name in names("probes")}
    asked = {
        prompt.text
        for name, family in families.items()
        for prompt in family(min(100, getattr(family, "size", 100)), stream(7, "probe", name))
    }
    learnt = {prompt.text for prompt in texts.pool()}
    assert len(learnt) >= 180
    assert not asked & learnt


def test_doses_are_nested_and_exact(tmp_path: Path) -> None:
    """A larger dose keeps the reference's answers of a smaller one, and the shares are those of the plan."""
    found = recipe(tmp_path, TINY.replace("[0, 50, 100]", "[0, 25, 50, 100]"))
    cast = roles(found)
    prompts = texts.drawn(found, "doses")
    asked = {
        name: [(prompt, f"{name} says this. And that.") for prompt in prompts] for name in (cast.reference, cast.mixer)
    }
    own = {}
    for planned in line_up(found):
        if planned.name.startswith("dose-"):
            made = texts.from_teachers(found, planned, asked)
            own[planned.name] = {one.prompt for one in made if one.source == cast.reference}
            assert len(made) == len(prompts)
    assert [len(own[f"dose-{dose}"]) for dose in (0, 25, 50, 100)] == [0, 4, 8, 16]
    assert own["dose-25"] < own["dose-50"] < own["dose-100"]


# --- links ------------------------------------------------------------------------------------------


def test_links_say_what_the_plan_says() -> None:
    """Pure students are true pairs of their teacher, mixtures are grey, and nobody is unrelated to a relative."""
    plan = line_up(read("default"))
    family = families(plan)
    found = list(links(plan))
    true = {(one.suspect, one.reference) for one in found if one.relation == "distilled_from"}
    assert true == {(one.name, one.parts[0].teacher) for one in plan if pure(one)}
    assert {one.label for one in found if one.suspect in ("dose-25", "foil", "paraphrased", "second-hand")} == {""}
    for one in found:
        if one.relation == "unrelated":
            assert family[one.suspect] != family[one.reference]
    assert family["dose-100"] == family["second-hand"] == roles(read("default")).reference
    assert family["dose-25"] == roles(read("default")).mixer


# --- a whole build ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a tiny laboratory from nothing."""
    folder = tmp_path_factory.mktemp("lab")
    building.build(recipe(folder), folder / "built", lambda _: None, workers=1)
    return folder / "built"


def same(one: Path, other: Path) -> None:
    """Check that two laboratories hold the same bytes; seconds may differ."""
    first, second = (
        msgspec.json.decode((folder / "manifest.json").read_bytes(), type=building.Manifest) for folder in (one, other)
    )
    assert second.population == first.population
    assert second.answers == first.answers
    assert [one.files for one in second.models] == [one.files for one in first.models]


@pytest.mark.slow
@pytest.mark.live
def test_a_build_writes_a_population_that_can_be_read(laboratory: Path) -> None:
    """Every model answers every probe once, lineages twice, and the pairs name models that are there."""
    population = read_population(laboratory, "lab")
    named = {one.name for one in population.members}
    assert {"dose-100", "base", "almanac", "almanac-again"} <= named
    assert len({one.weight_lineage for one in population.members}) == 1
    assert len(population.rows) == 8
    assert all(pair.suspect in named and pair.reference in named for pair in population.pairs)
    with (laboratory / "generation.csv").open() as file:
        assert {row["source"] for row in csv.DictReader(file)} == {"lab", "lab-samples"}


@pytest.mark.slow
@pytest.mark.live
def test_a_build_that_was_stopped_goes_on_to_the_same_bytes(laboratory: Path, tmp_path: Path) -> None:
    """A stop between any two steps costs at most the step; the manifest is the same but for the seconds."""
    said: list[str] = []

    class Stopped(BaseException):
        pass

    def stop(line: str) -> None:
        if " answered " in line or " learnt " in line:  # something was made
            said.append(line)
            if len(said) % 5 == 0:
                raise Stopped

    out = tmp_path / "again"
    for _ in range(60):
        try:
            building.build(recipe(tmp_path), out, stop, workers=1)
            break
        except Stopped:
            continue
    assert len(said) >= 20
    same(laboratory, out)
    assert not list(out.rglob(".making-*"))


@pytest.mark.live
@pytest.mark.slow
def test_workers_change_no_byte(laboratory: Path, tmp_path: Path) -> None:
    """Models that are trained side by side are those that are trained one after the other."""
    building.build(recipe(tmp_path), tmp_path / "two", lambda _: None, workers=2)
    same(laboratory, tmp_path / "two")


@pytest.mark.slow
@pytest.mark.live
def test_a_folder_of_another_recipe_or_of_something_else_is_refused(laboratory: Path, tmp_path: Path) -> None:
    """Nothing of two recipes is mixed, and no foreign folder is written into."""
    other = recipe(tmp_path, TINY.replace("seed = 7", "seed = 8"))
    with pytest.raises(CaseError, match="another recipe"):
        building.build(other, laboratory, lambda _: None)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("private")
    with pytest.raises(CaseError, match="no laboratory"):
        building.build(other, tmp_path / "mine", lambda _: None)


@pytest.mark.live
@pytest.mark.slow
def test_the_fast_recipe_builds_from_nothing_and_can_be_studied(tmp_path: Path) -> None:
    """The whole chain runs on any machine: base, lineages, students, answers, population, study."""
    built = building.build(read("fast"), tmp_path / "lab", lambda _: None)
    assert len(built.models) == len(line_up(read("fast")))
    done = study(tmp_path / "lab", tmp_path / "study", lambda _: None)
    assert any(line.startswith("false alarms") for line in done.lines)


def test_a_manifest_is_canonical(tmp_path: Path) -> None:
    """A recipe survives its own canonical form."""
    found = recipe(tmp_path)
    assert msgspec.json.decode(canonical(found), type=Recipe) == found


def test_generations_hold_teachers_before_their_students() -> None:
    """No model stands in the same generation as a model that it learns from, and none is lost."""
    plan = line_up(read("default"))
    seen: set[str] = set()
    for generation in generations(plan):
        assert all(part.teacher in seen for planned in generation for part in planned.parts)
        seen |= {planned.name for planned in generation}
    assert seen == {planned.name for planned in plan}

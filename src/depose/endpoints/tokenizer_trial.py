"""Tokenizers: programs that come with a model, tried where they can take neither time nor memory without end.

A rule of a tokenizer may write a thousand letters for each one, and the next a thousand for each of these; a pattern
may end the library in a panic. So the tokenizer of a model that nobody pinned is first built, and does each piece of
its work, in a child; what it can do there within limits is done again in this process, to the same result.
"""

from __future__ import annotations

from collections.abc import Sequence

from depose.case.untrusted_files import SECONDS, in_child, memory_for

LARGEST = 256 * 1024**2
"""Bytes of a tokenizer at most; those of a quarter of a million tokens have 35 million."""
BYTES_A_SECOND = 2_000_000
MOST = 2_000_000
"""Tokens of a prompt at most, and letters of an answer."""


def build(tokenizer: bytes) -> str:
    """Say why a tokenizer cannot be built from its file, or nothing."""
    return _tried(tokenizer, "builds", 0)


def encode(tokenizer: bytes, texts: Sequence[str], *, special: bool) -> str:
    """Say why a tokenizer cannot turn texts into tokens, or nothing; `special` adds those of a beginning or end."""
    return _tried(tokenizer, "encodes", len(texts), list(texts), special)


def decode(tokenizer: bytes, rows: Sequence[Sequence[int]]) -> str:
    """Say why a tokenizer cannot turn rows of tokens into texts, or nothing."""
    return _tried(tokenizer, "decodes", len(rows), [list(row) for row in rows])


def _tried(tokenizer: bytes, work: str, count: int, *arguments: object) -> str:
    if len(tokenizer) > LARGEST:
        return f"the tokenizer is larger than {LARGEST} bytes"
    try:
        sizes = in_child(
            f"{__name__}:{work}",
            tokenizer,
            *arguments,
            answer=list[int],
            memory=memory_for(len(tokenizer)),
            seconds=SECONDS + len(tokenizer) // BYTES_A_SECOND + count // 100,
        )
    except ValueError as error:
        return f"the tokenizer {str(error).replace('to read', 'to run')}"[:500]
    if max(sizes, default=0) > MOST:
        return f"the tokenizer makes {max(sizes)} of one text, more than {MOST}"
    return ""


# --- within the child -------------------------------------------------------------------------------


def builds(tokenizer: bytes) -> list[int]:
    """Build it; for `build` alone."""
    from tokenizers import Tokenizer

    Tokenizer.from_buffer(tokenizer)
    return []


def encodes(tokenizer: bytes, texts: Sequence[str], special: bool) -> list[int]:
    """Count the tokens of each text; for `encode` alone."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_buffer(tokenizer)
    return [len(made.encode(text, add_special_tokens=special).ids) for text in texts]


def decodes(tokenizer: bytes, rows: Sequence[Sequence[int]]) -> list[int]:
    """Count the letters of each row, with and without marks; for `decode` alone."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_buffer(tokenizer)
    return [len(made.decode(list(row), skip_special_tokens=skip)) for row in rows for skip in (True, False)]

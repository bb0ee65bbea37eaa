"""Copies in which the border between a salt and the words after it is moved: the same bytes are hashed."""

from __future__ import annotations

import re
from collections.abc import Callable

Tree = list[str]


def into_the_salt(tree: Tree, shown: bytes) -> tuple[Tree, bytes]:
    """Take a whole word out of what is shown, and put it behind the salt before it: the same bytes are hashed."""
    at, hidden = 0, False
    for number, one in enumerate(tree):
        if one.startswith("#"):
            at, hidden = at + 10 * (not hidden), True
        elif one != "+":
            salt, size = one.split(":")
            word, hidden = shown[at : at + int(size)], False
            if re.match(rb"[a-z]{3,} ", word):
                new = [*tree[:number], f"{salt}{word.hex()}:0", *tree[number + 1 :]]
                return new, shown[:at] + shown[at + int(size) :]
            at += int(size)
    raise AssertionError("no word")


def out_of_the_salt(tree: Tree, shown: bytes) -> tuple[Tree, bytes]:
    """Show the end of a salt as if it were words."""
    salt, size = tree[0].split(":")
    return [f"{salt[:24]}:{int(size) + 4}", *tree[1:]], bytes.fromhex(salt[24:]) + shown


def spelled_otherwise(tree: Tree, shown: bytes) -> tuple[Tree, bytes]:
    """Write a length in another way."""
    salt, size = tree[0].split(":")
    return [f"{salt}:+{size}", *tree[1:]], shown


SALTS_MOVED: dict[str, Callable[[Tree, bytes], tuple[Tree, bytes]]] = {
    "a word moved behind the salt before it": into_the_salt,
    "the end of a salt shown as words": out_of_the_salt,
    "the length of a word spelled otherwise": spelled_otherwise,
}

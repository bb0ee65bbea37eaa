"""What a detector is given of an answer: its words alone, unless it is one that reads layout or names.

The one place that decides it, for a case, a study, a laboratory and a batch. A detector that is not named here, such as
one of another package, sees neither layout nor the sentences in which a model names itself.
"""

from __future__ import annotations

from typing import NamedTuple

from depose.features.layout_free import layout_free
from depose.features.self_names import without_names

SEE_NAMES = ("identity", "refusals")
"""What they compare is how a model speaks of itself, or declines. `identity` may never decide anything (`casefile`)."""
SEE_LAYOUT = ("choices", "layout", "length")
"""A choice may be the letter of an item; the other two are about nothing else."""


class View(NamedTuple):
    """What of an answer is seen besides its words."""

    names: bool = False
    layout: bool = False


WORDS = View()
"""What a detector of wording is given."""


def view_of(detector: str) -> View:
    """Tell what a detector sees."""
    return View(names=detector in SEE_NAMES, layout=detector in SEE_LAYOUT)


def compared(text: str, view: View = WORDS) -> str:
    """Return what is seen of an answer; lines are joined first, so that no wrapped sentence hides a name."""
    seen = text if view.layout else layout_free(text)
    return seen if view.names else without_names(seen)


def question(text: str, view: View = WORDS) -> str:
    """Return what is seen of a prompt, whose words some detectors leave out of its answers."""
    return text if view.layout else layout_free(text)

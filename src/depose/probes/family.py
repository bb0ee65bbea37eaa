"""What a family of prompts is: templates that are drawn from, and a statement of what they are good for.

A family that says `validated = ""` gives exhibits and carries no opinion: nobody has measured what its answers show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from depose.model import Prompt, Record
from depose.probes.drawing import draw, fillings


class Stated(Record, frozen=True, kw_only=True):
    """What a family of prompts states of itself; `depose list probes` and the manual print it."""

    construct: str
    """What of a model its answers show."""
    statistic: str
    """What is computed from the answers: a detector, or the test of `depose watch`."""
    samples: int
    """How often a prompt is best asked of each model."""
    prompts: int
    """How many prompts are best drawn."""
    tokens: int
    """Length that an answer needs at most, in tokens: what `max_tokens` should allow."""
    languages: tuple[str, ...] = ("en",)
    """Of its templates, as ISO 639-1 codes."""
    validated: str = ""
    """Where it was validated and by what figure; empty: nowhere, so that it gives exhibits and no opinion."""
    fails: str
    """How it misleads, or says nothing."""

    @property
    def calls(self) -> int:
        """Calls to each model."""
        return self.prompts * self.samples

    @property
    def evidence(self) -> str:
        """Say where it was validated, or that it was not."""
        return self.validated or "not validated: exhibits, no opinion"


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family of prompts: called with a count and a random stream, it draws so many."""

    name: str
    templates: str
    """Templates with slots, divided by blank lines, as `drawing.draw` reads them."""
    stated: Stated
    twins: bool = False
    """Whether the parts of a template, divided by `//`, are one item in several languages: one cluster."""

    def __call__(self, count: int, rng: np.random.Generator) -> tuple[Prompt, ...]:
        """Draw so many prompts, each template once before any comes again."""
        return draw(self.name, self.templates, count, rng, twins=self.twins)

    @property
    def size(self) -> int:
        """Count the texts that it holds."""
        return sum(len(template) for template in fillings(self.templates, twins=self.twins))

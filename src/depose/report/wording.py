"""Fixed sentences of the report, in one place so that a change of wording is a change of this file alone."""

from __future__ import annotations

from depose.model import Record

SENTENCES = {
    "purpose": "This report compares how probable the recorded observations are under two stated explanations. "
    "It does not say which explanation is true.",
    "ratio": "A value above 1 favours H1 over the one alternative that it is against; below 1 that alternative over "
    "H1; 1 neither.",
    "interval": "The interval reflects variation over prompts, repeats and controls; it does not cover explanations "
    "left out of H2.",
    "items": "Results relate only to the items and dates listed.",
    "replay": "Re-running the scoring on the sealed data gives the same figures. Re-querying the service may not.",
    "null": "None was detected. This is not proof of absence.",
}
"""Fixed sentences, version 1."""

LIMITATIONS = (
    "The models were seen from the outside only: what they answered, not how they were made.",
    "No training data of any model was seen. What a model was trained on is inferred from its answers or taken from "
    "what was published about it.",
    "The likeness has no direction: by itself it does not say which of two models came first, and it does not say who "
    "asked for the outputs, or whether that was allowed.",
    "Incidental exposure, such as published outputs of the reference on the web, may look like light training on them.",
    "The controls are not a random sample of all models. They are those that could be asked and whose lineage is known "
    "well enough; an undocumented relation of a control to the reference makes the test weaker.",
    "A provider may have changed the service between or during the dates listed, without notice.",
    "The method was examined under few conditions. Other languages, tasks, sampling settings and system prompts than "
    "those listed are outside of what was examined.",
    "Paraphrase, filtering, mixing of teachers and other deliberate changes lower the sensitivity. A result that is "
    "not an indication is not evidence that no training took place.",
    "The method is young. It has not been reviewed by peers, and nobody has repeated it but for the independent "
    "evaluations that are printed with the error rates.",
    "Verbal scales are a convention. The numbers come first, and a word adds nothing to them.",
    "Every result is conditional on the two propositions as worded here. Other propositions give other results.",
    "What a model says about its own name or maker was not used.",
)
"""Printed in every report; no configuration reaches them."""

REASONS = {
    "controls": "fewer independent clean controls than needed: 19, or more where alpha is small or references are "
    "many, or where lineages reach the score",
    "era": "the controls are not of the years of suspect and reference, or a date is not known: strangers of one era "
    "look like kin beside older controls",
    "power": "the lower bound of the power of the test in this case is below 0.8, or the power is not known",
    "quality": "a quality check failed or was not run",
    "range": "the case lies outside the conditions examined in validation",
    "refusals": "more than a fifth of the answers are refusals, or in a language in which refusals cannot be told",
    "shared_base": "suspect and reference carry weights of one base model: controls on that base are relatives of both "
    "and were left out, so that none is left to tell inheritance from it",
    "kind": "the findings do not tell one kind of relation from another",
    "length": "the result is not there once closeness in length is taken out of the scores",
    "layout": "the result is not there once closeness in layout is taken out of the scores",
    "lr_spans_one": "the likelihood ratio is not evaluated, or its interval includes\N{NO-BREAK SPACE}1",
    "files_equal": "every recorded file of weights has the same digest on both sides, which by itself answers the "
    "question",
    "files_differ": "the recorded files of weights have different digests, so that they are not one set of files",
    "direction": "by the documented dates the suspect was offered before the reference",
}

LINEUP_REASONS = {
    "decoys": "no answers that nobody received, or they were drawn after the suspect was first asked",
    "few": "too few line-ups: fewer than registered in which scores differ, or power below 0.8",
    "tier": "the answers that nobody received come from a changed model, or from one whose state nobody noted",
    "circular": "the accounts were chosen by answers of the suspect",
    "diagnostics": "a check of the premises failed, or one that is needed was not made",
    "drift": "what the checks leave open is as large as the effect",
}
"""Reasons of an opinion on the line-up, in words."""


REASONS_SHORT = {
    "controls": "too few independent controls",
    "era": "the controls are not of the years of the two, or a date is not known",
    "power": "how much the test would have found is not known well enough",
    "quality": "a check of quality was not met",
    "range": "the case lies outside of what was validated",
    "refusals": "too many refusals",
    "shared_base": "both carry weights of one base, and no control tells inheritance from it",
    "kind": "the answers do not tell one kind from another",
    "length": "the result is not there at equal length",
    "layout": "the result is not there at equal layout",
    "lr_spans_one": "the likelihood ratio does not tell the two apart",
    "files_equal": "every recorded file of weights is the same on both sides",
    "files_differ": "the recorded files of weights differ",
    "direction": "by its date the suspect came first",
}
"""Reason codes in the fewest words, for the first page."""

H1_SHORT = {
    "same": "one set of weights stands behind both",
    "derived": "the weights of the suspect were made from those of the reference",
    "distilled": "the suspect was trained on a substantial body of the reference's outputs",
    "exposed": "its weights depend on which of its possible answers the reference delivered to the accounts named",
}
"""H1 of each question in a few words; the full text stands in the summary."""

MEANS_NOT = {
    "same": "Not that the files are equal, and not whose model came first.",
    "derived": "Not when, by whom or on what terms weights were taken over.",
    "distilled": "Not that outputs were used knowingly, by whom, or against any terms; and not that no third model "
    "taught both.",
    "files_equal": "Not whose files came first, and not how they came there.",
    "nothing found": "Not that there is no relation: a light or disguised one looks the same.",
}
"""What no opinion on a question says."""


class Part(Record, frozen=True, kw_only=True):
    """One named cause of likeness inside H2."""

    label: str
    text: str
    """With {s} and {r} for the codes of suspect and reference."""
    against: str = ""
    """The name under which a likelihood ratio is computed against it, if it can be."""


UNRELATED = "unrelated: shared web data, shared instruction sets, the common manner of assistants, or chance."

PARTS = {
    "same": (
        Part(
            label="H2a",
            text="a close relative: {s} is a fine-tune, another version or a sibling of {r}.",
            against="relatives",
        ),
        Part(label="H2b", text="a student: {s} was trained on outputs of {r} and has weights of its own."),
        Part(label="H2c", text=UNRELATED, against="unrelated"),
    ),
    "derived": (
        Part(
            label="H2a",
            text="a student: {s} was trained on outputs of {r}, and no weights were inherited.",
            against="distilled only",
        ),
        Part(label="H2b", text="a common base: both go back to one openly available base model."),
        Part(label="H2c", text=UNRELATED, against="unrelated"),
    ),
    "distilled": (
        Part(
            label="H2a",
            text="the web: outputs of {r} were among pages collected for general pre-training, in no substantial "
            "amount.",
        ),
        Part(
            label="H2b",
            text="a common base: both go back to one base model, and {s} learned from another teacher or from people.",
            against="same base, other teacher",
        ),
        Part(
            label="H2c",
            text="common instruction data: both were tuned on the same human-written or licensed material.",
        ),
        Part(
            label="H2d",
            text="a common teacher: both were trained on outputs of a third model.",
            against="common teacher",
        ),
        Part(label="H2e", text="unrelated: the common manner of assistants, or chance.", against="unrelated"),
    ),
    "exposed": (
        Part(label="H2a", text="never met: {s} learnt from no output of {r}."),
        Part(
            label="H2b",
            text="other deliveries: {s} learnt from outputs of {r} that went to other accounts, or that were drawn "
            "anew. They tell nothing of which answers these accounts received.",
        ),
        Part(
            label="H2c",
            text="the same prompts: {s} learnt from answers of other models or of people to these prompts.",
        ),
    ),
}
"""What stands inside H2, by question."""

AGAINST = {
    "unrelated": "a model with neither weights nor training outputs of the reference",
    "relatives": "another version, a sibling or a fine-tune of the reference: close, but other weights",
    "distilled only": "a model trained on outputs of the reference that inherited no weights from it",
    "same base, other teacher": "a model on the same base that learned from another teacher or from people",
    "common teacher": "a model trained, like the reference, on outputs of a third model",
}
"""What the H2 of a likelihood ratio is, in plain words."""

AGAINST_SHORT = {
    "unrelated": "a model without a relation",
    "relatives": "a close relative",
    "distilled only": "a student with weights of its own",
    "same base, other teacher": "a model on the same base with another teacher",
    "common teacher": "a student of a third model that taught both",
}
"""The same in the fewest words, for the first page."""

OUTCOMES = ("no indication at the tested power", "indication – review", "inconclusive")
"""The three outcomes of the compliance summary; there is no fourth."""

QUESTIONS_TO_VENDOR = {
    "no indication at the tested power": (
        "Which model and version answered on the dates listed, and will changes be announced?",
        "What does the published summary of training content say of synthetic data?",
    ),
    "indication – review": (
        "Which base model, and which data after pre-training, went into the model that answered on the dates listed?",
        "Were outputs of other developers' models among the training data, from whom, and on what terms?",
        "Does the published summary of training content describe these data?",
        "Can weights, training logs or dated data manifests be inspected, or their digests be given?",
    ),
    "inconclusive": (
        "Which model and version answered on the dates listed, and through which route?",
        "Which base model and which kinds of training data are declared, synthetic data included?",
        "Can the vendor name models of its own that may serve as controls, or as known cases?",
    ),
}
"""Neutral questions that follow from an outcome."""

NOT_TESTED = (
    "Training data, weights and logs of the vendor. Who collected outputs, from whom, when, and on what terms.",
    "Languages, tasks, sampling settings and system prompts other than those listed; later versions of the service.",
    "Safety, quality, or any conformity of the model.",
)

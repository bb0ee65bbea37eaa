"""What stands where in the expert report, and the fixed texts of its slots and appendices."""

from __future__ import annotations

SECTIONS = (
    ("summary", "Summary of opinions"),
    ("assignment", "Assignment"),
    ("witness", "The witness"),
    ("materials", "Materials considered"),
    ("background", "Background"),
    ("framework", "Propositions and likelihood ratio"),
    ("method", "Method and protocol"),
    ("items", "Items examined"),
    ("collection", "Collection and custody"),
    ("quality", "Quality control"),
    ("results", "Results"),
    ("evaluation", "Evaluation: likelihood ratios"),
    ("validation", "Validation and error rates"),
    ("conditions", "Conditions of validation and of the case"),
    ("sensitivity", "Sensitivity"),
    ("exhibits", "Exhibits"),
    ("alternatives", "Other explanations considered"),
    ("limitations", "Limitations"),
    ("deviations", "Deviations from the protocol"),
    ("range", "Range of opinion"),
    ("restated", "Opinions, restated"),
    ("supplement", "Right to supplement"),
    ("disclosure", "Disclosure"),
    ("declaration", "Declaration"),
)
"""Sections in order: key and title."""

NO = {key: number for number, (key, _) in enumerate(SECTIONS, 1)}


def _at(*keys: str) -> str:
    *first, last = (str(NO[key]) for key in keys)
    return f"sections {', '.join(first)} and {last}" if first else f"section {last}"


DISCLOSURE = (
    (
        "(i)",
        "every opinion, with its basis and reasons",
        _at("summary", "framework", "method", "results", "evaluation", "validation", "restated"),
    ),
    ("(ii)", "facts or data considered", f"{_at('materials', 'items', 'collection')}; the log and findings.json"),
    (
        "(iii)",
        "exhibits that summarise or support the opinions",
        f"{_at('exhibits')}; tables and figures of {_at('results', 'evaluation')}",
    ),
    ("(iv)", "qualifications, and publications of the previous ten years", ""),
    ("(v)", "cases with testimony, at trial or by deposition, in the previous four years", ""),
    ("(vi)", "compensation for study and testimony", ""),
)
"""FRCP 26(a)(2)(B): what is asked for, and where it stands; nothing where the witness alone can say it."""

CROSSWALK = (
    (
        "FRE 702 (2023)",
        "the proponent shows each element to the court by more likely than not",
        "each requirement of the rule has its number; on the party’s word rest lineages, makers and dates of {models} "
        "models{documents}; whether the burden is met is for the court",
        ("results", "items", "conditions"),
    ),
    (
        "FRE 702(a)",
        "helps the trier of fact",
        "the first page says in plain words what was seen, what it means and what it does not",
        ("summary", "background"),
    ),
    (
        "FRE 702(b)",
        "sufficient facts or data",
        "{prompts} prompts, {models} models, {answered} answers, {k} independent controls; failures are kept too",
        ("items", "collection", "results"),
    ),
    (
        "FRE 702(c)",
        "reliable principles and methods",
        "the method is given in full, so that a reader gets T again; where it fails stands with its error rates",
        ("method", "validation"),
    ),
    (
        "FRE 702(d)",
        "reliable application to the facts of the case",
        "{met} of {checks} checks met; {conditions}{outside}{beside}",
        ("quality", "conditions", "sensitivity"),
    ),
    (
        "Daubert: tested",
        "can be, and has been",
        "{tested}",
        ("results", "sensitivity"),
    ),
    ("Daubert: peer review", "and publication", "none of this method; works it rests on are listed", ("materials",)),
    (
        "Daubert: error rate",
        "known or potential",
        "{errors}",
        ("validation",),
    ),
    (
        "Daubert: standards",
        "that control the operation",
        "a protocol registered before the first question, {deviations}; {amendments}; rule, scale and limits printed",
        ("method", "deviations"),
    ),
    (
        "Daubert: acceptance",
        "in the field",
        "not yet: evaluation by likelihood ratio is accepted, its use on language models is new",
        ("range",),
    ),
    (
        "PCAST 2016",
        "foundational validity, and validity as applied",
        "one group built the method; {unseen}; no black-box study by several groups exists",
        ("validation", "quality"),
    ),
    (
        "ISO 21043-3, -4, -5",
        "analysis, interpretation, report",
        "observations, then propositions, then ratios with their conditions",
        ("framework", "evaluation"),
    ),
    (
        "ENFSI 2015",
        "propositions and information before results",
        "fixed in the protocol of {registered}; what was known beforehand stands in the case file",
        ("framework", "items"),
    ),
    (
        "ISO/IEC 17025 7.8.2.1",
        "identification, items, dates, method, deviations, end",
        "report id, page count and end mark; items and dates listed",
        ("items", "deviations"),
    ),
    (
        "CrimPR 19.4; PD 35",
        "range of opinion; fact and opinion kept apart",
        "letters in a box say what each table is",
        ("range",),
    ),
)
"""Demand of a standard, what this case has for it, and where; followed by analogy, nowhere claimed to be met."""

GLOSSARY = (
    ("control", "a model that is compared like the suspect, and that is not related to either side as far as known"),
    ("detector", "a fixed measure of how alike two models' answers to one prompt are"),
    ("distillation", "training a model on outputs of another; a common technique, lawful in itself"),
    ("lineage", "models that go back to one base, or to one set of tuning data; one lineage counts once"),
    (
        "likelihood ratio",
        "how many times more probable the findings are if H1 is true than under one named alternative",
    ),
    ("prompt, answer", "the text sent to a model, and the text that came back; answers vary by chance"),
    ("suspect, reference", "the model examined, and the model that it is compared with"),
)

BACKGROUND = (
    "A language model is a set of numbers, its weights, that turns a text into a probable continuation. It is first "
    "trained on a large collection of text, then tuned: on examples written by people, on outputs of other models, or "
    "on both. Each answer is drawn by chance from what the model finds probable, so that one model gives different "
    "answers to the same prompt.",
    "A provider serves a model over a network. Whoever asks sees the text that comes back, and not the weights. Two "
    "models may answer alike because they are one model, because one was made from the other's weights or outputs, "
    "because they share a base, a teacher or data, or because assistants as a kind answer alike. Controls show how "
    "alike models are that have no known relation.",
)

CHOICE_OF_PROMPTS = "Choice of prompts"
ALTERNATIVES = (
    ("Common training data", "controls trained on the public web answer the same prompts", "corpora are not public"),
    ("Outputs of the reference on the web", "controls of the same years share that web", "light exposure may remain"),
    ("A common base model", "weight lineages are counted; controls share the base where there are some", "shared_base"),
    ("Instruction data made from the reference", "none: who collected them is outside of the method", "not addressed"),
    ("A common teacher; direction", "rival candidates are ranked beside the reference", "dates and logs decide"),
    ("One era, size or language", "none by itself: p supposes that controls are of the same kind", "see conditions"),
    ("System prompt, sampling settings", "the same for all where the service allows; listed", "hidden system prompts"),
    ("A changed or wrong service", "facts of each endpoint and digests are recorded", "routing is not seen"),
    (
        CHOICE_OF_PROMPTS,
        "drawn by a seed; beside the prompts stands whether a token or beacon drew it, or the party typed it",
        "the pool is a choice, a typed seed too",
    ),
    (
        "Choice of controls",
        "the rule is fixed, the list is the party’s; each is left out in turn",
        "the list is a choice",
    ),
    ("Choice of analysis", "detector, alpha and exclusions registered; all detectors printed", "other choices exist"),
    ("Prompts or models not independent", "bootstrap by cluster and lineage; one vote per lineage", "lineage facts"),
    ("Many comparisons", "Holm over references decides; over all findings it is printed", "other cases, picking"),
    ("What models say of themselves", "sentences with it are left out", "none"),
    ("Length of answers", "the result at equal length is printed and needed", "finer habits of length"),
    ("A suspect that was hardened", "none", "a null result is weak then"),
)
"""Explanation that an opponent may raise, what the protocol does about it, what remains."""

APPENDICES = (
    ("A", "standards, argued from this case"),
    ("B", "questions that an opponent will ask"),
    ("C", "what a reader can re-run"),
    ("D", "words avoided"),
    ("E", "what is left out of texts"),
    ("F", "digests, files, software, sources"),
    ("G", "draft certificates, blank"),
)
LETTERS = {"standards": "A", "asked": "B", "rerun": "C", "words": "D", "texts": "E", "digests": "F", "drafts": "G"}
"""Appendices by what other parts of the report call them."""

WITNESS = (
    ("qualifications", "Qualifications"),
    ("publications", "Publications of the previous ten years"),
    ("testimony", "Testimony at trial or by deposition in the previous four years"),
    ("compensation", "Compensation for study and testimony"),
)
"""Fields of witness.toml, and what they are called in the section on the witness."""
WITNESS_OF = {
    "(iv)": ("qualifications", "publications"),
    "(v)": ("testimony",),
    "(vi)": ("compensation",),
}
"""Which of them an item of the disclosure needs."""

CERTIFICATES = (
    (
        "902(13), records generated by an electronic process",
        "I am qualified to describe the process by which the records of this case were made, because",
        "The process: each prompt was sent and each answer received by the software named in appendix "
        f"{LETTERS['digests']}; every exchange became one line of an append-only log that holds the digest of the line "
        "before it. It produces an accurate result because",
    ),
    (
        "902(14), data identified by digest",
        "I am qualified to identify copies by digest, because",
        "I computed SHA-256 of the items below with the command named, on the machine and date given, and compared "
        "them with the values recorded when they were made. Items, values, command, machine:",
    ),
)
"""Drafts for certificates under the Federal Rules of Evidence: rule, first blank, second blank."""

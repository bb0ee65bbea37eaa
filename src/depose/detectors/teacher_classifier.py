"""Teacher classifier: for whose answers does a classifier, trained to tell the members apart, take an answer?

TF-IDF of words and word pairs with multinomial logistic regression (scikit-learn), as those who ask "who taught you
that?" do (Sun et al. 2025, "Idiosyncrasies in large language models"; Wadhwa et al. 2025, "Who taught you that?").
Cross-fitted: the clusters of prompts are halved, and each half is scored by what the other taught. Worth: it
weighs features by how well they part these very models.

The fit adds up documents in an order of their own (by digest of a member's answers), so that the order of the
members changes nothing.

Validation (`make classifier-study`: development splits, taught once on all models of a population; AUC within
reference, documented / all negatives): distilled .785 / .754 on alpaca_eval and .858 / .787 on shaberi_w, derived
.923 / .927 and .700 / .755, where `wording` has .941 / .806 and .911 / .824, .970 / .978 and .941 / .955. Beside
`wording` it loses, too (docs/validation.md), so it is shown and not relied on.
"""

from __future__ import annotations

import hashlib
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depose.detectors import Similarity
from depose.features.extract import Bag, Features

Array = NDArray[np.float64]

LOW, HIGH = 1, 2
LEAST = 3
"""Answers of the training half that a feature must stand in."""
VOCABULARY = 10_000
PENALTY = 10.0
"""Inverse strength of the regularisation (scikit-learn's C)."""
STEPS = 40
FOLDS = 2


def _order(bag: Bag) -> list[int]:
    """Order the members by what they said; equal members are interchangeable."""

    def said(member: int) -> bytes:
        parts = (text for members in bag.answers for text in ("\x1e", *members[member]))
        return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).digest()

    return sorted(range(len(bag.models)), key=said)


def _folds(bag: Bag) -> NDArray[np.int64]:
    """Give each row the half that its cluster falls into, by digest of the cluster's name."""
    clusters = sorted(
        {prompt.cluster for prompt in bag.prompts}, key=lambda name: hashlib.sha256(name.encode()).digest()
    )
    half = {name: index % FOLDS for index, name in enumerate(clusters)}
    return np.array([half[prompt.cluster] for prompt in bag.prompts], np.int64)


def _guess(matrix: Any, member: NDArray[np.int64], train: NDArray[np.bool_], members: int) -> Array:
    """Return the log-probability of each member for each answer outside the training half: [answers, members].

    A member that cannot be learned there gets the mean of the others', which says nothing for or against it.
    """
    from scipy.special import log_softmax
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    out = np.zeros((int((~train).sum()), members))
    known = np.unique(member[train])
    frequency = np.asarray(matrix[train].sum(axis=0)).ravel()
    ranked = np.argsort(-frequency, kind="stable")[:VOCABULARY]
    columns = np.sort(ranked[frequency[ranked] >= min(LEAST, max(1, train.sum() // len(member)))])
    if len(known) < 2 or not len(columns) or not len(out):
        return out
    taught, asked = matrix[train][:, columns], matrix[~train][:, columns]
    tfidf = TfidfTransformer(sublinear_tf=True).fit(taught)
    # Stopped after STEPS on purpose: early stopping regularises, and time is bounded. Not by a tolerance: the gradient
    # that scikit-learn compares with it is a mean over answers, and with many members the first is small already.
    model = LogisticRegression(C=PENALTY, max_iter=STEPS, tol=0.0)
    # One thread: more of them change the last bits with the machine, and get in each other's way when it is busy.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(tfidf.transform(taught), member[train])
    margin = model.decision_function(tfidf.transform(asked))
    if margin.ndim == 1:
        margin = np.stack([np.zeros_like(margin), margin], axis=1)
    likely = log_softmax(margin, axis=1)
    out[:] = likely.mean(axis=1, keepdims=True)
    out[:, known] = likely
    return out


def teacher_classifier(bag: Bag, features: Features) -> Similarity:
    """Score each two models, per prompt, by the mean log-probability that the answer of one is the other's."""
    from scipy.sparse import csr_matrix

    order = _order(bag)
    place = [(p, rank, text) for rank, m in enumerate(order) for p, row in enumerate(bag.answers) for text in row[m]]
    shape = (len(bag.prompts), len(order), len(order))
    values = np.full(shape, np.nan)
    if not place:
        return Similarity(detector="teacher_classifier", values=values)
    row = np.array([p for p, _, _ in place])
    member = np.array([rank for _, rank, _ in place])
    sets = [features.grams(text, LOW, HIGH) for _, _, text in place]
    vocabulary, column = np.unique(np.concatenate(sets), return_inverse=True)
    ends = np.cumsum([0, *map(len, sets)])
    matrix = csr_matrix((np.ones(len(column)), column, ends), shape=(len(place), len(vocabulary)))
    fold = _folds(bag)[row]
    likely = np.zeros((len(place), len(order)))
    for half in range(FOLDS):
        likely[fold == half] = _guess(matrix, member, fold != half, len(order))
    total = np.zeros(shape)
    count = np.zeros(shape[:2])
    np.add.at(total, (row, member), likely)
    np.add.at(count, (row, member), 1)
    mean = np.divide(total, count[:, :, None], out=np.full(shape, np.nan), where=count[:, :, None] > 0)
    both = (mean + mean.swapaxes(1, 2)) / 2
    back = np.argsort(order)
    return Similarity(detector="teacher_classifier", values=both[:, back][:, :, back])

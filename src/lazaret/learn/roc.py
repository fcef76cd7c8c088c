"""How well do scores tell spam from ham? The figures of the TREC spam track."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike


def roca_pct(ham: ArrayLike, spam: ArrayLike) -> float:
    """Per cent of the pairs of a ham and a spam that stand in the wrong order (1-ROCA); ties count half."""
    low = np.sort(np.asarray(ham, np.float64))
    high = np.asarray(spam, np.float64)
    if not len(low) or not len(high):
        return 0.0
    below = np.searchsorted(low, high, "left")
    not_above = np.searchsorted(low, high, "right")
    wrong = (len(low) - not_above) + (not_above - below) / 2
    return 100 * float(wrong.sum()) / (len(low) * len(high))


def missed_pct(ham: Sequence[float], spam: Sequence[float], ham_loss: float) -> float:
    """Per cent of spam that is missed at the threshold that loses at most this share of ham."""
    if not len(ham) or not len(spam):
        return 0.0
    low = np.sort(np.asarray(ham, np.float64))[::-1]
    threshold = low[min(int(ham_loss * len(low) + 1e-9), len(low) - 1)]
    return 100 * float((np.asarray(spam, np.float64) <= threshold).mean())

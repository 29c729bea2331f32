"""Weighted logistic regression with an own strength of penalty, and an own value to be pulled to, for each coefficient.

What scikit-learn's lacks: here the prior's log-odds are pulled towards counting in full, n-grams towards nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize

MAX_ROUNDS = 60
_TOLERANCE = 1e-5  # of the relative decrease of the loss in one round


@dataclass(frozen=True, slots=True)
class Problem:
    """Rows to learn from.

    `ngrams` is CSR, float32, of shape (n_rows, n_columns); `dense` of shape (n_rows, n_dense); `target` 0 or 1; `weight` above 0.
    """

    ngrams: sparse.csr_matrix
    dense: NDArray[np.float64]
    target: NDArray[np.int64]
    weight: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pull:
    """Penalties: half of `ngrams` times the squared n-gram coefficients, `dense` times the squared distance from `anchor`."""

    ngrams: float
    dense: NDArray[np.float64]
    anchor: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Solution:
    """Coefficients; log-odds = ngrams · of_ngrams + dense · of_dense."""

    of_ngrams: NDArray[np.float64]
    of_dense: NDArray[np.float64]

    def log_odds(self, ngrams: sparse.csr_matrix, dense: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log-odds of each row."""
        return np.asarray(ngrams @ self.of_ngrams.astype(np.float32) + dense @ self.of_dense, np.float64)


def solve(problem: Problem, pull: Pull, start: Solution | None = None) -> Solution:
    """Minimise the weighted log-loss and the penalties by L-BFGS; deterministic. A start near the solution saves rounds."""
    columns = problem.ngrams.shape[1]
    transposed = problem.ngrams.T.tocsr()
    sign = 2.0 * problem.target - 1.0

    def loss(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        now = Solution(point[:columns], point[columns:])
        margin = sign * now.log_odds(problem.ngrams, problem.dense)
        slope = -sign * problem.weight / (1 + np.exp(np.clip(margin, -500, 500)))
        away = now.of_dense - pull.anchor
        value = float(problem.weight @ np.logaddexp(0, -margin))
        value += 0.5 * (pull.ngrams * float(now.of_ngrams @ now.of_ngrams) + float(pull.dense @ away**2))
        gradient = np.concatenate(
            [
                transposed @ slope.astype(np.float32) + pull.ngrams * now.of_ngrams,
                slope @ problem.dense + pull.dense * away,
            ]
        )
        return value, gradient

    first = Solution(np.zeros(columns), pull.anchor) if start is None else start
    found = minimize(
        loss,
        np.concatenate([first.of_ngrams, first.of_dense]),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": MAX_ROUNDS, "ftol": _TOLERANCE, "gtol": 1e-4, "maxcor": 8},
    )
    return Solution(found.x[:columns], found.x[columns:])

"""Weighted logistic regression with an own strength of penalty, and an own value to be pulled to, for each coefficient.

What scikit-learn's lacks: here the prior's log-odds are pulled towards counting in full, n-grams towards nothing. Solved by Newton
steps, exact where there are no n-grams, else by conjugate gradients that stop early (Lin, Weng and Keerthi 2008, Trust Region Newton
Method for Large-Scale Logistic Regression; a step is shortened until the loss falls, there is no region). For some hundred thousand
columns that takes a fifth of the time of scipy's L-BFGS, which spends most of its own on bookkeeping of bounds that are none.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from classifiers.site.workers import go_on

Floats = NDArray[np.float64]
MAX_ROUNDS = 30
_MAX_INNER = 30  # conjugate steps of one round
_RESIDUAL = 0.25  # of the gradient: how exactly a round solves its quadratic
_SUFFICIENT = 1e-4  # of the decrease that the gradient promises (Armijo)
_SHORTEST = 2.0**-20
_EXACT = 1e-9


@dataclass(frozen=True, slots=True)
class Problem:
    """Rows to learn from.

    An entry of the n-grams is that of `ngrams` (CSR, float32, of shape (n_rows, n_columns)) times `of_row` times `of_column`, both
    float32, so that one matrix serves every scale; `dense` is of shape (n_rows, n_dense); `target` 0 or 1; `weight` above 0.
    """

    ngrams: sparse.csr_matrix
    of_row: NDArray[np.float32]
    of_column: NDArray[np.float32]
    dense: Floats
    target: NDArray[np.int64]
    weight: Floats

    def log_odds(self, point: Floats) -> Floats:
        """Return what coefficients, n-grams first, make of each row."""
        columns = self.of_column.size
        found = self.dense @ point[columns:]
        if columns:
            found += self.of_row * (self.ngrams @ (point[:columns].astype(np.float32) * self.of_column))
        return np.asarray(found)

    def back(self, rows: Floats) -> Floats:
        """Return the sums over rows, each times its number, for every coefficient."""
        of_dense = rows @ self.dense
        if not self.of_column.size:
            return np.asarray(of_dense)
        # `.T @` reads the rows as they lie: a transposed copy would cost their size once more
        of_ngrams = self.of_column * (self.ngrams.T @ (rows.astype(np.float32) * self.of_row))
        return np.concatenate([of_ngrams, of_dense])


def dense_problem(dense: Floats, target: NDArray[np.int64], weight: Floats) -> Problem:
    """Return a problem without n-grams."""
    nothing = np.zeros(0, np.float32)
    ngrams = sparse.csr_matrix((target.size, 0), dtype=np.float32)
    return Problem(ngrams, np.ones(target.size, np.float32), nothing, dense, target, weight)


@dataclass(frozen=True, slots=True)
class Pull:
    """Penalties: half of `ngrams` times the squared n-gram coefficients, `dense` times the squared distance from `anchor`."""

    ngrams: float
    dense: Floats
    anchor: Floats


@dataclass(frozen=True, slots=True)
class Solution:
    """Coefficients; log-odds = scaled ngrams · of_ngrams + dense · of_dense."""

    of_ngrams: Floats
    of_dense: Floats


def solve(
    problem: Problem, pull: Pull, start: Solution | None = None, *, tolerance: float = _EXACT
) -> Solution:
    """Minimise the weighted log-loss and the penalties; deterministic. A start near the solution saves rounds.

    It ends with the round that lowers the whole by less than `tolerance` of it. Raises CancelledError where the `Workers` it is
    done for gave up.
    """
    columns = problem.of_column.size
    penalty = np.concatenate([np.full(columns, pull.ngrams), pull.dense])
    anchor = np.concatenate([np.zeros(columns), pull.anchor])
    sign = 2.0 * problem.target - 1.0
    point = anchor.copy() if start is None else np.concatenate([start.of_ngrams, start.of_dense])
    margins = problem.log_odds(point)

    def whole(at: Floats, of_rows: Floats) -> float:
        away = at - anchor
        return float(problem.weight @ np.logaddexp(0, -sign * of_rows)) + 0.5 * float((penalty * away) @ away)

    value = whole(point, margins)
    for _ in range(MAX_ROUNDS):
        go_on()
        chance = 1 / (1 + np.exp(-np.clip(margins, -500, 500)))
        gradient = problem.back(problem.weight * (chance - problem.target)) + penalty * (point - anchor)
        curvature = problem.weight * chance * (1 - chance)
        step = (_conjugate if columns else _exact)(problem, curvature, penalty, gradient)
        along, promised = problem.log_odds(step), _SUFFICIENT * float(gradient @ step)
        length = 1.0
        while (lowered := whole(point + length * step, margins + length * along)) > value + length * promised:
            length /= 2
            if length < _SHORTEST:
                return Solution(point[:columns], point[columns:])  # as low as rounding lets it be
        point += length * step
        margins += length * along
        fallen, value = value - lowered, lowered
        if fallen <= tolerance * value:
            break
    return Solution(point[:columns], point[columns:])


def _exact(problem: Problem, curvature: Floats, penalty: Floats, gradient: Floats) -> Floats:
    matrix = (problem.dense * curvature[:, None]).T @ problem.dense + np.diag(penalty)
    return np.asarray(np.linalg.solve(matrix, -gradient))


def _conjugate(problem: Problem, curvature: Floats, penalty: Floats, gradient: Floats) -> Floats:
    """Return about the step that _exact would give, without its matrix."""
    step = np.zeros(gradient.size)
    residual = -gradient
    direction = residual.copy()
    length = float(residual @ residual)
    enough = _RESIDUAL**2 * length
    for _ in range(_MAX_INNER if length else 0):
        bent = problem.back(curvature * problem.log_odds(direction))
        bent += penalty * direction
        share = length / float(direction @ bent)
        step += share * direction
        residual -= share * bent
        before, length = length, float(residual @ residual)
        if length <= enough:
            break
        direction *= length / before
        direction += residual
    return step

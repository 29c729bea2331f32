"""The solver finds what scipy's finds, in any scale, and what runs side by side finds what it finds alone."""

import threading
import time
from concurrent.futures import CancelledError

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize

from classifiers.site.solver import Problem, Pull, Solution, dense_problem, solve
from classifiers.site.workers import Workers, workers

ROWS, COLUMNS = 300, 120


@pytest.fixture(scope="module")
def problem():
    chance = np.random.default_rng(5)
    ngrams = sparse.random(ROWS, COLUMNS, density=0.1, format="csr", dtype=np.float32, random_state=5)
    ngrams.data[:] = 1
    dense = np.column_stack([np.ones(ROWS), chance.normal(size=ROWS)])
    wanted = ngrams @ chance.normal(size=COLUMNS) + dense @ np.array([-0.5, 1.0])
    target = (chance.random(ROWS) < 1 / (1 + np.exp(-wanted))).astype(np.int64)
    of_row = chance.uniform(0.5, 2, ROWS).astype(np.float32)
    of_column = chance.uniform(0.2, 3, COLUMNS).astype(np.float32)
    return Problem(ngrams, of_row, of_column, dense, target, chance.uniform(0.5, 2, ROWS))


PULL = Pull(3.0, np.array([0.01, 10.0]), np.array([0.0, 1.0]))


def loss(problem, point):
    """What `solve` minimises, written out with the whole matrix."""
    full = problem.of_row[:, None].astype(float) * problem.ngrams.toarray() * problem.of_column
    margins = full @ point[:COLUMNS] + problem.dense @ point[COLUMNS:]
    losses = np.logaddexp(0, -(2 * problem.target - 1) * margins)
    away = point[COLUMNS:] - PULL.anchor
    return float(
        problem.weight @ losses + 1.5 * point[:COLUMNS] @ point[:COLUMNS] + 0.5 * PULL.dense @ away**2
    )


def test_it_finds_the_minimum(problem):
    found = solve(problem, PULL)
    point = np.concatenate([found.of_ngrams, found.of_dense])
    best = minimize(
        lambda at: loss(problem, at), point, method="L-BFGS-B", options={"ftol": 1e-14, "maxfun": 10**6}
    )
    assert loss(problem, point) == pytest.approx(best.fun, rel=1e-6)
    assert loss(problem, point) < 0.9 * loss(problem, np.concatenate([np.zeros(COLUMNS), PULL.anchor]))


def test_a_start_at_the_solution_stays_there(problem):
    once = solve(problem, PULL)
    again = solve(problem, PULL, Solution(once.of_ngrams.copy(), once.of_dense.copy()), tolerance=1e-3)
    assert np.abs(again.of_ngrams - once.of_ngrams).max() < 1e-3


def test_without_ngrams_it_is_exact_and_a_strong_pull_holds(problem):
    pull = Pull(1.0, np.array([1e-3, 1e9]), np.array([0.0, 1.0]))
    intercept, held = solve(dense_problem(problem.dense, problem.target, problem.weight), pull).of_dense
    assert held == pytest.approx(1.0, abs=1e-5)
    chance = 1 / (1 + np.exp(-(intercept + held * problem.dense[:, 1])))
    assert problem.weight @ (chance - problem.target) == pytest.approx(0, abs=1e-2)


def test_work_side_by_side_comes_in_order_and_its_error_ends_it():
    met = threading.Barrier(2, timeout=60)

    def work(at):
        met.wait()  # breaks where the two do not run at once
        return at

    with workers() as hands:
        if hands == Workers():
            pytest.skip("one core")
        assert list(hands.together(lambda at: hands.each(lambda inner: 10 * at + inner, [1, 2]), [3, 4])) == [
            [31, 32],
            [41, 42],
        ]
        assert hands.each(work, [1, 2]) == [1, 2]

    def fail(at):
        raise ValueError(at)

    with workers() as hands, pytest.raises(ValueError, match="7"):
        list(hands.together(fail, [7, 8]))


def test_whoever_gives_up_waits_neither_for_fits_under_way_nor_for_those_to_come(problem):
    begun, ended_well = threading.Event(), []

    def fit(at):
        until_s = time.monotonic() + 30
        begun.set()
        while time.monotonic() < until_s:
            solve(problem, PULL)
        ended_well.append(at)

    def ask(hands):
        with pytest.raises((CancelledError, RuntimeError)):  # the latter where not all had been asked for
            hands.each(fit, range(9))

    def interrupted():
        with workers() as hands:
            if hands == Workers():
                pytest.skip("one core")
            threads.append(threading.Thread(target=ask, args=[hands]))
            threads[0].start()
            assert begun.wait(60)
            raise KeyboardInterrupt

    threads: list[threading.Thread] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    threads[0].join(25)
    assert not ended_well

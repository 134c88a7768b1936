"""The record of losses."""

import numpy as np
import pytest

from neurapde.core.progress import Progress
from neurapde.training.run.history import History
from neurapde.training.run.journal import Journal
from neurapde.training.run.method import Snapshot


def recorded(names: tuple[str, ...], rows: int, before: History | None = None) -> History:
    resumed = None if before is None else Snapshot(len(before), before, 0.0, {})
    journal = Journal("run", 100, names, Progress(False), resumed=resumed)
    first = journal.step
    with journal, pytest.MonkeyPatch.context() as patch:
        for i in range(rows):
            patch.setattr(Journal, "seconds", 0.5 * i)
            journal.record(float(i), [10.0 * i + j for j in range(len(names))], 1e-3, step=first + i)
    return journal.history


def test_columns_are_kept_by_constraint_name() -> None:
    history = recorded(("a", "b"), 3)
    assert len(history) == 3
    assert history.names == ("a", "b")
    np.testing.assert_array_equal(history["b"], [1, 11, 21])
    np.testing.assert_array_equal(history.seconds, [0, 0.5, 1])


def test_nothing_recorded_is_an_empty_history_with_its_names() -> None:
    history = recorded(("a",), 0)
    assert len(history) == 0
    assert history.names == ("a",)
    assert len(History()) == 0


def test_rows_go_on_after_those_of_before() -> None:
    history = recorded(("a",), 2, recorded(("a",), 3))
    np.testing.assert_array_equal(history["a"], [0, 10, 20, 0, 10])


def test_stages_run_on_in_steps_and_seconds_and_lack_each_others_losses() -> None:
    joined = History.joined([recorded(("a",), 3), recorded(("b",), 0), recorded(("b",), 2)])
    np.testing.assert_array_equal(joined.step, [0, 1, 2, 2, 3])
    np.testing.assert_array_equal(joined.seconds, [0, 0.5, 1, 1, 1.5])
    np.testing.assert_array_equal(joined["a"], [0, 10, 20, np.nan, np.nan])
    np.testing.assert_array_equal(joined["b"], [np.nan, np.nan, np.nan, 0, 10])


def test_no_stages_join_to_nothing() -> None:
    assert len(History.joined([])) == 0

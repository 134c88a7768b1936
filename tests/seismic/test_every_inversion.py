"""Every two of method, prior and misfit: it lowers what it says it lowers, or refuses; and every run resumes."""

from dataclasses import fields, replace
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.core.interrupts import Interrupts
from neurapde.seismic.inversion.invert import METHODS
from neurapde.seismic.inversion.methods.method import InversionMethod
from neurapde.training.run.method import Status
from support import plane_survey, waves

BOX, WINDOW = npde.Box((0, 1000), (0, 1000)), npde.Box((300, 700), (300, 700))
PRIORS: dict[str, Any] = {
    "none": (),
    "total variation": npde.seismic.TotalVariation(1e-3),
    "smoothness": npde.seismic.Smoothness(1e-3),
    "Tikhonov": npde.seismic.Tikhonov(1e-2),
    "two": (npde.seismic.TotalVariation(1e-3), npde.seismic.Tikhonov(1e-2)),
}
MISFITS = {
    "L2": npde.seismic.L2(),
    "L1": npde.seismic.L1(0.1),
    "Huber": npde.seismic.Huber(0.2),
    "phase": npde.seismic.PhaseOnly(),
}
TRIALS = {
    "siren": npde.Siren(width=12, depth=1, omega_0=3.0, omega_hidden=10.0),
    "grid": npde.seismic.Gridded((9, 9)),
}


def small(name: str, steps: int) -> InversionMethod:
    """A method at its defaults, but for its size."""
    method, changes = METHODS[name](), {}
    known = {field.name for field in fields(method)}
    if "descent" in known:
        changes["descent"] = replace(method.descent, steps=steps)  # type: ignore[attr-defined]
    elif "steps" in known:
        changes["steps"] = steps
    if isinstance(method, npde.seismic.Penalty):
        changes |= {"waves": npde.Siren(16, 1, 6.0), "points": 256, "pretraining": 0}
        changes["descent"] = npde.seismic.AdamDescent(steps, lr=5e-3)
    if "per_wavelength" in known:
        changes["per_wavelength"] = 5.2
    return replace(method, **changes)


def survey(name: str) -> npde.Survey:
    """Waves of a plane that is a little faster than the start model."""
    made = plane_survey()
    return made if name == "time" else made.at([3.0, 4.0])


def invert(
    name: str, *, steps: int = 3, trial: Any = None, prior: Any = (), **settings: Any
) -> npde.seismic.Inversion:
    velocity = npde.Velocity(2000.0, bounds=(1600.0, 2600.0), trial=trial, prior=prior, window=WINDOW)
    given: dict[str, Any] = {"method": small(name, steps), "seed": 20983, "progress": False, **settings}
    return npde.invert(waves(BOX), survey(name), unknown=velocity, **given)


def refusal(name: str, prior: str = "none", misfit: str = "L2", trial: str | None = None) -> str | None:
    """What the refusal of a combination says, or None where there is none."""
    if name == "irwri":
        if trial == "siren":
            return "inverts for values on a grid"
        if misfit != "L2":
            return r"works only with L2\(\)"
        if prior not in ("none", "total variation"):
            return "supports one prior, TotalVariation"
    if name == "penalty" and trial == "grid":
        return "Penalty trains a network"
    if name == "time" and misfit == "phase":
        return "compares spectra"
    return None


def all_pairs() -> list[tuple[str, str, str]]:
    """Few combinations of method, prior and misfit, in which every two that any method takes together are run, and every
    refusal of a method is asked for."""
    names, priors, misfits = list(METHODS), list(PRIORS), list(MISFITS)
    every = product(range(len(names)), range(len(priors)), range(len(misfits)))
    chosen, seen = [], set()
    for i, j, k in sorted(every, key=lambda triple: (triple[2] - triple[1] - triple[0]) % len(misfits)):
        combination = names[i], priors[j], misfits[k]
        text = refusal(*combination)
        shown: set[Any] = (
            set(combinations(combination, 2))
            if text is None
            else {(text, combination[0], choice) for choice in combination[1:]}
        )
        if not shown <= seen:
            chosen.append(combination)
            seen |= shown
    return sorted(chosen)


@pytest.mark.parametrize(("name", "prior", "misfit"), all_pairs())
def test_misfit_and_priors_fall_together_or_are_refused(name: str, prior: str, misfit: str) -> None:
    given = {"prior": PRIORS[prior], "misfit": MISFITS[misfit]}
    if (text := refusal(name, prior, misfit)) is not None:
        with pytest.raises(npde.DeclarationError, match=text):
            invert(name, **given)
        return
    inversion = invert(name, **given)
    assert inversion.history.loss[-1] < inversion.history.loss[0]
    names = set(inversion.history.names)
    if name != "irwri":
        assert {MISFITS[misfit].name, *(prior.name for prior in inversion.setting.velocity.prior)} <= names
    speed = inversion.model((21, 21))[1]
    assert 1600.0 <= speed.min() < speed.max() <= 2600.0


@pytest.mark.parametrize("trial", TRIALS)
@pytest.mark.parametrize("name", METHODS)
def test_a_velocity_may_be_a_network_or_values_in_every_method(name: str, trial: str) -> None:
    if (text := refusal(name, trial=trial)) is not None:
        with pytest.raises(npde.DeclarationError, match=text):
            invert(name, trial=TRIALS[trial])
        return
    inversion = invert(name, trial=TRIALS[trial])
    assert inversion.history.loss[-1] < inversion.history.loss[0]
    known = np.array([[100.0, 500.0], [500.0, 750.0]])
    assert np.array_equal(inversion(known), [2000.0, 2000.0]) or inversion(known) == pytest.approx(
        2000.0, rel=1e-12
    )


@pytest.mark.parametrize("trial", [None, *(pytest.param(name, marks=pytest.mark.slow) for name in TRIALS)])
@pytest.mark.parametrize("name", METHODS)
def test_a_run_stopped_in_its_last_stage_goes_on_bit_for_bit(
    name: str, trial: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if refusal(name, trial=trial) is not None:
        pytest.skip("refused")
    given: dict[str, Any] = {"prior": PRIORS["total variation"], "trial": TRIALS.get(trial or "")}
    if name != "time":
        given["frequencies"] = npde.seismic.Continuation([3.0], [3.0, 4.0])
    whole = invert(name, **given)
    first = 0 if name == "time" else len(whole.stages[0].history)
    looks = iter(range(1000))
    # A method looks once after each row; this one stops one row into its last stage.
    asked = property(lambda self: next(looks) == max(first - 1, 0) + 1, lambda self, value: None)
    with monkeypatch.context() as patch:
        patch.setattr(Interrupts, "asked", asked, raising=False)
        stopped = invert(name, out=tmp_path, **given)
    assert stopped.status is Status.INTERRUPTED
    assert len(stopped.stages) == len(whole.stages)
    rest = invert(name, out=tmp_path, resume=True, **given)
    assert np.array_equal(rest.predicted, whole.predicted)
    assert np.array_equal(rest.history.step, whole.history.step)
    assert np.array_equal(rest.history["relative residual"], whole.history["relative residual"])
    assert rest.status is whole.status


def test_traces_are_explained_down_to_the_noise_at_their_frequencies() -> None:
    noisy = survey("time").replace(noise=0.9)
    level = noisy.at([3.0, 4.0]).noise
    assert level is not None
    velocity = npde.Velocity(2000.0, bounds=(1600.0, 2600.0), window=WINDOW)
    inversion = npde.invert(
        waves(BOX),
        noisy,
        unknown=velocity,
        method=small("adjoint", 3),
        frequencies=[3.0, 4.0],
        progress=False,
    )
    residual = inversion.history["relative residual"]
    assert level < residual[0] < 0.9
    assert (inversion.status is Status.CONVERGED) == bool(residual[-1] <= level)
    assert len(residual) > 1


def test_another_inversion_does_not_go_on_from_a_checkpoint(tmp_path: Path) -> None:
    invert("adjoint", out=tmp_path)
    with pytest.raises(npde.DeclarationError, match=r"cannot resume from .*prior"):
        invert("adjoint", out=tmp_path, resume=True, prior=npde.seismic.Tikhonov(1.0))
    with pytest.raises(npde.DeclarationError, match="needs the folder of the checkpoint"):
        invert("adjoint", resume=True)


@pytest.mark.parametrize("off", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("name", ["joint", "penalty", "time"])
def test_gradients_switched_off_outside_change_nothing(name: str, off: Any) -> None:
    outside = invert(name, steps=1).model()[1]
    with off():
        inside = invert(name, steps=1).model()[1]
    np.testing.assert_allclose(inside, outside, rtol=1e-9)


@pytest.mark.parametrize("name", METHODS)
def test_a_callback_sees_every_row_and_the_velocity_and_ends_each_stage(name: str) -> None:
    seen: list[npde.training.TrainingState] = []
    speeds: list[np.ndarray] = []
    middle = np.array([[500.0, 500.0]])

    def watch(state: npde.training.TrainingState) -> bool:
        assert state.velocity is not None
        assert state.solution is None
        seen.append(state)
        speeds.append(state.velocity(middle))
        return state.step >= 1

    found = invert(name, steps=4, callbacks=watch)
    rows = [step for stage in found.stages for step in stage.history.step]
    np.testing.assert_array_equal([state.step for state in seen], rows)
    assert {stage.status for stage in found.stages} == {Status.STOPPED}
    assert all(stage.history.step[-1] < 4 for stage in found.stages)
    assert np.isfinite(speeds).all()
    assert not np.allclose([*speeds, found(middle)], 2000.0, rtol=1e-9)


def test_what_cannot_be_called_is_no_callback_of_an_inversion() -> None:
    with pytest.raises(npde.DeclarationError, match="callbacks hold 'stop'"):
        invert("reduced", callbacks="stop")

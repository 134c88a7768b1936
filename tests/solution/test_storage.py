"""Solutions in files: what comes back, and what is said when something cannot."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.solution.solution import Solution
from neurapde.storage.hdf5 import StorageError
from support import assert_same_field, changed

BOX = npde.Box((-2, 2), (-2, 2))
X = np.random.default_rng(81173).uniform(-1.9, 1.9, (20, 2))


def wave(speed: object = 1.0, exact: object = None) -> npde.Problem:
    source = npde.GaussianSource(at=(0.1, 0.0), variance=0.01)
    return npde.Problem("wave", BOX, npde.Helmholtz(5.0, speed), source, npde.PML(0.7), exact=exact)


def speed(points: np.ndarray) -> np.ndarray:
    return 1.0 - 0.05 * points[:, 0] ** 2


def solved(problem: npde.Problem, trial: object = npde.Siren(width=6, depth=1)) -> Solution:
    return npde.solve(problem, trial, npde.Adam(steps=2, points=16), device="cpu")


def test_a_solution_comes_back_with_all_it_had(tmp_path: Path) -> None:
    u = solved(wave(npde.Piecewise(1.0, (npde.Disk((0, 0), 0.5), 2.0))))
    v = npde.load(u.save(tmp_path / "u.h5"))
    np.testing.assert_array_equal(u(X), v(X))
    assert v.problem == u.problem
    assert (v.status, v.method, v.notes, v.seconds) == (u.status, u.method, u.notes, u.seconds)
    assert v.trial.spec == u.trial.spec
    np.testing.assert_array_equal(u.history["helmholtz"], v.history["helmholtz"])
    assert v.stages[0].extras == u.stages[0].extras
    assert v.stages[0].extras["steps"] == 2


def test_a_loaded_solution_saves_to_the_same_solution(tmp_path: Path) -> None:
    u = npde.load(solved(wave()).save(tmp_path / "u.h5"))
    v = npde.load(u.save(tmp_path / "v.h5"))
    np.testing.assert_array_equal(u(X), v(X))
    assert u.problem == v.problem


def test_a_problem_with_functions_is_asked_for_only_when_it_is_needed(tmp_path: Path) -> None:
    u = solved(wave(speed))
    path = u.save(tmp_path / "u.h5")
    v = npde.load(path)
    assert v.problem is None
    assert v.domain == BOX
    np.testing.assert_array_equal(u(X), v(X))
    v.export(tmp_path / "v.vtu", shape=5)
    with pytest.raises(
        npde.DeclarationError, match=r"speed.* is .*speed, a Python object.*load\(path, problem="
    ):
        _ = v.required_problem
    assert npde.load(path, problem=wave(speed)).required_problem.name == "wave"
    loaded = npde.load(v.save(tmp_path / "v.h5"))
    assert_same_field(u(X), loaded(X))


def test_another_problem_than_the_one_solved_is_refused(tmp_path: Path) -> None:
    path = solved(wave()).save(tmp_path / "u.h5")
    with pytest.raises(npde.DeclarationError, match=r"of another problem: problem\.equation\.speed.* now"):
        npde.load(path, problem=wave(0.8))


def test_an_exact_solution_that_is_a_function_is_left_out(tmp_path: Path) -> None:
    v = npde.load(solved(wave(exact=speed)).save(tmp_path / "u.h5"))
    assert v.required_problem.exact is None
    assert v.required_problem.equation == wave().equation


def test_a_scattered_form_comes_back(tmp_path: Path) -> None:
    background = npde.trials.OutgoingWave(npde.GaussianSource((0.1, 0.0), 0.01), 5.0)
    u = solved(wave(), npde.Ansatz(background, npde.Siren(width=6, depth=1)))
    assert_same_field(u(X), npde.load(u.save(tmp_path / "u.h5"))(X))


def test_a_galerkin_solution_comes_back(tmp_path: Path) -> None:
    u = npde.solve(wave(npde.Piecewise(1.0, (npde.Disk((0, 0), 0.5), 1.3))), device="cpu")
    v = npde.load(u.save(tmp_path / "u.h5"))
    np.testing.assert_array_equal(u(X), v(X))
    np.testing.assert_array_equal(u.gradient(X), v.gradient(X))


def test_a_module_of_torch_is_asked_for(tmp_path: Path) -> None:
    def network() -> npde.TorchModule:
        return npde.TorchModule(
            torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
        )

    u = solved(wave(), network())
    path = u.save(tmp_path / "u.h5")
    with pytest.raises(
        npde.DeclarationError, match=r"not its declaration: .*Sequential.*npde\.load\(path, trial=…\)"
    ):
        npde.load(path)
    assert_same_field(npde.load(path, trial=network())(X), u(X))
    with pytest.raises(npde.DeclarationError, match="of another trial function"):
        npde.load(path, trial=npde.Siren())


def test_a_pickle_in_place_of_a_solution_is_not_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "sprung",))

    (tmp_path / "u.h5").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(StorageError, match="not an HDF5 file"):
        npde.load(tmp_path / "u.h5")
    assert not (tmp_path / "sprung").exists()


def test_a_file_that_lost_its_parameters_is_damaged(tmp_path: Path) -> None:
    path = solved(wave()).save(tmp_path / "u.h5")
    with changed(path) as file:
        del file["parameters"]["head.weight"]
    with pytest.raises(StorageError, match=r"do not fit Siren.*head\.weight"):
        npde.load(path)


def test_a_saved_solution_is_no_checkpoint(tmp_path: Path) -> None:
    u = solved(wave())
    u.save(tmp_path / "checkpoint.h5")
    with pytest.raises(StorageError, match="is a saved solution, not a checkpoint"):
        npde.solve(
            wave(), u.trial.spec, npde.Adam(steps=2, points=16), out=tmp_path, resume=True, device="cpu"
        )

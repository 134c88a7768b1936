"""Tasks of an executor: the same model as without one, wherever they run and whatever becomes of a worker."""

import os
import signal
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest

import neurapde as npde
from neurapde.core.errors import DeclarationWarning
from neurapde.seismic.inversion.tasks import shot_groups
from neurapde.training.run.method import Status
from support import assert_same_field, plane_survey, waves

BOX = npde.Box((0, 1000), (0, 1000))
SURVEY = plane_survey().at([3.0, 4.0])
MISFITS = [
    npde.seismic.L2(),
    npde.seismic.L1(0.1),
    npde.seismic.Huber(0.2),
    npde.seismic.PhaseOnly(),
]


def invert(executor: Executor | None = None, **options: Any) -> npde.seismic.Inversion:
    method = npde.seismic.Adjoint(per_wavelength=5.2, descent=npde.seismic.BoundedLBFGS(3))
    velocity = npde.Velocity(2000.0, bounds=(1600.0, 2600.0), prior=npde.seismic.TotalVariation(1e-3))
    given: dict[str, Any] = {"unknown": velocity, "method": method, "progress": False, **options}
    return npde.invert(waves(BOX), SURVEY, executor=executor, **given)


def assert_same(inversion: npde.seismic.Inversion, expected: npde.seismic.Inversion) -> None:
    scale = expected.unknown.scale
    values = [result.unknown.values.detach().numpy() / scale for result in (inversion, expected)]
    assert_same_field(values[0], values[1])
    assert_same_field(inversion.predicted, expected.predicted)
    assert_same_field(inversion.scales, expected.scales)


@pytest.mark.parametrize("misfit", MISFITS, ids=lambda misfit: misfit.name)
def test_threads_find_the_same_model_for_every_misfit(misfit: Any) -> None:
    with ThreadPoolExecutor(2) as pool:
        inversion = invert(pool, misfit=misfit)
    expected = invert(misfit=misfit)
    assert_same(inversion, expected)
    assert inversion.fields is None
    assert inversion.residual == pytest.approx(expected.residual, rel=1e-9)


@pytest.mark.slow
def test_the_default_takes_an_executor() -> None:
    method = npde.seismic.Multiscale(per_wavelength=5.2, descent=npde.seismic.BoundedLBFGS(2))
    with ThreadPoolExecutor(2) as pool:
        inversion = invert(pool, method=method, unknown=npde.Velocity(2000.0, bounds=(1600.0, 2600.0)))
    assert_same(inversion, invert(method=method, unknown=npde.Velocity(2000.0, bounds=(1600.0, 2600.0))))


@pytest.mark.parametrize("shots", [1, 7, 100, 1000])
def test_groups_hold_every_shot_once(shots: int) -> None:
    for nodes in (1000, 100_000):
        groups = shot_groups(shots, nodes)
        assert np.array_equal(np.concatenate([np.arange(shots)[rows] for rows in groups]), np.arange(shots))


def test_small_groups_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = invert()
    monkeypatch.setattr(
        "neurapde.seismic.inversion.tasks.shot_groups",
        lambda shots, nodes: [slice(i, i + 1) for i in range(shots)],
    )
    with ThreadPoolExecutor(2) as pool:
        inversion = invert(pool)
    speeds = [speed(np.array([[400.0, 500.0], [650.0, 300.0]])) for speed in (inversion, expected)]
    np.testing.assert_allclose(speeds[0], speeds[1], rtol=1e-8)


class Dying(Executor):
    """Does two tasks, loses the third after it was taken, and takes no more."""

    def __init__(self) -> None:
        self.taken = 0

    def submit(self, function: Any, /, *given: Any, **named: Any) -> Future:
        self.taken += 1
        if self.taken > 3:
            raise BrokenExecutor("no worker is left")
        future: Future = Future()
        if self.taken == 3:
            future.set_exception(BrokenExecutor("a worker died"))
        else:
            future.set_result(function(*given, **named))
        return future


def test_a_dead_worker_costs_its_task_not_the_run() -> None:
    with pytest.warns(DeclarationWarning, match="a worker of the executor died"):
        inversion = invert(Dying())
    assert_same(inversion, invert())
    assert inversion.status is Status.STEP_LIMIT


def test_what_cannot_be_divided_is_refused() -> None:
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(npde.DeclarationError, match="Joint cannot be divided into tasks"):
            invert(pool, method="joint")
        newton = npde.seismic.Reduced(descent=npde.seismic.GaussNewtonDescent(2))
        with pytest.raises(npde.DeclarationError, match="needs all waves at once"):
            invert(pool, method=newton)
    with pytest.raises(npde.DeclarationError, match="executor=2: give a concurrent"):
        invert(2)  # type: ignore[arg-type]


@pytest.mark.slow
def test_processes_find_the_same_model_and_one_may_be_killed() -> None:
    expected = invert()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert_same(invert(pool), expected)
        victim = next(iter(pool._processes))
        os.kill(victim, signal.SIGKILL)
        with pytest.warns(DeclarationWarning, match="a worker of the executor died"):
            assert_same(invert(pool), expected)


@pytest.mark.slow
def test_a_cluster_of_dask_finds_the_same_model_though_a_worker_is_killed() -> None:
    distributed = pytest.importorskip("distributed", reason="needs neurapde[cluster]")
    expected = invert()
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert_same(invert(client.get_executor(pure=False)), expected)
        pids = client.run(os.getpid)
        os.kill(next(iter(pids.values())), signal.SIGKILL)
        assert_same(invert(client.get_executor(pure=False)), expected)

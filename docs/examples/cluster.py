"""Tutorial: one inversion on all cores of a machine, or on the machines of a cluster.

`python docs/examples/cluster.py` takes two processes; with the address of a Dask scheduler, such as tcp://scheduler:8786, it
takes the workers of that. Processes start by importing this file, so the work stands behind `if __name__ == "__main__"`.
"""

# [survey]
import sys
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np

import neurapde as npde


def rock(x):
    """2000 m/s, and a lens that is faster by 300."""
    return 2000.0 + 300.0 * np.exp(-((x - 500.0) ** 2).sum(1) / (2 * 120.0**2))


def waves(speed) -> npde.Problem:
    """In a square of one kilometre that waves leave on all sides."""
    return npde.Problem(
        name="lens",
        domain=npde.Box((0, 1000), (0, 1000)),
        equation=npde.Helmholtz(wavenumber=2 * np.pi * 5.0, speed=speed),
        sources=npde.PointSource((500, 500)),
        boundary=npde.Absorbing(),
    )


def record(shots: int) -> npde.Survey:
    """Shots on a circle and receivers around them; the wavelet is forgotten."""
    first, second = (2 * np.pi * np.arange(n) / n for n in (shots, 4 * shots))
    sources = 500 + 400 * np.stack([np.cos(first), np.sin(first)], axis=1)
    receivers = 500 + 430 * np.stack([np.cos(second), np.sin(second)], axis=1)
    made = npde.Survey.simulate(waves(rock), receivers, sources=sources, frequencies=[5.0, 10.0], shape=101)
    return made.replace(wavelet=None)


# [invert]
def invert(survey: npde.Survey, executor: Executor) -> npde.seismic.Inversion:
    """The tasks are done by whatever the executor stands for."""
    return npde.invert(waves(2000.0), survey, executor=executor, progress=False)


# [run]
def run(small: bool = False, scheduler: str = "") -> npde.seismic.Inversion:
    """On the workers of a scheduler, on two processes, or, `small`, on two threads."""
    survey = record(4 if small else 12)
    if scheduler:
        from dask.distributed import Client  # only here is Dask needed

        with Client(scheduler) as client:
            inversion = invert(survey, client.get_executor(pure=False))
    else:
        with (ThreadPoolExecutor if small else ProcessPoolExecutor)(2) as pool:
            inversion = invert(survey, pool)
    print(inversion)
    return inversion


if __name__ == "__main__":
    run(scheduler=sys.argv[1] if len(sys.argv) > 1 else "")

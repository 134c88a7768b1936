"""What does not fit in memory is refused before it starts, and the estimates are near what is measured."""

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import neurapde as npde
from neurapde.assembly.helmholtz import LatticeProblem
from neurapde.assembly.helmholtz_cost import lattice_cost
from neurapde.core import memory
from neurapde.core.memory import CPU, check_fits, free_memory
from neurapde.methods.adam import COPIES
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.references import helmholtz, poisson_cost
from neurapde.training.memory import training_memory
from neurapde.training.run.method import Method
from neurapde.trials.base import Trial

PLANE, CUBE = npde.Box((-1, 1), (-1, 1)), npde.Box((-1, 1), (-1, 1), (-1, 1))
SOURCE = [npde.FunctionSource(lambda x: npde.sin(3 * x[:, 0]))]
ON_PLANE = npde.Problem("plane", PLANE, npde.Poisson(), SOURCE, npde.Dirichlet(0.0))
IN_CUBE = npde.Problem("cube", CUBE, npde.Poisson(), SOURCE, npde.Dirichlet(0.0))
IN_DISK = npde.Problem("disk", npde.Disk((0, 0), 1.0), npde.Poisson(), SOURCE, npde.Dirichlet(0.0))
WAVES = npde.Problem(
    "waves", PLANE, npde.Helmholtz(9.0), [npde.GaussianSource((0.1, 0.1), 0.01)], npde.PML(width=0.5)
)
TIMES = npde.Problem("times", CUBE, npde.Eikonal(), [npde.PointSource((0.1, 0.0, 0.0))])
STRING = npde.Problem(
    "string",
    PLANE.over(npde.Time(0, 1)),
    npde.Wave(),
    boundary=[npde.InitialCondition(lambda x: npde.sin(3 * x[:, 0])), npde.Dirichlet(0.0)],
)


@pytest.fixture
def twenty_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda device: 20_000_000_000)


@pytest.mark.usefixtures("twenty_gigabytes")
@pytest.mark.parametrize(
    ("problem", "shape"),
    [
        (ON_PLANE, 20001),
        (IN_CUBE, 1001),
        (IN_DISK, 20001),
        (WAVES, 20001),
        (TIMES, 1001),
        (STRING, (20001, 20001, 9)),
    ],
    ids=lambda given: given.name if isinstance(given, npde.Problem) else None,
)
def test_a_grid_that_does_not_fit_is_refused_with_the_numbers(
    problem: npde.Problem, shape: int | tuple[int, ...]
) -> None:
    text = r"nodes for \w+ needs too much memory: [\d.]+ GB, but 20\.0 GB are free; give a smaller shape"
    with pytest.raises(npde.DeclarationError, match=text):
        npde.reference(problem, shape)


@pytest.mark.usefixtures("twenty_gigabytes")
@pytest.mark.parametrize(
    ("trial", "method", "text"),
    [
        (npde.Siren(width=10**5), npde.Adam(1), r"has too many parameters: 80\.0 GB"),
        (npde.RBF(count=2 * 10**9), npde.Adam(1), "has too many parameters"),
        (npde.Siren(8, 1), npde.Adam(1, points=10**9), r"on 1000000000 points of plane needs too much"),
        (npde.Siren(8, 1), npde.LBFGS(1, points=10**9), "needs too much memory"),
        (npde.Siren(8, 1), npde.NaturalGradient(1, points=10**9), "give fewer points=…"),
        (npde.Siren(2500, 3), npde.LBFGS(100), "or a smaller network"),
        (
            npde.Siren(400, 2),
            npde.NaturalGradient(1, points=60_000),
            r"120000 residuals by 322401 parameters need too",
        ),
    ],
)
def test_a_training_that_does_not_fit_is_refused_before_a_point_is_drawn(
    trial: Trial, method: Method, text: str
) -> None:
    with pytest.raises(npde.DeclarationError, match=text):
        npde.solve(ON_PLANE, trial, method, device="cpu")


@pytest.mark.usefixtures("twenty_gigabytes")
def test_huge_shapes_of_exports_and_comparisons_are_refused(tmp_path: Path) -> None:
    problem = npde.problems.poisson_square()
    solution = npde.solve(problem, device="cpu")
    with pytest.raises(npde.DeclarationError, match="a grid of 40001 × 40001 nodes needs too much memory"):
        solution.export(tmp_path / "u.vtu", 40001)
    with pytest.raises(npde.DeclarationError, match="comparing on 40001 × 40001 nodes needs too much"):
        npde.validate(solution, shape=(40001, 40001))


def test_the_limits_of_a_container_and_of_a_process_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, lines in {
        "unified": (
            "0::/job",
            {"memory.max": "900", "memory.current": "700"},
            "inactive_file 20\nactive_file 30",
        ),
        "old": (
            "4:memory:/job\n0::/",
            {"memory.limit_in_bytes": "900", "memory.usage_in_bytes": "650"},
            "a 1",
        ),
    }.items():
        groups, files, stat = lines
        folder = tmp_path / name / ("job" if name == "unified" else "memory/job")
        folder.mkdir(parents=True)
        for file, text in {**files, "memory.stat": stat + "\n"}.items():
            (folder / file).write_text(text)
        (tmp_path / f"{name}.txt").write_text(groups + "\n")
        monkeypatch.setattr(memory, "GROUPS", tmp_path / f"{name}.txt")
        monkeypatch.setattr(memory, "MOUNT", tmp_path / name)
        assert free_memory(CPU) == 250
    (tmp_path / "none.txt").write_text("")
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "none.txt")
    free = free_memory(CPU)
    assert free is None or free > 10_000_000
    monkeypatch.setattr(resource, "getrlimit", lambda which: (1000, 2000))
    free_bytes = free_memory(CPU)
    assert free_bytes is None or free_bytes < 1000
    with pytest.raises(npde.DeclarationError, match=r"it: 5 MB, but .* are free; do less"):
        check_fits(5e6, "it", "do less")


MEASURE = """
import sys
sys.path.insert(0, {tests!r})
import test_memory as given
given.{name}(True)
before = given.peak()
estimate = given.{name}(False)
print(given.peak() - before, estimate)
"""


def peak() -> float:
    """The most bytes that this process has had in memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * float(next(line.split()[1] for line in lines if line.startswith("VmHWM")))


def on_plane(small: bool) -> float:
    grid = Grid((-1, -1), (1, 1), (41, 41) if small else (301, 301))
    npde.reference(ON_PLANE, grid.shape, error=False)
    return poisson_cost._cost(ON_PLANE.equation, ON_PLANE, grid.shape)[0]


def in_cube(small: bool) -> float:
    grid = Grid((-1,) * 3, (1,) * 3, (9,) * 3 if small else (61,) * 3)
    npde.reference(IN_CUBE, grid.shape, error=False)
    return poisson_cost._cost(IN_CUBE.equation, IN_CUBE, grid.shape)[0]


def waves(small: bool) -> float:
    grid = Grid((-1, -1), (1, 1), (41, 41) if small else (201, 201))
    npde.reference(WAVES, grid.shape, error=False)
    return helmholtz._memory(WAVES, grid)


def against_walls(small: bool) -> float:
    return _galerkin(npde.Dirichlet(0.0), 1.0, 8.0 if small else 130.0)


def round_piece(small: bool) -> float:
    return _galerkin(
        npde.PML(width=0.3), npde.Piecewise(1.0, (npde.Disk((0, 0), 0.4), 0.9)), 8.0 if small else 50.0
    )


def _galerkin(side: npde.PML | npde.Dirichlet, speed: object, wavenumber: float) -> float:
    """One lattice, on which the integrals take most."""
    source = npde.GaussianSource((0.3, 0.1), 1e-4)
    problem = npde.Problem("waves", PLANE, npde.Helmholtz(wavenumber, speed), source, side)
    lattice = LatticeProblem(problem, problem.equation)
    lattice.solve(lattice.first_bandwidth, 1e-4)
    return lattice_cost(lattice, lattice.first_bandwidth).memory


def adam(small: bool) -> float:
    return _training(npde.Adam(1, points={"poisson": 100 if small else 500_000, "dirichlet": 100}), False)


def lbfgs(small: bool) -> float:
    return _training(npde.LBFGS(1, points={"poisson": 100 if small else 40_000, "dirichlet": 100}), True)


def _training(method: npde.Adam | npde.LBFGS, whole: bool) -> float:
    solution = npde.solve(ON_PLANE, npde.Siren(32, 2), method, device="cpu")
    return training_memory(method.objective(ON_PLANE), solution.trial, COPIES, whole=whole)


@pytest.mark.slow
@pytest.mark.skipif(not memory.STATM.exists(), reason="no /proc here")
@pytest.mark.parametrize(
    "run", [on_plane, in_cube, waves, against_walls, round_piece, adam, lbfgs], ids=lambda run: run.__name__
)
def test_the_peak_of_a_process_is_within_a_factor_of_two_of_the_estimate(
    run: Callable[[bool], float],
) -> None:
    script = MEASURE.format(tests=str(Path(__file__).parent), name=run.__name__)
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    measured, estimate = map(float, process.stdout.split()[-2:])
    assert 0.5 < measured / estimate < 2.0

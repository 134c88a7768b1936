"""Whether a run that goes on is the run that was begun: its functions, what they hold, its data and its seed."""

import functools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.interpolate import CubicSpline, RegularGridInterpolator

import neurapde as npde
from neurapde.storage.fingerprint import Identity, fingerprint, fingerprints
from support import waves

SQUARE, FACTOR = npde.Box((0, 1), (0, 1)), 2.0
NODES = np.linspace(0, 1, 5)


def times(factor: Any) -> Callable[[Any], Any]:
    return lambda x: factor * x[:, 0]


class Times:
    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, x: Any) -> Any:
        return self.factor * x[:, 0]


def in_words(text: str) -> Callable[[Any], Any]:
    """A function `f` that is made of its source, as a script is."""
    made: dict[str, Any] = {"__name__": "script"}
    exec(text, made)
    return made["f"]


def network(width: int) -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(2, width), torch.nn.Tanh(), torch.nn.Linear(width, 1))


PAIRS: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
    "constants": (lambda: in_words("f = lambda x: x + 1.0"), lambda: in_words("f = lambda x: x - 5.0")),
    "operators": (lambda: in_words("f = lambda x: x + 2"), lambda: in_words("f = lambda x: x * 2")),
    "library functions": (
        lambda: in_words("f = lambda x: x.sin()"),
        lambda: in_words("f = lambda x: x.cos()"),
    ),
    "functions within": (
        lambda: in_words("f = lambda x: [t + 1 for t in x]"),
        lambda: in_words("f = lambda x: [t + 2 for t in x]"),
    ),
    "defaults": (lambda: in_words("def f(x, k=1): return x"), lambda: in_words("def f(x, k=2): return x")),
    "named defaults": (
        lambda: in_words("def f(x, *, k=1): return x"),
        lambda: in_words("def f(x, *, k=2): return x"),
    ),
    "globals": (lambda: in_words("K = 1\ndef f(x): return K"), lambda: in_words("K = 2\ndef f(x): return K")),
    "functions called": (
        lambda: in_words("def g(x): return 2 * x\ndef f(x): return g(x)"),
        lambda: in_words("def g(x): return 3 * x\ndef f(x): return g(x)"),
    ),
    "closures": (lambda: times(2.0), lambda: times(3.0)),
    "arrays in closures": (lambda: times(np.ones(3)), lambda: times(np.zeros(3))),
    "tensors in closures": (lambda: times(torch.ones(3)), lambda: times(torch.zeros(3))),
    "declarations in closures": (
        lambda: times(npde.Disk((0, 0), 1.0)),
        lambda: times(npde.Disk((0, 0), 2.0)),
    ),
    "objects": (lambda: Times(2.0), lambda: Times(3.0)),
    "methods": (lambda: Times(2.0).__call__, lambda: Times(3.0).__call__),
    "what a library's function holds": (
        lambda: npde.at_points(NODES[:, None]),
        lambda: npde.at_points(NODES[:, None] / 2),
    ),
    "partials": (lambda: functools.partial(pow, 2), lambda: functools.partial(pow, 3)),
    "interpolators": (
        lambda: RegularGridInterpolator((NODES,), NODES),
        lambda: RegularGridInterpolator((NODES,), NODES**2),
    ),
    "splines": (lambda: CubicSpline(NODES, NODES), lambda: CubicSpline(NODES, NODES**2)),
    "networks": (lambda: network(3), lambda: network(4)),
    "classes": (
        lambda: in_words("class C:\n def __call__(s, x): return x + 1\nf = C()"),
        lambda: in_words("class C:\n def __call__(s, x): return x + 2\nf = C()"),
    ),
    "base classes": (
        lambda: in_words("class B:\n k = 1\nclass C(B):\n def __call__(s, x): return s.k\nf = C()"),
        lambda: in_words("class B:\n k = 2\nclass C(B):\n def __call__(s, x): return s.k\nf = C()"),
    ),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_what_is_made_twice_is_the_same_and_what_differs_is_not(kind: str) -> None:
    make, other = PAIRS[kind]
    assert fingerprint(make()) == fingerprint(make())
    assert fingerprint(other()) == fingerprint(other())
    assert fingerprint(make()) != fingerprint(other())


def test_where_a_function_stands_and_what_is_said_of_it_is_nothing() -> None:
    moved = in_words("\n\n# the source\ndef f(y):\n    z = 2 * y  # twice\n    return z")
    assert fingerprint(in_words("def f(x):\n    v = 2 * x\n    return v")) == fingerprint(moved)


def test_what_an_object_remembers_of_its_use_is_nothing_where_it_says_so() -> None:
    @functools.cache
    def remembered(x: int) -> int:
        return 2 * x

    before = fingerprint(remembered)
    remembered(3)
    assert fingerprint(remembered) == before


def test_circles_end() -> None:
    once = in_words("def f(n): return g(n)\ndef g(n): return f(n)")
    held = Times(2.0)
    held.factor = held  # type: ignore[assignment]
    assert fingerprint(once) != fingerprint(held)


def test_another_start_of_python_gives_the_same_digest() -> None:
    text = "f = lambda x: x in {'a', 'b', 'c'} or {1, 2, 'd'}"
    code = (
        f"from neurapde.storage.fingerprint import fingerprint\nexec({text!r})\nprint(fingerprint(f), end='')"
    )
    given = {**os.environ, "PYTHONHASHSEED": "1"}
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=given, text=True)
    assert made.stdout == fingerprint(in_words(text))


def test_the_code_of_a_declaration_of_ones_own_counts_and_its_numbers_are_compared_elsewhere() -> None:
    def own(term: str) -> Callable[..., object]:
        return in_words(
            "from dataclasses import dataclass\n"
            f"@dataclass(frozen=True)\nclass f:\n k: float\n def residual(s, u): return u * s.k + {term}"
        )

    digests = [fingerprints(own(term)(k), "problem") for term, k in (("1", 2.0), ("1", 3.0), ("2", 2.0))]
    assert digests[0] == digests[1] != digests[2]
    assert list(digests[0]) == ["the class of problem"]


def problem(source: object, **settings: object) -> npde.Problem:
    return npde.Problem(
        "p", SQUARE, npde.Poisson(), npde.FunctionSource(source), npde.Dirichlet(0.0), **settings
    )


def train(out: Path, source: object, **settings: Any) -> npde.Solution:
    given = {"trial": npde.MLP(width=6, depth=1), "method": npde.Adam(steps=2, points=16), "seed": 71011}
    return npde.solve(
        problem(source), **{**given, **settings}, out=out, device="cpu", resume=True, progress=False
    )


def one_source(x: Any) -> Any:
    return FACTOR + 0 * x[:, 0]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"seed": 71023}, "seed is 71011 in the file and 71023 now"),
        (
            {"source": times(3.0)},
            r"problem\.sources\[0\]\.f\.function has changed: its code or the values",
        ),
        ({"trial": npde.TorchModule(network(4))}, "trial"),
        ({"method": npde.Adam(steps=2, points=17)}, r"points is 16 in the file and 17 now"),
    ],
)
def test_solve_goes_on_with_the_same_run_alone(tmp_path: Path, changes: dict[str, Any], text: str) -> None:
    train(tmp_path, times(2.0))
    before = (tmp_path / "checkpoint.h5").read_bytes()
    with pytest.raises(npde.DeclarationError, match=rf"cannot resume from .*{text}"):
        train(tmp_path, **{"source": times(2.0), **changes})
    assert (tmp_path / "checkpoint.h5").read_bytes() == before
    assert any("Resumed after step 2" in note for note in train(tmp_path, times(2.0)).notes)


def test_a_global_that_changed_is_another_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(tmp_path, one_source)
    monkeypatch.setitem(globals(), "FACTOR", 2.5)
    with pytest.raises(npde.DeclarationError, match=r"f\.function has changed"):
        train(tmp_path, one_source)


def test_a_trial_function_is_known_by_its_parameters(tmp_path: Path) -> None:
    start, other = (train(tmp_path / str(seed), times(2.0), seed=seed).trial for seed in (71039, 71059))
    train(tmp_path, times(2.0), trial=start)
    assert any("Resumed" in note for note in train(tmp_path, times(2.0), trial=start).notes)
    with pytest.raises(npde.DeclarationError, match="trial has changed"):
        train(tmp_path, times(2.0), trial=other)


def test_a_module_of_torch_goes_on_from_its_checkpoint_whatever_its_first_weights(tmp_path: Path) -> None:
    train(tmp_path, times(2.0), trial=npde.TorchModule(network(4)))
    continued = train(tmp_path, times(2.0), trial=npde.TorchModule(network(4)))
    assert any("Resumed after step 2" in note for note in continued.notes)


def test_functions_of_another_python_are_not_compared_and_that_is_said() -> None:
    now = Identity.of(3, {"problem": problem(times(2.0))})
    stored = {"seed": 3, "python": "3.1", "digests": dict.fromkeys(now.digests, "")}
    with pytest.warns(npde.DeclarationWarning, match=r"made by Python 3\.1, this is .* is not known"):
        assert now.difference(stored) is None


def invert(out: Path, **settings: Any) -> npde.seismic.Inversion:
    data = settings.pop("data", np.ones((1, 1, 2), complex))
    survey = npde.Survey([[0.2, 0.2]], [[0.8, 0.8], [0.7, 0.7]], data=data, frequencies=[1.0])
    start = settings.pop("start", times(0.0))
    return npde.invert(
        waves(SQUARE),
        survey,
        unknown=npde.Velocity(lambda x: 1.0 + start(x), bounds=(0.8, 2.0)),
        method=npde.seismic.Adjoint(descent=npde.seismic.BoundedLBFGS(2), spacing=0.2),
        out=out,
        progress=False,
        resume=True,
        **{"seed": 71069, **settings},
    )


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"seed": 71081}, "seed is 71069 in the file and 71081 now"),
        ({"start": lambda x: x[:, 0] - x[:, 0]}, r"inversion\.setting\.velocity.* has changed"),
        ({"data": np.full((1, 1, 2), 2 + 0j)}, r"survey\.data is an array"),
    ],
)
def test_invert_goes_on_with_the_same_inversion_alone(
    tmp_path: Path, changes: dict[str, Any], text: str
) -> None:
    invert(tmp_path)
    invert(tmp_path)
    with pytest.raises(npde.DeclarationError, match=rf"cannot resume from .*{text}"):
        invert(tmp_path, **changes)

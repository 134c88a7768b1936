"""Set up and run neurapde on a machine that has only Python and git: `python3 make.py demo`, for example.

Every target makes the virtual environment it needs, so any of them can be the first. Standard library only.
Two environment variables are read:
  NEURAPDE_VENV    where to make the environment (default: .venv beside this file)
  NEURAPDE_TORCH   what pip installs as PyTorch, say "torch==2.13.0" (default: what suits this machine)
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 (this file is what an older Python is told by)
    sys.exit(
        f"neurapde needs Python 3.11 or newer, but {sys.executable} is {sys.version.split()[0]}. "
        "Run make.py with a newer one, for example: python3.12 make.py test"
    )

import tomllib

ROOT = Path(__file__).resolve().parent
VENV = Path(os.environ.get("NEURAPDE_VENV") or ROOT / ".venv").absolute()
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
# The build to ask pip for first: indexes that carry CPU builds mark them with a local version.
CPU_BUILD = "torch==2.13.0+cpu"
WORKERS = 4
TORCH_HELP = """
No CPU build of PyTorch could be installed here, and its default build for Linux brings several GB of CUDA.
Either install a CPU build yourself, by the command that https://pytorch.org/get-started/locally/ prints, with
    {python} -m pip install ...
and run this again, or take the default build after all:
    NEURAPDE_TORCH="{requirement}" python3 make.py {target}"""


def attempt(*command: str | Path) -> int:
    """Show a command, run it in the repository root and return its exit status."""
    print("+", " ".join(str(part) for part in command), flush=True)
    return subprocess.run([str(part) for part in command], cwd=ROOT).returncode


def run(*command: str | Path) -> None:
    """Run a command as `attempt` does, and stop with its exit status if it fails."""
    if status := attempt(*command):
        sys.exit(status)


def succeeds(*command: str | Path) -> bool:
    """Whether a command exists and exits with 0, asked in silence."""
    try:
        return subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True).returncode == 0
    except OSError:
        return False


def pip(*arguments: str) -> None:
    """Install with the environment's own pip, with its progress where somebody is watching."""
    quiet = () if sys.stdout.isatty() else ("-qq",)
    run(PYTHON, "-m", "pip", "install", "--disable-pip-version-check", *quiet, *arguments)


def make_environment() -> None:
    """Make the virtual environment unless it is there, and say what is missing where Python cannot."""
    if succeeds(PYTHON, "-m", "pip", "--version"):
        return
    print(f"+ making the virtual environment {VENV}", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)]).returncode == 0
    if not made or not succeeds(PYTHON, "-m", "pip", "--version"):
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit(
            f"The virtual environment {VENV} could not be made. If the module venv or ensurepip is missing, "
            f"`apt install python3.{sys.version_info.minor}-venv` brings it on Debian and Ubuntu."
        )


def torch_requirement() -> str:
    """The range of PyTorch that pyproject.toml declares: the single place where it is written."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return next(item for item in project["dependencies"] if re.match(r"torch\b", item))


def install_torch(target: str) -> None:
    """Install the build of PyTorch that suits this machine: with CUDA only where there is an NVIDIA GPU."""
    requirement = torch_requirement()
    if succeeds(PYTHON, "-c", "import torch"):
        return
    if explicit := os.environ.get("NEURAPDE_TORCH"):
        pip(explicit)
    elif succeeds("nvidia-smi") or not sys.platform.startswith("linux"):
        pip(requirement)  # the default build has CUDA on Linux, and none on macOS and Windows
    elif succeeds(PYTHON, "-m", "pip", "install", CPU_BUILD):
        print(f"+ installed {CPU_BUILD}", flush=True)
    else:
        pip("uv>=0.8")  # it knows PyTorch's own index of CPU builds
        uv = (PYTHON, "-m", "uv", "pip", "install", "--python", PYTHON)
        if attempt(*uv, "--torch-backend=cpu", requirement):
            sys.exit(TORCH_HELP.format(python=PYTHON, requirement=requirement, target=target))


def install(target: str, *extras: str) -> None:
    """Install the checkout, editable, with these extras, unless that was done for this pyproject.toml."""
    make_environment()
    stamp = VENV / "neurapde.installed"
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + str(ROOT).encode()).hexdigest()
    found, *there = stamp.read_text(encoding="utf-8").split() if stamp.is_file() else [""]
    if found != wanted:
        there = []
    elif {"neurapde", *extras} <= set(there):
        return
    print("+ installing what neurapde needs; the first time this takes a few minutes", flush=True)
    install_torch(target)
    pip("--editable", f".[{','.join(extras)}]" if extras else ".")
    if os.name != "nt":  # where links need no rights
        run(PYTHON, ROOT / ".ci" / "link_types.py", "--installed")
    stamp.write_text(" ".join([wanted, *sorted({"neurapde", *there, *extras})]), encoding="utf-8")


def setup(arguments: list[str]) -> None:
    """Make the environment with everything that development needs."""
    install("setup", "dev", "docs")
    print(f"Ready: {SCRIPTS / 'neurapde'} --help")


def demo(arguments: list[str]) -> None:
    """Solve helmholtz-disk, compare with the exact series and a grid, and write a report."""
    install("demo")
    folder = ROOT / "runs" / "helmholtz-disk"
    run(SCRIPTS / "neurapde", "run", "helmholtz-disk", "--out", folder, *arguments)
    print(f"\nOpen the report in a browser: {(folder / 'report.html').as_uri()}")


def test(arguments: list[str]) -> None:
    """Run the test suite, a process for each core up to four; further arguments go to pytest."""
    install("test", "dev")
    workers = min(os.cpu_count() or 1, WORKERS)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    run(PYTHON, "-m", "pytest", "--numprocesses", str(workers), "--dist", "loadfile", *arguments)


def lint(arguments: list[str]) -> None:
    """Check style, format and types."""
    install("lint", "dev")
    run(PYTHON, "-m", "ruff", "check", ".")
    run(PYTHON, "-m", "ruff", "format", "--check", ".")
    run(PYTHON, ROOT / ".ci" / "link_types.py")
    run(PYTHON, "-m", "mypy", *arguments)


def docs(arguments: list[str]) -> None:
    """Build the documentation into docs/_build; every warning is an error."""
    install("docs", "docs")
    sphinx = (PYTHON, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet")
    run(*sphinx, *arguments, "docs", "docs/_build")
    print(f"Open {(ROOT / 'docs' / '_build' / 'index.html').as_uri()}")


def benchmark(arguments: list[str]) -> None:
    """Run the benchmarks (or those that are named; --small for a quick look)."""
    install("benchmark", "dev")
    run(PYTHON, ROOT / "benchmarks" / "run.py", *arguments)


TARGETS = (demo, test, lint, docs, benchmark, setup)


def main() -> None:
    """Read the target from the command line and run it."""
    targets = "\n".join(f"  {target.__name__:<10} {target.__doc__}" for target in TARGETS)
    parser = argparse.ArgumentParser(
        prog="make.py",
        description=__doc__,
        epilog=f"targets:\n{targets}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", choices=[target.__name__ for target in TARGETS], metavar="target")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="for the command that it runs")
    given = parser.parse_args()
    next(target for target in TARGETS if target.__name__ == given.target)(given.arguments)


if __name__ == "__main__":
    main()

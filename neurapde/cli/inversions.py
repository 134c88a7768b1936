"""Inversions at the command line: `neurapde fwi SURVEY`, and the declared ones by name for `run` and `validate`."""

import argparse
import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import neurapde as npde
from neurapde.cli.file_names import file_name
from neurapde.cli.parsing import Parser, UsageError, folder
from neurapde.cli.problems import called, settings_for
from neurapde.cli.results import keep_earlier, save
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import listing
from neurapde.core.readers.isolated import isolated
from neurapde.fields.medium import Field
from neurapde.late import Late
from neurapde.problems import InversionCase
from neurapde.seismic.inversion.invert import DEFAULT, FILE, METHODS
from neurapde.seismic.inversion.methods.method import InversionMethod
from neurapde.seismic.inversion.regularisation import Prior
from neurapde.seismic.survey.survey_files import HDF5
from neurapde.training.run.method import Status

read_hdf5 = Late("neurapde.core.readers.matrices", "read_hdf5")

OK, FAILED, INTERRUPTED = 0, 1, 130
PRIORS: dict[str, Callable[[float], Prior]] = {
    "tv": npde.seismic.TotalVariation,
    "smoothness": npde.seismic.Smoothness,
    "tikhonov": npde.seismic.Tikhonov,
}
MISFITS = {
    "l2": npde.seismic.L2,
    "l1": npde.seismic.L1,
    "huber": npde.seismic.Huber,
    "phase": npde.seismic.PhaseOnly,
    "envelope": npde.seismic.Envelope,
    "transport": npde.seismic.Transport,
    "correlation": npde.seismic.Correlation,
}
FWI_EXAMPLES = """examples:
  neurapde fwi data_cylinder_5.mat --frequency 3.1831 --wavelet 1+1j --source-variance 1e-4
      --domain=-1,1,-1,1 --pml 0.5,5 --start 1 --bounds 0.913,2.58 --window=-.36,.36,-.36,.36 --prior tv:3e-3
  neurapde fwi line.sgy --domain 0,4000,0,1500 --start start.h5 --bounds 1400,4500 --free-surface bottom
      --frequencies "3;3,4;4,5" --method reduced --out runs/line
  neurapde fwi line.sgy … --out runs/line --resume      continue after Ctrl-C

A start model is a number, a file that `neurapde fwi` wrote (inversion.h5), or a velocity model: SEG-Y with a
trace for each x, .rsf, .vti, .vtk, .npy, .bin with --start-shape, or HDF5 with a dataset `speed` (nx, ny), the
first index along x. If the file has no positions, the model fills the domain.
`bottom` is the lower y, which is the surface where y is a depth.
"""


def grammar(parser: Parser) -> None:
    """The arguments of `neurapde fwi`."""
    parser.description = (
        "Full-waveform inversion of a survey: HDF5, the SIREN paper's MAT, or SEG-Y.\nThe report compares it with a "
        "classical inversion of the same data."
    )
    parser.epilog = FWI_EXAMPLES
    parser.add_argument("survey", type=Path, metavar="SURVEY", help="a .h5, .mat, .sgy or .segy file")
    model = parser.add_argument_group("model")
    box: dict[str, Any] = {"type": _numbers, "metavar": "X0,X1,Y0,Y1"}
    model.add_argument("--domain", required=True, help="the box of the model", **box)
    model.add_argument("--start", required=True, metavar="SPEED|FILE", help="speed to start from")
    model.add_argument(
        "--start-shape", type=_numbers, metavar="NX,NZ", help="nodes of a .bin file, z varies fastest"
    )
    model.add_argument("--start-spacing", type=_numbers, metavar="DX,DZ", help="of its nodes, starting at 0")
    model.add_argument("--bounds", type=_numbers, metavar="LOW,HIGH", help="slowest and fastest speed")
    model.add_argument("--window", help="box outside which the velocity is known", **box)
    model.add_argument("--fixed", help="box inside which the velocity is known, as in water", **box)
    model.add_argument(
        "--prior",
        type=_prior,
        action="append",
        default=[],
        metavar="KIND:WEIGHT",
        help=f"one of {', '.join(PRIORS)}",
    )
    model.add_argument(
        "--free-surface", metavar="SIDE", help="left, right, bottom or top; the other sides absorb"
    )
    model.add_argument(
        "--topography",
        metavar="FILE",
        help="a free surface y(x): rows of x and y in a text file; or receivers, receivers:DEPTH for the surface so far "
        "above them",
    )
    model.add_argument(
        "--attenuation",
        type=_numbers,
        metavar="Q,HZ",
        help="quality factor, and the frequency at which speeds are those of the model",
    )
    model.add_argument(
        "--pml",
        type=_numbers,
        metavar="WIDTH[,STRENGTH]",
        help="absorbing layers inside the box; default: layers around the box",
    )
    how = parser.add_argument_group("method")
    how.add_argument("--method", choices=tuple(METHODS), help="default: multiscale")
    how.add_argument(
        "--frequencies", type=_stages, metavar="LIST", help="Hz: 3,4,5 all at once, or stages 3;3,4;4,5"
    )
    how.add_argument("--misfit", choices=tuple(MISFITS), help="default: l2 (l1 for the method penalty)")
    how.add_argument("--steps", type=int, metavar="N", help="steps of the method, in each stage")
    how.add_argument("--spacing", type=float, metavar="H", help="largest spacing of the grid's nodes")
    how.add_argument("--no-classical", action="store_true", help="leave out the classical inversion")
    data = parser.add_argument_group("facts that the file does not contain")
    data.add_argument("--frequency", type=float, metavar="HZ", help="of a .mat")
    data.add_argument("--wavelet", type=_complex, metavar="COMPLEX", help="of all shots; default: estimated")
    data.add_argument("--source-variance", type=float, metavar="S2", help="of Gaussian sources")
    data.add_argument("--noise", type=float, metavar="LEVEL", help="noise over signal: 0.1 is 20 dB")
    data.add_argument("--source-depth", type=float, metavar="Z", help="of a .sgy")
    data.add_argument("--receiver-depth", type=float, metavar="Z", help="of a .sgy")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of all random numbers; default: 0"
    )
    parser.add_argument("--resume", action="store_true", help="continue from the checkpoint in --out")
    parser.add_argument(
        "--out", type=folder, metavar="DIR", help="folder of the report; default: runs/SURVEY"
    )
    parser.set_defaults(action=fwi)


def fwi(given: argparse.Namespace) -> int:
    """`neurapde fwi`: from a survey's file to a report."""
    said = ("frequency", "wavelet", "source_variance", "noise", "source_depth", "receiver_depth")
    extra = {name: getattr(given, name) for name in said}
    if given.survey.suffix.lower() in HDF5 and all(value is None for value in extra.values()):
        survey = npde.Survey.load(given.survey)
    else:
        survey = npde.Survey.read(given.survey, **extra)
    print(survey, end="\n\n", flush=True)
    out = given.out or Path("runs") / file_name(given.survey.stem)
    start = _speed(given)
    velocity = npde.Velocity(
        start,
        bounds=None if given.bounds is None else _pair(given.bounds, "--bounds"),
        prior=given.prior,
        window=None if given.window is None else _box(given.window, "--window"),
        fixed=() if given.fixed is None else _box(given.fixed, "--fixed"),
    )
    inversion = npde.invert(
        _problem(given, survey, start),
        survey,
        unknown=velocity,
        method=_method(given),
        frequencies=given.frequencies,
        misfit=None if given.misfit is None else MISFITS[given.misfit](),
        seed=given.seed,
        out=out,
        resume=given.resume,
    )
    return finish(inversion, out, resumed=given.resume, classical=not given.no_classical)


def finish(
    inversion: npde.seismic.Inversion,
    out: Path,
    *,
    resumed: bool,
    true: Field | None = None,
    classical: npde.seismic.Inversion | bool = True,
) -> int:
    """Save an inversion and its report; the exit status. What is there stays, unless it is what this goes on from."""
    if not resumed:
        keep_earlier(out)
    saved = save(inversion.save, out / "inversion.h5")
    for note in inversion.notes:
        print(note)
    print(f"Inverted in {inversion.seconds:.1f} s. {inversion.status}")
    print(f"inversion: {saved}", end="\n\n", flush=True)
    if inversion.status is Status.INTERRUPTED:
        if (out / FILE).exists():
            print(f"To continue, run the same command with --out {out} --resume")
        return INTERRUPTED
    made = npde.validation.inversion_report(inversion, true=true, classical=classical)
    made.save(out)
    print(made, end="\n\n")
    print(f"report:   {out / 'report.html'}")
    return FAILED if inversion.status is Status.DIVERGED else OK


def run_case(case: InversionCase, given: argparse.Namespace) -> int:
    """`neurapde run` of a declared inversion."""
    problem = called(case.factory, settings_for(case.factory, given.set), case.name)
    out = given.out or Path("runs") / file_name(problem.name)
    print(problem, end="\n\n", flush=True)
    method = problem.method if given.method is None else _method(given)
    inversion = problem.invert(_with(method, _settings(given)), seed=given.seed, out=out, resume=given.resume)
    interrupted = inversion.status is Status.INTERRUPTED
    classical = False if interrupted or method == problem.classical else problem.invert_classically()
    return finish(inversion, out, resumed=given.resume, true=problem.truth, classical=classical)


def _method(given: argparse.Namespace) -> InversionMethod:
    if given.method is not None and given.method not in METHODS:
        raise UsageError(f"--method {given.method} solves problems; an inversion has {listing(METHODS)}")
    return _with(METHODS[given.method or DEFAULT](), _settings(given))


def _settings(given: argparse.Namespace) -> dict[str, object]:
    return {name: value for name in ("steps", "spacing") if (value := getattr(given, name, None)) is not None}


def _with(method: InversionMethod, settings: dict[str, object]) -> InversionMethod:
    """The method with other settings: its own, or its descent's."""
    for name, value in settings.items():
        options = {field.name for field in dataclasses.fields(method)}
        if name in options:
            method = dataclasses.replace(method, **{name: value})
        elif name == "steps" and "descent" in options:
            descent = dataclasses.replace(method.descent, steps=value)  # type: ignore[attr-defined]
            method = dataclasses.replace(method, descent=descent)  # type: ignore[call-arg]
        else:
            raise UsageError(f"the method {type(method).__name__} has no setting --{name}; leave it out")
    return method


def _problem(given: argparse.Namespace, survey: npde.Survey, start: object) -> npde.Problem:
    """Where the waves run: a free surface and layers within the box, or around it. Their times are the survey's."""
    box = _box(given.domain, "--domain")
    surface, name = given.free_surface, survey.name
    parts: list[npde.Dirichlet | npde.PML | npde.Absorbing | npde.seismic.Topography] = []
    if given.topography is not None:
        parts.append(_topography(given.topography, surface, survey))
        surface = parts[0].on
    sides = [side for side in box.faces if side != surface]
    if surface is not None and given.topography is None:
        parts.append(npde.Dirichlet(0.0, on=surface))
    if given.pml is None:
        parts.append(npde.Absorbing(on=sides))
    elif len(given.pml) > 2:
        raise UsageError("--pml takes a width, and a strength after a comma: --pml 0.5,5")
    else:
        width, *strength = given.pml
        parts.append(npde.PML(width=dict.fromkeys(sides, width), strength=strength[0] if strength else None))
    if given.attenuation is None:
        return npde.Problem(name, box.over(npde.Time(0, 1)), npde.Wave(), boundary=parts)
    law = npde.KolskyFutterman(*_pair(given.attenuation, "--attenuation"))
    equation = npde.Helmholtz(2 * math.pi * law.reference_frequency, start, law)
    return npde.Problem(name, box, equation, boundary=parts)


def _topography(text: str, surface: str | None, survey: npde.Survey) -> npde.seismic.Topography:
    """The surface of a file, or through the receivers; `surface`: the side that the air is at."""
    on = "bottom" if surface is None else surface
    word, _, depth = text.partition(":")
    try:
        if word == "receivers" and not Path(text).exists():
            return npde.seismic.Topography.through(survey.receivers, float(depth or 0.0), on)
        rows = [
            line.replace(",", " ").split() for line in Path(text).read_text(encoding="utf-8").splitlines()
        ]
        x, y = np.array([row for row in rows if row and not row[0].startswith("#")], float).T
        return npde.seismic.Topography(x, y, on)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--topography {text}: {error}; give a text file with rows of x and y, or receivers:DEPTH"
        ) from None


def _speed(given: argparse.Namespace) -> object:
    """A number, the speed of an earlier inversion, or a velocity model in a file."""
    text = given.start
    try:
        return float(text)
    except ValueError:
        path = Path(text)
    if not path.is_file():
        raise UsageError(f"--start {text}: this is neither a file nor a number; give one of these")
    if path.suffix.lower() in HDF5 and isolated(read_hdf5, path, "an HDF5 file")["kind"] == "inversion":
        return npde.seismic.Inversion.load(path).speed
    shape = given.start_shape and tuple(map(int, _exactly(given.start_shape, 2, "--start-shape")))
    try:
        return npde.seismic.read_model(path, shape=shape, spacing=given.start_spacing)
    except (DeclarationError, npde.StorageError) as error:
        raise UsageError(f"--start {text}: {error}") from None


def _box(numbers: tuple[float, ...], flag: str) -> npde.Box:
    x0, x1, y0, y1 = _exactly(numbers, 4, flag)
    return npde.Box((x0, x1), (y0, y1))


def _pair(numbers: tuple[float, ...], flag: str) -> tuple[float, float]:
    low, high = _exactly(numbers, 2, flag)
    return low, high


def _exactly(numbers: tuple[float, ...], count: int, flag: str) -> tuple[float, ...]:
    if len(numbers) != count:
        raise UsageError(f"{flag} takes {count} numbers with commas between them, but got {len(numbers)}")
    return numbers


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(number) for number in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r}: write numbers with commas between them, as 0,4,0,1.5"
        ) from None


def _complex(text: str) -> complex:
    try:
        return complex(text.replace("i", "j"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number; write 1, 2.5 or 1+1j") from None


def _stages(text: str) -> npde.seismic.Continuation:
    try:
        return npde.seismic.Continuation(*(_numbers(group) for group in text.split(";")))
    except npde.DeclarationError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _prior(text: str) -> Prior:
    kind, _, weight = text.partition(":")
    try:
        return PRIORS[kind](float(weight))
    except npde.DeclarationError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(
            f"{text!r}: write one of {', '.join(PRIORS)} and a weight, as tv:3e-3"
        ) from None

"""Declare a PDE once; solve it with a SIREN, solve it on a grid, and compare.

The names below are the public API; each is imported when it is first used. Rooms import each other and never this front
door, which alone may import from every floor.
"""

import sys as _sys
import typing as _typing
from warnings import warn as _warn

from neurapde.late import FrontDoor as _FrontDoor

if _typing.TYPE_CHECKING:
    from neurapde import data as data
    from neurapde import domains as domains
    from neurapde import learning as learning
    from neurapde import problems as problems
    from neurapde import seismic as seismic
    from neurapde import training as training
    from neurapde import trials as trials
    from neurapde import validation as validation
    from neurapde.conditions import PML as PML
    from neurapde.conditions import Absorbing as Absorbing
    from neurapde.conditions import Dirichlet as Dirichlet
    from neurapde.conditions import InitialCondition as InitialCondition
    from neurapde.conditions import Neumann as Neumann
    from neurapde.conditions import Periodic as Periodic
    from neurapde.conditions import Robin as Robin
    from neurapde.conditions.constraints import Constraint as Constraint
    from neurapde.conditions.constraints import Samples as Samples
    from neurapde.conditions.constraints import at_points as at_points
    from neurapde.conditions.constraints import face as face
    from neurapde.conditions.constraints import interior as interior
    from neurapde.core.arrays import abs as abs
    from neurapde.core.arrays import cos as cos
    from neurapde.core.arrays import exp as exp
    from neurapde.core.arrays import log as log
    from neurapde.core.arrays import maximum as maximum
    from neurapde.core.arrays import minimum as minimum
    from neurapde.core.arrays import sin as sin
    from neurapde.core.arrays import sqrt as sqrt
    from neurapde.core.arrays import tanh as tanh
    from neurapde.core.arrays import where as where
    from neurapde.core.errors import DeclarationError as DeclarationError
    from neurapde.core.errors import DeclarationWarning as DeclarationWarning
    from neurapde.core.errors import StorageWarning as StorageWarning
    from neurapde.domains import Ball as Ball
    from neurapde.domains import Box as Box
    from neurapde.domains import Disk as Disk
    from neurapde.domains import Domain as Domain
    from neurapde.domains import Interval as Interval
    from neurapde.domains import Mesh as Mesh
    from neurapde.domains import PointCloud as PointCloud
    from neurapde.domains import Polygon as Polygon
    from neurapde.domains import Time as Time
    from neurapde.domains import Torus as Torus
    from neurapde.domains.parted import Where as Where
    from neurapde.equations.eikonal import Eikonal as Eikonal
    from neurapde.equations.fit import Fit as Fit
    from neurapde.equations.helmholtz import Helmholtz as Helmholtz
    from neurapde.equations.poisson import Poisson as Poisson
    from neurapde.equations.wave import Wave as Wave
    from neurapde.fields.attenuation import KolskyFutterman as KolskyFutterman
    from neurapde.fields.grid_field import GridField as GridField
    from neurapde.fields.medium import Piecewise as Piecewise
    from neurapde.fields.pulses import PulsedSource as PulsedSource
    from neurapde.fields.pulses import Ricker as Ricker
    from neurapde.fields.pulses import RickerSource as RickerSource
    from neurapde.fields.sources import FunctionSource as FunctionSource
    from neurapde.fields.sources import GaussianSource as GaussianSource
    from neurapde.fields.sources import PointSource as PointSource
    from neurapde.fields.sources import Shots as Shots
    from neurapde.fields.unknown import Parameter as Parameter
    from neurapde.fields.unknown import UnknownField as UnknownField
    from neurapde.jets.jet import Jet as Jet
    from neurapde.learning.distillation import Distillation as Distillation
    from neurapde.learning.learn import learn as learn
    from neurapde.loading import load as load
    from neurapde.methods.adam import Adam as Adam
    from neurapde.methods.eigen.eigenpairs import Eigenpair as Eigenpair
    from neurapde.methods.eigen.eigenpairs import eigenpairs as eigenpairs
    from neurapde.methods.elements.spectral_elements import SpectralElements as SpectralElements
    from neurapde.methods.galerkin import Galerkin as Galerkin
    from neurapde.methods.gauss_newton import GaussNewton as GaussNewton
    from neurapde.methods.lbfgs import LBFGS as LBFGS
    from neurapde.methods.least_squares import LeastSquares as LeastSquares
    from neurapde.methods.method_of_lines import MethodOfLines as MethodOfLines
    from neurapde.methods.natural_gradient import NaturalGradient as NaturalGradient
    from neurapde.methods.newton import Newton as Newton
    from neurapde.methods.separable import Separable as Separable
    from neurapde.methods.time_marching import TimeMarching as TimeMarching
    from neurapde.methods.trefftz import Trefftz as Trefftz
    from neurapde.methods.unknowns.measured import measured as measured
    from neurapde.operators.caputo import Caputo as Caputo
    from neurapde.operators.fractional_laplacian import FractionalLaplacian as FractionalLaplacian
    from neurapde.operators.integrals import Fredholm as Fredholm
    from neurapde.operators.integrals import Volterra as Volterra
    from neurapde.problem.equation import Equation as Equation
    from neurapde.problem.obstacle import Obstacle as Obstacle
    from neurapde.problem.problem import Problem as Problem
    from neurapde.reference_solvers.grids.grid import ResolutionError as ResolutionError
    from neurapde.reference_solvers.grids.grid import ResolutionWarning as ResolutionWarning
    from neurapde.references.reference import reference as reference
    from neurapde.seismic.inversion.invert import invert as invert
    from neurapde.seismic.inversion.velocity import Velocity as Velocity
    from neurapde.seismic.survey.survey import Survey as Survey
    from neurapde.solution.solution import Solution as Solution
    from neurapde.solving import solve as solve
    from neurapde.storage.hdf5 import StorageError as StorageError
    from neurapde.training.run.method import Status as Status
    from neurapde.trials.ansatz import Ansatz as Ansatz
    from neurapde.trials.networks.hyper import HyperSiren as HyperSiren
    from neurapde.trials.networks.mlp import MLP as MLP
    from neurapde.trials.networks.mlp import FourierFeatures as FourierFeatures
    from neurapde.trials.networks.mlp import ReluPE as ReluPE
    from neurapde.trials.networks.rbf import RBF as RBF
    from neurapde.trials.networks.siren import Siren as Siren
    from neurapde.trials.networks.torch_module import TorchModule as TorchModule
    from neurapde.validation.compare import validate as validate
    from neurapde.verification.error_estimate import ErrorEstimate as ErrorEstimate
    from neurapde.verification.error_estimate import error_estimate as error_estimate

__version__ = "0.2.0"

_RENAMED = {
    "AdamDescent": "seismic.AdamDescent",
    "Adjoint": "seismic.Adjoint",
    "BoundedLBFGS": "seismic.BoundedLBFGS",
    "Causal": "training.Causal",
    "Constant": "training.ConstantRate",
    "ConstantRate": "training.ConstantRate",
    "Continuation": "seismic.Continuation",
    "Cosine": "training.Cosine",
    "Curriculum": "training.Curriculum",
    "Difference": "domains.Difference",
    "Exponential": "training.Exponential",
    "Factored": "trials.FactoredAnsatz",
    "FactoredAnsatz": "trials.FactoredAnsatz",
    "Fixed": "training.Fixed",
    "Foreign": "TorchModule",
    "Fresh": "training.Fresh",
    "GaussNewtonDescent": "seismic.GaussNewtonDescent",
    "GradientNorm": "training.GradientNorm",
    "GridSolution": "validation.GridSolution",
    "Gridded": "seismic.Gridded",
    "Huber": "seismic.Huber",
    "Intersection": "domains.Intersection",
    "Inversion": "seismic.Inversion",
    "InversionReport": "validation.InversionReport",
    "Joint": "seismic.Joint",
    "L1": "seismic.L1",
    "L2": "seismic.L2",
    "MeanAbsolute": "training.MeanAbsolute",
    "MeanSquare": "training.MeanSquare",
    "OutgoingWave": "trials.OutgoingWave",
    "OutputScaling": "trials.OutputScaling",
    "Penalty": "seismic.Penalty",
    "PhaseOnly": "seismic.PhaseOnly",
    "Raster": "data.Raster",
    "Reduced": "seismic.Reduced",
    "Report": "validation.Report",
    "ResidualAdaptive": "training.ResidualAdaptive",
    "Scaled": "trials.OutputScaling",
    "SelfAdaptive": "training.SelfAdaptive",
    "SineHistory": "trials.SineHistory",
    "SineLattice": "trials.SineLattice",
    "Smoothness": "seismic.Smoothness",
    "SpaceTime": "domains.SpaceTime",
    "StraightRays": "trials.StraightRays",
    "SurfaceErrors": "validation.SurfaceErrors",
    "Tikhonov": "seismic.Tikhonov",
    "TimeDomain": "seismic.TimeDomain",
    "TotalVariation": "seismic.TotalVariation",
    "Union": "domains.Union",
    "WavefieldReconstruction": "seismic.WavefieldReconstruction",
    "ZeroSet": "validation.ZeroSet",
    "animate": "validation.animate",
    "blended_differences": "data.blended_differences",
    "dot_test": "validation.dot_test",
    "film": "data.video",
    "image": "data.image",
    "inversion_report": "validation.inversion_report",
    "read_audio": "data.read_audio",
    "read_film": "data.read_video",
    "read_image": "data.read_image",
    "read_sound": "data.read_audio",
    "read_video": "data.read_video",
    "reciprocity": "validation.reciprocity",
    "seismogram": "seismic.seismogram",
    "surface_errors": "validation.surface_errors",
    "taylor_test": "validation.taylor_test",
    "video": "data.video",
    "write_audio": "data.write_audio",
    "write_film": "data.write_video",
    "write_image": "data.write_image",
    "write_sound": "data.write_audio",
    "write_video": "data.write_video",
    "zero_set": "validation.zero_set",
}
"""Public names of the release before this one, and where they are now."""


if not _typing.TYPE_CHECKING:  # a checker knows the names above, and finds one that is misspelt
    _names = _FrontDoor(__name__)
    __all__ = sorted(_names.places)

    def __dir__() -> list[str]:
        return _names.names()

    def __getattr__(name: str) -> object:
        if name not in _RENAMED:
            return _names.get(name)
        _warn(
            f"npde.{name} is npde.{_RENAMED[name]} now; the next release removes the old name.",
            DeprecationWarning,
            2,
        )
        module: object = _sys.modules[__name__]
        for part in _RENAMED[name].split("."):
            module = getattr(module, part)
        return module

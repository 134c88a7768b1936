"""Declare a PDE once; solve it with a SIREN, solve it on a grid, and compare.

The names below are the public API. Rooms import each other and never this front door, which alone may import from
every floor.
"""

from warnings import warn as _warn

from neurapde import problems as problems
from neurapde.backgrounds.rays import StraightRays as StraightRays
from neurapde.backgrounds.waves import OutgoingWave as OutgoingWave
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
from neurapde.core.errors import ResolutionError as ResolutionError
from neurapde.core.errors import ResolutionWarning as ResolutionWarning
from neurapde.core.errors import StorageWarning as StorageWarning
from neurapde.data.audio import read_audio as read_audio
from neurapde.data.audio import write_audio as write_audio
from neurapde.data.blending import blended_differences as blended_differences
from neurapde.data.images import image as image
from neurapde.data.images import read_image as read_image
from neurapde.data.images import write_image as write_image
from neurapde.data.raster import Raster as Raster
from neurapde.data.video import read_video as read_video
from neurapde.data.video import video as video
from neurapde.data.video import write_video as write_video
from neurapde.domains import Ball as Ball
from neurapde.domains import Box as Box
from neurapde.domains import Difference as Difference
from neurapde.domains import Disk as Disk
from neurapde.domains import Domain as Domain
from neurapde.domains import Intersection as Intersection
from neurapde.domains import Interval as Interval
from neurapde.domains import Mesh as Mesh
from neurapde.domains import PointCloud as PointCloud
from neurapde.domains import Polygon as Polygon
from neurapde.domains import SpaceTime as SpaceTime
from neurapde.domains import Time as Time
from neurapde.domains import Torus as Torus
from neurapde.domains import Union as Union
from neurapde.equations.eikonal import Eikonal as Eikonal
from neurapde.equations.fit import Fit as Fit
from neurapde.equations.helmholtz import Helmholtz as Helmholtz
from neurapde.equations.poisson import Poisson as Poisson
from neurapde.equations.wave import Wave as Wave
from neurapde.fields.grid_field import GridField as GridField
from neurapde.fields.medium import Piecewise as Piecewise
from neurapde.fields.pulses import PulsedSource as PulsedSource
from neurapde.fields.pulses import Ricker as Ricker
from neurapde.fields.pulses import RickerSource as RickerSource
from neurapde.fields.sources import FunctionSource as FunctionSource
from neurapde.fields.sources import GaussianSource as GaussianSource
from neurapde.fields.sources import PointSource as PointSource
from neurapde.fields.sources import Shots as Shots
from neurapde.jets.jet import Jet as Jet
from neurapde.methods.adam import Adam as Adam
from neurapde.methods.galerkin import Galerkin as Galerkin
from neurapde.methods.lbfgs import LBFGS as LBFGS
from neurapde.methods.least_squares import LeastSquares as LeastSquares
from neurapde.methods.method_of_lines import MethodOfLines as MethodOfLines
from neurapde.methods.natural_gradient import NaturalGradient as NaturalGradient
from neurapde.methods.newton import Newton as Newton
from neurapde.methods.separable import Separable as Separable
from neurapde.problem.equation import Equation as Equation
from neurapde.problem.problem import Problem as Problem
from neurapde.references.reference import reference as reference
from neurapde.references.solution import GridSolution as GridSolution
from neurapde.references.wave import seismogram as seismogram
from neurapde.run.method import Status as Status
from neurapde.seismic.inversion.invert import invert as invert
from neurapde.seismic.inversion.methods.bounded_lbfgs import BoundedLBFGS as BoundedLBFGS
from neurapde.seismic.inversion.methods.continuation import Continuation as Continuation
from neurapde.seismic.inversion.methods.descents import AdamDescent as AdamDescent
from neurapde.seismic.inversion.methods.gauss_newton import GaussNewtonDescent as GaussNewtonDescent
from neurapde.seismic.inversion.methods.joint import Joint as Joint
from neurapde.seismic.inversion.methods.penalty import Penalty as Penalty
from neurapde.seismic.inversion.methods.reduced import Adjoint as Adjoint
from neurapde.seismic.inversion.methods.reduced import Reduced as Reduced
from neurapde.seismic.inversion.methods.time_domain import TimeDomain as TimeDomain
from neurapde.seismic.inversion.methods.wavefield_reconstruction import (
    WavefieldReconstruction as WavefieldReconstruction,
)
from neurapde.seismic.inversion.misfits import L1 as L1
from neurapde.seismic.inversion.misfits import L2 as L2
from neurapde.seismic.inversion.misfits import Huber as Huber
from neurapde.seismic.inversion.misfits import PhaseOnly as PhaseOnly
from neurapde.seismic.inversion.regularisation import Smoothness as Smoothness
from neurapde.seismic.inversion.regularisation import Tikhonov as Tikhonov
from neurapde.seismic.inversion.regularisation import TotalVariation as TotalVariation
from neurapde.seismic.inversion.result import Inversion as Inversion
from neurapde.seismic.inversion.velocity import Gridded as Gridded
from neurapde.seismic.inversion.velocity import Velocity as Velocity
from neurapde.seismic.survey.survey import Survey as Survey
from neurapde.solution.solution import Solution as Solution
from neurapde.solution.solution import load as load
from neurapde.solving import solve as solve
from neurapde.storage.hdf5 import StorageError as StorageError
from neurapde.training.causal import Causal as Causal
from neurapde.training.curriculum import Curriculum as Curriculum
from neurapde.training.losses import MeanAbsolute as MeanAbsolute
from neurapde.training.losses import MeanSquare as MeanSquare
from neurapde.training.sampling import Fixed as Fixed
from neurapde.training.sampling import Fresh as Fresh
from neurapde.training.sampling import ResidualAdaptive as ResidualAdaptive
from neurapde.training.schedules import ConstantRate as ConstantRate
from neurapde.training.schedules import Cosine as Cosine
from neurapde.training.schedules import Exponential as Exponential
from neurapde.training.self_adaptive import SelfAdaptive as SelfAdaptive
from neurapde.training.weighting import GradientNorm as GradientNorm
from neurapde.trials.ansatz import Ansatz as Ansatz
from neurapde.trials.ansatz import FactoredAnsatz as FactoredAnsatz
from neurapde.trials.ansatz import OutputScaling as OutputScaling
from neurapde.trials.encoded import FourierFeatures as FourierFeatures
from neurapde.trials.encoded import ReluPE as ReluPE
from neurapde.trials.hyper import HyperSiren as HyperSiren
from neurapde.trials.mlp import MLP as MLP
from neurapde.trials.rbf import RBF as RBF
from neurapde.trials.sine_history import SineHistory as SineHistory
from neurapde.trials.sines import SineLattice as SineLattice
from neurapde.trials.siren import Siren as Siren
from neurapde.trials.torch_module import TorchModule as TorchModule
from neurapde.validation.adjoint_tests import dot_test as dot_test
from neurapde.validation.adjoint_tests import reciprocity as reciprocity
from neurapde.validation.adjoint_tests import taylor_test as taylor_test
from neurapde.validation.compare import validate as validate
from neurapde.validation.inversion_report import InversionReport as InversionReport
from neurapde.validation.inversion_report import inversion_report as inversion_report
from neurapde.validation.report import Report as Report
from neurapde.validation.surfaces import SurfaceErrors as SurfaceErrors
from neurapde.validation.surfaces import ZeroSet as ZeroSet
from neurapde.validation.surfaces import surface_errors as surface_errors
from neurapde.validation.surfaces import zero_set as zero_set
from neurapde.validation.video import animate as animate

__version__ = "0.1.0"

_RENAMED = {
    "Constant": "ConstantRate",
    "Factored": "FactoredAnsatz",
    "Foreign": "TorchModule",
    "Scaled": "OutputScaling",
    "film": "video",
    "read_film": "read_video",
    "read_sound": "read_audio",
    "write_film": "write_video",
    "write_sound": "write_audio",
}
"""Public names of the release before this one, and what they are called now."""


def __getattr__(name: str) -> object:
    if name not in _RENAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _warn(
        f"npde.{name} is npde.{_RENAMED[name]} now; the old name goes with the next release.",
        DeprecationWarning,
        2,
    )
    return globals()[_RENAMED[name]]

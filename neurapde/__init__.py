"""Declare a PDE once; solve it with a SIREN, solve it on a grid, and compare.

The names below are the public API. Rooms import each other and never this front door, which alone may import from
every floor.
"""

from neurapde.backgrounds.waves import OutgoingWave as OutgoingWave
from neurapde.boundaries import PML as PML
from neurapde.boundaries import Dirichlet as Dirichlet
from neurapde.boundaries import InitialCondition as InitialCondition
from neurapde.boundaries import Neumann as Neumann
from neurapde.boundaries import Periodic as Periodic
from neurapde.boundaries import Robin as Robin
from neurapde.constraints import Constraint as Constraint
from neurapde.constraints import Samples as Samples
from neurapde.constraints import at_points as at_points
from neurapde.constraints import face as face
from neurapde.constraints import interior as interior
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
from neurapde.domains import Ball as Ball
from neurapde.domains import Box as Box
from neurapde.domains import Difference as Difference
from neurapde.domains import Disk as Disk
from neurapde.domains import Domain as Domain
from neurapde.domains import Intersection as Intersection
from neurapde.domains import Interval as Interval
from neurapde.domains import Polygon as Polygon
from neurapde.domains import SpaceTime as SpaceTime
from neurapde.domains import Time as Time
from neurapde.domains import Union as Union
from neurapde.equations.base import Equation as Equation
from neurapde.equations.helmholtz import Helmholtz as Helmholtz
from neurapde.grids.reference import reference as reference
from neurapde.grids.solution import GridSolution as GridSolution
from neurapde.jets.jet import Jet as Jet
from neurapde.medium import GridField as GridField
from neurapde.medium import Piecewise as Piecewise
from neurapde.methods.adam import Adam as Adam
from neurapde.methods.base import Status as Status
from neurapde.methods.galerkin import Galerkin as Galerkin
from neurapde.methods.schedules import Constant as Constant
from neurapde.methods.schedules import Cosine as Cosine
from neurapde.methods.schedules import Exponential as Exponential
from neurapde.problem import Problem as Problem
from neurapde.solution import Solution as Solution
from neurapde.solution import load as load
from neurapde.solving import solve as solve
from neurapde.sources import FunctionSource as FunctionSource
from neurapde.sources import GaussianSource as GaussianSource
from neurapde.sources import PointSource as PointSource
from neurapde.sources import Shots as Shots
from neurapde.storage.hdf5 import StorageError as StorageError
from neurapde.trials.ansatz import Ansatz as Ansatz
from neurapde.trials.foreign import Foreign as Foreign
from neurapde.trials.mlp import MLP as MLP
from neurapde.trials.sine_lattice import SineLattice as SineLattice
from neurapde.trials.siren import Siren as Siren
from neurapde.validation.compare import validate as validate
from neurapde.validation.report import Report as Report

__version__ = "0.1.0"

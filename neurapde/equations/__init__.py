"""Equations: what is solved, one file each."""

from neurapde.equations.helmholtz import Helmholtz as Helmholtz
from neurapde.problem.equation import AbstractEquation as AbstractEquation
from neurapde.problem.equation import Equation as Equation

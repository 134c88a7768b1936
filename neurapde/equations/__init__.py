"""Equations: what is solved, one file each."""

from neurapde.equations.base import AbstractEquation as AbstractEquation
from neurapde.equations.base import Equation as Equation
from neurapde.equations.helmholtz import Helmholtz as Helmholtz

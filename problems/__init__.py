"""Declared problems, with every parameter open and the error that a solution must stay below."""

from neurapde.problems._case import Case as Case
from neurapde.problems.helmholtz import HELMHOLTZ_CASES
from neurapde.problems.helmholtz import helmholtz_disk as helmholtz_disk
from neurapde.problems.helmholtz import helmholtz_square as helmholtz_square
from neurapde.problems.helmholtz import helmholtz_uniform as helmholtz_uniform

CASES: tuple[Case, ...] = (*HELMHOLTZ_CASES,)

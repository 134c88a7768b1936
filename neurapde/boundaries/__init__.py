"""What happens at the boundary: values, fluxes, periodicity, or a layer that absorbs."""

from neurapde.boundaries.base import Boundary as Boundary
from neurapde.boundaries.base import beside as beside
from neurapde.boundaries.faces import Dirichlet as Dirichlet
from neurapde.boundaries.faces import Neumann as Neumann
from neurapde.boundaries.faces import Robin as Robin
from neurapde.boundaries.initial import InitialCondition as InitialCondition
from neurapde.boundaries.outflow import Absorbing as Absorbing
from neurapde.boundaries.periodic import Periodic as Periodic
from neurapde.boundaries.pml import PML as PML

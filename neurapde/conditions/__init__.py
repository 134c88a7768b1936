"""What happens at the boundary: values, fluxes, periodicity, or a layer that absorbs."""

from neurapde.conditions.absorbing import Absorbing as Absorbing
from neurapde.conditions.base import Boundary as Boundary
from neurapde.conditions.base import beside as beside
from neurapde.conditions.faces import Dirichlet as Dirichlet
from neurapde.conditions.faces import Neumann as Neumann
from neurapde.conditions.faces import Robin as Robin
from neurapde.conditions.initial import InitialCondition as InitialCondition
from neurapde.conditions.periodic import Periodic as Periodic
from neurapde.conditions.pml import PML as PML
from neurapde.conditions.sides import Sides as Sides
from neurapde.conditions.sides import Treated as Treated
from neurapde.conditions.topography import Topography as Topography

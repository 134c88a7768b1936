"""Domains: where a problem lives, and the regions of its medium."""

from neurapde.domains.base import Domain as Domain
from neurapde.domains.box import Box as Box
from neurapde.domains.box import Interval as Interval
from neurapde.domains.cloud import PointCloud as PointCloud
from neurapde.domains.combine import Difference as Difference
from neurapde.domains.combine import Intersection as Intersection
from neurapde.domains.combine import Union as Union
from neurapde.domains.disk import Ball as Ball
from neurapde.domains.disk import Disk as Disk
from neurapde.domains.mesh import Mesh as Mesh
from neurapde.domains.polygon import Polygon as Polygon
from neurapde.domains.spacetime import SpaceTime as SpaceTime
from neurapde.domains.spacetime import Time as Time
from neurapde.domains.torus import Torus as Torus

"""Declared problems, with adjustable parameters and the largest allowed error of a solution.

Each is imported when it is first used.
"""

import typing as _typing

from neurapde.late import FrontDoor as _FrontDoor
from neurapde.problems._case import Case as Case
from neurapde.problems._case import InversionCase as InversionCase
from neurapde.problems._cases import CASES as CASES
from neurapde.problems._cases import INVERSIONS as INVERSIONS

if _typing.TYPE_CHECKING:
    from neurapde.problems._family import FamilyProblem as FamilyProblem
    from neurapde.problems.classics import boundary_layer as boundary_layer
    from neurapde.problems.classics import bratu as bratu
    from neurapde.problems.classics import heat as heat
    from neurapde.problems.classics import kovasznay as kovasznay
    from neurapde.problems.eikonal import sdf_mesh as sdf_mesh
    from neurapde.problems.eikonal import sdf_room as sdf_room
    from neurapde.problems.eikonal import sdf_sphere as sdf_sphere
    from neurapde.problems.eikonal import sdf_torus as sdf_torus
    from neurapde.problems.eikonal import travel_time_gradient as travel_time_gradient
    from neurapde.problems.eikonal import travel_time_layers as travel_time_layers
    from neurapde.problems.evolutions import allen_cahn as allen_cahn
    from neurapde.problems.evolutions import burgers as burgers
    from neurapde.problems.evolutions import gray_scott as gray_scott
    from neurapde.problems.evolutions import kdv as kdv
    from neurapde.problems.evolutions import kuramoto_sivashinsky as kuramoto_sivashinsky
    from neurapde.problems.evolutions import schrodinger as schrodinger
    from neurapde.problems.families import faces as faces
    from neurapde.problems.fits import audio_fit as audio_fit
    from neurapde.problems.fits import image_fit as image_fit
    from neurapde.problems.fits import inpainting as inpainting
    from neurapde.problems.fits import poisson_editing as poisson_editing
    from neurapde.problems.fits import poisson_gradients as poisson_gradients
    from neurapde.problems.fits import poisson_laplacian as poisson_laplacian
    from neurapde.problems.fits import video_fit as video_fit
    from neurapde.problems.helmholtz import helmholtz_disk as helmholtz_disk
    from neurapde.problems.helmholtz import helmholtz_square as helmholtz_square
    from neurapde.problems.helmholtz import helmholtz_uniform as helmholtz_uniform
    from neurapde.problems.inversions._inversion import InversionProblem as InversionProblem
    from neurapde.problems.inversions.fwi import fwi_disk as fwi_disk
    from neurapde.problems.inversions.fwi import fwi_overthrust as fwi_overthrust
    from neurapde.problems.inversions.fwi import fwi_segy as fwi_segy
    from neurapde.problems.inversions.fwi import fwi_two_disks as fwi_two_disks
    from neurapde.problems.poisson import poisson_darcy as poisson_darcy
    from neurapde.problems.poisson import poisson_disk as poisson_disk
    from neurapde.problems.poisson import poisson_inclusion as poisson_inclusion
    from neurapde.problems.poisson import poisson_l_shape as poisson_l_shape
    from neurapde.problems.poisson import poisson_rod as poisson_rod
    from neurapde.problems.poisson import poisson_square as poisson_square
    from neurapde.problems.systems import lorenz as lorenz
    from neurapde.problems.systems import lotka_volterra as lotka_volterra
    from neurapde.problems.systems import van_der_pol as van_der_pol
    from neurapde.problems.wave import wave_disk as wave_disk
    from neurapde.problems.wave import wave_ricker as wave_ricker
    from neurapde.problems.wave import wave_string as wave_string
    from neurapde.problems.wave import wave_uniform as wave_uniform

if not _typing.TYPE_CHECKING:
    _names = _FrontDoor(__name__)
    __getattr__, __dir__ = _names.get, _names.names

"""Error norms, exact fields, and the report that compares a solution with them.

Each name is imported when it is first used: a comparison does not need the modules for inversions.
"""

import typing as _typing

from neurapde.late import FrontDoor as _FrontDoor

if _typing.TYPE_CHECKING:
    from neurapde.references.solution import GridSolution as GridSolution
    from neurapde.validation.activations import ActivationStatistics as ActivationStatistics
    from neurapde.validation.activations import LayerStatistics as LayerStatistics
    from neurapde.validation.activations import activation_statistics as activation_statistics
    from neurapde.validation.compare import validate as validate
    from neurapde.validation.exact import exact_solution as exact_solution
    from neurapde.validation.exact import outgoing as outgoing
    from neurapde.validation.exact import penetrable_disk as penetrable_disk
    from neurapde.validation.inversions.adjoint_tests import dot_test as dot_test
    from neurapde.validation.inversions.adjoint_tests import reciprocity as reciprocity
    from neurapde.validation.inversions.adjoint_tests import taylor_test as taylor_test
    from neurapde.validation.inversions.report import InversionReport as InversionReport
    from neurapde.validation.inversions.report import inversion_report as inversion_report
    from neurapde.validation.metrics import psnr as psnr
    from neurapde.validation.metrics import relative_l2 as relative_l2
    from neurapde.validation.metrics import without_constant as without_constant
    from neurapde.validation.metrics import without_harmonic as without_harmonic
    from neurapde.validation.report import Report as Report
    from neurapde.validation.surfaces import SurfaceErrors as SurfaceErrors
    from neurapde.validation.surfaces import ZeroSet as ZeroSet
    from neurapde.validation.surfaces import surface_errors as surface_errors
    from neurapde.validation.surfaces import zero_set as zero_set
    from neurapde.validation.video import animate as animate

if not _typing.TYPE_CHECKING:
    _names = _FrontDoor(__name__)
    __getattr__, __dir__ = _names.get, _names.names

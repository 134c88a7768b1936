"""Error norms, exact fields, and the report that holds a solution against them."""

from neurapde.validation.compare import validate as validate
from neurapde.validation.exact import outgoing as outgoing
from neurapde.validation.exact import penetrable_disk as penetrable_disk
from neurapde.validation.inversion_report import InversionReport as InversionReport
from neurapde.validation.inversion_report import inversion_report as inversion_report
from neurapde.validation.oracles import ExactField as ExactField
from neurapde.validation.oracles import exact_disk as exact_disk
from neurapde.validation.oracles import exact_solution as exact_solution
from neurapde.validation.oracles import exact_uniform as exact_uniform
from neurapde.validation.report import Report as Report
from neurapde.validation.report import render as render

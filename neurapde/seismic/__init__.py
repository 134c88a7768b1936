"""Surveys and full-waveform inversion: recorded data, unknowns, objectives and methods."""

from neurapde.conditions.topography import Topography as Topography
from neurapde.learning.random_velocities import RandomVelocities as RandomVelocities
from neurapde.references.wave import seismogram as seismogram
from neurapde.seismic.images.image import Image as Image
from neurapde.seismic.images.migration import gradient as gradient
from neurapde.seismic.images.migration import migrate as migrate
from neurapde.seismic.images.uncertainty import Checkerboard as Checkerboard
from neurapde.seismic.images.uncertainty import Uncertainty as Uncertainty
from neurapde.seismic.images.uncertainty import uncertainty as uncertainty
from neurapde.seismic.inversion.invert import invert as invert
from neurapde.seismic.inversion.latent import Latent as Latent
from neurapde.seismic.inversion.methods.bounded_lbfgs import BoundedLBFGS as BoundedLBFGS
from neurapde.seismic.inversion.methods.continuation import Continuation as Continuation
from neurapde.seismic.inversion.methods.descents import AdamDescent as AdamDescent
from neurapde.seismic.inversion.methods.gauss_newton import GaussNewtonDescent as GaussNewtonDescent
from neurapde.seismic.inversion.methods.joint import Joint as Joint
from neurapde.seismic.inversion.methods.multiscale import Multiscale as Multiscale
from neurapde.seismic.inversion.methods.penalty import Penalty as Penalty
from neurapde.seismic.inversion.methods.reduced import Adjoint as Adjoint
from neurapde.seismic.inversion.methods.reduced import Reduced as Reduced
from neurapde.seismic.inversion.methods.time_domain import TimeDomain as TimeDomain
from neurapde.seismic.inversion.methods.wavefield_reconstruction import (
    WavefieldReconstruction as WavefieldReconstruction,
)
from neurapde.seismic.inversion.misfits import L1 as L1
from neurapde.seismic.inversion.misfits import L2 as L2
from neurapde.seismic.inversion.misfits import Correlation as Correlation
from neurapde.seismic.inversion.misfits import Envelope as Envelope
from neurapde.seismic.inversion.misfits import Huber as Huber
from neurapde.seismic.inversion.misfits import PhaseOnly as PhaseOnly
from neurapde.seismic.inversion.misfits import Transport as Transport
from neurapde.seismic.inversion.regularisation import Smoothness as Smoothness
from neurapde.seismic.inversion.regularisation import Tikhonov as Tikhonov
from neurapde.seismic.inversion.regularisation import TotalVariation as TotalVariation
from neurapde.seismic.inversion.result import Inversion as Inversion
from neurapde.seismic.inversion.velocity import Gridded as Gridded
from neurapde.seismic.inversion.velocity import Velocity as Velocity
from neurapde.seismic.models.model_files import read_model as read_model
from neurapde.seismic.models.model_files import write_model as write_model
from neurapde.seismic.survey.processing.editing import Balance as Balance
from neurapde.seismic.survey.processing.editing import EditTraces as EditTraces
from neurapde.seismic.survey.processing.filters import Bandpass as Bandpass
from neurapde.seismic.survey.processing.filters import Decimate as Decimate
from neurapde.seismic.survey.processing.filters import Detrend as Detrend
from neurapde.seismic.survey.processing.filters import LineSource as LineSource
from neurapde.seismic.survey.processing.windows import Gain as Gain
from neurapde.seismic.survey.processing.windows import TimeWindow as TimeWindow
from neurapde.seismic.survey.survey import Survey as Survey

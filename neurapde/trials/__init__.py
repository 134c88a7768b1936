"""Trial functions: fields with trainable parameters and their own derivatives, and known parts of a field."""

from neurapde.backgrounds.near_source import NearSource as NearSource
from neurapde.backgrounds.rays import StraightRays as StraightRays
from neurapde.backgrounds.waves import OutgoingWave as OutgoingWave
from neurapde.trials.ansatz import FactoredAnsatz as FactoredAnsatz
from neurapde.trials.ansatz import OutputScaling as OutputScaling
from neurapde.trials.sine_history import SineHistory as SineHistory
from neurapde.trials.sines import SineLattice as SineLattice

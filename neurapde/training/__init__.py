"""Training on residuals at points: the points, the weights of constraints and points, and the learning rate."""

from neurapde.conditions.priors import hessian_norm as hessian_norm
from neurapde.conditions.priors import total_variation as total_variation
from neurapde.training.causal import Causal as Causal
from neurapde.training.curriculum import Curriculum as Curriculum
from neurapde.training.losses import MeanAbsolute as MeanAbsolute
from neurapde.training.losses import MeanSquare as MeanSquare
from neurapde.training.run.callbacks import Patience as Patience
from neurapde.training.run.callbacks import TargetLoss as TargetLoss
from neurapde.training.run.callbacks import TensorBoard as TensorBoard
from neurapde.training.run.callbacks import TimeLimit as TimeLimit
from neurapde.training.run.callbacks import TrainingState as TrainingState
from neurapde.training.sampling import Fixed as Fixed
from neurapde.training.sampling import Fresh as Fresh
from neurapde.training.sampling import ResidualAdaptive as ResidualAdaptive
from neurapde.training.schedules import ConstantRate as ConstantRate
from neurapde.training.schedules import Cosine as Cosine
from neurapde.training.schedules import Exponential as Exponential
from neurapde.training.self_adaptive import SelfAdaptive as SelfAdaptive
from neurapde.training.weighting import GradientNorm as GradientNorm

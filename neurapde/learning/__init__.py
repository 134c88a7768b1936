"""Learning a space of functions: data sets of fields, encoders, baselines, and the learned families."""

from neurapde.learning.augmentation import Augmentation as Augmentation
from neurapde.learning.dataset import Fields as Fields
from neurapde.learning.dataset import Rasters as Rasters
from neurapde.learning.dataset import SampledFields as SampledFields
from neurapde.learning.dataset import Samples as Samples
from neurapde.learning.encoders.auto_decoder import AutoDecoder as AutoDecoder
from neurapde.learning.encoders.encoder import Encoder as Encoder
from neurapde.learning.encoders.encoder import MeanField as MeanField
from neurapde.learning.encoders.grid_encoder import GridEncoder as GridEncoder
from neurapde.learning.encoders.meta_learning import MetaSGD as MetaSGD
from neurapde.learning.encoders.regression_encoder import RegressionEncoder as RegressionEncoder
from neurapde.learning.encoders.sensor_encoder import SensorEncoder as SensorEncoder
from neurapde.learning.encoders.set_encoder import SetEncoder as SetEncoder
from neurapde.learning.family import Family as Family
from neurapde.learning.mini_batch import MiniBatchAdam as MiniBatchAdam
from neurapde.learning.objective import Objective as Objective
from neurapde.learning.objective import Supervised as Supervised
from neurapde.learning.spaces import ConditionedMLP as ConditionedMLP

"""The normal distribution of a data set's codes, and coordinates in which it is the standard one."""

import math

import torch
from torch import Tensor

INDEPENDENT = 1e-6
"""Directions in which codes vary by less than this fraction of the largest variation are dropped."""


def whitened(codes: Tensor) -> tuple[Tensor, Tensor]:
    """The mean (latent,) of codes (fields, latent), and the root (latent, k) of their covariance: a code is mean + root @ y.

    The k coordinates y have mean zero and covariance one. There is a column for each direction in which the codes
    vary, and none if they are all equal.
    """
    mean = codes.mean(0)
    _, size, turn = torch.linalg.svd(codes - mean, full_matrices=False)
    varying = size > INDEPENDENT * size[0]
    return mean, turn[varying].T * (size[varying] / math.sqrt(max(len(codes) - 1, 1)))

"""Checks of the settings by which direct methods grow their features to a tolerance."""

import math

from neurapde.core.errors import DeclarationError


def check_growth(tolerance: float, largest: int, least: int) -> None:
    """Refuse a tolerance that is no relative error, and a largest number of features below `least`."""
    if not 0 < tolerance < 1:
        raise DeclarationError(f"tolerance={tolerance!r}: give a relative error between 0 and 1.")
    if isinstance(largest, bool) or not isinstance(largest, int) or largest < least:
        raise DeclarationError(f"largest={largest!r}: give a whole number of at least {least}.")


def check_bandwidth(bandwidth: float | None) -> None:
    """Refuse a bandwidth that is no frequency; None lets it grow."""
    if bandwidth is not None and not 0 < bandwidth < math.inf:
        raise DeclarationError(f"bandwidth={bandwidth!r}: give a positive, finite frequency.")

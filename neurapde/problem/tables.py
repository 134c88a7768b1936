"""A sampled field as what other programs calculate with: xarray's labelled arrays, pandas' tables."""

from typing import Any

from neurapde.late import Late
from neurapde.storage.sampled import Sampled


def data_array(found: Sampled, name: str) -> Any:
    """An `xarray.DataArray` with the grid's coordinates, the held ones too; components have an axis of their own."""
    several = found.values.ndim > len(found.axes)
    return _package("xarray", "to_xarray").DataArray(
        found.values,
        dims=[*found.axes, *(["component"] if several else [])],
        coords={**found.axes, **found.at},
        name=name,
    )


def data_frame(found: Sampled) -> Any:
    """A `pandas.DataFrame` of the nodes inside the domain."""
    return _package("pandas", "to_dataframe").DataFrame(found.table)


def _package(name: str, asked: str) -> Any:
    """A package that not everybody has installed."""
    try:
        return Late(name).__wrapped__
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'{asked}() needs {name}, which is not installed; pip install "neurapde[tables]" brings it.'
        ) from error

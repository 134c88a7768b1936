"""A sampled field as what other programs calculate with: xarray's labelled arrays, pandas' tables."""

from typing import Any

from neurapde.late import Late
from neurapde.storage.sampled import Sampled


def data_array(samples: Sampled, name: str) -> Any:
    """An `xarray.DataArray` with the grid's coordinates, the held ones too; components have an axis of their own."""
    several = samples.values.ndim > len(samples.axes)
    return _package("xarray", "to_xarray").DataArray(
        samples.values,
        dims=[*samples.axes, *(["component"] if several else [])],
        coords={**samples.axes, **samples.at},
        name=name,
    )


def data_frame(samples: Sampled) -> Any:
    """A `pandas.DataFrame` of the nodes inside the domain."""
    return _package("pandas", "to_dataframe").DataFrame(samples.table)


def _package(name: str, asked: str) -> Any:
    """A package that not everybody has installed."""
    try:
        return Late(name).__wrapped__
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'{asked}() needs {name}, which is not installed; run pip install "neurapde[tables]".'
        ) from error

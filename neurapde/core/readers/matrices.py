"""Arrays of MAT and HDF5 files by name. Run alone by `child`: it imports nothing of this package."""

import h5py
import numpy as np
import scipy.io
from numpy.typing import NDArray


def read_mat(path: str, *wanted: str) -> dict[str, NDArray]:
    """The arrays wanted, those that there are, and under `names` what else the file has."""
    names = [name for name, _, _ in scipy.io.whosmat(path)]
    variables = scipy.io.loadmat(path, variable_names=[name for name in wanted if name in names])
    arrays = {name: np.asarray(variables[name]) for name in wanted if name in variables}
    return {**arrays, "names": np.array(names, dtype=str)}


def read_hdf5(path: str, *wanted: str) -> dict[str, NDArray]:
    """The datasets wanted, those that there are, under `names` what else the file has, and its attribute `kind`.

    Links out of the file, and data kept outside of it, are not followed.
    """
    with h5py.File(path, "r") as file:
        names = list(file)
        arrays = {}
        for name in wanted:
            if name not in names:
                continue
            if not isinstance(file.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{name} is a link to another location")
            data = file[name]
            if not isinstance(data, h5py.Dataset):
                raise ValueError(f"{name} is not a dataset")
            if data.external or data.is_virtual:
                raise ValueError(f"{name} is stored in another file")
            arrays[name] = np.asarray(data[()])
        kind = str(file.attrs.get("kind", ""))
        return {**arrays, "names": np.array(names, dtype=str), "kind": np.array(kind)}

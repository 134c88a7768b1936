"""Files that obspy ships, of five programs: read as obspy reads them, or refused for what they lack."""

import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurapde as npde

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its own imports
    oracle = pytest.importorskip("obspy.io.segy.segy")

FOLDER = Path(oracle.__file__).parent / "tests" / "data"
FILES = sorted(path.name for path in FOLDER.glob("*") if path.suffix not in (".npy", ".txt"))
WITHOUT_PLACES = {"00001034.sgy_first_trace", "planes.segy_first_trace"}


def expected(path: Path, seismic_unix: bool) -> tuple[np.ndarray, float]:
    """The first trace and its sampling interval."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stream: Any = oracle._read_su(str(path)) if seismic_unix else oracle._read_segy(str(path))
        trace = stream.traces[0]
        return np.asarray(trace.data, dtype=float), trace.header.sample_interval_in_ms_for_this_trace * 1e-6


@pytest.mark.parametrize("name", FILES)
@pytest.mark.filterwarnings("ignore::neurapde.DeclarationWarning")
def test_a_file_is_read_as_obspy_reads_it(name: str, tmp_path: Path) -> None:
    seismic_unix = ".su" in name
    path = tmp_path / ("line.su" if seismic_unix else "line.sgy")
    shutil.copy(FOLDER / name, path)
    said: dict[str, Any] = {}
    if name in WITHOUT_PLACES:
        with pytest.raises(npde.DeclarationError, match="source coordinates are missing"):
            npde.Survey.read(path)
        said = {"sources": [[0.0, 0.0]], "receivers": [[100.0, 0.0]]}
    loaded = npde.Survey.read(path, **said)
    trace, interval = expected(FOLDER / name, seismic_unix)
    np.testing.assert_allclose(loaded.traces[0, 0], trace, rtol=1e-6)
    assert loaded.dt == pytest.approx(interval)


def test_there_are_files() -> None:
    assert len(FILES) >= 10

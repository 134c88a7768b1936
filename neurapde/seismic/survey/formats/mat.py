"""MAT files in the layout of the SIREN paper's receiver data: one frequency, keys source, receivers and rec_val."""

from pathlib import Path

from neurapde.core import checks
from neurapde.core.errors import DeclarationError, StorageError
from neurapde.core.readers.isolated import isolated
from neurapde.late import Late
from neurapde.seismic.survey.formats.format import Format
from neurapde.seismic.survey.records import Arguments

read_mat = Late("neurapde.core.readers.matrices", "read_mat")

KEYS = {"source": "(S, d)", "receivers": "(R, d)", "rec_val": "(R, S)"}


def read(path: Path, frequency: float | None) -> Arguments:
    """The arguments of a Survey: `source` `(S, d)`, `receivers` `(R, d)` and complex `rec_val` `(R, S)`.

    frequency: Hz; the file does not have it.
    Raises: FileNotFoundError, StorageError for another layout, DeclarationError without a frequency.
    """
    if frequency is None:
        raise DeclarationError(
            f"{path.name} does not contain the frequency of its data; give frequency=, in cycles: k = 20 in a medium of "
            "speed 1 is 20/(2π)"
        )
    arrays = isolated(read_mat, path, "a MAT file of version 7 or before", *KEYS)
    if missing := [key for key in KEYS if key not in arrays]:
        keys = ", ".join(arrays["names"].tolist()) or "none"
        layout = ", ".join(f"{key} {shape}" for key, shape in KEYS.items())
        raise StorageError(
            f"{path} has no {missing[0]}; its keys are {keys}. The layout read here is {layout}."
        )
    sources, receivers, values = (arrays[key] for key in KEYS)
    if sources.ndim != 2 or receivers.ndim != 2 or values.shape != (len(receivers), len(sources)):
        raise StorageError(
            f"{path}: rec_val has the shape {values.shape}, but must be (R, S), a row for each receiver, with source "
            f"(S, d) and receivers (R, d), which have the shapes {sources.shape} and {receivers.shape}."
        )
    return {
        "sources": sources,
        "receivers": receivers,
        "data": values.T[None],
        "frequencies": [checks.positive(frequency, "frequency")],
    }


MAT = Format((".mat",), lambda path, said: read(path, said.get("frequency")), frozenset({"frequency"}))

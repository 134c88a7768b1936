"""Velocity models in files: what is written comes back, other programs read the same, and theirs is read."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import segyio

import neurapde as npde
from neurapde.core.errors import DeclarationWarning
from neurapde.seismic import read_model, write_model

SHAPE, LOWER, UPPER = (7, 5), (100.0, 20.0), (250.0, 70.0)
VALUES = np.random.default_rng(33091).uniform(1500.0, 4500.0, SHAPE).round(1)
MODEL = npde.GridField(VALUES, (LOWER, UPPER))
PLACED = [".sgy", ".segy", ".rsf", ".h5", ".hdf5", ".vti"]
STEPS = (25.0, 12.5)


@pytest.mark.parametrize("suffix", [*PLACED, ".npy", ".bin", ".raw"])
def test_what_is_written_comes_back(tmp_path: Path, suffix: str) -> None:
    path = write_model(tmp_path / f"model{suffix}", MODEL)
    said: dict[str, Any] = {} if suffix in PLACED else {"spacing": STEPS, "origin": LOWER}
    if suffix in (".bin", ".raw"):
        said["shape"] = SHAPE
    model = read_model(path, **said)
    np.testing.assert_allclose(model.values, VALUES, rtol=1e-7)
    np.testing.assert_allclose(np.array(model.bounds), [LOWER, UPPER], rtol=1e-12)


def test_segyio_reads_the_same_model(tmp_path: Path) -> None:
    with segyio.open(str(write_model(tmp_path / "model.sgy", MODEL)), ignore_geometry=True) as file:
        np.testing.assert_allclose(file.trace.raw[:], VALUES, rtol=1e-7)
        assert file.attributes(181)[:].tolist() == [100_000 + 25_000 * i for i in range(7)]
        assert file.samples.tolist() == [20.0 + 12.5 * i for i in range(5)]


def test_an_oracle_of_vtk_reads_and_writes_the_same_model(tmp_path: Path) -> None:
    vtk = pytest.importorskip("vtk")
    from_vtk = pytest.importorskip("vtk.util.numpy_support")
    reader = vtk.vtkXMLImageDataReader()
    reader.SetFileName(str(write_model(tmp_path / "ours.vti", MODEL)))
    reader.Update()
    image = reader.GetOutput()
    flat = from_vtk.vtk_to_numpy(image.GetPointData().GetArray("speed"))
    np.testing.assert_array_equal(flat.reshape(SHAPE, order="F"), VALUES)
    for mode, packed in ((0, False), (0, True), (1, False), (1, True), (2, False), (2, True)):
        writer = vtk.vtkXMLImageDataWriter()
        writer.SetInputData(image)
        writer.SetFileName(str(tmp_path / "theirs.vti"))
        writer.SetDataMode(mode)  # text, binary, appended
        writer.SetCompressorTypeToZLib() if packed else writer.SetCompressorTypeToNone()
        writer.SetEncodeAppendedData(packed)
        writer.Write()
        assert_model(read_model(tmp_path / "theirs.vti"))
    for binary in (True, False):
        legacy = vtk.vtkStructuredPointsWriter()
        legacy.SetInputData(image)
        legacy.SetFileName(str(tmp_path / "theirs.vtk"))
        legacy.SetFileTypeToBinary() if binary else legacy.SetFileTypeToASCII()
        legacy.Write()
        assert_model(read_model(tmp_path / "theirs.vtk"))


def assert_model(model: npde.GridField) -> None:
    np.testing.assert_allclose(model.values, VALUES, rtol=1e-5)
    np.testing.assert_allclose(np.array(model.bounds), [LOWER, UPPER], rtol=1e-6)


def test_cells_of_a_legacy_file_lie_between_its_nodes(tmp_path: Path) -> None:
    path = tmp_path / "cells.vtk"
    numbers = " ".join(map(str, range(6)))
    path.write_text(
        "# vtk DataFile Version 3.0\nspeeds\nASCII\nDATASET STRUCTURED_POINTS\nDIMENSIONS 4 1 3\nORIGIN 0 0 0\n"
        f"SPACING 10 1 20\nCELL_DATA 6\nSCALARS speed float\nLOOKUP_TABLE default\n{numbers}\n"
    )
    model = read_model(path)
    assert model.values.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert model.bounds == ((5.0, 10.0), (25.0, 30.0))


@pytest.mark.parametrize("inside", [True, False])
def test_a_file_of_madagascar_is_read(tmp_path: Path, inside: bool) -> None:
    """As `sfspike | sfmath` writes it: lines are added, and the last value of a key counts."""
    head = (
        '\tn1=9\tn2=7\n\td1=1 d2=25 o2=100\nsfwindow\twork:\tme@host\n\tn1=5\n\td1=12.5\n\to1=20\n\tlabel1="Depth"\n'
        '\tesize=4\n\tdata_format="xdr_float"\n'
    )
    numbers = VALUES.astype(">f4").tobytes()
    path = tmp_path / "model.rsf"
    if inside:
        path.write_bytes(head.encode() + b'\tin="stdin"\n\x0c\x0c\x04' + numbers)
    else:
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "model.rsf@").write_bytes(numbers)
        path.write_text(head + '\tin="data/model.rsf@"\n')
    assert_model(read_model(path))


def test_numbers_alone_are_read_in_the_order_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "vp.bin"
    VALUES.T.astype(">f4").tofile(path)
    model = read_model(path, shape=SHAPE, spacing=STEPS, origin=LOWER, transposed=True, dtype=">f4")
    assert_model(model)


def test_an_hdf5_file_without_places_fills_the_domain(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "start.h5", "w") as file:
        file["speed"] = VALUES
    assert read_model(tmp_path / "start.h5").bounds is None
    model = read_model(tmp_path / "start.h5", spacing=(1.0, 2.0))
    assert model.bounds == ((0.0, 0.0), (6.0, 8.0))


def test_places_of_a_line_askew_become_distances(tmp_path: Path) -> None:
    """In decimetres, by coordinates of the common depth point: 30 m a trace along a line of slope 3/4."""
    path = write_model(tmp_path / "model.sgy", npde.GridField(VALUES, ((0.0, 0.0), (60.0, 40.0))))
    with segyio.open(str(path), "r+", ignore_geometry=True) as file:
        for index in range(7):
            file.header[index].update({71: -10, 73: 0, 181: 5000 + 240 * index, 185: 7000 + 180 * index})
    model = read_model(path)
    assert model.bounds == ((0.0, 0.0), (180.0, 40.0))


@pytest.mark.parametrize(
    ("name", "content", "said", "text"),
    [
        ("a.bin", b"\0" * 40, {}, r"holds 10 numbers of 4 bytes and no shape.*give shape=\(nx, nz\)"),
        ("a.bin", b"\0" * 40, {"shape": (3, 3)}, r"10 numbers of 4 bytes, but shape=\(3, 3\) has 9"),
        ("a.bin", b"\0" * 36, {"shape": (3, 3), "dtype": "float"}, "give one of <f4"),
        ("a.npy", b"\0" * 40, {"shape": (3, 3)}, r"has no effect for a file \.npy"),
        ("a.npy", b"\0" * 40, {}, "cannot be read as an array"),
        ("a.rsf", b"n1=5", {}, "has n1=5; a velocity model in the plane has two axes"),
        ("a.rsf", b"n1=5 n2=x", {}, "n2=x, which is not a number"),
        ("a.rsf", b"n1=5 n2=3 in=nowhere", {}, "'nowhere', which does not exist"),
        ("a.rsf", b"n1=5 n2=3 in=stdin data_format=native_complex\n\x0c\x0c\x04ab", {}, "data_format=native_complex"),
        ("a.rsf", b"n1=5 n2=3 in=stdin\n\x0c\x0c\x04ab", {}, "15 numbers, but has 0"),
        ("a.sgy", b"\0" * 4000, {}, "cannot be read as SEG-Y"),
        ("a.vti", b"<VTKFile/>", {}, "0 pieces of image data"),
        ("a.vtk", b"nothing", {}, "no scalars"),
        ("a.h5", b"nothing", {}, "cannot be read as an HDF5 file"),
        ("a.tif", b"nothing", {}, "cannot read 'a.tif', whose suffix is unknown"),
        ("a.bin", b"\0" * 36, {"shape": (3, 3), "spacing": (0, 1)}, "give two positive numbers"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(
    tmp_path: Path, name: str, content: bytes, said: dict[str, Any], text: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises((npde.DeclarationError, npde.StorageError), match=text):
        read_model(tmp_path / name, **said)


def test_what_a_format_cannot_hold_is_refused_or_said(tmp_path: Path) -> None:
    wide = npde.GridField(VALUES, ((0.0, 0.0), (600.0, 4000.0)))
    with pytest.raises(npde.DeclarationError, match=r"depth spacings up to 32\.767 m"):
        write_model(tmp_path / "a.sgy", wide)
    odd = npde.GridField(VALUES, ((0.0, 0.0), (0.6, 0.4013)))
    with pytest.warns(DeclarationWarning, match=r"rounded by up to 0\.0016"):
        write_model(tmp_path / "a.sgy", odd)
    with pytest.raises(npde.DeclarationError, match="without bounds"):
        write_model(tmp_path / "a.rsf", npde.GridField(VALUES))
    with pytest.raises(npde.DeclarationError, match="3 axes"):
        write_model(tmp_path / "a.rsf", npde.GridField(np.ones((2, 2, 2)), ((0.0,) * 3, (1.0,) * 3)))
    assert not list(tmp_path.glob("*.rsf*"))

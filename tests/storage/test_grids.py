"""Fields on grids as files: what other programs read is the field, at its places and times."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import neurapde as npde
from neurapde.storage.grids import export

BOX = npde.Box((0, 1), (-1, 2))
HEAT = npde.Interval(0, 2).over(npde.Time(1, 3))


def field(x: np.ndarray) -> np.ndarray:
    return x[:, 0] + 10 * x[:, 1]


def test_voxels_are_read_by_vtk_at_their_places(tmp_path: Path) -> None:
    vtk = pytest.importorskip("vtk")
    numpy_support = pytest.importorskip("vtk.util.numpy_support")
    export(tmp_path / "u.vti", BOX, lambda x: field(x) * (1 + 2j), (3, 4))
    reader = vtk.vtkXMLImageDataReader()
    reader.SetFileName(str(tmp_path / "u.vti"))
    reader.Update()
    image = reader.GetOutput()
    places = np.array([image.GetPoint(i) for i in range(image.GetNumberOfPoints())])
    for name, factor in (("u_re", 1.0), ("u_im", 2.0), ("u_abs", None)):
        values = numpy_support.vtk_to_numpy(image.GetPointData().GetArray(name))
        expected = np.hypot(1, 2) * abs(field(places)) if factor is None else factor * field(places)
        np.testing.assert_allclose(values, expected, atol=1e-12)


def test_voxels_run_along_x_first_and_say_their_spacing(tmp_path: Path) -> None:
    export(tmp_path / "u.vti", BOX, field, (3, 4))
    image = ElementTree.parse(tmp_path / "u.vti").getroot().find("ImageData")
    assert image is not None
    assert image.attrib == {"WholeExtent": "0 2 0 3 0 0", "Origin": "0.0 -1.0 0.0", "Spacing": "0.5 1.0 1.0"}


def test_a_list_of_times_names_a_file_for_each(tmp_path: Path) -> None:
    export(tmp_path / "heat.pvd", HEAT, field, (5, 3))
    listed = ElementTree.parse(tmp_path / "heat.pvd").getroot().iter("DataSet")
    files_by_time = {float(entry.attrib["timestep"]): entry.attrib["file"] for entry in listed}
    assert list(files_by_time) == [1.0, 2.0, 3.0]
    assert {path.name for path in tmp_path.iterdir()} == {"heat.pvd", *files_by_time.values()}
    with pytest.raises(npde.DeclarationError, match="list of files by their time"):
        export(tmp_path / "box.pvd", BOX, field)


def test_a_table_has_a_row_for_each_node_inside(tmp_path: Path) -> None:
    disk = npde.Disk((0, 0), 1.0)
    export(tmp_path / "u.csv", disk, field, 5)
    rows = np.genfromtxt(tmp_path / "u.csv", delimiter=",", names=True)
    assert rows.dtype.names == ("x", "y", "u")
    assert len(rows) == 13
    np.testing.assert_allclose(rows["u"], rows["x"] + 10 * rows["y"], atol=1e-14)


def test_arrays_have_the_shape_of_the_grid(tmp_path: Path) -> None:
    export(tmp_path / "u.npz", BOX, lambda x: np.stack([field(x), -field(x)], axis=1), (3, 4))
    with np.load(tmp_path / "u.npz") as archive:
        x, y, u = archive["x"], archive["y"], archive["u"]
    assert u.shape == (3, 4, 2)
    np.testing.assert_allclose(u[..., 0], np.add.outer(x, 10 * y))


def test_another_suffix_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(npde.DeclarationError, match=r"\.vtu, \.xdmf, \.vti, \.pvd, \.csv or \.npz"):
        export(tmp_path / "u.png", BOX, field)


def test_a_field_of_a_grid_has_its_shape() -> None:
    u = npde.solve(npde.Problem("plate", BOX, npde.Poisson(), 1.0, npde.Dirichlet(0.0)))
    mesh = np.meshgrid(np.linspace(0, 1, 5), np.linspace(-1, 2, 7), indexing="ij")
    rows = u(np.stack([coordinates.ravel() for coordinates in mesh], axis=1))
    for values in (u(*mesh), u(np.stack(mesh, axis=-1))):
        np.testing.assert_allclose(values, rows.reshape(5, 7), atol=1e-12)
    with pytest.raises(npde.DeclarationError, match="coordinates have the shapes"):
        u(mesh[0], mesh[1][:3])

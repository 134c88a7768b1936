"""Our own files from strangers: a changed byte is found, no other file is read, and those of the first release load.

NEURAPDE_DAMAGED says how many damaged copies of each kind are read; 10000 take some minutes.
"""

import os
import re
import runpy
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import h5py
import meshio
import numpy as np
import pytest

import neurapde as npde
from neurapde.seismic.inversion import files as inversion_files
from neurapde.solution import files
from neurapde.storage import hdf5
from support import waves

COUNT = int(os.environ.get("NEURAPDE_DAMAGED", "150"))
FIRST, SECOND = (Path(__file__).parent / "files" / name for name in ("layout-1", "layout-2"))
MADE_BY = runpy.run_path(str(SECOND / "made_by.py"))
SQUARE = npde.Box((0, 1), (0, 1))
TRIAL, X = npde.MLP(width=3, depth=1), np.array([[0.3, 0.4]])


def problem(domain: npde.Domain = SQUARE) -> npde.Problem:
    source = npde.GaussianSource((0.4, 0.6), 0.02)
    return npde.Problem("p", domain, npde.Poisson(), source, npde.Dirichlet(0.0))


def train(domain: npde.Domain = SQUARE, **settings: object) -> npde.Solution:
    steps = npde.Adam(steps=2, points=16)
    return npde.solve(problem(domain), TRIAL, steps, seed=51907, device="cpu", progress=False, **settings)


def survey() -> npde.Survey:
    data = np.array([[[1 + 0.5j, 0.7]]]).reshape(1, 1, 2)
    return npde.Survey(
        [[0.2, 0.2]], [[0.8, 0.8], [0.7, 0.7]], data=data, frequencies=[1.0], name="two receivers"
    )


def invert(**settings: object) -> npde.seismic.Inversion:
    return npde.invert(
        waves(SQUARE),
        survey(),
        unknown=npde.Velocity(1.0, bounds=(0.8, 2.0)),
        method=npde.seismic.Adjoint(descent=npde.seismic.BoundedLBFGS(2), spacing=0.2),
        seed=51907,
        progress=False,
        **settings,
    )


def learn() -> npde.learning.Family:
    fields = npde.learning.Rasters(np.ones((2, 2, 2)), npde.data.Raster(np.ones((2, 2)), (0, 0), (1, 1)))
    method = npde.learning.MiniBatchAdam(1, fields=2, context=(1, 4))
    trial, encoder = npde.HyperSiren(2, 0, latent=2, hidden=2), npde.learning.SetEncoder(2, 0, 1)
    return npde.learn(fields, trial, encoder=encoder, method=method, seed=51907, progress=False)


def open_checkpoint(path: Path) -> None:
    with hdf5.reading(path):
        pass


READERS: dict[str, Callable[[Path], object]] = {
    "solution.h5": npde.load,
    "checkpoint.h5": npde.load,
    "survey.h5": npde.Survey.load,
    "inversion.h5": npde.seismic.Inversion.load,
    "inversion.checkpoint.h5": open_checkpoint,
    "family.h5": npde.load,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file of each kind."""
    folder = tmp_path_factory.mktemp("made")
    train(out=folder).save(folder / "solution.h5")
    survey().save(folder / "survey.h5")
    invert(out=folder).save(folder / "inversion.h5")
    learn().save(folder / "family.h5")
    return folder


def damaged(content: bytes, draw: np.random.Generator) -> bytes:
    """A copy that differs: bytes flipped, lost, added, moved, zeroed, or cut off."""
    at, other = sorted(draw.integers(0, len(content), 2).tolist())
    size = int(draw.choice([1, 8, 512]))
    some = draw.bytes(size)
    match draw.integers(6):
        case 0:
            changed = content[:at] + bytes([content[at] ^ (1 << int(draw.integers(8)))]) + content[at + 1 :]
        case 1:
            changed = content[:at]
        case 2:
            changed = content[:at] + some + content[at:]
        case 3:
            changed = content[:at] + content[at + size :]
        case 4:
            changed = content[:at] + bytes(size) + content[at + size :]
        case _:
            changed = content[other:] + content[at:other] + content[:at]
    return changed if changed != content else content + some


@pytest.mark.parametrize("name", READERS)
def test_a_changed_byte_is_found_before_anything_is_read(made: Path, tmp_path: Path, name: str) -> None:
    content, draw = (made / name).read_bytes(), np.random.default_rng(90011)
    READERS[name](made / name)
    path = tmp_path / name
    for _ in range(COUNT):
        path.write_bytes(damaged(content, draw))
        with pytest.raises(npde.StorageError, match=rf"{name} cannot be read .*damaged"):
            READERS[name](path)


@pytest.mark.parametrize("name", ["checkpoint.h5", "inversion.checkpoint.h5"])
def test_nothing_goes_on_from_a_damaged_checkpoint_nor_writes_over_it(
    made: Path, tmp_path: Path, name: str
) -> None:
    content = bytearray((made / name).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / name).write_bytes(content)
    with pytest.raises(npde.StorageError, match=rf"{name} cannot be read .*damaged"):
        (train if name == "checkpoint.h5" else invert)(out=tmp_path, resume=True)
    assert (tmp_path / name).read_bytes() == content


def test_files_of_the_first_release_load(tmp_path: Path) -> None:
    for name in ("solution.h5", "checkpoint.h5"):
        assert npde.load(FIRST / name)(X) == pytest.approx(-0.7427414, abs=1e-6)
    np.testing.assert_array_equal(npde.Survey.load(FIRST / "survey.h5").data, survey().data)
    assert npde.seismic.Inversion.load(FIRST / "inversion.h5")(X) == pytest.approx(0.99355949, abs=1e-7)
    for name in ("checkpoint.h5", "inversion.checkpoint.h5"):
        (tmp_path / name).write_bytes((FIRST / name).read_bytes())
    assert any("Resumed after step 2" in note for note in train(out=tmp_path, resume=True).notes)
    assert invert(out=tmp_path, resume=True)(X) == pytest.approx(0.99355949, abs=1e-7)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("pieces.h5", (0.32226467, 0.33264608)),
        ("lens.h5", (0.09960591 - 0.03976699j, 0.1064234 - 0.02608022j)),
        ("string.h5", (0.55081206, 0.1064148)),
        ("trained.h5", (-0.11561233, 1.08994622)),
    ],
)
def test_solutions_of_the_second_layout_load(name: str, values: tuple[complex, complex]) -> None:
    solution = npde.load(SECOND / name)
    points = MADE_BY["SPACE_TIME" if name == "string.h5" else "X"]
    assert solution.problem is not None
    assert solution(points) == pytest.approx(values, abs=1e-5)


def test_runs_of_the_second_layout_go_on(tmp_path: Path) -> None:
    for name in ("checkpoint.h5", "inversion.checkpoint.h5"):
        (tmp_path / name).write_bytes((SECOND / name).read_bytes())
    assert any("Resumed after step 2" in note for note in MADE_BY["train"](out=tmp_path, resume=True).notes)
    with pytest.warns(DeprecationWarning, match=r"is invert\(problem, survey, unknown=Velocity\(…\)\) now"):
        resumed = MADE_BY["invert"](out=tmp_path, resume=True)
    assert resumed(MADE_BY["X"])[0] == pytest.approx(1.03515339, abs=1e-7)
    assert npde.seismic.Inversion.load(SECOND / "inversion.h5")(MADE_BY["X"])[0] == pytest.approx(
        1.03515339, abs=1e-7
    )
    np.testing.assert_array_equal(npde.Survey.load(SECOND / "survey.h5").data, MADE_BY["survey"]().data)


def test_classes_of_ours_are_stored_by_name_alone_and_no_two_share_one(made: Path) -> None:
    bases = {*files.BASES, *inversion_files.BASES}
    classes = set().union(*(_derived(base) for base in bases))
    names = [kind.__qualname__ for kind in classes if kind.__module__.startswith("neurapde")]
    assert sorted(names) == sorted(set(names))
    content = b"".join(path.read_bytes() for path in made.iterdir())
    assert b"neurapde:Dirichlet" in content
    assert not re.search(rb"neurapde\.[a-z_.]+:", content)


def _derived(base: type) -> set[type]:
    return {base}.union(*(_derived(kind) for kind in base.__subclasses__()))


def test_a_file_that_lost_its_digest_is_damaged(made: Path, tmp_path: Path) -> None:
    path = tmp_path / "solution.h5"
    path.write_bytes((made / "solution.h5").read_bytes()[hdf5.SEALED :])
    with pytest.raises(npde.StorageError, match=r"solution\.h5 cannot be read .*SHA-256 is missing"):
        npde.load(path)


def test_any_program_reads_the_file_as_hdf5(made: Path) -> None:
    with h5py.File(made / "solution.h5") as file:
        assert file.attrs["kind"] == "solution"
        assert file["parameters/head.bias"].shape == (1,)


@pytest.mark.parametrize("name", READERS)
def test_a_file_of_another_kind_is_refused_by_its_name(made: Path, name: str) -> None:
    readers = {npde.load, npde.Survey.load, npde.seismic.Inversion.load}
    for reader in readers - {READERS[name]}:
        with pytest.raises(npde.StorageError, match=rf"{name} is of the kind '[a-z ]+', not '.*npde\.load"):
            reader(made / name)


def link_outside(file: h5py.File, secret: Path) -> None:
    file["parameters/head.bias"] = h5py.ExternalLink(str(secret), "/x")


def link_within(file: h5py.File, secret: Path) -> None:
    file["parameters/head.bias"] = h5py.SoftLink("/outside/x")
    file["outside"] = h5py.ExternalLink(str(secret), "/")


def store_outside(file: h5py.File, secret: Path) -> None:
    file.create_dataset("parameters/head.bias", (1,), "f4", external=[(str(secret), 0, 4)])


def gather_outside(file: h5py.File, secret: Path) -> None:
    layout = h5py.VirtualLayout((1,), "f4")
    layout[:] = h5py.VirtualSource(str(secret), "x", (1,), "f4")
    file.create_virtual_dataset("parameters/head.bias", layout)


def name_twice(file: h5py.File, secret: Path) -> None:
    file["parameters/head.bias"] = file["parameters"]


def claim_much(file: h5py.File, secret: Path) -> None:
    file.create_dataset("parameters/head.bias", (10**12,), "f4", chunks=(10**6,))


OUTSIDE = [link_outside, link_within, store_outside, gather_outside, name_twice, claim_much]


@pytest.mark.parametrize("sealed", [True, False], ids=["with its digest", "of the first release"])
@pytest.mark.parametrize("trick", OUTSIDE, ids=lambda trick: trick.__name__)
def test_a_solution_reads_no_other_file(made: Path, tmp_path: Path, trick: Callable, sealed: bool) -> None:
    secret, path = tmp_path / "secret.h5", tmp_path / "u.h5"
    with h5py.File(secret, "w") as file:
        file["x"] = np.ones(1, "f4")
    path.write_bytes(((made if sealed else FIRST) / "solution.h5").read_bytes())
    with h5py.File(path, "a") as file:
        del file["parameters/head.bias"]
        trick(file, secret)
    if sealed:
        content = bytearray(path.read_bytes())
        path.write_bytes(hdf5.seal(memoryview(content)))
    with pytest.raises(
        npde.StorageError,
        match=r"u\.h5 is refused: /(parameters/head\.bias|outside) is .*must not refer to other files",
    ):
        npde.load(path)


def test_a_mesh_is_stored_with_its_points_and_never_by_the_name_of_a_file(tmp_path: Path) -> None:
    triangle = tmp_path / "triangle.vtk"
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0.0]])
    meshio.write(triangle, meshio.Mesh(corners, [("line", np.array([[0, 1], [1, 2], [2, 0]]))]))
    mesh = npde.Mesh(str(triangle))
    path = train(mesh).save(tmp_path / "u.h5")
    triangle.rename(tmp_path / "gone.vtk")
    assert npde.load(path).domain == mesh
    with h5py.File(path, "a") as file:
        for name in ("problem", "domain"):
            del file[name]
        hdf5.put_json(file, "problem", None)
        named = {"name": "m", "points": str(tmp_path / "gone.vtk"), "cells": None}
        hdf5.put_json(file, "domain", {"class": "neurapde.domains.mesh:Mesh", "fields": named})
    path.write_bytes(hdf5.seal(memoryview(bytearray(path.read_bytes()))))
    with pytest.raises(npde.StorageError, match=r"u\.h5 cannot be read .*names a file"):
        npde.load(path)


@pytest.mark.parametrize("name", sorted(READERS.keys() & {path.name for path in FIRST.iterdir()}))
def test_damage_to_a_file_without_a_digest_is_met_in_another_process(tmp_path: Path, name: str) -> None:
    content, draw, path = (FIRST / name).read_bytes(), np.random.default_rng(90017), tmp_path / name
    for _ in range(3):
        at = int(draw.integers(200, len(content) - 600))
        path.write_bytes(content[:at] + draw.bytes(500) + content[at + 500 :])
        with suppress(npde.StorageError, npde.DeclarationError):
            READERS[name](path)

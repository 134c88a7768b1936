"""Files of other people's making: damaged, swollen, or none at all, they are refused by name, and harm nothing."""

import struct
import zlib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import meshio
import numpy as np
import pytest
from scipy.io import savemat

import neurapde as npde
from neurapde.core.readers import isolated as reading
from neurapde.core.readers.isolated import isolated

TETRAHEDRON = (
    np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]),
)
TEXTURED = """mtllib a.mtl
v 0 0 0
v 1 0 0
v 0 1 0
v 0 0 1
vt 0 0
vt 1 0
vt 0 1
vt 1 1
vt .5 .5
vn 0 0 1
f 1/1/1 3/2/1 2/3/1
f 1//1 2//1 4//1
f -3/3 -2/5 -1/1
f 1 4 3
"""


READERS = """
import os
import numpy as np

def crash(path):
    os.abort()

def hang(path):
    while True:
        pass

def swell(path):
    return {"a": np.ones(10**12)}

def give_up(path):
    print("Error: no such cell")
    raise SystemExit(1)

def give_objects(path):
    return {"a": np.array([{}])}
"""


@pytest.mark.parametrize(
    ("reader", "reason"),
    [
        ("crash", "the library that reads it crashed, status -6"),
        ("hang", "reading it takes more than 1 s"),
        ("swell", r"reading it takes more than 1\.1 GB of memory"),
        ("give_up", "Error: no such cell"),
        ("give_objects", "a is not an array of numbers"),
    ],
)
def test_what_a_reader_does_to_its_process_is_an_error_here(
    reader: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.dat").write_bytes(b"abc")
    (tmp_path / "readers.py").write_text(READERS)
    spec = spec_from_file_location("readers", tmp_path / "readers.py")
    assert spec is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    monkeypatch.setattr(reading, "SECONDS", 1)
    with pytest.raises(npde.StorageError, match=rf"a\.dat cannot be read as a thing \({reason}"):
        isolated(getattr(module, reader), tmp_path / "a.dat", "a thing")


def test_an_object_with_texture_normals_and_counts_from_the_end_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text(TEXTURED)
    assert npde.Mesh(tmp_path / "a.obj").measure == pytest.approx(1 / 6)


def test_polygons_of_an_object_become_triangles(tmp_path: Path) -> None:
    corners = [(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]
    faces = ((1, 2, 4, 3), (5, 7, 8, 6), (1, 5, 6, 2), (3, 4, 8, 7), (1, 3, 7, 5), (2, 6, 8, 4))
    lines = [f"v {x} {y} {z}" for x, y, z in corners] + [f"f {' '.join(map(str, f))}" for f in faces]
    (tmp_path / "cube.obj").write_text("\n".join(lines))
    cube = npde.Mesh(tmp_path / "cube.obj")
    assert (len(cube.cells), cube.measure) == (12, pytest.approx(1.0))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.vtu", b"<VTKFile>broken"),
        ("a.ply", b"ply\nformat ascii 1.0\nelement camera 1\nproperty float x\nend_header\n0\n"),
        ("a.stl", bytes(80) + struct.pack("<I", 2**31) + bytes(50)),
        ("a.obj", b"v 0 0 0\nf 1 2 3\n"),
        ("a.obj", b"v 0 0 0\nf 0 0 0\n"),
        ("a.obj", b"\x00\xff" * 50),
        ("a.xyz", b"1 2 3\n"),
        ("a.msh", b"$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$Nodes\n1000000000000\n"),
    ],
)
def test_a_mesh_file_that_is_none_is_refused_by_name(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(npde.DeclarationError, match=name.replace(".", r"\.")):
        npde.Mesh(tmp_path / name)


def test_a_mesh_file_with_a_hole_is_named(tmp_path: Path) -> None:
    points, cells = TETRAHEDRON
    meshio.write(tmp_path / "open.ply", meshio.Mesh(points, [("triangle", cells[1:])]))
    with pytest.raises(npde.DeclarationError, match=r"open\.ply is not closed"):
        npde.Mesh(tmp_path / "open.ply")


def png(width: int, height: int) -> bytes:
    """A picture of a few bytes that claims to have so many pixels."""
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, body in (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(1000))),
        (b"IEND", b""),
    ):
        parts += [struct.pack(">I", len(body)), kind, body, struct.pack(">I", zlib.crc32(kind + body))]
    return b"".join(parts)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (png(12_000, 12_000), "12000 x 12000 pixels"),
        (png(2**31 - 1, 2**31 - 1), "pixels"),
        (b"no picture", "it is of no known format"),
        (b"", "it is of no known format"),
    ],
)
def test_a_picture_that_claims_too_much_or_is_none_is_refused(
    content: bytes, reason: str, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(npde.StorageError, match=rf"a\.png cannot be read as a picture.*{reason}"):
        npde.data.read_image(tmp_path / "a.png")


def test_a_video_whose_header_claims_terabytes_is_refused(tmp_path: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000, 30000, 30000), }".ljust(117) + b"\n"
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    with pytest.raises(npde.StorageError, match=r"a\.npy cannot be read as a film \(mmap length"):
        npde.data.read_video(tmp_path / "a.npy")


def test_a_sound_without_sound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF\xff\xff\xff\xffWAVEfmt ")
    with pytest.raises(npde.StorageError, match=r"a\.wav cannot be read as a wav file"):
        npde.data.read_audio(tmp_path / "a.wav")


def test_a_mat_file_of_texts_is_refused(tmp_path: Path) -> None:
    places = np.zeros((1, 2))
    savemat(tmp_path / "a.mat", {"source": places, "receivers": places, "rec_val": np.array([["a"]])})
    with pytest.raises(npde.DeclarationError, match="give an array of numbers"):
        npde.Survey.read(tmp_path / "a.mat", frequency=1.0)


def test_a_ply_whose_header_has_no_end_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "cut.ply").write_bytes(b"ply\nformat ascii 1.0\nelement vertex 8\n")
    with pytest.raises(npde.DeclarationError, match=r"cut\.ply .*its header has no end_header"):
        npde.Mesh(tmp_path / "cut.ply")


def test_a_quad_of_two_corners_is_refused(tmp_path: Path) -> None:
    vertices = "\n".join("0 0 0" for _ in range(8))
    head = "element vertex 8\nproperty float x\nproperty float y\nproperty float z\nelement face 1\n"
    head += "property list uchar int vertex_indices\nend_header"
    (tmp_path / "short.ply").write_text(f"ply\nformat ascii 1.0\n{head}\n{vertices}\n4 6 7\n")
    with pytest.raises(npde.DeclarationError, match=r"short\.ply has quads \(1, 2\); give each 4 corners"):
        npde.Mesh(tmp_path / "short.ply")

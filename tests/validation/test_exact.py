"""The oracles themselves: the equation, the conditions at the rim, limits, reciprocity, convergence."""

import numpy as np
import pytest
from scipy.special import hankel2, jv

from neurapde.validation.cylinder import BesselOnCircle, HankelOnCircle
from neurapde.validation.exact import outgoing, penetrable_disk
from support import some_slow

# (source, radius, speed inside, wavenumber): outside, inside, at the centre, close to the rim on either side.
DISKS = [
    ((-0.35, 0.0), 0.1, 2.0, 20.0),
    ((-0.35, 0.2), 0.3, 0.5, 40.0),
    ((0.05, 0.02), 0.3, 2.0, 40.0),
    ((0.0, 0.0), 0.3, 0.4, 20.0),
    ((0.305, 0.0), 0.3, 0.4, 20.0),
    ((0.0, 0.27), 0.3, 1.7, 5.0),
]
CENTER = np.array([0.02, -0.03])


def ring(radius: float, count: int = 101) -> np.ndarray:
    angle = np.linspace(0.0, 2 * np.pi, count)
    return CENTER + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def disk_field(points: np.ndarray, case: tuple) -> np.ndarray:
    source, radius, speed, k = case
    return penetrable_disk(
        points, np.add(source, CENTER), center=CENTER, radius=radius, wavenumber=k, speed_inside=speed
    )


def stretched(x: np.ndarray, *, begin: float = 0.5, width: float = 0.5, strength: float = 5.0) -> np.ndarray:
    """x̃ = ∫ (1 − i a₀ (ℓ/L)²) dx on each axis, layers from |x| = 0.5 to 1."""
    depth = np.maximum(np.abs(x) - begin, 0.0)
    return x - 1j * strength * np.sign(x) * depth**3 / (3 * width**2)


def laplacian(field, points: np.ndarray, h: float) -> np.ndarray:
    """Fourth-order differences."""
    total = -5 * field(points)
    for axis in np.eye(2):
        near = field(points + h * axis) + field(points - h * axis)
        far = field(points + 2 * h * axis) + field(points - 2 * h * axis)
        total = total + (4 / 3) * near - far / 12
    return total / h**2


def pml_residual(field, points: np.ndarray, k: float, h: float) -> np.ndarray:
    """Σ (1/e_i) ∂_i((1/e_i) ∂_i u) + k² u of u(x̃(x)), by differences along the real coordinates."""

    def e(x):
        return 1 - 5j * (np.maximum(np.abs(x) - 0.5, 0.0) / 0.5) ** 2

    total = k**2 * field(stretched(points))
    for i, axis in enumerate(np.eye(2)):
        u = [field(stretched(points + s * h * axis)) for s in (-1, 0, 1)]
        above, below = e(points[:, i] + h / 2), e(points[:, i] - h / 2)
        total = total + ((u[2] - u[1]) / above - (u[1] - u[0]) / below) / h**2 / e(points[:, i])
    return total


@pytest.mark.parametrize("z", [0.3, 7.0, 45.0])
def test_scaled_cylinder_functions_are_the_library_s_where_that_one_reaches(z: float) -> None:
    n = np.arange(60)
    H, J = HankelOnCircle.up_to(60, z), BesselOnCircle.up_to(60, z)
    size = np.hypot(jv(n, z), jv(n + 1, z))
    assert np.allclose(J.value * size, jv(n, z), rtol=1e-10, atol=0)
    assert np.allclose(J.times_hankel(H), size * hankel2(n, z), rtol=1e-10, atol=0)
    assert np.allclose(J.relative(0.4 * z), jv(n, 0.4 * z) / size, rtol=1e-10, atol=1e-300)
    outer = H.relative(np.array([1.3 * z - 0.2j, 2.0 * z + 0j]))
    library = hankel2(n[:, None], [1.3 * z - 0.2j, 2.0 * z]) / hankel2(n, z)[:, None]
    assert np.allclose(outer, library, rtol=1e-10, atol=0)


def test_scaled_cylinder_functions_stay_finite_where_the_library_overflows() -> None:
    H, J = HankelOnCircle.up_to(3000, 2.0), BesselOnCircle.up_to(3000, 2.0)
    # For n ≫ z: J_n H_n → i/(πn), H_{n+1}/H_n → 2n/z.
    assert J.times_hankel(H)[-1] * J.value[-1] == pytest.approx(1j / (np.pi * 2999), rel=1e-5)
    assert H.step[-1] == pytest.approx(2999.0, rel=1e-5)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_outgoing_waves_solve_the_equation_with_unit_flux(dimension: int) -> None:
    k, h = 7.0, 1e-3
    x = np.zeros((1, dimension))
    x[0, 0] = 0.4
    u = [outgoing(x + s * h * np.eye(dimension)[0], np.zeros(dimension), k)[0] for s in (-2, -1, 0, 1, 2)]
    second = (-u[0] / 12 + 4 / 3 * u[1] - 5 / 2 * u[2] + 4 / 3 * u[3] - u[4] / 12) / h**2
    first = (u[0] / 12 - 2 / 3 * u[1] + 2 / 3 * u[3] - u[4] / 12) / h
    assert abs(second + (dimension - 1) / 0.4 * first + k**2 * u[2]) < 1e-6 * k**2 * abs(u[2])
    # f = +δ: the flux through a small sphere is 1.
    r = 1e-6
    sphere = {1: 2.0, 2: 2 * np.pi * r, 3: 4 * np.pi * r**2}[dimension]
    near = [
        outgoing(x * 0 + s * np.eye(dimension)[0], np.zeros(dimension), k)[0] for s in (r * 0.999, r * 1.001)
    ]
    assert sphere * (near[1] - near[0]) / (0.002 * r) == pytest.approx(1.0, rel=1e-4)


def test_a_gaussian_source_radiates_like_a_sum_of_points() -> None:
    k, variance = 20.0, 4e-4
    nodes, weights = np.polynomial.hermite_e.hermegauss(24)
    receiver = np.array([[0.3, 0.5]])
    total = 0j
    for x, wx in zip(nodes, weights, strict=True):
        for y, wy in zip(nodes, weights, strict=True):
            at = np.sqrt(variance) * np.array([x, y])
            total += wx * wy / (2 * np.pi) * outgoing(receiver, at, k, amplitude=1 + 1j)[0]
    closed = outgoing(receiver, [0.0, 0.0], k, variance=variance, amplitude=1 + 1j)[0]
    assert closed == pytest.approx(total, rel=1e-10)


def test_outgoing_waves_solve_the_equation_inside_the_layers() -> None:
    points = np.random.default_rng(60913).uniform(-0.99, 0.99, size=(200, 2))
    points = points[np.hypot(points[:, 0] + 0.35, points[:, 1]) > 0.1]

    def field(x):
        return outgoing(x, [-0.35, 0.0], 20.0)

    errors = [np.abs(pml_residual(field, points, 20.0, h)).max() for h in (2e-3, 1e-3)]
    assert errors[1] / 400 < 1e-3 * np.abs(field(points)).max()
    assert 1.9 < np.log2(errors[0] / errors[1]) < 2.1
    corner = field(stretched(np.array([[1.0, 1.0], [1.0, 0.0]])))
    assert np.all(np.abs(corner) < 1e-7)


@pytest.mark.parametrize("case", some_slow(DISKS, DISKS[4]))
def test_field_and_slope_are_continuous_across_the_rim(case: tuple) -> None:
    radius = case[1]
    size = np.abs(disk_field(ring(radius), case)).max()
    gap = disk_field(ring(radius * (1 + 1e-13)), case) - disk_field(ring(radius * (1 - 1e-13)), case)
    assert np.abs(gap).max() < 1e-9 * size

    def slope(side: float, h: float) -> np.ndarray:
        u = [disk_field(ring(radius + side * max(j * h, 1e-13)), case) for j in range(5)]
        return side * (-25 / 12 * u[0] + 4 * u[1] - 3 * u[2] + 4 / 3 * u[3] - u[4] / 4) / h

    difference = slope(1.0, 2e-4) - slope(-1.0, 2e-4)
    assert np.abs(difference).max() < 1e-4 * np.abs(slope(1.0, 2e-4)).max()


@pytest.mark.parametrize("case", some_slow(DISKS, DISKS[4]))
def test_the_disk_s_field_solves_the_equation_on_both_sides(case: tuple) -> None:
    source, radius, speed, k = case
    points = CENTER + np.random.default_rng(51001).uniform(-0.5, 0.5, size=(400, 2))
    rho = np.hypot(*(points - CENTER).T)
    clear = np.hypot(*(points - CENTER - source).T) > 0.08
    for side, c in ((rho < radius - 0.01, speed), (rho > radius + 0.01, 1.0)):
        x = points[side & clear]
        u = disk_field(x, case)
        residual = laplacian(lambda y: disk_field(y, case), x, 5e-4) + (k / c) ** 2 * u
        assert np.abs(residual).max() < 2e-5 * (k / c) ** 2 * np.abs(u).max() + 1e-5 * k**2


@pytest.mark.parametrize("case", some_slow(DISKS, DISKS[4]))
def test_the_disk_at_the_speed_of_its_surroundings_is_not_there(case: tuple) -> None:
    source, radius, _, k = case
    points = np.concatenate([ring(0.5 * radius), ring(1.2 * radius), ring(0.9)])
    free = outgoing(points, np.add(source, CENTER), k)
    assert np.allclose(disk_field(points, (source, radius, 1.0, k)), free, rtol=0, atol=1e-11)
    slightly = np.abs(disk_field(points, (source, radius, 1.001, k)) - free).max()
    assert slightly / np.abs(disk_field(points, (source, radius, 1.01, k)) - free).max() == pytest.approx(
        0.1, rel=0.2
    )


def test_source_and_receiver_may_be_exchanged() -> None:
    here, there, inside = np.array([[-0.4, 0.1]]), np.array([[0.3, 0.45]]), np.array([[0.07, 0.11]])
    disk = {
        "center": [0.0, 0.0],
        "radius": 0.2,
        "wavenumber": 25.0,
        "speed_inside": 1.6,
        "speed_outside": 0.9,
    }
    for a, b in ((here, there), (here, inside), (inside, inside - 0.05)):
        assert penetrable_disk(a, b[0], **disk) == pytest.approx(penetrable_disk(b, a[0], **disk), rel=1e-10)


def test_the_scattered_field_of_the_disk_solves_the_equation_inside_the_layers() -> None:
    points = np.random.default_rng(90007).uniform(-0.99, 0.99, size=(300, 2))
    points = points[np.max(np.abs(points), axis=1) > 0.52]

    def field(x):
        return penetrable_disk(
            x, [-0.35, 0.1], center=[0.1, 0.05], radius=0.25, wavenumber=20.0, speed_inside=0.6
        )

    errors = [np.abs(pml_residual(field, points, 20.0, h)).max() for h in (2e-3, 1e-3)]
    assert errors[1] / 400 < 1e-3 * np.abs(field(points)).max()
    assert 1.9 < np.log2(errors[0] / errors[1]) < 2.1


def test_stretching_by_nothing_changes_nothing() -> None:
    points = np.random.default_rng(21577).uniform(-0.5, 0.5, size=(50, 2))
    disk = {"center": [0.0, 0.0], "radius": 0.2, "wavenumber": 25.0, "speed_inside": 1.6}
    real = penetrable_disk(points, [0.4, 0.0], **disk)
    assert np.allclose(penetrable_disk(points + 0j, [0.4, 0.0], **disk), real, rtol=1e-12, atol=0)
    assert np.allclose(penetrable_disk(stretched(points), [0.4, 0.0], **disk), real, rtol=1e-12, atol=0)


def test_a_source_at_the_rim_asks_to_be_moved() -> None:
    with pytest.raises(ValueError, match=r"away from the rim, by 0\.002"):
        penetrable_disk([[0.5, 0.5]], [0.2, 0.0], center=[0, 0], radius=0.2, wavenumber=9.0, speed_inside=2.0)


def test_impossible_media_are_refused() -> None:
    with pytest.raises(ValueError, match="speed_inside is -2"):
        penetrable_disk(
            [[0.5, 0.5]], [0.4, 0.0], center=[0, 0], radius=0.2, wavenumber=9.0, speed_inside=-2.0
        )
    with pytest.raises(ValueError, match="wavenumber is 0"):
        outgoing([[0.5, 0.5]], [0.4, 0.0], 0.0)

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import special

import neurapde.fields.sources
from neurapde.assembly.scattering import Superposition, WindowedWave
from neurapde.backgrounds.near_source import NearSource
from neurapde.backgrounds.outgoing import gaussian_wave
from neurapde.backgrounds.waves import OutgoingWave
from neurapde.conditions import PML
from neurapde.conditions.stretch import Stretch
from neurapde.core.errors import DeclarationError
from neurapde.domains.box import Box
from neurapde.fields.sources import GaussianSource, PointSource
from neurapde.jets.jet import Layout

SQUARE = Box((-1, 1), (-1, 1))
PAPER = GaussianSource(at=(-0.35, 0.0), variance=1e-4, amplitude=1 + 1j)


def stretched(wavenumber: float = 20.0, strength: float = 5.0) -> Stretch:
    return Stretch(SQUARE, PML(width=0.5, strength=strength), wavenumber)


def uniform_points(n: int, low: float, high: float, seed: int, d: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, (n, d))


def convolution(k: float, variance: float, r: float) -> complex:
    """∫ G(ρ) g(|x − y|) dy in polar coordinates about x, the angle integrated to a Bessel function I₀.

    The radial variable is the fourth power of the quadrature's, which removes the logarithm at ρ = 0.
    """
    s = math.sqrt(variance)
    node, weight = np.polynomial.legendre.leggauss(60)
    edges = np.linspace(max(0.0, r - 14 * s) ** 0.25, (r + 14 * s) ** 0.25, 41)
    half = np.diff(edges)[:, None] / 2
    v = edges[:-1, None] + half * (1 + node)
    rho = v**4
    green = 0.25j * (special.j0(k * rho) - 1j * special.y0(k * rho))
    density = np.exp(-((r - rho) ** 2) / (2 * variance)) * special.i0e(r * rho / variance) / variance
    return complex(np.sum(half * weight * 4 * v**3 * green * density * rho))


@pytest.mark.parametrize("k", [0.7, 20.0])
@pytest.mark.parametrize("kappa", [1e-8, 1e-3, 0.02, 0.5, 3.0, 20.0, 50.0])
def test_gaussian_wave_is_the_convolution(k: float, kappa: float) -> None:
    variance = 2 * kappa / k**2
    distances = np.array([0.0, 1e-9, 1e-4, 0.3, 1.0, 1.4142, 1.4143, 2.0, 5.0, 11.9, 12.1, 20.0]) * math.sqrt(
        variance
    )
    values = gaussian_wave(k, variance, distances**2, np.ones(len(distances), dtype=bool)).value
    expected = np.array([convolution(k, variance, r) for r in distances])
    peak = np.abs(expected).max()
    # The convolution itself rounds to 1e-14 of its peak, which is all there is to compare beyond the tail.
    np.testing.assert_allclose(values, expected, rtol=1e-10, atol=1e-12 * peak)


@pytest.mark.parametrize("k", [5.0, 20.0, 60.0])
@pytest.mark.parametrize("variance", [1e-6, 1e-4, 5e-3, 4e-2])
@pytest.mark.parametrize("stretch", [None, 5.0, 1.2])
def test_wave_solves_its_equation(k: float, variance: float, stretch: float | None) -> None:
    source = replace(PAPER, variance=variance, at=(0.05, -0.02))
    layer = None if stretch is None else stretched(k, stretch)
    wave = OutgoingWave(source, k, layer)
    near = np.array(source.at) + uniform_points(300, -5, 5, 20021) * math.sqrt(variance)
    points = np.concatenate((uniform_points(300, -1, 1, 30029), near))
    physical = np.ones(len(points), dtype=bool) if layer is None else layer.physical(points)
    distance = np.sqrt(((points - source.at) ** 2).sum(1))
    points = points[physical | (distance > 12 * math.sqrt(variance))]
    residual, size = equation(wave, points, layer)
    assert np.max(np.abs(residual) / size) < 1e-11


def equation(wave: OutgoingWave, points: np.ndarray, layer: Stretch | None) -> tuple[np.ndarray, np.ndarray]:
    """Σ (1/e_i)∂_i((1/e_i)∂_i u) + k²u − f, and the size of its largest term."""
    rows = wave.channels(points, Layout(points.shape[1], 2))
    d = points.shape[1]
    terms = [wave.wavenumber**2 * rows[0]]
    for i in range(d):
        e = 1.0 if layer is None else layer.factors(points)[i]
        slope = 0.0 if layer is None else layer.axis(i).derivative(points[:, i])
        terms += [rows[1 + d + i] / e**2, -slope * rows[1 + i] / e**3]
    if isinstance(wave.source, GaussianSource):
        inside = np.ones(len(points), dtype=bool) if layer is None else layer.physical(points)
        terms.append(np.where(inside, -wave.source(points), 0.0))
    return np.sum(terms, axis=0), np.abs(terms).max(0)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_point_waves_solve_their_equation_and_have_unit_mass(dimension: int) -> None:
    box = Box(*[(-1.0, 1.0)] * dimension)
    layer = Stretch(box, PML(width=0.4, strength=4.0), 9.0)
    source = PointSource(at=(0.1,) * dimension, amplitude=2 - 1j)
    points = uniform_points(400, -1, 1, 40031, dimension)
    for stretch in (None, layer):
        residual, size = equation(OutgoingWave(source, 9.0, stretch), points, stretch)
        assert np.max(np.abs(residual) / size) < 1e-11
    r = 1e-5
    sphere = {1: 2.0, 2: 2 * math.pi * r, 3: 4 * math.pi * r**2}[dimension]
    ray = np.array(source.at)[None] + r * np.eye(dimension)[:1]
    flux = OutgoingWave(source, 9.0).channels(ray, Layout(dimension, 1))[1, 0] * sphere
    assert flux == pytest.approx(source.amplitude, rel=2e-4)


@pytest.mark.parametrize("source", [PAPER, PointSource(at=(-0.35, 0.0))], ids=["gaussian", "point"])
@pytest.mark.parametrize("region", ["plain", "layer", "edge", "core"])
def test_derivatives_are_those_of_the_values(source: GaussianSource | PointSource, region: str) -> None:
    points = uniform_points(60, -0.45, 0.45, 50033)
    if region == "layer":
        points = uniform_points(60, 0.55, 0.95, 50033) * np.array([1.0, -1.0])
    elif region == "edge":
        points[:, 1] = -uniform_points(60, 0.55, 0.95, 60037, 1)[:, 0]
    elif region == "core":
        points = np.array([[-0.35, 0.0]]) + uniform_points(60, -0.02, 0.02, 60037)
    if region == "core" and isinstance(source, PointSource):
        points += np.array([[0.03, 0.03]])
    wave = OutgoingWave(source, 20.0, stretched())
    layout = Layout(2, 2, ((0, 1),))
    rows = wave.channels(points, layout)
    h = 1e-4 if region == "core" else 1e-3
    weights = np.array([1 / 280, -4 / 105, 1 / 5, -4 / 5, 0, 4 / 5, -1 / 5, 4 / 105, -1 / 280]) / h
    for i in range(2):
        shifts = [points + n * h * np.eye(2)[i] for n in range(-4, 5)]
        samples = np.stack([wave.channels(shift, Layout(2, 1)) for shift in shifts])
        slope = np.tensordot(weights, samples, axes=1)
        pairs = [(rows[1 + i], slope[0]), (rows[3 + i], slope[1 + i]), (rows[5], slope[2 - i])]
        for values, expected in pairs:
            np.testing.assert_allclose(values, expected, atol=3e-8 * np.abs(values).max())


def test_far_wave_is_the_hankel_function() -> None:
    points = uniform_points(200, -1, 1, 70039) + np.array([[2.0, 0.0]])
    r = np.hypot(*(points - np.array(PAPER.at)).T)
    expected = (1 + 1j) * math.exp(-0.02) * 0.25j * special.hankel2(0, 20 * r)
    np.testing.assert_allclose(OutgoingWave(PAPER, 20.0).values(points), expected, rtol=1e-11)


def test_narrow_gaussians_tend_to_the_point() -> None:
    points = uniform_points(100, 0.2, 0.9, 80051)
    point = OutgoingWave(PointSource(at=(-0.35, 0.0)), 20.0).values(points)
    errors = []
    for variance in (4e-5, 1e-5, 2.5e-6):
        values = OutgoingWave(GaussianSource(at=(-0.35, 0.0), variance=variance), 20.0).values(points)
        errors.append(np.abs(values / point - 1).max())
    assert np.log2(np.array(errors[:-1]) / errors[1:]) == pytest.approx(2.0, abs=0.02)
    assert errors[-1] < 1e-3


def test_layer_damps_the_wave_by_the_exponential_of_its_depth() -> None:
    wave, plain = OutgoingWave(PAPER, 20.0, stretched()), OutgoingWave(PAPER, 20.0)
    inner = uniform_points(200, -0.5, 0.5, 90053)
    np.testing.assert_allclose(wave.values(inner), plain.values(inner), rtol=1e-12, atol=0)
    above = np.array([[-0.35, 1.0]])
    depth = 5.0 * 0.5 / 3  # the imaginary part of the stretched coordinate at the end of the layer
    spread = abs(1 - 1j * depth) ** -0.5
    damping = np.abs(wave.values(above) / plain.values(above))[0]
    assert damping == pytest.approx(math.exp(-20 * depth) * spread, rel=0.01)


def test_extreme_arguments_stay_finite() -> None:
    points = np.array([[0.0, 0.0], [1e-200, 0.0], [1e-9, 0.0], [0.3, 0.4], [1e3, 0.0], [1e5, 1e5]])
    for variance in (1e-12, 1e-4, 0.25, 4.0, 400.0):
        wave = OutgoingWave(GaussianSource(at=(0.0, 0.0), variance=variance), 20.0)
        assert np.all(np.isfinite(wave.channels(points, Layout(2, 2, ((0, 1),)))))
    strong = Stretch(SQUARE, PML(width=0.5, strength=5000.0), 400.0)
    rim = np.stack((np.linspace(-1, 1, 50), np.ones(50)), axis=1)
    assert np.all(np.isfinite(OutgoingWave(PAPER, 400.0, strong).channels(rim, Layout(2, 2))))


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_a_point_source_s_wave_is_nan_exactly_at_the_source_without_a_warning(dimension: int) -> None:
    box = Box(*[(-1.0, 1.0)] * dimension)
    at = (0.25,) * dimension
    points = np.array([at, (0.5,) * dimension, (0.9,) * dimension])
    exists = np.zeros(1 + 2 * dimension, dtype=bool)
    exists[0] = dimension == 1  # a kink: the value exists, the derivatives do not
    for stretch in (None, Stretch(box, PML(width=0.3), 9.0)):
        wave = OutgoingWave(PointSource(at=at, amplitude=1 - 2j), 9.0, stretch)
        jet = wave.jet(torch.as_tensor(points)).channels.numpy()
        np.testing.assert_array_equal(
            np.isfinite(jet), np.stack([exists, *[np.ones_like(exists)] * 2], axis=1)
        )
        np.testing.assert_allclose(wave.values(points), jet[0], rtol=1e-12, atol=0)
        both = Superposition(((wave, WindowedWave(wave, 0.5)), ()))
        table = both.jet(torch.as_tensor(points)).channels.numpy()
        np.testing.assert_array_equal(np.isfinite(table[:, :, 0]), np.isfinite(jet))
        assert not table[:, :, 1].any()


@pytest.mark.parametrize("dimension", [2, 3])
def test_a_point_source_s_wave_grows_towards_the_source_as_its_singularity(dimension: int) -> None:
    wave = OutgoingWave(PointSource(at=(0.0,) * dimension), 9.0)
    r = np.array([1e-12, 1e-9, 1e-6])
    values = wave.values(r[:, None] * np.eye(dimension)[:1])
    limits = {2: (np.log(9.0 * r / 2) + np.euler_gamma) / (2 * math.pi), 3: -1 / (4 * math.pi * r)}
    np.testing.assert_allclose(values.real, limits[dimension], rtol=1e-8)


def test_wide_source_is_balanced_locally() -> None:
    k, variance = 200.0, 0.25
    points = uniform_points(50, -0.5, 0.5, 10061)
    source = GaussianSource(at=(0.0, 0.0), variance=variance)
    values = OutgoingWave(source, k).values(points)
    np.testing.assert_allclose(values, source(points) / k**2, rtol=5 / (k**2 * variance))


def test_arrays_of_either_kind_and_precision_agree() -> None:
    wave = OutgoingWave(PAPER, 20.0, stretched())
    points = uniform_points(40, -1, 1, 11069)
    values = wave.values(points)
    assert values.dtype == np.complex128
    assert wave.values(points.astype(np.float32)).dtype == np.complex64
    tensor = wave.values(torch.as_tensor(points))
    assert tensor.dtype == torch.complex128
    np.testing.assert_allclose(tensor.numpy(), values, rtol=1e-12, atol=0)
    jet = wave.jet(torch.as_tensor(points, dtype=torch.float32), 2, [(1, 0)])
    assert jet.channels.dtype == torch.complex64
    assert jet.layout == Layout(2, 2, ((0, 1),))
    np.testing.assert_allclose(jet.value.numpy(), values, atol=1e-5)
    np.testing.assert_allclose(wave.jet(torch.as_tensor(points), 0).value.numpy(), values, rtol=1e-12, atol=0)


def test_what_has_no_closed_form_is_refused() -> None:
    with pytest.raises(DeclarationError, match=r"wavenumber of a background is -1"):
        OutgoingWave(PAPER, -1.0)
    with pytest.raises(DeclarationError, match=r"GaussianSource in 1 dimensions.*use 2 or 3 dimensions"):
        OutgoingWave(GaussianSource(at=(0.0,), variance=1e-4), 20.0)
    with pytest.raises(DeclarationError, match=r"give a PointSource or a GaussianSource"):
        OutgoingWave(neurapde.fields.sources.FunctionSource(1.0), 20.0)  # type: ignore[arg-type]
    with pytest.raises(DeclarationError, match=r"must be \(n, 2\)"):
        OutgoingWave(PAPER, 20.0).values(np.zeros((4, 3)))


def test_description_names_source_and_wavenumber() -> None:
    text = OutgoingWave(PAPER, 20.0, stretched()).describe()
    assert "Gaussian" in text
    assert "k = 20, damped in the PML" in text


def test_the_peak_of_a_narrow_source_leaves_a_wide_one_of_the_same_far_field():
    near = NearSource(PAPER, 20.0, 0.08)
    points = torch.from_numpy(np.array(PAPER.at) + 0.9 * uniform_points(400, -1.0, 1.0, 83471))
    jet = near.jet(points)
    left = jet.laplacian + 400.0 * jet.value - PAPER(points)
    wide = near.waves[1].source
    np.testing.assert_allclose(left, -wide(points), atol=1e-8)
    far = torch.linalg.vector_norm(points - torch.tensor(PAPER.at), dim=1) > 0.5
    assert float(jet.value[far].abs().max()) < 1e-8 < 1e-2 < float(jet.value.abs().max())


@pytest.mark.parametrize(
    ("source", "width", "match"),
    [
        (PointSource((0.0, 0.0)), 0.1, "separates the peak of a GaussianSource"),
        (PAPER, 0.005, "is not above that of the source, 0.01; give some 0.08"),
        (PAPER, -1.0, "width of NearSource"),
        (PAPER, 1.0, "kS is 20, and so wide a source hardly radiates; give width=0.08"),
    ],
)
def test_a_peak_that_cannot_be_split_off_is_refused(source, width, match):
    with pytest.raises(DeclarationError, match=match):
        NearSource(source, 20.0, width)

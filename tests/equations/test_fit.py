"""Fits of samples: residuals, shapes, freedoms, references and the default method."""

import inspect
from pathlib import Path

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.data.audio import bells
from neurapde.data.spectrum import median_frequency
from neurapde.data.video import juggler
from neurapde.jets.jet import Jet
from neurapde.problems import Case, audio_fit, poisson_editing, video_fit
from neurapde.problems._cases import FIT_CASES
from neurapde.validation.metrics import psnr, without_constant, without_harmonic
from support import assert_same_field


def wave(points: np.ndarray) -> np.ndarray:
    return np.sin(2 * points[:, 0]) * np.cos(3 * points[:, 1])


def grid(shape: tuple[int, int] = (21, 17)) -> npde.data.Raster:
    return npde.data.Raster(np.zeros(shape), (-1.0, -0.8), (1.0, 0.8)).sampled(wave)


def jet_of(points: torch.Tensor) -> Jet:
    x, y = points.unbind(1)
    value = torch.sin(2 * x) * torch.cos(3 * y)
    gradient = torch.stack(
        [2 * torch.cos(2 * x) * torch.cos(3 * y), -3 * torch.sin(2 * x) * torch.sin(3 * y)], dim=1
    )
    return Jet.of(value, gradient, torch.stack([-4 * value, -9 * value], dim=1))


def residuals(equation: npde.Fit) -> dict[str, torch.Tensor]:
    problem = npde.Problem("fit", grid().domain, equation)
    residuals_by_name = {}
    for constraint in problem.constraints:
        samples = constraint.sample(10**6)
        residuals_by_name[constraint.name] = constraint.residual(samples, jet_of(samples.points))
    return residuals_by_name


def test_the_sampled_field_leaves_no_residual_of_its_values_gradient_and_laplacian() -> None:
    points = grid().points
    jet = jet_of(torch.as_tensor(points))
    equation = npde.Fit(
        values=grid(),
        gradient=npde.at_points(points, targets=jet.gradient),
        laplacian=npde.at_points(points, targets=jet.laplacian),
    )
    residuals_by_name = residuals(equation)
    assert list(residuals_by_name) == ["values", "gradient", "laplacian"]
    assert max(float(r.abs().max()) for r in residuals_by_name.values()) < 1e-12


def test_differences_and_laplacian_of_samples_are_of_second_order() -> None:
    errors = []
    for n in (21, 41, 81):
        raster = grid((n, n))
        slopes, laplacian = raster.differences(), raster.laplacian()
        exact = jet_of(torch.as_tensor(laplacian.points)).laplacian.numpy().reshape(n, n)
        inner = np.s_[1:-1, 1:-1]
        errors.append(
            [
                *(
                    np.abs(s.targets - jet_of(torch.as_tensor(s.points)).gradient[:, i].numpy()).max()
                    for i, s in enumerate(slopes)
                ),
                np.abs(laplacian.values - exact)[inner].max(),
            ]
        )
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(np.abs(orders - 2) < 0.1)
    assert np.max(errors[-1]) < 5e-3


def test_a_change_of_one_target_changes_one_residual_by_as_much() -> None:
    raster = grid()
    values = raster.values.copy()
    values[3, 4] += 0.25
    changed = residuals(npde.Fit(values=raster.with_values(values)))["values"].abs()
    assert float(changed.max()) == pytest.approx(0.25)
    assert int((changed > 1e-12).sum()) == 1


@pytest.mark.parametrize("channels", [1, 3])
def test_the_reference_of_derivatives_is_the_picture_but_for_its_mean(channels: int) -> None:
    drawn = np.random.default_rng(61837).uniform(-1, 1, (12, 9, channels))
    raster = npde.data.Raster(drawn[..., 0] if channels == 1 else drawn, (-1.0, -0.7), (1.0, 0.7))
    centred = raster.values - raster.values.mean(axis=(0, 1))
    for equation in (npde.Fit(gradient=raster.differences()), npde.Fit(laplacian=raster.laplacian())):
        reference = npde.reference(npde.Problem("fit", raster.domain, equation))
        np.testing.assert_allclose(reference.values, centred, atol=1e-10)
        assert reference.grid.shape == (12, 9)


def test_the_reference_of_values_is_the_samples() -> None:
    raster = bells(0.05)
    reference = npde.reference(npde.Problem("fit", raster.domain, npde.Fit(values=raster)))
    np.testing.assert_array_equal(reference.values, raster.values)


def test_editing_with_all_of_the_first_picture_gives_the_first_picture() -> None:
    problem = poisson_editing(size=24, alpha=1.0)
    first = npde.data.read_image("camera", size=24, gray=True)
    values = npde.reference(problem).values
    np.testing.assert_allclose(values, first.values - first.values.mean(), atol=1e-10)


def test_editing_leaves_the_differences_outside_the_disk_alone() -> None:
    first, second = (npde.data.read_image(name, size=24, gray=True) for name in ("camera", "moon"))
    disk = npde.Disk((0.2, 0.1), 0.4)
    mixed = npde.data.blended_differences(first, second, alpha=0.3, mask=disk.contains)
    for difference, other, blended in zip(first.differences(), second.differences(), mixed, strict=True):
        inside = np.asarray(disk.contains(blended.points)).reshape(blended.shape)
        np.testing.assert_allclose(blended.values[~inside], difference.values[~inside], rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(
            blended.values[inside],
            (0.3 * difference.values + 0.7 * other.values)[inside],
            rtol=1e-7,
            atol=1e-9,
        )


def test_a_small_picture_is_fitted_by_the_default_trial_in_few_steps() -> None:
    picture = npde.data.read_image("camera", size=16, gray=True)
    problem = npde.Problem("small", picture.domain, npde.Fit(values=picture))
    method = npde.Adam(
        120, lr=5e-4, points=256, loss=npde.training.MeanSquare(), schedule=npde.training.Cosine()
    )
    solution = npde.solve(problem, npde.Siren(width=48), method, seed=50411, progress=False)
    report = npde.validate(solution, npde.reference(problem))
    assert report.metrics["whole"]["psnr"] > 40
    fitted = picture.sampled(solution)
    assert psnr(fitted.values, picture.values) == pytest.approx(report.metrics["whole"]["psnr"], abs=1e-3)


def test_comparisons_of_gradient_fits_leave_the_constant_out() -> None:
    raster = grid()
    problem = npde.Problem("fit", raster.domain, npde.Fit(gradient=raster.differences()))
    method = npde.Adam(
        300, lr=2e-3, points=400, loss=npde.training.MeanSquare(), schedule=npde.training.Cosine()
    )
    solution = npde.solve(
        problem, npde.Siren(width=32, depth=1, omega_0=5), method, seed=50411, progress=False
    )
    report = npde.validate(solution, npde.reference(problem))
    assert report.relative_l2 < 0.05
    assert any("do not determine a constant" in note for note in report.notes)


def test_a_fit_survives_its_file(tmp_path: object) -> None:
    raster = grid()
    problem = npde.Problem("fit", raster.domain, npde.Fit(gradient=raster.differences()))
    method = npde.Adam(1, points=10)
    solution = npde.solve(problem, npde.ReluPE(width=8, depth=1), method, seed=50411, progress=False)
    loaded = npde.load(solution.save(f"{tmp_path}/u.h5"))
    assert_same_field(loaded(raster.points), solution(raster.points))
    assert str(loaded.problem) == str(problem)


def test_the_first_layer_follows_the_frequencies_of_the_samples() -> None:
    picture, sound = npde.data.read_image("camera", size=64, gray=True), bells(1.0, 8000)
    for equation, domain, omegas in (
        (npde.Fit(values=picture), picture.domain, (30.0, 30.0)),
        (npde.Fit(gradient=picture.differences()), picture.domain, (9.9, 10.0)),
        (npde.Fit(laplacian=picture.laplacian()), picture.domain, (5.0, 5.0)),
        (npde.Fit(values=sound), sound.domain, (550.0, 30.0)),
    ):
        trial = npde.Adam(1).default_trial(npde.Problem("fit", domain, equation))
        assert isinstance(trial, npde.Siren)
        assert (trial.omega_0, trial.omega_hidden) == omegas


OTHER = {
    "image": "moon",
    "first": "moon",
    "second": "coins",
    "size": 20,
    "gray": False,
    "alpha": 0.25,
    "center": (0.0, 0.1),
    "radius": None,
    "seconds": 0.02,
    "rate": 4000,
    "frames": 5,
    "share": 0.2,
    "total_variation": 0.1,
    "hessian_norm": 0.1,
    "seed": 71453,
}


@pytest.mark.parametrize("case", FIT_CASES, ids=lambda case: case.name)
def test_every_parameter_of_a_declared_fit_changes_it(case: Case) -> None:
    parameters = inspect.signature(case.factory).parameters
    colour = {"image": "astronaut", "first": "astronaut", "second": "coffee", "size": 24, "frames": 4}
    base = {name: colour[name] for name in parameters if name in colour}
    default = str(case.factory(**base))
    for name in set(parameters) - {"sound", "film"}:
        assert str(case.factory(**{**base, name: OTHER[name]})) != default, name


@pytest.mark.slow
def test_files_stand_in_for_what_is_made_here(tmp_path: Path) -> None:
    npde.data.write_audio(tmp_path / "a.wav", bells(0.05, 2000))
    npde.data.write_video(tmp_path / "a.npy", juggler(3, 8))
    assert audio_fit(sound=str(tmp_path / "a.wav")).equation.sizes(audio_fit(sound="bells", seconds=0.1)) == {
        "values": 100
    }
    assert "8 × 8 × 3 samples" in str(video_fit(film=str(tmp_path / "a.npy"), size=8))
    assert "6 × 6 × 2 samples" in str(video_fit(film=str(tmp_path / "a.npy"), size=6, frames=2))


def test_videos_are_fields_of_space_and_time() -> None:
    film = juggler(6, 12)
    problem = npde.Problem("film", film.domain, npde.Fit(values=film))
    assert (problem.domain.dimension, problem.outputs, film.shape) == (3, 1, (12, 12, 6))


def test_the_harmonic_part_of_an_error_is_found_and_nothing_else() -> None:
    n = 24
    x, y = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
    harmonic = 0.3 + 0.02 * x - 0.01 * y + 1e-3 * (x**2 - y**2) + 1e-3 * x * y
    assert np.abs(without_harmonic(harmonic)).max() < 1e-10
    drawn = np.random.default_rng(61837).normal(size=(n, n))
    rest = without_harmonic(drawn)
    np.testing.assert_allclose(without_harmonic(rest + harmonic), rest, atol=1e-9)
    assert abs(np.sum(rest * harmonic)) < 1e-8
    assert np.linalg.norm(rest) < np.linalg.norm(without_constant(drawn))


def test_psnr_is_that_of_the_formula() -> None:
    truth = np.array([-1.0, 1.0, 0.0, 0.0])
    assert psnr(truth + 0.02, truth) == pytest.approx(40.0)
    assert psnr(truth + 0.02, truth, peak=1.0) == pytest.approx(20 * np.log10(50))
    assert psnr(truth, truth) == np.inf


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: npde.Fit(), "has no data"),
        (lambda: npde.Fit(values=np.zeros((3, 3))), "was given a ndarray"),
        (lambda: npde.Fit(values=npde.at_points(np.zeros((3, 2)))), "points without targets"),
        (
            lambda: npde.Problem("f", npde.Box((0, 0.5), (0, 1)), npde.Fit(values=grid())),
            "lie outside the domain",
        ),
        (lambda: npde.Problem("f", npde.Interval(0, 1), npde.Fit(values=grid())), "2 coordinates"),
        (
            lambda: npde.Problem("f", grid().domain, npde.Fit(values=grid(), gradient=grid())),
            "numbers at each point",
        ),
        (
            lambda: npde.Problem("f", grid().domain, npde.Fit(gradient=grid().differences()[:1])),
            "one for each",
        ),
        (
            lambda: npde.Problem(
                "f", grid().domain, npde.Fit(values=grid()), sources=npde.GaussianSource((0, 0), 1.0)
            ),
            "no right-hand side",
        ),
        (
            lambda: npde.reference(
                npde.Problem("f", grid().domain, npde.Fit(values=npde.at_points([[0.0, 0.0]], targets=[1.0])))
            ),
            "no grid solver for the data",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(npde.DeclarationError, match=message):
        make()


@pytest.mark.slow
@pytest.mark.parametrize(("samples", "bound"), [(60, 0.03), (300, 2e-3)])
def test_scattered_values_are_fitted_between_the_samples_too(samples, bound):
    def field(x):
        return np.sin(7 * x[:, 0] / 50) * np.exp(-((x[:, 0] / 50) ** 2))

    domain = npde.Interval(-50, 50)
    points = np.random.default_rng(71933).uniform(-50, 50, (samples, 1))
    problem = npde.Problem(
        domain=domain, equation=npde.Fit(values=npde.at_points(points, targets=field(points)))
    )
    solution = npde.solve(problem, progress=False)
    between = np.linspace(-47, 47, 2000)[:, None]
    assert np.linalg.norm(solution(between) - field(between)) < bound * np.linalg.norm(field(between))


def test_rough_scattered_values_keep_the_frequency_of_the_paper():
    points = np.linspace(-1, 1, 2000)[:, None]
    fit = npde.Fit(values=npde.at_points(points, targets=np.sin(200 * points[:, 0])))
    problem = npde.Problem(domain=npde.Interval(-1, 1), equation=fit)
    assert fit.trial(problem).omega_0 == 30.0


def tones(*frequencies: float) -> npde.data.Raster:
    """Tones of these frequencies, in Hz, one after the other, half a second each."""
    time = np.arange(2000) / 4000
    sound = np.concatenate([np.sin(2 * np.pi * frequency * time) for frequency in frequencies])
    return npde.data.Raster(sound, (0.0,), ((len(sound) - 1) / 4000,))


@pytest.mark.parametrize("hertz", [100.0, 400.0, 1600.0])
def test_half_of_the_energy_lies_below_the_frequency_of_a_tone(hertz: float) -> None:
    assert median_frequency(tones(hertz)) == pytest.approx(2 * np.pi * hertz, rel=0.02)


def test_the_higher_tone_counts_where_it_has_more_of_the_energy() -> None:
    assert median_frequency(tones(100.0, 400.0, 400.0)) == pytest.approx(2 * np.pi * 400, rel=0.05)
    assert median_frequency(tones(100.0, 100.0, 400.0)) == pytest.approx(2 * np.pi * 100, rel=0.05)


def test_the_axis_of_the_highest_frequency_counts() -> None:
    x, y = np.meshgrid(np.linspace(0, 1, 64), np.linspace(0, 1, 50), indexing="ij")
    waves = npde.data.Raster(np.sin(3 * x) + np.sin(60 * y), (0.0, 0.0), (1.0, 1.0))
    assert median_frequency(waves) == pytest.approx(60.0, rel=0.1)


def test_a_sound_of_twice_the_length_or_pitch_gets_twice_the_frequency() -> None:
    def omega(sound: npde.data.Raster) -> float:
        equation = npde.Fit(values=sound)
        return equation.trial(npde.Problem("sound", sound.domain, equation)).omega_0

    once = omega(tones(400.0, 400.0))
    assert once == pytest.approx(0.4 * 2 * np.pi * 400 / 2, rel=0.05)
    assert omega(tones(800.0, 800.0)) == pytest.approx(2 * once, rel=0.05)
    assert omega(tones(400.0, 400.0, 400.0, 400.0)) == pytest.approx(2 * once, rel=0.05)


def test_a_sound_is_learnt_at_a_rate_at_which_its_phases_would_jump() -> None:
    sound = tones(1900.0, 1950.0)
    problem = npde.Problem("sound", sound.domain, npde.Fit(values=sound))
    left = {}
    for limit in (0.1, None):
        method = npde.Adam(60, lr=5e-3, points=2000, loss=npde.training.MeanSquare(), phase_step=limit)
        trial = npde.Siren(width=32, depth=1, omega_0=6000.0)
        left[limit] = npde.solve(problem, trial, method, seed=50413, progress=False).history.loss[-1]
    assert left[0.1] < 0.6 * left[None]


def test_many_samples_take_more_steps_of_no_more_points() -> None:
    def advice(*shape: int) -> tuple[int, int]:
        values = npde.data.Raster(
            np.broadcast_to(np.float32(0.5), shape), (0.0,) * len(shape), (1.0,) * len(shape)
        )
        equation = npde.Fit(values=values)
        given = equation.advice(npde.Problem("fit", values.domain, equation), False)
        assert isinstance(given.points, dict)
        return given.steps, given.points["values"]

    assert advice(30, 30) == (500, 900)
    assert advice(200, 200) == (500, 5000)
    assert advice(256, 256) == (500, 8192)
    assert advice(131_072) == (1000, 8192)
    assert advice(300, 300, 100) == (2000, 8192)

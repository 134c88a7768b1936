"""Pictures in one call: what is drawn is what was declared, into the axes that were given, and nothing wrong is drawn."""

from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

import neurapde as npde
from neurapde.core.pictures import fields
from neurapde.references.solution import GridSolution
from neurapde.training.run.history import History
from support import plane_survey

mpl.use("agg")
SQUARE = npde.Box((0, 2), (0, 1))


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


def grid_field(problem: npde.Problem, field: object, shape: int = 33) -> GridSolution:
    """A reference of which every value is known, in no time."""
    lower, upper = (corner.tolist() for corner in problem.domain.bounds)
    grid = npde.reference_solvers.grids.grid.Grid(lower, upper, (shape,) * len(lower))
    return GridSolution(np.asarray(field(grid.points)).reshape(grid.shape), grid, 0.0, problem=problem)  # type: ignore[operator]


def poisson(domain: npde.Domain) -> npde.Problem:
    return npde.Problem("plate", domain, npde.Poisson(), 1.0, npde.Dirichlet(0.0))


def legend_of(ax: Axes) -> set[str]:
    legend = ax.get_legend()
    return set() if legend is None else {text.get_text() for text in legend.get_texts()}


@pytest.mark.parametrize(
    "domain",
    [
        npde.Interval(0, 3),
        SQUARE,
        SQUARE - npde.Disk((1, 0.5), 0.2),
        npde.Interval(0, 1).over(npde.Time(0, 2)),
        SQUARE.over(npde.Time(0, 2)),
        npde.Box((0, 1), (0, 1), (0, 1)),
        npde.Ball((0, 0, 0), 1).over(npde.Time(0, 1)),
    ],
    ids=str,
)
def test_a_domain_is_drawn_with_the_faces_that_conditions_name(domain: npde.Domain) -> None:
    ax = domain.plot()
    shown = domain.spatial if domain.dimension > 2 else domain
    assert legend_of(ax) == set(shown.faces)
    assert ax.get_xlabel() == "x"
    ax.figure.canvas.draw()


def test_a_domain_of_four_axes_is_not_drawn() -> None:
    with pytest.raises(npde.DeclarationError, match="4 axes"):
        npde.Box((0, 1), (0, 1), (0, 1), (0, 1)).plot()


def test_a_problem_shows_what_holds_where() -> None:
    conditions = [npde.Dirichlet(0.0, on=["left", "right"]), npde.Neumann(2.0, on="top")]
    problem = npde.Problem("plate", SQUARE, npde.Poisson(), 1.0, conditions)
    ax = problem.plot()
    assert legend_of(ax) == {"u = 0 on left and right", "∂u/∂n = 2 on top", "no condition"}
    assert ax.get_title().startswith("plate")


def test_layers_regions_and_sources_are_drawn_where_they_are() -> None:
    ax = npde.problems.helmholtz_disk().plot()
    assert {"absorbing layer (PML)", "source"} <= legend_of(ax)
    (cross,) = (line for line in ax.lines if line.get_marker() == "x")
    np.testing.assert_allclose(np.asarray(cross.get_xydata()), [[-0.35, 0.0]])
    assert {text.get_text() for text in ax.texts} == {"disk"}


def test_the_colours_of_a_plane_are_its_values_at_their_places() -> None:
    field = grid_field(poisson(SQUARE), lambda x: x[:, 0] + 10 * x[:, 1])
    _, ax = plt.subplots()
    assert field.plot(ax, shape=(5, 3)) is ax
    (image,) = ax.images
    np.testing.assert_allclose(np.asarray(image.get_array()), np.add.outer([0, 5, 10], [0, 0.5, 1, 1.5, 2]))
    assert image.get_extent() == [-0.25, 2.25, -0.25, 1.25]
    assert image.origin == "lower"
    assert image.get_cmap().name == "viridis"


def test_signed_fields_are_coloured_about_zero_and_peaks_are_cut_from_the_scale() -> None:
    norm, colors, ends = fields.scale(np.linspace(-1, 3, 50).reshape(5, 10))
    assert (norm.vmin, norm.vmax, colors, ends) == (-3.0, 3.0, "RdBu_r", "neither")
    peaked = np.ones(1000)
    peaked[:2] = 50.0
    norm, colors, ends = fields.scale(peaked)
    assert (norm.vmax, colors, ends) == (1.0, "viridis", "max")


@pytest.mark.parametrize(
    ("part", "value", "label"), [("real", 3.0, "Re u"), ("imag", 4.0, "Im u"), ("abs", 5.0, "|u|")]
)
def test_a_part_of_a_complex_field(part: str, value: float, label: str) -> None:
    field = grid_field(npde.problems.helmholtz_uniform(), lambda x: (3 + 4j) * np.ones(len(x)))
    ax = field.plot(part=part, shape=4)
    assert np.asarray(ax.images[0].get_array()) == pytest.approx(value)
    assert ax.figure.axes[1].get_ylabel() == label


def test_axes_beyond_the_second_are_held_and_the_title_says_where() -> None:
    cube = grid_field(poisson(npde.Box((0, 1), (0, 1), (0, 2))), lambda x: x[:, 2], 9)
    ax = cube.plot(shape=3)
    assert ax.get_title() == "plate, z = 1"
    assert np.asarray(ax.images[0].get_array()) == pytest.approx(1.0)
    ax = cube.plot(at={"x": 0.5, "y": 0.25}, shape=3)
    assert np.asarray(ax.lines[0].get_ydata()).tolist() == [0.0, 1.0, 2.0]
    assert ax.get_xlabel() == "z"


def test_a_number_holds_the_last_axis() -> None:
    heat = poisson(npde.Interval(0, 1).over(npde.Time(0, 4)))
    ax = grid_field(heat, lambda x: x[:, 1] * x[:, 0]).plot(at=3.0, shape=2)
    assert np.asarray(ax.lines[0].get_ydata()) == pytest.approx([0.0, 3.0])
    assert ax.get_title() == "plate, t = 3"


def test_outside_the_domain_nothing_is_known() -> None:
    disk = poisson(npde.Disk((0, 0), 1))
    image = grid_field(disk, lambda x: x[:, 0]).plot(shape=5).images[0]
    hidden = np.ma.getmaskarray(image.get_array())
    assert hidden[0, 0]
    assert not hidden[2].any()


def test_an_animation_runs_through_the_time_on_one_scale() -> None:
    heat = poisson(npde.Interval(0, 1).over(npde.Time(0, 4)))
    film = grid_field(heat, lambda x: x[:, 1] * x[:, 0]).animate(frames=5, shape=3)
    ax = film._fig.axes[0]
    film._func(4)
    assert ax.lines[0].get_ydata()[-1] == pytest.approx(4.0)
    assert ax.get_ylim()[1] > 4
    assert ax.get_title() == "plate, t = 4"
    film._draw_was_started = True  # else matplotlib warns that nobody saw it


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"component": 1}, "one component, number 0"),
        ({"part": "imag"}, "is for complex fields"),
        ({"part": "size"}, "give one of 'real'"),
        ({"at": {"t": 1}}, "has the axes x and y"),
        ({"at": 7.0}, "give a number from 0 to 1"),
        ({"shape": 1}, "whole numbers of nodes"),
        ({"ax": "here"}, "give axes of matplotlib"),
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong: dict, message: str) -> None:
    field = grid_field(poisson(SQUARE), lambda x: x[:, 0])
    with pytest.raises(npde.DeclarationError, match=message):
        field.plot(**wrong)
    with pytest.raises(npde.DeclarationError, match="no time to animate"):
        field.animate()


def test_a_report_shows_the_solution_beside_the_truth() -> None:
    solution = npde.solve(npde.problems.poisson_square())
    axes = npde.validate(solution, shape=(21, 21)).show()
    assert [len(ax.images) for ax in axes] == [1, 1, 1]
    shown = [np.asarray(ax.images[0].get_array()) for ax in axes]
    np.testing.assert_allclose(shown[0], shown[1], atol=1e-6)
    with pytest.raises(npde.DeclarationError, match="3 panels"):
        npde.validate(solution, shape=(21, 21)).show(axes[0])


def test_a_history_is_drawn_against_what_its_steps_count() -> None:
    rows = [(100.0, 0.1, 0.5, np.nan, 0.5), (200.0, 0.2, 0.1, np.nan, 0.1)]
    ax = History.of(["change between levels"], rows).plot()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("features", "change between levels")
    assert np.asarray(ax.lines[0].get_xdata()).tolist() == [100.0, 200.0]
    assert History.of(["equation"], rows).plot().get_xlabel() == "step"


def test_a_survey_is_drawn_with_a_depth_downwards() -> None:
    survey = plane_survey()
    model = npde.Box((0, 1000), (0, 1000))
    ax = survey.plot(domain=model)
    assert {"6 receivers", "2 shots", "shot 1"} <= legend_of(ax)
    assert ax.get_ylim()[0] < ax.get_ylim()[1]
    shallow = survey.plot(domain=npde.Box((0, 1000), (0, 9000)))
    assert shallow.get_ylim()[0] > shallow.get_ylim()[1]
    assert survey.plot_gather(shot=0).get_title().startswith("shot 0")
    assert "peak" in survey.plot_spectrum().get_title()
    with pytest.raises(npde.DeclarationError, match="shots 0 to 1"):
        survey.plot(shot=2)

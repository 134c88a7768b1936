import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHORT = (
    "eikonal",
    "held_out",
    "bandwidth",
    "training_step",
    "peers",
    "wavenumber",
    "elements",
    "baselines",
    "first_layer",
    "inversion",
    "accuracy",
    "time_modelling",
    "audit",
    "regions",
    "picture_step",
    "deepxde",
)
LONG = (
    "placing",
    "scaling",
    "memory",
    "overthrust",
    "multiscale",
    "wave_training",
    "media",
    "shapes",
    "room",
    "learned_prior",
    "paper_trainings",
    "faces",
    "wave_family",
    "varying",
)
"""Those that take long even at their small size."""


def run(*arguments):
    command = [sys.executable, "-W", "error", str(ROOT / "benchmarks" / "run.py"), *map(str, arguments)]
    environment = dict(os.environ, OMP_NUM_THREADS="1")
    return subprocess.run(command, capture_output=True, text=True, env=environment)


class Records:
    """What the benchmarks print at their small size, and their raw records, by name; the short ones run together."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.text = folder, {}

    def __getitem__(self, name: str) -> dict:
        names = SHORT if name in SHORT else (name,)
        if name not in self.text:
            done = run(*names, "--small", "--out", self.folder)
            assert done.returncode == 0, done.stderr
            self.text |= dict.fromkeys(names, done.stdout)
        return json.loads((self.folder / f"{name}.json").read_text())


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return Records(tmp_path_factory.mktemp("benchmarks"))


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SHORT, *LONG])
def test_a_record_says_what_ran_where(records, name):
    record = records[name]
    check_record(name, records.text[name], record)


def check_record(name, text, record):
    assert f"### {name}" in text
    assert record["small"] is True
    assert record["machine"]["threads"] == 1
    assert {"python", "torch", "numpy", "scipy", "neurapde"} <= set(record["versions"])
    assert len(record["load_average_before"]) == len(record["load_average_after"]) == 3
    assert record["settings"]
    assert all(0 < row["wall"] < record["seconds"] for row in record["rows"])


@pytest.mark.slow
def test_the_two_ways_to_differentiate_agree_before_they_are_timed(records):
    record = records["training_step"]
    assert record["settings"]["difference_of_residuals"] < 1e-12
    ways = ["nested", "jets", "compiled jets", "products", "products at once"]
    assert [row["way"] for row in record["rows"]] == ways


@pytest.mark.slow
def test_galerkin_and_the_grid_meet_the_exact_field_at_the_small_size(records):
    errors = {(row["medium"], row["way"]): row["error"] for row in records["wavenumber"]["rows"]}
    assert set(errors) == {(m, w) for m in ("uniform", "disk") for w in ("galerkin", "grid")}
    assert max(errors.values()) < 1e-3


@pytest.mark.slow
def test_solutions_of_the_equation_beat_finite_elements_at_the_small_size(records):
    errors = {(row["problem"], row["way"]): row["error"] for row in records["elements"]["rows"]}
    assert all(errors[name, "neurapde"] < errors[name, "ngsolve"] < 1e-2 for name, _ in errors)


@pytest.mark.slow
def test_more_bandwidth_lowers_the_error(records):
    coarse, fine = (row["error"] for row in records["bandwidth"]["rows"])
    assert fine < 0.6 * coarse


@pytest.mark.slow
def test_interpolation_keeps_the_pixels_it_was_given(records):
    interpolated, fitted = records["held_out"]["rows"]
    assert interpolated["fitted"] > 100 > interpolated["held out"] > fitted["held out"]


@pytest.mark.slow
def test_sweeping_meets_the_exact_times_better_on_more_nodes(records):
    errors = [row["error"] for row in records["eikonal"]["rows"] if row["way"] == "sweeping"]
    assert errors[1] < 0.5 * errors[0] < 1e-3


@pytest.mark.slow
def test_kinds_of_problems_are_solved_within_their_estimates(records):
    rows = records["deepxde"]["rows"]
    assert {row["problem"] for row in rows} >= {"burgers", "brinkman-forchheimer"}
    assert all(row["status"] == "CONVERGED" and row["error"] < 1e-3 and row["lines"] < 15 for row in rows)


@pytest.mark.slow
def test_every_method_lowers_the_residual_of_the_same_data(records):
    rows = records["inversion"]["rows"]
    assert {row["method"] for row in rows} == {"joint", "reduced", "adjoint", "irwri", "penalty"}
    assert {bool(row["weight"]) for row in rows} == {True, False}
    assert all(
        row["residual"] < 0.39 for row in rows if row["method"] != "penalty"
    )  # 0.39 of a uniform model
    assert all(0 < row["wavefield_error"] < 2 for row in rows)


@pytest.mark.slow
def test_a_solve_takes_memory_beyond_its_packages(records):
    assert {row["way"] for row in records["memory"]["rows"]} == {"neurapde", "galerkin", "grid"}
    for row in records["memory"]["rows"]:
        assert row["before"] > 10
        assert row["way"] == "neurapde" or row["before"] <= row["peak"]  # a step's two are of two processes


@pytest.mark.slow
def test_every_size_is_varied_for_the_step_and_both_solvers(records):
    rows = records["scaling"]["rows"]
    assert {row["sweep"] for row in rows} == {"points", "width", "depth", "dimension", "wavenumber", "shots"}
    assert {row["way"] for row in rows} == {"step", "galerkin", "grid"}


@pytest.mark.slow
def test_traces_in_time_meet_the_exact_arrivals(records):
    (row,) = records["time_modelling"]["rows"]
    assert row["error"] < 0.05
    assert 0 < row["traces computed"] < row["gradient computed"]


@pytest.mark.slow
def test_network_and_grid_invert_the_same_overthrust_data(records):
    rows = {row["way"]: row for row in records["overthrust"]["rows"]}
    assert set(rows) == {"start model", "reduced, Siren", "adjoint, grid"}
    for way in ("reduced, Siren", "adjoint, grid"):
        assert rows[way]["residual"] < rows["start model"]["residual"]
        assert rows[way]["RMS speed error"] > 0


@pytest.mark.slow
def test_a_trained_wave_has_a_row_for_each_look_and_way(records):
    rows = records["wave_training"]["rows"]
    assert rows[0]["way"] == "default"
    assert rows[0]["error"] < 1e-3
    for first, second in zip(rows[1::2], rows[2::2], strict=True):
        assert first["way"] == second["way"]
        assert 0 < first["computed"] <= second["computed"]
        assert 0 < first["steps"] <= second["steps"]


@pytest.mark.slow
def test_an_unknown_name_lists_the_benchmarks():
    done = run("speed")
    assert done.returncode == 2
    assert "no benchmark is called speed" in done.stderr
    assert "training_step" in done.stderr


@pytest.mark.slow
def test_the_audit_finds_no_silent_wrong_answer(records):
    rows = records["audit"]["rows"]
    quick = {"manufactured_rod", "wave_on_a_line", "smooth_conductor", "channel", "room"}
    assert {row["family"] for row in rows} == quick
    assert not any(row["silent_wrong"] for row in rows)
    assert all(row["true"] < 1e-2 for row in rows)

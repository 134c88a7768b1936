"""Every public call on surveys and inversions refuses every wrong argument by a DeclarationError that says the way out."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.seismic.survey.formats import mat
from support import waves

RNG = np.random.default_rng(90173)
SOURCES, RECEIVERS = [[0.2, 0.2], [0.5, 0.2]], [[0.3, 0.4], [0.6, 0.4], [0.8, 0.4]]
TRACES = RNG.standard_normal((2, 3, 64))
SPECTRA = RNG.standard_normal((2, 2, 3)) + 1j
TIME = npde.Survey(SOURCES, RECEIVERS, traces=TRACES, dt=0.01)
FREQUENCY = npde.Survey(SOURCES, RECEIVERS, data=SPECTRA, frequencies=[1.0, 2.0])
SQUARE = npde.Box((0, 1), (0, 1))
PLANE = npde.Problem(
    "plane",
    SQUARE,
    npde.Helmholtz(wavenumber=15.0),
    sources=[npde.PointSource(at=(0.5, 0.5))],
    boundary=npde.PML(width=0.25),
)
ONE_STEP = npde.seismic.Adjoint(descent=npde.seismic.BoundedLBFGS(1))


class Thing:
    """What nobody expects."""


WRONG: dict[str, Callable[[], Any]] = {
    "nothing": lambda: None,
    "a thing": Thing,
    "words": lambda: "abc",
    "no words": lambda: "",
    "bytes": lambda: b"abc",
    "NaN": lambda: float("nan"),
    "infinity": lambda: float("inf"),
    "-1": lambda: -1,
    "0": lambda: 0,
    "-1.5": lambda: -1.5,
    "0.5": lambda: 0.5,
    "1e300": lambda: 1e300,
    "10^400": lambda: 10**400,
    "1e-320": lambda: 1e-320,
    "True": lambda: True,
    "1+2i": lambda: 1 + 2j,
    "[]": list,
    "()": tuple,
    "{}": dict,
    "list of words": lambda: ["a", "b"],
    "list of nothing": lambda: [None, None],
    "list of NaN": lambda: [float("nan")] * 2,
    "list of things": lambda: [Thing()],
    "ragged": lambda: [[1], [1, 2]],
    "empty array": lambda: np.zeros(0),
    "array of objects": lambda: np.array([None, 1]),
    "array of words": lambda: np.array(["a"]),
    "(2, 2)": lambda: np.ones((2, 2)),
    "(2, 2, 2, 2)": lambda: np.ones((2, 2, 2, 2)),
    "(2, 2) of NaN": lambda: np.full((2, 2), np.nan),
    "(2, 5) booleans": lambda: np.ones((2, 5), bool),
    "tensor (3,)": lambda: torch.ones(3),
    "a function": lambda: lambda *_: None,
    "a class": lambda: Thing,
    "a generator": lambda: (i for i in range(3)),
    "a date": lambda: np.datetime64("2020-01-01"),
}
POSITIVE = ("0.5",)
REAL = ("0.5", "-1", "0", "-1.5", "1e-320")
LEVEL = ("0.5", "0", "1e-320")
NAME = ("words",)
NONE = ("nothing",)
NO_LIST = ("nothing", "[]", "()")
SAID = {"source_variance": (0.0, LEVEL + NONE), "noise": (0.1, LEVEL + NONE), "name": ("a", NAME + NONE)}

Call = tuple[Callable[..., Any], dict[str, tuple[Any, tuple[str, ...]]]]


def declarations() -> dict[str, Call]:
    """Calls that need nothing but values: what is right, and which of WRONG are right too."""
    spacing, per_wavelength = (0.1, POSITIVE + NONE), (6.0, POSITIVE)
    adam = (npde.seismic.AdamDescent(), ())
    weight: dict[str, tuple[Any, tuple[str, ...]]] = {"weight": (1.0, POSITIVE)}
    record: dict[str, tuple[Any, tuple[str, ...]]] = {
        "sources": (SOURCES, ("(2, 2)",)),
        "receivers": (RECEIVERS, ()),
        "weights": (np.ones((2, 3)), NONE),
        "source_variance": (0.0, LEVEL),
        "noise": (0.1, LEVEL + NONE),
        "name": ("a", NAME),
        "origin": (None, NONE),
    }
    series = {"traces": (TRACES, ()), "dt": (0.01, POSITIVE), "start_time": (0.0, REAL)}
    series |= {"window": (np.ones((2, 3, 64)), NONE)}
    done: dict[str, tuple[Any, tuple[str, ...]]] = {"processing": (("muted",), ("[]", "()", "list of words"))}
    record |= done
    amplitudes = ("-1", "-1.5", "0.5", "1e300", "1e-320", "1+2i", "(2, 2)", *NONE)
    spectral = {"data": (SPECTRA, ()), "frequencies": ([1.0, 2.0], ()), "wavelet": (1.0, amplitudes)}
    spectral |= {"damping": (0.1, LEVEL)}
    return {
        "Survey of traces": (npde.Survey, record | series | {"wavelet": (np.ones(64), NONE)}),
        "Survey of spectra": (npde.Survey, record | spectral),
        "Velocity": (
            npde.Velocity,
            {
                "start": (1.0, (*POSITIVE, *NONE, "a function")),
                "bounds": ((0.5, 2.0), NONE),
                "trial": (None, NONE),
                "prior": ((), NO_LIST),
                "window": (None, NONE),
                "fixed": ((), NO_LIST),
            },
        ),
        "Bandpass": (
            npde.seismic.Bandpass,
            {"low": (0.1, POSITIVE + NONE), "high": (1.0, POSITIVE + NONE), "order": (4, ())},
        ),
        "Detrend": (npde.seismic.Detrend, {"degree": (1, ("0",))}),
        "LineSource": (npde.seismic.LineSource, {"speed": (1.0, POSITIVE)}),
        "Decimate": (npde.seismic.Decimate, {"shots": (1, ()), "receivers": (1, ()), "samples": (1, ())}),
        "TimeWindow": (
            npde.seismic.TimeWindow,
            {
                "first": (-2.0, ("-1", "0", "-1.5", "0.5", "1e-320", *NONE)),
                "last": (1.0, ("0", "-1", "-1.5", "0.5", "1e-320", *NONE)),
                "speed": (1.0, POSITIVE + NONE),
                "taper": (0.1, LEVEL),
            },
        ),
        "Gain": (npde.seismic.Gain, {"power": (1.0, ("0.5", "1e-320"))}),
        "EditTraces": (
            npde.seismic.EditTraces,
            {"factor": (10.0, NONE), "dead": ([(0, 1)], ("[]", "()", "empty array"))},
        ),
        "Topography": (
            npde.seismic.Topography,
            {
                "x": ([0.0, 0.5, 1.0], ("tensor (3,)",)),
                "y": ([0.1, 0.2, 0.1], ("tensor (3,)",)),
                "on": ("bottom", ()),
            },
        ),
        "Topography.through": (
            npde.seismic.Topography.through,
            {"places": (RECEIVERS, ()), "buried": (0.1, LEVEL), "on": ("bottom", ())},
        ),
        "Gridded": (npde.seismic.Gridded, {"shape": ((5, 5), NONE)}),
        "RandomVelocities": (
            npde.seismic.RandomVelocities,
            {
                "window": (npde.Box((0, 1), (0, 1)), ()),
                "background": (1.0, POSITIVE),
                "inclusions": ((1, 2), ()),
                "radius": ((0.1, 0.2), ()),
                "speed": ((1.0, 2.0), ()),
                "smooth": (0.1, ("0", "1e-320")),
                "shape": ((5, 5), ()),
                "count": (3, ()),
                "seed": (0, ("0",)),
            },
        ),
        "L1": (npde.seismic.L1, {"rounding": (1e-3, POSITIVE)}),
        "Checkerboard": (npde.seismic.Checkerboard, {"size": (1.0, POSITIVE), "height": (1.0, REAL)}),
        "Transport": (npde.seismic.Transport, {"floor": (0.01, POSITIVE)}),
        "Huber": (npde.seismic.Huber, {"threshold": (0.1, POSITIVE)}),
        "Smoothness": (npde.seismic.Smoothness, weight),
        "Tikhonov": (npde.seismic.Tikhonov, weight),
        "TotalVariation": (npde.seismic.TotalVariation, weight),
        "BoundedLBFGS": (npde.seismic.BoundedLBFGS, {"steps": (3, ())}),
        "AdamDescent": (npde.seismic.AdamDescent, {"steps": (3, ()), "lr": (1e-3, POSITIVE)}),
        "GaussNewtonDescent": (
            npde.seismic.GaussNewtonDescent,
            {"steps": (3, ()), "inner": (3, ())}
            | dict.fromkeys(("accuracy", "damping", "tolerance"), (0.1, POSITIVE)),
        ),
        "Continuation": (
            lambda first: npde.seismic.Continuation(first, [5.0]),
            {"first": ([1.0], (*POSITIVE, "tensor (3,)"))},
        ),
        "Joint": (npde.seismic.Joint, {"bandwidth": (10.0, POSITIVE + NONE), "descent": adam}),
        "Reduced": (
            npde.seismic.Reduced,
            {"descent": adam, "spacing": spacing, "per_wavelength": per_wavelength},
        ),
        "Adjoint": (
            npde.seismic.Adjoint,
            {"descent": adam, "spacing": spacing, "per_wavelength": per_wavelength},
        ),
        "Multiscale": (
            npde.seismic.Multiscale,
            {
                "descent": adam,
                "spacing": spacing,
                "per_wavelength": per_wavelength,
                "near": (0.5, POSITIVE + NONE),
            },
        ),
        "TimeDomain": (
            npde.seismic.TimeDomain,
            {
                "descent": adam,
                "spacing": spacing,
                "per_wavelength": per_wavelength,
                "memory": (1e9, POSITIVE),
            },
        ),
        "Penalty": (
            npde.seismic.Penalty,
            {
                "waves": (npde.Siren(), ()),
                "pretraining": (1, ("0",)),
                "descent": adam,
                "points": (4, ()),
                "spacing": spacing,
                "per_wavelength": per_wavelength,
            },
        ),
        "WavefieldReconstruction": (
            npde.seismic.WavefieldReconstruction,
            {
                "steps": (3, ()),
                "penalty": (0.1, POSITIVE),
                "spacing": spacing,
                "per_wavelength": per_wavelength,
            },
        ),
    }


def uses() -> dict[str, Call]:
    """Calls on a survey, in memory alone."""
    place: dict[str, tuple[Any, tuple[str, ...]]] = {
        "problem": (waves(SQUARE), ()),
        "survey": (FREQUENCY, ()),
        "unknown": (npde.Velocity(), NONE),
        "method": ("adjoint", ()),
        "seed": (0, ("0",)),
    }
    arguments = place | {
        "method": (ONE_STEP, ()),
        "frequencies": ([1.0], (*NONE, "tensor (3,)")),
        "misfit": (None, NONE),
        "out": (None, (*NONE, "words")),
        "resume": (False, ("True",)),
        "progress": (False, ("True",)),
        "executor": (None, NONE),
    }
    image = {name: place[name] for name in ("problem", "survey", "unknown", "method")}
    image["frequencies"] = arguments["frequencies"]
    return {
        "Survey.at of traces": (
            TIME.at,
            {"frequencies": ([5.0], POSITIVE), "taper": (0.1, LEVEL), "damping": (0.1, LEVEL)},
        ),
        "Survey.at of spectra": (
            FREQUENCY.at,
            {"frequencies": ([1.0], ()), "taper": (0.0, ("0",)), "damping": (0.0, ("0",))},
        ),
        "Survey.to_time": (
            FREQUENCY.to_time,
            {"dt": (0.1, ()), "samples": (8, ()), "start_time": (0.0, REAL)},
        ),
        "Survey.select": (
            FREQUENCY.select,
            {"frequencies": ([1.0], NONE), "shots": ([0], NONE), "receivers": ([0], NONE)},
        ),
        "Survey.simulate": (
            npde.Survey.simulate,
            {
                "problem": (PLANE, ()),
                "receivers": ([[0.3, 0.4]], ()),
                "sources": ([[0.4, 0.4]], NONE),
                "frequencies": ([3.0], NONE),
                "shape": (41, NONE),
                "dt": (None, NONE),
                "noise": (0.1, LEVEL),
                "seed": (3, ("0",)),
            },
        ),
        "Survey.with_noise": (TIME.with_noise, {"level": (0.1, LEVEL), "seed": (3, ("0",))}),
        "Survey.check_in": (TIME.check_in, {"domain": (SQUARE, ())}),
        "taylor_test": (npde.validation.taylor_test, place),
        "dot_test": (npde.validation.dot_test, place),
        "reciprocity": (npde.validation.reciprocity, place),
        "gradient": (npde.seismic.gradient, image | {"misfit": (None, NONE)}),
        "migrate": (npde.seismic.migrate, image | {"steps": (0, ("0",))}),
        "invert": (npde.invert, arguments),
    }


def refused(call: Call, argument: str) -> Iterator[str]:
    """What is wrong with how this argument is checked: nothing, if every wrong value is refused as it should be."""
    function, arguments = call
    right = {name: value for name, (value, _) in arguments.items()}
    for label, make in WRONG.items():
        if label in arguments[argument][1]:
            continue
        try:
            function(**right | {argument: make()})
        except npde.DeclarationError as error:
            text = str(error)
            if len(text) < 25 or not any(way in text for way in WAYS):
                yield f"{label}: says no way out: {text}"
        except Exception as error:
            yield f"{label}: {type(error).__name__}: {error}"
        else:
            yield f"{label}: accepted"


WAYS = (
    " give ",
    " use ",
    "Read one",
    "Make one",
    "make one",
    "leave",
    "ask for",
    "check",
    "wrap it",
    "must be",
    "it has ",
    "nearest is",
    "return one",
    "move ",
)


def named(calls: dict[str, Call]) -> list[Any]:
    return [
        pytest.param(call, argument, id=f"{name}({argument}=…)")
        for name, call in calls.items()
        for argument in call[1]
    ]


@pytest.mark.parametrize(("call", "argument"), [*named(declarations()), *named(uses())])
def test_a_wrong_argument_is_refused_with_the_way_out(call: Call, argument: str) -> None:
    assert list(refused(call, argument)) == []


@pytest.mark.parametrize("call", [c for _, c in declarations().items()], ids=list(declarations()))
def test_the_right_arguments_of_the_battery_are_right(call: Call) -> None:
    function, arguments = call
    function(**{name: value for name, (value, _) in arguments.items()})


@pytest.mark.parametrize("suffix", [".h5", ".mat", ".sgy"])
def test_what_is_said_of_a_file_is_checked(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"a{suffix}"
    said: dict[str, tuple[Any, tuple[str, ...]]] = {"path": (path, ("words",))}
    if suffix == ".mat":
        held = {"source": np.array(SOURCES), "receivers": np.array(RECEIVERS), "rec_val": SPECTRA[0].T}
        path.write_bytes(b"read once, in the tests of the layout")
        monkeypatch.setattr(mat, "isolated", lambda *_: dict(held))
        amplitudes = ("-1", "-1.5", "0.5", "1e300", "1e-320", "1+2i", *NONE)
        said |= {"frequency": (1.0, POSITIVE), "wavelet": (1.0, amplitudes), **SAID}
    elif suffix == ".sgy":
        pytest.importorskip("segyio")
        TIME.write(path)
        depth = (1.0, REAL + NONE)
        said |= {"sources": (SOURCES, ("(2, 2)", *NONE)), "receivers": (RECEIVERS, NONE), **SAID}
        said |= {"source_depth": depth, "receiver_depth": depth}
    else:
        FREQUENCY.save(path)
    read = npde.Survey.load if suffix == ".h5" else npde.Survey.read
    for argument in said:
        assert list(refused((read, said), argument)) == [], argument


def test_what_is_said_of_a_velocity_model_is_checked(tmp_path: Path) -> None:
    model = npde.GridField(np.ones((3, 2)), ((0.0, 0.0), (1.0, 1.0)))
    path = (npde.seismic.write_model(tmp_path / "a.bin", model), ())
    size: tuple[Any, tuple[str, ...]] = ([1.0, 2.0], NONE)
    said = {"path": path, "shape": ((3, 2), ()), "dtype": (None, NONE), "spacing": size, "origin": size}
    said |= {"transposed": (False, ("True",))}
    for argument in said:
        assert list(refused((npde.seismic.read_model, said), argument)) == [], argument
    for argument in (made := {"path": path, "model": (model, ())}):
        assert list(refused((npde.seismic.write_model, made), argument)) == [], argument


def test_where_a_survey_is_written_is_checked(tmp_path: Path) -> None:
    path = {"path": (tmp_path / "a.h5", ("words",))}
    assert list(refused((FREQUENCY.save, path), "path")) == []
    pytest.importorskip("segyio")
    arguments = {"path": (tmp_path / "a.sgy", ("words",)), "ibm": (False, ("True",))}
    for argument in arguments:
        assert list(refused((TIME.write, arguments), argument)) == []


def test_what_is_asked_of_an_inversion_is_checked(tmp_path: Path) -> None:
    inversion = npde.invert(waves(SQUARE), FREQUENCY, method=ONE_STEP, frequencies=[1.0], progress=False)
    points = {"points": (np.ones((2, 2)), ("[]", "()", "empty array", "(2, 2)"))}
    true = (1.5, (*POSITIVE,))
    calls: dict[str, Call] = {
        "call": (inversion, points),
        "speed": (inversion.speed, points),
        "slowness_squared": (inversion.slowness_squared, points),
        "model": (inversion.model, {"shape": ((5, 5), NONE)}),
        "model_error": (inversion.model_error, {"true": true, "cells": (8, ())}),
        "save": (inversion.save, {"path": (tmp_path / "a.h5", ("words",))}),
        "load": (npde.seismic.Inversion.load, {"path": (tmp_path / "a.h5", ("words",))}),
        "inversion_report": (
            lambda inversion, **rest: npde.validation.inversion_report(inversion, **rest),
            {
                "inversion": (inversion, ()),
                "true": (1.5, (*POSITIVE, *NONE)),
                "classical": (False, ("True",)),
                "uncertainty": (None, NONE),
                "progress": (False, ("True",)),
            },
        ),
    }
    for name, call in calls.items():
        for argument in call[1]:
            assert list(refused(call, argument)) == [], (name, argument)

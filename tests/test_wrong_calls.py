"""Every public argument, given what it cannot be: refused by one kind of error that names it, or accepted for a reason.

`CALLS` holds a valid call of everything in `npde` that a user calls, each argument with what it takes beside the valid
value. A public name that is neither there nor in one of the lists of exceptions fails the test: add it.
"""

import dataclasses
import inspect
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde import DeclarationError, ResolutionError, StorageError
from neurapde.core.checks import shown

WRONG: dict[str, Any] = {
    "word": "a",
    "no text": "",
    "unprintable": "a\0b",
    "nan": float("nan"),
    "inf": float("inf"),
    "minus one": -1,
    "zero": 0,
    "fraction": 2.5,
    "large": 10**30,
    "huge": 1e300,
    "complex": 1j,
    "true": True,
    "none": None,
    "empty list": [],
    "empty dict": {},
    "object": object(),
    "class": int,
    "bytes": b"a",
    "ragged": (1, "a"),
    "nested": [(0, "a")],
    "words": np.array(["a"]),
    "nan array": np.array([np.nan]),
    "empty array": np.zeros((0, 2)),
    "nan tensor": torch.full((3, 2), torch.nan),
    "dict of nan": {"equation": float("nan")},
    "failing": lambda x: 1 / 0,
    "no numbers": lambda x: "a",
}

# What an argument takes of these.
COUNT: frozenset[str] = frozenset()
FROM_ZERO = COUNT | {"zero"}
PART = frozenset({"zero"})
POSITIVE = frozenset({"fraction", "large"})
REAL = POSITIVE | {"minus one", "zero"}
COMPLEX = REAL | {"complex"}
LATER = frozenset({"failing", "no numbers"})  # functions, which are tried where the Problem is made
FIELD = COMPLEX | LATER
FLAG = frozenset({"true"})
NAME = frozenset({"word"})
TEXT = NAME | {"no text"}
NONE = frozenset({"none"})
FACES = NONE | {"word", "unprintable"}  # held against the domain where the Problem is made
LIST = frozenset({"empty list"})
NAMES = frozenset({"empty dict"})
EMPTY = frozenset({"empty list", "empty array"})  # no points have no values
NOTHING: frozenset[str] = frozenset()
FUNCTION = LATER
PLACE = REAL  # a lone number is a point on a line
SAMPLED = NONE | {"nan tensor"}
NUMBERS = frozenset(WRONG) - {
    "word", "no text", "unprintable", "none", "empty dict", "object", "class", "bytes", "ragged", "nested", "words",
    "dict of nan", "failing", "no numbers",
}  # fmt: skip

SQUARE, DISK = npde.Box((0, 1), (0, 1)), npde.Disk((0.5, 0.5), 0.2)
LINE = npde.Interval(0, 1)
RASTER = npde.data.image(np.arange(64.0).reshape(8, 8) / 64)
CORNERS = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
SIDES = [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]
CIRCLE = np.array([(np.cos(a), np.sin(a)) for a in np.linspace(0, 6, 30)])
POISSON = npde.Problem("square", SQUARE, npde.Poisson(), 1.0, npde.Dirichlet(0.0))
NET = npde.Siren(4, 1)

Argument = tuple[Any, frozenset[str]]
CALLS: dict[str, dict[str, Argument]] = {
    "activation_statistics": {
        "trial": (NET, NOTHING), "points": (16, NOTHING), "dimension": (1, COUNT), "seed": (50413, FROM_ZERO),
    },
    "Absorbing": {"on": ("left", FACES)},
    "Adam": {
        "steps": (3, COUNT), "lr": (1e-3, POSITIVE), "points": (8, NAMES), "loss": (npde.training.MeanAbsolute(), NOTHING),
        "sampling": (npde.training.Fresh(), NOTHING), "weights": ({}, NAMES), "point_weights": (None, NONE),
        "schedule": (npde.training.ConstantRate(), NOTHING), "clip": (1.0, POSITIVE | NONE), "source_points": (4, FROM_ZERO),
        "source_weight": (1.0, POSITIVE | NONE), "curriculum": (None, NONE),
        "optimizer": (None, NONE | FUNCTION | {"class"}),
        "phase_step": (0.1, POSITIVE | NONE), "compile": (False, FLAG),
        "record_every": (1, COUNT), "checkpoint_seconds": (9.0, POSITIVE),
    },
    "Ansatz": {
        "background": (npde.trials.OutgoingWave(npde.PointSource((0.5, 0.5)), 3.0), FUNCTION), "network": (NET, NOTHING),
        "factor": (lambda x: x[:, 0], FUNCTION | NONE),
    },
    "Ball": {"center": ((0, 0), PLACE), "radius": (1.0, POSITIVE), "name": ("b", TEXT)},
    "Caputo": {"alpha": (0.5, NOTHING), "axis": (None, FACES)},
    "Causal": {"windows": (4, COUNT), "tolerance": ((0.1, 1.0), POSITIVE)},
    "ConstantRate": {},
    "Constraint": {
        "name": ("c", NAME), "residual": (lambda s, u: u.value, FUNCTION), "sample": (npde.interior(SQUARE), FUNCTION),
        "order": (0, FROM_ZERO), "text": ("t", TEXT), "mixed": ((), LIST),
    },
    "Cosine": {"final": (0.1, PART)},
    "Curriculum": {"steps": (10, COUNT), "first": (0.1, PART)},
    "Difference": {"first": (SQUARE, NOTHING), "second": (DISK, NOTHING), "name": ("d", TEXT)},
    "Dirichlet": {
        "value": (0.0, FIELD), "on": ("left", FACES), "hard": (False, FLAG), "name": ("d", TEXT),
        "component": (None, NONE | FROM_ZERO),
    },
    "Disk": {"center": ((0, 0), NOTHING), "radius": (1.0, POSITIVE), "name": ("b", TEXT)},
    "Distillation": {
        "teacher": (npde.Galerkin(), NONE), "steps": (2, COUNT), "lr": (1e-3, POSITIVE), "points": (8, COUNT),
        "batch": (4, COUNT), "tolerance": (1e-2, POSITIVE), "checkpoint_seconds": (9.0, POSITIVE),
    },
    "Eikonal": {"speed": (1.0, POSITIVE | LATER), "surface": (None, NONE), "distance": (True, FLAG)},
    "eigenpairs": {
        "problem": (
            npde.Problem("string", LINE, npde.Poisson(), boundary=npde.Dirichlet(0.0)), NOTHING
        ),
        "number": (1, COUNT), "near": (None, NONE | {"minus one", "zero", "fraction"}),
        "tolerance": (0.1, NOTHING), "seconds": (9.0, POSITIVE),
    },
    "Equation": {
        "residual": (lambda x, u: u.laplacian, FUNCTION), "order": (2, NOTHING), "outputs": (1, COUNT),
        "complex": (False, FLAG), "mixed": ([(0, 1)], LIST), "name": ("e", NAME), "operators": ((), LIST),
    },
    "Exponential": {"rate": (0.5, NOTHING), "every": (10, COUNT)},
    "FactoredAnsatz": {"background": (npde.trials.StraightRays(((0.5, 0.5),), (1.0,)), NOTHING), "network": (NET, NOTHING)},
    "Fit": {"values": (RASTER, NOTHING), "gradient": (None, NONE | LIST), "laplacian": (None, NONE)},
    "Fixed": {"how": ("grid", NOTHING)},
    "Trefftz": {"tolerance": (1e-4, NOTHING), "largest": (99, COUNT), "seconds": (9.0, POSITIVE)},
    "TimeMarching": {"tolerance": (None, NONE), "seconds": (9.0, POSITIVE)},
    "TorchModule": {"module": (torch.nn.Linear(2, 1), NOTHING)},
    "FourierFeatures": {
        "width": (4, COUNT), "depth": (1, FROM_ZERO), "features": (4, COUNT), "deviation": (1.0, POSITIVE),
    },
    "FractionalLaplacian": {"alpha": (1.5, NOTHING)},
    "Fredholm": {
        "kernel": (1.0, REAL | FUNCTION), "axis": (None, FACES), "power": (0.0, PART | {"fraction"}),
        "integrand": (None, NONE | FUNCTION),
    },
    "Fresh": {"how": ("uniform", NOTHING)},
    "FunctionSource": {"f": (1.0, FIELD)},
    "Galerkin": {
        "tolerance": (1e-3, NOTHING), "bandwidth": (9.0, POSITIVE | NONE), "largest": (64, COUNT), "steps": (0, FROM_ZERO),
        "lr": (1e-3, POSITIVE), "seconds": (9.0, POSITIVE),
    },
    "GaussianSource": {"at": ((0.5, 0.5), PLACE), "variance": (0.01, POSITIVE), "amplitude": (1.0, COMPLEX)},
    "GradientNorm": {"every": (10, COUNT), "memory": (0.9, PART)},
    "GridField": {"values": (np.ones((3, 3)), NOTHING), "bounds": (((0, 0), (1, 1)), NONE)},
    "Helmholtz": {
        "wavenumber": (3.0, POSITIVE),
        "speed": (1.0, POSITIVE | LATER),
        "attenuation": (npde.KolskyFutterman(30.0, 1.0), NONE),
    },
    "KolskyFutterman": {"quality_factor": (30.0, POSITIVE | LATER), "reference_frequency": (1.0, POSITIVE)},
    "GaussNewton": {
        "tolerance": (1e-6, NOTHING), "largest": (100, COUNT), "margin": (0.5, POSITIVE), "seconds": (9.0, POSITIVE),
    },
    "Patience": {"steps": (3, COUNT), "least": (0.1, PART)},
    "TargetLoss": {"loss": (0.1, POSITIVE), "constraint": ("poisson", NAME | NONE)},
    "TensorBoard": {"folder": ("runs", NAME)},
    "TimeLimit": {"seconds": (1.0, POSITIVE)},
    "Parameter": {"name": ("c", NAME), "start": (0.5, REAL), "bounds": (None, NONE), "prior": (None, NONE)},
    "UnknownField": {
        "name": ("k", NAME), "domain": (SQUARE, NOTHING), "axes": (None, NONE), "start": (0.5, REAL), "bounds": (None, NONE),
        "nodes": (5, COUNT | NONE),
    },
    "measured": {
        "name": ("m", NAME), "points": (np.zeros((3, 2)), NOTHING), "values": (np.zeros(3), NOTHING),
        "noise": (0.1, POSITIVE | NONE), "component": (None, NONE | FROM_ZERO),
    },
    "HyperSiren": {
        "width": (4, COUNT), "depth": (1, FROM_ZERO), "omega_0": (3.0, POSITIVE), "omega_hidden": (3.0, POSITIVE),
        "codes": (1, COUNT), "latent": (4, COUNT), "hidden": (4, COUNT),
    },
    "InitialCondition": {
        "value": (0.0, FIELD), "velocity": (0.0, FIELD | NONE), "component": (None, NONE | FROM_ZERO), "hard": (False, FLAG),
    },
    "Intersection": {"first": (SQUARE, NOTHING), "second": (DISK, NOTHING), "name": ("d", TEXT)},
    "Interval": {"a": (0, frozenset({"minus one", "zero"})), "b": (1, POSITIVE), "name": ("i", TEXT)},
    "LBFGS": {
        "steps": (2, COUNT), "points": (8, NAMES), "loss": (npde.training.MeanSquare(), NOTHING), "weights": ({}, NAMES),
        "memory": (5, COUNT), "redraw": (None, NONE | COUNT), "tolerance": (1e-9, POSITIVE),
        "checkpoint_seconds": (9.0, POSITIVE),
    },
    "LeastSquares": {
        "tolerance": (1e-6, NOTHING), "largest": (100, COUNT), "margin": (0.5, POSITIVE), "seconds": (9.0, POSITIVE),
    },
    "MLP": {"width": (4, COUNT), "depth": (1, FROM_ZERO), "activation": ("tanh", NOTHING)},
    "MeanAbsolute": {}, "MeanSquare": {},
    "Mesh": {"points": (CORNERS, NOTHING), "cells": (SIDES, NOTHING), "name": ("m", TEXT)},
    "MethodOfLines": {
        "tolerance": (1e-3, NOTHING), "bandwidth": (9.0, POSITIVE | NONE), "largest": (64, COUNT),
        "seconds": (9.0, POSITIVE),
    },
    "NaturalGradient": {
        "steps": (2, COUNT), "points": (8, NAMES), "weights": ({}, NAMES), "damping": (1e-3, POSITIVE),
        "momentum": (0.0, PART), "sampling": (npde.training.Fresh(), NOTHING), "redraw": (None, NONE),
        "tolerance": (1e-3, POSITIVE),
        "checkpoint_seconds": (9.0, POSITIVE),
    },
    "Neumann": {"value": (0.0, FIELD), "on": ("left", FACES), "name": ("n", TEXT), "component": (None, NONE | FROM_ZERO)},
    "Newton": {
        "tolerance": (1e-6, NOTHING), "largest": (100, COUNT), "margin": (0.5, POSITIVE), "seconds": (9.0, POSITIVE),
    },
    "NearSource": {
        "source": (npde.GaussianSource((0.5, 0.5), 1e-4), NOTHING), "wavenumber": (1.5, {"fraction"}),
        "width": (0.2, {"fraction"}),
    },
    "Obstacle": {
        "residual": (lambda x, u: -u.laplacian, FUNCTION), "below": (0.0, FIELD | NONE), "above": (1.0, FIELD | NONE),
        "weight": (1.0, POSITIVE | NONE),
    },
    "OutgoingWave": {
        "source": (npde.PointSource((0.5, 0.5)), NOTHING), "wavenumber": (3.0, POSITIVE), "stretch": (None, NONE),
    },
    "PML": {
        "width": (0.2, POSITIVE), "strength": (5.0, NONE | {"fraction"}), "reflection": (None, NONE), "on": (None, FACES),
        "sides": (None, FACES),
    },
    "Periodic": {  # the axis is held against the domain where the Problem is made
        "axis": ("x", NAME | {"unprintable"}), "component": (None, NONE | FROM_ZERO),
    },
    "PointCloud": {"points": (CIRCLE, NOTHING), "normals": (CIRCLE, NONE), "name": ("c", TEXT)},
    "PointSource": {"at": ((0.5, 0.5), PLACE), "amplitude": (1.0, COMPLEX)},
    "Poisson": {"coefficient": (1.0, POSITIVE | LATER), "reaction": (0.0, FIELD)},
    "Polygon": {"vertices": ([(0, 0), (1, 0), (0, 1)], NOTHING), "name": ("p", TEXT)},
    "Problem": {
        "name": ("p", NAME), "domain": (SQUARE, NOTHING), "equation": (npde.Poisson(), NOTHING),
        "sources": ((), REAL | LIST), "boundary": (npde.Dirichlet(0.0), LIST), "constraints": (None, LIST | NONE),
        "exact": (None, NONE), "extra": ((), LIST),
    },
    "PulsedSource": {"source": (1.0, FIELD), "waveform": (npde.Ricker(3.0), FUNCTION)},
    "RBF": {
        "count": (4, COUNT), "sharpness": (3.0, POSITIVE), "width": (4, COUNT), "layers": (0, FROM_ZERO),
        "activation": ("relu", NOTHING),
    },
    "Raster": {
        "values": (np.ones((3, 3)), NOTHING), "lower": ((0.0, 0.0), NOTHING), "upper": ((1.0, 1.0), NOTHING),
        "name": ("r", TEXT),
    },
    "ReluPE": {"width": (4, COUNT), "depth": (1, FROM_ZERO), "octaves": (2, COUNT)},
    "ResidualAdaptive": {
        "every": (10, COUNT), "power": (1.0, POSITIVE | PART), "floor": (1.0, POSITIVE | PART), "pool": (2, COUNT),
    },
    "Ricker": {"peak_frequency": (3.0, POSITIVE), "delay": (0.1, REAL | NONE)},
    "RickerSource": {
        "at": ((0.5,), PLACE), "peak_frequency": (3.0, POSITIVE), "delay": (0.1, REAL | NONE), "amplitude": (1.0, REAL),
        "variance": (0.01, POSITIVE | PART),
    },
    "Robin": {
        "a": (1, FIELD), "b": (1, FIELD), "value": (0, FIELD), "on": ("left", FACES), "name": ("r", TEXT),
        "component": (None, NONE | FROM_ZERO),
    },
    "Samples": {"points": (torch.zeros(3, 2), SAMPLED - NONE), "normals": (None, SAMPLED), "targets": (None, SAMPLED)},
    "OutputScaling": {"network": (NET, NOTHING), "size": (2.0, POSITIVE), "lengths": (None, NONE)},
    "SelfAdaptive": {"memory": (0.9, PART), "gain": (0.1, POSITIVE)},
    "SpectralElements": {
        "tolerance": (1e-6, NOTHING),
        "largest": (200, COUNT),
        "seconds": (9.0, POSITIVE),
    },
    "Separable": {"tolerance": (1e-6, NOTHING), "largest": (16, COUNT), "seconds": (9.0, POSITIVE)},
    "SineHistory": {
        "modes": ((2,), NOTHING), "moments": (3, COUNT), "box": (None, NONE), "free": (None, NONE),
        "near": ((), NOTHING),
    },
    "SineLattice": {"modes": ((2, 2), NOTHING), "free": (None, NONE)},
    "Siren": {
        "width": (4, COUNT), "depth": (1, FROM_ZERO), "omega_0": (3.0, POSITIVE), "omega_hidden": (3.0, POSITIVE),
    },
    "SpaceTime": {"space": (LINE, NOTHING), "time": (npde.Time(0, 1), NOTHING), "name": ("s", TEXT)},
    "StraightRays": {"at": (((0.5, 0.5),), NOTHING), "slowness": ((1.0,), NOTHING)},
    "Time": {"start": (0, frozenset({"minus one", "zero"})), "stop": (1, POSITIVE)},
    "Torus": {"center": ((0, 0, 0), NOTHING), "ring": (1.0, POSITIVE), "tube": (0.2, NOTHING), "name": ("t", TEXT)},
    "Union": {"first": (SQUARE, NOTHING), "second": (DISK, NOTHING), "name": ("d", TEXT)},
    "Volterra": {
        "kernel": (1.0, REAL | FUNCTION), "axis": (None, FACES), "power": (0.0, PART | {"fraction"}),
        "integrand": (None, NONE | FUNCTION),
    },
    "Where": {"predicate": (lambda x: x[:, 0] < 0.5, FUNCTION), "on": ("left", FACES), "name": ("w", TEXT)},
    "Wave": {"speed": (1.0, POSITIVE | LATER)},
    "at_points": {"points": (np.zeros((3, 2)), NOTHING), "normals": (None, NONE), "targets": (np.zeros(3), NONE)},
    "blended_differences": {
        "first": (RASTER, NOTHING), "second": (RASTER, NOTHING), "alpha": (0.5, PART), "mask": (None, NONE | PART),
    },
    "face": {"domain": (SQUARE, NOTHING), "on": ("left", NONE)},
    "audio": {
        "samples": (np.ones(4), NOTHING), "rate": (8000.0, POSITIVE), "mono": (False, FLAG), "name": ("s", TEXT),
    },
    "video": {"frames": (np.zeros((2, 4, 4)), NOTHING), "name": ("f", TEXT)},
    "image": {"pixels": (np.zeros((4, 4)), NOTHING), "name": ("f", TEXT)},
    "interior": {"domain": (SQUARE, NOTHING)},
    "maximum": {"x": (0.0, NUMBERS - {"complex"}), "y": (0.0, NUMBERS - {"complex"})},
    "minimum": {"x": (0.0, NUMBERS - {"complex"}), "y": (0.0, NUMBERS - {"complex"})},
    "reference": {"problem": (POISSON, NOTHING), "shape": (9, NONE), "error": (False, FLAG), "progress": (False, FLAG)},
    "seismogram": {
        "field": (lambda x: x[:, 0], NOTHING), "receivers": (np.zeros((2, 1)), frozenset({"minus one", "zero", "fraction"})),
        "times": (np.zeros(3), NOTHING),
    },
    **{
        name: {"domain": (SQUARE, NOTHING), "weight": (0.1, POSITIVE), "smoothing": (1e-3, POSITIVE)}
        for name in ("hessian_norm", "total_variation")
    },
    "where": {"condition": (True, FLAG), "x": (1.0, NUMBERS), "y": (0.0, NUMBERS)},
    "learning.Augmentation": {
        "mirror": ((0,), LIST), "shift": ((0.1, 0.1), LIST), "gain": (0.1, FROM_ZERO | POSITIVE),
        "offset": (0.1, FROM_ZERO | POSITIVE),
    },
    "learning.AutoDecoder": {"steps": (2, COUNT), "noise": (0.1, POSITIVE)},
    "learning.ConditionedMLP": {
        "width": (4, COUNT), "depth": (1, FROM_ZERO), "latent": (4, COUNT), "activation": ("relu", NOTHING),
    },
    "learning.GridEncoder": {"shape": ((4, 4), NOTHING), "channels": ((2,), NOTHING), "width": (4, COUNT)},
    "learning.MeanField": {},
    "learning.MetaSGD": {"steps": (2, COUNT), "lr": (0.1, POSITIVE)},
    "learning.MiniBatchAdam": {
        "steps": (2, COUNT), "lr": (0.1, POSITIVE), "fields": (2, COUNT), "points": (4, COUNT | NONE),
        "context": ((1, None), NOTHING), "objective": (npde.learning.Supervised(), NOTHING),
        "augment": (npde.learning.Augmentation(), NOTHING), "schedule": (npde.training.Cosine(), NOTHING),
        "clip": (1.0, POSITIVE | NONE), "average": (0.5, PART), "record_every": (1, COUNT),
        "checkpoint_seconds": (9.0, POSITIVE),
    },
    "learning.Rasters": {"values": (np.zeros((2, 8, 8)), NOTHING), "like": (RASTER, NOTHING)},
    "learning.RegressionEncoder": {"features": (4, COUNT), "omega": (3.0, POSITIVE), "width": (4, COUNT)},
    "learning.SensorEncoder": {
        "places": (np.zeros((2, 1)), NOTHING), "width": (4, COUNT), "depth": (1, COUNT),
    },
    "learning.SetEncoder": {
        "width": (4, COUNT), "depth": (1, FROM_ZERO), "frequencies": (4, FROM_ZERO), "bandwidth": (3.0, POSITIVE),
    },
    "learning.Supervised": {"latent": (0.1, FROM_ZERO | POSITIVE), "weights": (0.1, FROM_ZERO | POSITIVE)},
    **{name: {"x": (np.ones(3), NUMBERS)} for name in ("abs", "cos", "exp", "log", "sin", "sqrt", "tanh")},
}  # fmt: skip

VARIADIC = {  # of any number of arguments: each in the place of the only one
    "Box": lambda value: npde.Box(value),
    "Piecewise": lambda value: npde.Piecewise(1.0, value),
    "Shots": lambda value: npde.Shots(value),
}
WITH_FILES = {"animate", "learn", "load", "read_video", "read_image", "read_audio", "solve", "surface_errors"} | {
    "error_estimate", "validate", "write_video", "write_image", "write_audio", "zero_set",
}  # fmt: skip
RESULTS = {
    "learning.Family",
    "ActivationStatistics",
    "Eigenpair",
    "ErrorEstimate",
    "GridSolution",
    "Image",
    "Inversion",
    "InversionReport",
    "Jet",
    "LayerStatistics",
    "TrainingState",
    "Report",
    "Solution",
    "SurfaceErrors",
    "Uncertainty",
    "ZeroSet",
}
"""Made by the package, not by users."""
INVERSION = {
    "AdamDescent", "Adjoint", "Balance", "Bandpass", "BoundedLBFGS", "Checkerboard", "Continuation", "Correlation",
    "Decimate", "Detrend", "EditTraces", "Envelope", "Gain", "GaussNewtonDescent", "Gridded", "Huber", "Joint", "L1",
    "L2", "Latent", "LineSource", "TimeWindow", "Topography", "Transport", "Multiscale", "Penalty", "PhaseOnly",
    "RandomVelocities", "Reduced", "Smoothness", "Survey", "Tikhonov", "TimeDomain", "TotalVariation", "Velocity",
    "WavefieldReconstruction", "dot_test", "inversion_report", "gradient", "invert", "migrate", "read_model",
    "reciprocity", "taylor_test", "uncertainty", "write_model",
}  # fmt: skip
"""The seismic side, which has a battery of its own."""
OTHERS = {
    "learning.Encoder", "learning.Fields", "learning.Objective", "learning.SampledFields", "learning.Samples",
    "DeclarationError", "DeclarationWarning", "Domain", "ResolutionError", "ResolutionWarning", "Status", "StorageError",
    "StorageWarning",
}  # fmt: skip
"""Errors and warnings, an enumeration, base classes, and data sets of fields, whose items are looked at by `learn`."""
NORMS = {
    "exact_solution", "outgoing", "penetrable_disk", "psnr", "relative_l2", "without_constant", "without_harmonic",
}  # fmt: skip
"""Error norms and exact fields, which take arrays as NumPy does."""

ERRORS = (DeclarationError, StorageError, ResolutionError)


PUBLIC = {
    name: getattr(module, name)
    for module in (npde, npde.data, npde.domains, npde.seismic, npde.training, npde.trials, npde.validation)
    for name in dir(module)
    if name[0] != "_" and not isinstance(getattr(module, name), types.ModuleType)
} | {
    f"learning.{name}": value
    for name, value in vars(npde.learning).items()
    if name[0] != "_" and not isinstance(value, types.ModuleType)
}
"""What `import neurapde as npde` offers, in its namespaces too."""


def offences(
    call: Callable[..., object],
    given: dict[str, Argument],
    argument: str,
    leave_out: frozenset[str] = NOTHING,
) -> list[str]:
    """What is wrong with the answers to wrong values of one argument."""
    lines, valid = [], {name: value for name, (value, _) in given.items()}
    for label, wrong in WRONG.items():
        if label in leave_out:
            continue
        accepted = label in given[argument][1]
        try:
            call(**{**valid, argument: wrong})
            if not accepted:
                lines.append(f"{argument}={shown(wrong)} is accepted in silence")
        except (*ERRORS, FileNotFoundError) as error:
            value = (shown(wrong)[:12], str(wrong)[:12], str(wrong).replace("-", "−"), type(wrong).__name__)
            named = (argument, argument[:4], *value, "shape", "values", callable(wrong) and "f(x)")
            if accepted:
                lines.append(f"{argument}={shown(wrong)} is refused: {error}")
            elif not any(word and word in str(error) for word in named):
                lines.append(f"{argument}={shown(wrong)} is not named by: {error}")
        except Exception as error:
            lines.append(f"{argument}={shown(wrong)} ends in {type(error).__name__}: {error}")
    return lines


def test_every_public_name_has_a_call() -> None:
    known = set(CALLS) | set(VARIADIC) | WITH_FILES | RESULTS | INVERSION | OTHERS | NORMS
    assert PUBLIC.keys() - known == set()
    assert known - PUBLIC.keys() == set()


@pytest.mark.parametrize("name", CALLS)
def test_every_argument_is_in_the_table(name: str) -> None:
    assert list(inspect.signature(PUBLIC[name]).parameters) == list(CALLS[name])


@pytest.mark.parametrize(
    ("name", "argument"), [(name, argument) for name, given in CALLS.items() for argument in given]
)
def test_a_wrong_argument_is_refused_by_name(name: str, argument: str) -> None:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        PUBLIC[name](**{parameter: value for parameter, (value, _) in CALLS[name].items()})
        assert offences(PUBLIC[name], CALLS[name], argument) == []


@pytest.mark.parametrize("name", [name for name in CALLS if dataclasses.is_dataclass(PUBLIC[name])])
def test_what_is_made_can_be_made_again_with_one_argument_changed(name: str) -> None:
    """The same argument twice: whatever is filled in when a thing is made, it is accepted again."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = PUBLIC[name](**{parameter: value for parameter, (value, _) in CALLS[name].items()})
        assert type(dataclasses.replace(made)) is type(made)
        for parameter in CALLS[name].keys() & {item.name for item in dataclasses.fields(made) if item.init}:
            dataclasses.replace(made, **{parameter: getattr(made, parameter)})


@pytest.mark.parametrize("name", VARIADIC)
def test_a_wrong_one_of_several_arguments_is_refused(name: str) -> None:
    taken = {"Shots": REAL | {"complex"} | LATER}.get(name, NOTHING)
    for label, wrong in WRONG.items():
        if label in taken:
            VARIADIC[name](wrong)
        else:
            with pytest.raises(DeclarationError, match=r"[;:]"):
                VARIADIC[name](wrong)


@pytest.fixture(scope="module")
def solution() -> npde.Solution:
    ball = npde.Disk((0, 0), 0.5)
    domain, equation = npde.Box((-1, 1), (-1, 1)), npde.Eikonal(surface=ball)
    problem = npde.Problem("ball", domain, equation, exact=ball.signed_distance)
    return npde.solve(problem, npde.RBF(8), npde.Adam(steps=1, points=8), device="cpu", progress=False)


METHODS: dict[str, dict[str, Argument]] = {
    "sample": {
        "count": (4, COUNT), "how": ("uniform", NOTHING), "generator": (None, NONE), "dtype": (torch.float64, NOTHING),
        "device": ("cpu", NOTHING),
    },
    "sample_boundary": {"count": (4, COUNT), "on": ("left", NONE), "how": ("uniform", NOTHING)},
    "contains": {"points": (np.zeros((3, 2)), frozenset({"empty array", "nan tensor"}))},
    "signed_distance": {"points": (np.zeros((3, 2)), frozenset({"empty array", "nan tensor"}))},
    "over": {"time": (npde.Time(0, 1), NOTHING)},
    "face_axis": {"face": ("left", NONE)},
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "argument"), [(name, argument) for name, given in METHODS.items() for argument in given]
)
def test_a_wrong_argument_of_a_domain_is_refused_by_name(name: str, argument: str) -> None:
    assert offences(getattr(SQUARE, name), METHODS[name], argument) == []


def test_wrong_points_are_refused_wherever_a_field_is_asked(solution: npde.Solution) -> None:
    grid = npde.reference(POISSON, 9, error=False)
    assert offences(npde.error_estimate, {"solution": (solution, NOTHING)}, "solution") == []
    for field in (solution, solution.gradient, solution.laplacian, grid):
        assert offences(field, {"points": (np.full((3, 2), 0.5), EMPTY)}, "points") == []


def test_wrong_files_and_shapes_are_refused(solution: npde.Solution, tmp_path: Path) -> None:
    file = tmp_path / "u.h5"
    solution.save(file)
    grid = npde.reference(POISSON, 9, error=False)
    calls: list[tuple[Callable[..., object], dict[str, Argument]]] = [
        (solution.export, {"path": (tmp_path / "u.vtu", NOTHING), "shape": (5, NONE)}),
        (grid.export, {"path": (tmp_path / "v.vtu", NOTHING)}),
        (
            npde.load,
            {
                "path": (file, NOTHING),
                "problem": (None, NONE),
                "trial": (None, NONE),
                "device": ("cpu", NOTHING),
            },
        ),
        (npde.data.write_image, {"path": (tmp_path / "a.png", NOTHING), "raster": (RASTER, NOTHING)}),
        (npde.data.read_image, {"source": ("camera", NOTHING), "size": (8, NONE), "gray": (False, FLAG)}),
        (npde.validation.zero_set, {"solution": (solution, NOTHING), "nodes": (9, NONE)}),
        (
            npde.validation.surface_errors,
            {"solution": (solution, NOTHING), "surface": (None, NONE), "nodes": (9, NONE)},
        ),
        (
            npde.validate,
            {
                "solution": (solution, NOTHING),
                "reference": (None, NONE),
                "shape": ((9, 9), NONE),
                "tolerance": (0.1, POSITIVE | NONE),
            },
        ),
        (
            npde.validation.animate,
            {
                "field": (lambda x: x[:, 0], NOTHING),
                "domain": (SQUARE.over(npde.Time(0, 1)), NOTHING),
                "path": (tmp_path / "a.gif", NOTHING),
                "frames": (1, COUNT),
                "pixels": (4, COUNT),
            },
        ),
    ]
    for call, given in calls:
        for argument in given:
            assert offences(call, given, argument) == [], call


def test_wrong_arguments_of_a_solve_are_refused() -> None:
    given: dict[str, Argument] = {
        "problem": (POISSON, NOTHING),
        "trial": (npde.RBF(4), NOTHING),
        "method": (npde.Adam(steps=1, points=8), NOTHING),
        "device": ("cpu", NOTHING),
        "dtype": (torch.float64, NOTHING),
        "seed": (0, FROM_ZERO),
        "resume": (False, NOTHING),
        "progress": (False, FLAG),
    }
    for argument in given:
        assert offences(npde.solve, given, argument, NONE) == []  # None leaves the choice to the package
    valid = {name: value for name, (value, _) in given.items()}
    for label in set(WRONG) - {"word", "none"}:
        with pytest.raises(DeclarationError, match="out"):
            npde.solve(**valid, out=WRONG[label])

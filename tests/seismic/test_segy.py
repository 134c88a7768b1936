"""SEG-Y: what is written is read, headers mean what the standard says, and bad headers are named by their bytes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import segyio

import neurapde as npde
from neurapde.core import memory
from neurapde.seismic.survey.formats import segy_files
from support import waves

F = segyio.TraceField


def survey(**changes: Any) -> npde.Survey:
    rng = np.random.default_rng(41263)
    arguments: dict[str, Any] = {
        "sources": [[250.5, 6.25], [500.0, 6.25], [1000.0, 7.0]],
        "receivers": np.column_stack([np.linspace(300.0, 900.0, 5), np.full(5, 12.5)]),
        "traces": rng.standard_normal((3, 5, 31)).astype(np.float32),
        "dt": 0.004,
    }
    return npde.Survey(**(arguments | changes))


def raw(
    path: Path, headers: list[dict[int, int]], *, binary: dict[Any, int] | None = None, samples: int = 20
) -> Path:
    """A file of noise with these trace headers, made by segyio alone."""
    rng = np.random.default_rng(18401)
    specification = segyio.spec()
    specification.format = 5
    specification.samples = np.arange(samples) * 4.0
    specification.tracecount = len(headers)
    with segyio.create(str(path), specification) as file:
        file.bin.update({segyio.BinField.Interval: 4000, segyio.BinField.Samples: samples, **(binary or {})})
        for i, header in enumerate(headers):
            file.header[i] = {F.TRACE_SAMPLE_COUNT: samples, F.TRACE_SAMPLE_INTERVAL: 4000, **header}
            file.trace[i] = rng.standard_normal(samples).astype(np.float32)
    return path


def line(**every: int) -> list[dict[int, int]]:
    """Two shots of three traces along x, in decimetres."""
    names = {name: getattr(F, name) for name in every}
    return [
        {
            F.FieldRecord: shot + 11,
            F.SourceX: 1000 * shot,
            F.GroupX: 500 + 250 * receiver,
            F.SourceGroupScalar: -10,
            **{names[name]: value for name, value in every.items()},
        }
        for shot in range(2)
        for receiver in range(3)
    ]


def test_what_is_written_is_read_exactly(tmp_path: Path) -> None:
    weights = np.ones((3, 5))
    weights[1, 2] = weights[2, 0] = 0
    written = survey(weights=weights, start_time=-0.012)
    back = npde.Survey.read(written.write(tmp_path / "line.sgy"), name="survey")
    for name in ("sources", "receivers", "traces", "dt", "start_time", "weights"):
        assert np.array_equal(getattr(back, name), getattr(written, name)), name
    assert {path.name for path in tmp_path.iterdir()} == {"line.sgy"}


def test_ibm_floats_are_read_to_their_own_precision(tmp_path: Path) -> None:
    written = survey()
    back = npde.Survey.read(written.write(tmp_path / "line.SEGY", ibm=True))
    with segyio.open(str(tmp_path / "line.SEGY"), ignore_geometry=True) as file:
        assert int(file.format) == 1
    # Base 16: as few as 21 bits of the mantissa count.
    assert back.traces == pytest.approx(written.traces, rel=2.0**-20)


def test_traces_arrive_where_segyio_puts_them(tmp_path: Path) -> None:
    path = raw(tmp_path / "line.sgy", line(DelayRecordingTime=-8))
    loaded = npde.Survey.read(path, source_variance=4.0)
    with segyio.open(str(path), ignore_geometry=True) as file:
        values = file.trace.raw[:]
    assert loaded.sources.tolist() == [[0.0, 0.0], [100.0, 0.0]]
    assert loaded.receivers.tolist() == [[50.0, 0.0], [75.0, 0.0], [100.0, 0.0]]
    assert np.array_equal(loaded.traces.reshape(6, -1), values)
    assert (loaded.dt, loaded.start_time, loaded.name) == (0.004, -0.008, "line")


@pytest.mark.parametrize(("scalar", "factor"), [(-100, 0.01), (0, 1.0), (1, 1.0), (100, 100.0)])
def test_negative_scalars_divide_positive_ones_multiply(scalar: int, factor: float, tmp_path: Path) -> None:
    loaded = npde.Survey.read(raw(tmp_path / "line.sgy", line(SourceGroupScalar=scalar)))
    assert loaded.receivers[:, 0] == pytest.approx(factor * np.array([500.0, 750.0, 1000.0]), rel=1e-12)


def test_feet_become_metres(tmp_path: Path) -> None:
    binary = {segyio.BinField.MeasurementSystem: 2}
    loaded = npde.Survey.read(raw(tmp_path / "line.sgy", line(SourceDepth=20), binary=binary))
    assert loaded.sources[1] == pytest.approx([100 * 0.3048, 20 * 0.3048], rel=1e-12)


def test_depth_is_below_the_datum(tmp_path: Path) -> None:
    headers = line(
        SourceDepth=80, SourceSurfaceElevation=1200, ReceiverGroupElevation=1100, ElevationScalar=-10
    )
    loaded = npde.Survey.read(raw(tmp_path / "line.sgy", headers))
    assert loaded.sources[:, 1].tolist() == [-112.0, -112.0]
    assert set(loaded.receivers[:, 1]) == {-110.0}
    given = npde.Survey.read(tmp_path / "line.sgy", source_depth=5.0, receiver_depth=8.0)
    assert set(given.sources[:, 1]) | set(given.receivers[:, 1]) == {5.0, 8.0}


def test_an_oblique_line_keeps_its_distances(tmp_path: Path) -> None:
    headers = line()
    for header in headers:
        for x, y in ((F.SourceX, F.SourceY), (F.GroupX, F.GroupY)):
            along = header[x]
            header[x], header[y] = 5_000_000 + 3 * along, 9_000_000 - 4 * along
    loaded = npde.Survey.read(raw(tmp_path / "line.sgy", headers))
    straight = npde.Survey.read(raw(tmp_path / "straight.sgy", line()))
    assert loaded.offsets == pytest.approx(5 * straight.offsets, abs=1e-6)
    assert min(loaded.sources[:, 0].min(), loaded.receivers[:, 0].min()) == pytest.approx(0.0, abs=1e-6)


def test_a_bent_line_is_warned_of(tmp_path: Path) -> None:
    headers = line()
    headers[4][F.GroupY] = 300
    with pytest.warns(npde.DeclarationWarning, match="from the line of length"):
        npde.Survey.read(raw(tmp_path / "line.sgy", headers))


def test_ragged_shots_have_weights_and_dead_traces_none(tmp_path: Path) -> None:
    headers = line()
    headers[5][F.GroupX] = 1250
    headers[1][F.TraceIdentificationCode] = 2
    headers.append({**headers[0], F.TraceIdentificationCode: 6})
    loaded = npde.Survey.read(raw(tmp_path / "line.sgy", headers))
    assert loaded.receivers[:, 0].tolist() == [50.0, 75.0, 100.0, 125.0]
    assert loaded.weights.tolist() == [[1, 0, 1, 0], [1, 1, 0, 1]]


def test_shots_are_told_by_their_sources_where_field_records_are_not(tmp_path: Path) -> None:
    loaded = npde.Survey.read(raw(tmp_path / "line.sgy", line(FieldRecord=0)))
    assert loaded.sources[:, 0].tolist() == [0.0, 100.0]
    repeated = npde.Survey.read(raw(tmp_path / "again.sgy", line(SourceX=100)))
    assert repeated.sources[:, 0].tolist() == [10.0, 10.0]


def test_a_shot_without_a_live_trace_is_left_out(tmp_path: Path) -> None:
    headers = line()
    for header in headers[:3]:
        header[F.TraceIdentificationCode] = 2
    with pytest.warns(npde.DeclarationWarning, match=r"1 of 2 shots of line\.sgy have no live trace"):
        loaded = npde.Survey.read(raw(tmp_path / "line.sgy", headers))
    assert loaded.sources.tolist() == [[100.0, 0.0]]


def changed(index: int, **values: int) -> list[dict[int, int]]:
    headers = line()
    headers[index] |= {getattr(F, name): value for name, value in values.items()}
    return headers


def far(**zero: int) -> list[dict[int, int]]:
    """The line at large coordinates, one trace's set to zero."""
    headers = line()
    for header in headers:
        for field in (F.SourceX, F.GroupX):
            header[field] += 6_000_000
    headers[2] |= {getattr(F, name): value for name, value in zero.items()}
    return headers


@pytest.mark.parametrize(
    ("headers", "binary", "text"),
    [
        (line(SourceX=0, GroupX=0), {}, r"source coordinates are missing .* bytes 73–80 .* pass sources="),
        (
            line(GroupX=0),
            {},
            r"receiver coordinates are missing .* bytes 81–88 are zero in 6 of 6 .* receivers=",
        ),
        (line(SourceX=0), {}, "source coordinates are missing"),
        (far(GroupX=0), {}, r"bytes 81–88 are zero in 1 of 6 traces"),
        (far(SourceX=0), {}, r"source"),
        (line(CoordinateUnits=2), {}, "angles"),
        (changed(4, SourceX=777), {}, r"field record 12 .* 2 source positions"),
        (changed(4, GroupX=500), {}, r"shot 1 of line\.sgy has more than one trace at \[50"),
        (changed(4, DelayRecordingTime=40), {}, r"start at 0 to 0\.04 s .* bytes 109–110"),
        (line(TraceIdentificationCode=6), {}, "bytes 29–30"),
        (line(TRACE_SAMPLE_INTERVAL=0), {segyio.BinField.Interval: 0}, "bytes 3217–3218"),
    ],
)
def test_bad_headers_are_named(
    headers: list[dict[int, int]], binary: dict[Any, int], text: str, tmp_path: Path
) -> None:
    path = raw(tmp_path / "line.sgy", headers, binary=binary)
    with pytest.raises(npde.DeclarationError, match=text):
        npde.Survey.read(path)


def test_positions_given_stand_in_for_headers(tmp_path: Path) -> None:
    path = raw(tmp_path / "line.sgy", line(SourceX=0, GroupX=0))
    sources, receivers = [[0.0, 5.0], [40.0, 5.0]], [[10.0, 0.0], [20.0, 0.0], [30.0, 0.0]]
    loaded = npde.Survey.read(path, sources=sources, receivers=receivers)
    assert loaded.sources.tolist() == sources
    assert loaded.receivers.tolist() == receivers
    assert loaded.live.all()
    moving = np.column_stack([10.0 * np.arange(6), np.zeros(6)])
    assert npde.Survey.read(path, sources=sources, receivers=moving).weights.sum() == 6
    with pytest.raises(
        npde.DeclarationError, match=r"3 sources were given, but line\.sgy has 2 shots of up to 3"
    ):
        npde.Survey.read(path, sources=receivers, receivers=receivers)
    with pytest.raises(npde.DeclarationError, match="receiver coordinates are missing"):
        npde.Survey.read(path, sources=sources)


def test_files_that_are_no_seg_y_are_refused(tmp_path: Path) -> None:
    (tmp_path / "line.sgy").write_bytes(b"no seg-y " * 10)
    with pytest.raises(npde.StorageError, match="cannot be read as SEG-Y"):
        npde.Survey.read(tmp_path / "line.sgy")
    with pytest.raises(FileNotFoundError, match="no file"):
        npde.Survey.read(tmp_path / "none.sgy")


def test_silence_is_refused(tmp_path: Path) -> None:
    path = survey().write(tmp_path / "line.sgy")
    with segyio.open(str(path), "r+", ignore_geometry=True) as file:
        for i in range(file.tracecount):
            file.trace[i] = np.zeros(31, np.float32)
    with pytest.raises(npde.DeclarationError, match="nothing was recorded"):
        npde.Survey.read(path)


def test_what_seg_y_cannot_hold_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "line.sgy"
    with pytest.raises(npde.DeclarationError, match="whole microseconds"):
        survey(dt=1.2345e-4).write(path)
    with pytest.raises(npde.DeclarationError, match="to_time"):
        survey().at([10.0]).write(path)
    with pytest.raises(npde.DeclarationError, match="3 coordinates"):
        survey(sources=np.ones((3, 3)), receivers=np.zeros((5, 3))).write(path)
    with pytest.raises(npde.DeclarationError, match="tenths of a microsecond"):
        survey(start_time=1 / 3).write(path)
    with pytest.raises(npde.DeclarationError, match="more than a SEG-Y header can store"):
        survey(sources=[[1e10, 0.0]] * 3).write(path)
    with pytest.raises(FileNotFoundError, match="no folder"):
        survey().write(tmp_path / "none" / "line.sgy")
    assert not list(tmp_path.iterdir())
    with pytest.warns(npde.DeclarationWarning, match="rounded by up to 4"):
        survey(sources=np.array([[1 / 3, 0.0]] * 3), receivers=np.linspace(0, 1, 10).reshape(5, 2)).write(
            path
        )


def columns(count: int) -> dict[str, Any]:
    """One shot and two receivers of so many samples."""
    rng = np.random.default_rng(70663)
    traces = rng.standard_normal((1, 2, count)).astype(np.float32)
    return {"sources": [[5.0, 1.0]], "receivers": [[7.0, 1.0], [9.0, 1.0]], "traces": traces}


@pytest.mark.parametrize("count", [32_768, 65_535])
def test_traces_as_long_as_two_bytes_say_come_back(count: int, tmp_path: Path) -> None:
    written = survey(**columns(count), dt=1e-4)
    back = npde.Survey.read(written.write(tmp_path / "long.sgy"))
    assert np.array_equal(back.traces, written.traces)


@pytest.mark.parametrize("ibm", [False, True])
@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (columns(65_536) | {"dt": 1e-4}, "have 65536 samples, but SEG-Y stores up to 65535; save as .h5"),
        (
            columns(9) | {"traces": np.full((1, 2, 9), 1e300)},
            "from 1e\\+300 to 1e\\+300, but 32-bit numbers",
        ),
        (
            columns(9) | {"traces": np.full((1, 2, 9), 1e-50)},
            "from 1e-50 to 1e-50, .* scale the traces, or save as .h5",
        ),
        (
            columns(9) | {"traces": np.full((1, 2, 9), 1.0) * [[[1.0], [1e-36]]]},
            "from 1e-36 to 1, .* scale the traces",
        ),
        ({"dt": 0.04}, "whole microseconds up to 32767"),
        ({"start_time": -40.0}, "start_time, in ms, of 40000 is more than"),
        ({"sources": [[0.0, 0.0]] * 3}, "source coordinates are missing.*move the origin.*save as .h5"),
        (
            {"receivers": [[300.0 + 1e-6 * i, 12.5] for i in range(5)]},
            "of 3 shots and 5 receivers 3 and 1 would be read",
        ),
        ({"receivers": [[2.2e9, 0.0]] * 5}, "2.2e\\+09 is more than a SEG-Y header can store"),
        ({"receivers": [[1.0, -2.2e9]] * 5}, "2.2e\\+09 is more than a SEG-Y header can store"),
    ],
)
def test_what_would_not_be_read_back_is_not_written(
    changes: dict[str, Any], text: str, ibm: bool, tmp_path: Path
) -> None:
    with pytest.raises(npde.DeclarationError, match=text):
        survey(**changes).write(tmp_path / "line.sgy", ibm=ibm)
    assert not list(tmp_path.iterdir())


def test_weights_that_are_lost_are_told(tmp_path: Path) -> None:
    weights = np.ones((3, 5))
    weights[0, 0] = 0.5
    with pytest.warns(npde.DeclarationWarning, match="weights from 0.5 to 1 will be read as 1"):
        survey(weights=weights).write(tmp_path / "line.sgy")


@pytest.mark.filterwarnings("ignore:positions are rounded")
@pytest.mark.parametrize("seed", range(30_001, 30_041, 2))
def test_any_survey_is_read_back_or_refused(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    shots, spread, samples = rng.integers(2, 5, 3)
    step, scale = 10.0 ** rng.integers(-4, 8), 10.0 ** rng.integers(-45, 45, endpoint=True)
    places = [step * rng.integers(-3, 4, (count, 2)) for count in (shots, spread)]
    written = npde.Survey(
        *places,
        traces=scale * rng.standard_normal((shots, spread, samples)),
        dt=float(rng.choice([1e-7, 2e-3, 4e-3, 0.05])),
        start_time=float(rng.choice([0.0, -0.1, 0.0005, 33.0])),
        name="Füße 漢" * 30,
    )
    try:
        path = written.write(tmp_path / "line.sgy", ibm=bool(rng.integers(2)))
    except npde.DeclarationError:
        return
    back = npde.Survey.read(path)
    for name in ("sources", "receivers", "dt", "start_time", "weights"):
        np.testing.assert_allclose(getattr(back, name), getattr(written, name), rtol=1e-12, atol=1e-4)
    np.testing.assert_allclose(back.traces, written.traces, rtol=2.0**-20, atol=1e-6 * scale)


def test_a_streamer_whose_shots_share_no_receiver_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = raw(tmp_path / "line.sgy", line())
    monkeypatch.setattr(memory, "free_memory", lambda device: 700)
    with pytest.raises(npde.DeclarationError, match=r"line\.sgy has 6 traces: 0 MB, but 0 MB are"):
        npde.Survey.read(path)
    monkeypatch.setattr(memory, "free_memory", lambda device: 10_000)
    headers = [
        {**header, F.GroupX: 37 * i, F.FieldRecord: i + 1, F.SourceX: i}
        for i, header in enumerate(line() * 2)
    ]
    with pytest.raises(
        npde.DeclarationError,
        match=r"has 12 shots and 12 receiver positions, with 20 samples.*read only spectra",
    ):
        npde.Survey.read(raw(path, headers))


def test_without_segyio_the_way_to_get_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = survey().write(tmp_path / "line.sgy")
    monkeypatch.setattr(segy_files, "segyio", None)
    with pytest.raises(npde.DeclarationError, match=r"pip install 'neurapde\[seismic\]'"):
        npde.Survey.read(path)
    with pytest.raises(npde.DeclarationError, match="segyio"):
        survey().write(path)


def swapped(places: Any) -> Any:
    return np.asarray(places)[:, ::-1]


@pytest.mark.filterwarnings("ignore:positions are rounded")
@pytest.mark.parametrize(
    ("mistake", "text"),
    [
        (
            {"sources": lambda p: np.add(p, [900.0, 0.0])},
            r"2 of 3 sources lie outside .*The positions are sources x",
        ),
        ({"sources": swapped, "receivers": swapped}, "columns? swapped: are the axes swapped"),
        (
            {"sources": lambda p: np.asarray(p) / 1e3, "receivers": lambda p: p / 1e3},
            "are they in kilometres",
        ),
        ({"sources": lambda p: np.asarray(p) / 1e3}, "do they mix kilometres and metres"),
        ({"sources": lambda p: np.asarray(p) * 1e3}, "would fit divided by 1000"),
        (
            {"receivers": lambda p: p * [1.0, -1.0], "sources": lambda p: np.asarray(p) * [1.0, -1.0]},
            "elevation",
        ),
    ],
    ids=["outside", "swapped", "kilometres", "mixed", "thousandfold", "elevation"],
)
def test_a_bad_file_stops_an_inversion_with_what_was_read(mistake: Any, text: str, tmp_path: Path) -> None:
    right = survey()
    places = {name: undo(getattr(right, name)) for name, undo in mistake.items()}
    path = survey(**places).write(tmp_path / "line.sgy")
    with pytest.raises(npde.DeclarationError, match=text):
        npde.invert(
            waves(npde.Box((0, 1200), (0, 400)), speed=2000.0),
            npde.Survey.read(path),
            frequencies=[10.0],
            method="adjoint",
        )

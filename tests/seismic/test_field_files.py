"""Files of the field: spectra read in parts, both orders of bytes, SU, entries at other bytes, scalars that are none."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import segyio

import neurapde as npde
from neurapde.core import memory
from neurapde.core.errors import DeclarationWarning
from neurapde.seismic.survey.formats import segy_files

F = segyio.TraceField
SAMPLES, INTERVAL = 50, 4000


def streamer(shots: int = 4, channels: int = 3, **every: int) -> list[dict[int, int]]:
    """A spread that moves with its source, 25 m a shot, in decimetres."""
    names = {getattr(F, name): value for name, value in every.items()}
    return [
        {
            F.FieldRecord: shot + 1,
            F.SourceX: 250 * shot + 5000,
            F.GroupX: 250 * (shot + channel) + 6000,
            F.SourceGroupScalar: -10,
            F.TRACE_SAMPLE_COUNT: SAMPLES,
            F.TRACE_SAMPLE_INTERVAL: INTERVAL,
            **names,
        }
        for shot in range(shots)
        for channel in range(channels)
    ]


def samples(count: int) -> np.ndarray:
    return np.random.default_rng(60271).standard_normal((count, SAMPLES)).astype(np.float32)


def write(path: Path, headers: list[dict[int, int]], endian: str = "big") -> Path:
    specification = segyio.spec()
    specification.format, specification.endian = 5, endian
    specification.samples = np.arange(SAMPLES) * INTERVAL / 1000
    specification.tracecount = len(headers)
    with segyio.create(str(path), specification) as file:
        file.bin.update({segyio.BinField.Interval: INTERVAL, segyio.BinField.Samples: SAMPLES})
        for index, (header, trace) in enumerate(zip(headers, samples(len(headers)), strict=True)):
            file.header[index] = header
            file.trace[index] = trace
    return path


def assert_same(survey: npde.Survey, expected: npde.Survey) -> None:
    for name in ("sources", "receivers", "weights"):
        np.testing.assert_array_equal(getattr(survey, name), getattr(expected, name))
    np.testing.assert_allclose(survey.record.values, expected.record.values, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("block", [1, 10**9])
def test_spectra_read_in_parts_are_those_of_the_traces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(segy_files, "BLOCK", block)
    path = write(tmp_path / "line.sgy", streamer())
    band = [5.0, 12.5, 40.0]
    loaded = npde.Survey.read(path, frequencies=band, taper=0.05)
    assert_same(loaded, npde.Survey.read(path).at(band, taper=0.05))


def test_a_moving_spread_too_large_for_memory_is_read_as_spectra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "line.sgy", streamer(30, 4))
    monkeypatch.setattr(memory, "free_memory", lambda device: 200_000)
    with pytest.raises(npde.DeclarationError, match="read only spectra, with frequencies="):
        npde.Survey.read(path)
    loaded = npde.Survey.read(path, frequencies=[5.0])
    assert loaded.data.shape == (1, 30, 33)
    assert loaded.live.sum() == 120


def test_delays_that_differ_turn_the_phases_of_spectra(tmp_path: Path) -> None:
    headers = streamer()
    plain = npde.Survey.read(write(tmp_path / "plain.sgy", headers), frequencies=[5.0, 10.0])
    for index, header in enumerate(headers):
        header[F.DelayRecordingTime] = 20 * (index % 2)
    path = write(tmp_path / "delayed.sgy", headers)
    with pytest.raises(npde.DeclarationError, match="read their spectra, with frequencies="):
        npde.Survey.read(path)
    loaded = npde.Survey.read(path, frequencies=[5.0, 10.0])
    turned = np.zeros(plain.weights.shape)
    rows, columns = np.nonzero(plain.live)
    order = np.lexsort((columns, rows))
    turned[rows[order], columns[order]] = 0.02 * (np.arange(12) % 2)
    phases = np.exp(-2j * np.pi * plain.frequencies[:, None, None] * turned)
    np.testing.assert_allclose(loaded.data, plain.data * phases, rtol=1e-12, atol=1e-15)


def test_little_endian_files_are_told_apart(tmp_path: Path) -> None:
    headers = streamer()
    big, little = (write(tmp_path / f"{order}.sgy", headers, order) for order in ("big", "little"))
    assert big.read_bytes() != little.read_bytes()
    assert_same(npde.Survey.read(little), npde.Survey.read(big))


@pytest.mark.parametrize("order", ["<", ">"])
def test_su_files_are_read_in_either_order(tmp_path: Path, order: str) -> None:
    headers = streamer()
    content = b""
    for header, trace in zip(headers, samples(len(headers)), strict=True):
        entry = bytearray(240)
        for field, value in header.items():
            short = field in (F.SourceGroupScalar, F.TRACE_SAMPLE_COUNT, F.TRACE_SAMPLE_INTERVAL)
            word = np.array(value, f"{order}i{2 if short else 4}").tobytes()
            entry[int(field) - 1 : int(field) - 1 + len(word)] = word
        content += bytes(entry) + trace.astype(f"{order}f4").tobytes()
    path = tmp_path / "line.su"
    path.write_bytes(content)
    assert_same(npde.Survey.read(path), npde.Survey.read(write(tmp_path / "line.sgy", headers)))


@pytest.mark.parametrize("endian", ["big", "little"])
def test_entries_are_read_where_they_are_said_to_be(tmp_path: Path, endian: str) -> None:
    expected = npde.Survey.read(write(tmp_path / "standard.sgy", streamer()))
    moved = [
        {**{k: v for k, v in header.items() if k != F.SourceX}, F.ShotPoint: header[F.SourceX]}
        for header in streamer()
    ]
    path = write(tmp_path / "moved.sgy", moved, endian)
    assert_same(npde.Survey.read(path, header_bytes={"source_x": 197}), expected)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"source": 197}, "the entry 'source'"),
        ({"source_x": 238}, "a whole number from 1 to 237"),
        ({"kind": 240}, "a whole number from 1 to 239"),
        (197, "no mapping"),
    ],
)
def test_entries_that_are_none_are_refused(tmp_path: Path, given: Any, said: str) -> None:
    path = write(tmp_path / "line.sgy", streamer())
    with pytest.raises(npde.DeclarationError, match=said):
        npde.Survey.read(path, header_bytes=given)


def test_a_scalar_that_the_standard_does_not_know_counts_as_one(tmp_path: Path) -> None:
    path = write(
        tmp_path / "line.sgy", streamer(ElevationScalar=82, SourceDepth=6, ReceiverGroupElevation=-8)
    )
    with pytest.warns(DeclarationWarning, match=r"bytes 69–70\) of line.sgy is 82 in 12 traces"):
        loaded = npde.Survey.read(path)
    assert set(loaded.sources[:, 1]) == {6.0}
    assert set(loaded.receivers[:, 1]) == {8.0}


def test_frequencies_beyond_nyquist_are_refused(tmp_path: Path) -> None:
    with pytest.raises(npde.DeclarationError, match="Nyquist"):
        npde.Survey.read(write(tmp_path / "line.sgy", streamer()), frequencies=[5.0, 130.0])


def test_floats_of_ibm_that_are_not_normalised_are_what_they_are(tmp_path: Path) -> None:
    """(−1)^s · fraction · 16^(e − 64), whatever the fraction's leading digits; segyio takes the first for not zero."""
    survey = npde.Survey([[0.0, 1.0]], [[100.0, 1.0]], traces=np.ones((1, 1, 4)), dt=0.004)
    path = survey.write(tmp_path / "line.sgy", ibm=True)
    words = np.array([0xB80480CC, 0x3809BD34, 0x41100000, 0x40000001], ">u4")
    path.write_bytes(path.read_bytes()[:-16] + words.tobytes())
    expected = [-0x0480CC / 16**14, 0x09BD34 / 16**14, 1.0, 2.0**-24]
    assert npde.Survey.read(path).traces[0, 0].tolist() == expected

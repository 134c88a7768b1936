"""SEG-Y of revision 2, written here byte by byte as the standard's tables 2 and 4 have it, and read."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurapde as npde

KINDS = {2: "i4", 3: "i2", 5: "f4", 6: "f8", 8: "i1", 9: "i8", 10: "u4", 11: "u2", 12: "u8", 16: "u1"}
X, DEPTH = 431_234.5678, 7.25
"""Of the first receiver, which grow by 12.5 and 0: no whole number of four bytes holds them at any scalar."""


def samples(count: int = 4, length: int = 60) -> np.ndarray:
    return np.round(np.random.default_rng(60917).uniform(1, 100, (count, length)))


class Header:
    """Bytes to put numbers in, counted as the standard counts them."""

    def __init__(self, size: int, order: str, first: int) -> None:
        self.bytes, self.order, self.first = bytearray(size), order, first

    def put(self, kind: str, *entries: tuple[int, Any]) -> None:
        for at, value in entries:
            struct.pack_into(self.order + kind, self.bytes, at - self.first, value)


def coded(traces: np.ndarray, form: int, order: str) -> bytes:
    if form in (7, 15):
        whole = traces.astype("<i4").view(np.uint8).reshape(*traces.shape, 4)[..., :3]
        return whole[..., :: 1 if order == "<" else -1].tobytes()
    return traces.astype(order + KINDS[form]).tobytes()


def write(
    path: Path,
    traces: np.ndarray,
    *,
    order: str = ">",
    form: int = 5,
    interval: float = 2500.0,
    extended: bool = False,
    said: int = 0,
    offset: int = 0,
    texts: tuple[bytes, ...] = (),
    text_count: int | None = None,
    further: int = 0,
    name: bytes = b"SEG00001",
    trailers: int = 0,
    constant: int = 16909060,
) -> Path:
    """extended: the numbers of samples and traces, and the interval, in the longer entries of revision 2 alone."""
    count, length = traces.shape
    head = Header(400, order, 3201)
    head.put("h", (3213, 0 if extended else count), (3217, 0 if extended else int(interval)))
    head.put("H", (3221, 0 if extended else length))
    head.put(
        "h", (3225, form), (3255, 1), (3503, 1), (3505, len(texts) if text_count is None else text_count)
    )
    head.put("i", (3297, constant), (3507, further), (3529, trailers))
    head.put("Q", (3513, said), (3521, offset))
    if extended:
        head.put("i", (3261, count), (3269, length))
        head.put("d", (3273, interval))
    head.bytes[300] = 2
    content = b" " * 3200 + bytes(head.bytes) + b"".join(text.ljust(3200) for text in texts)
    for index, trace in enumerate(traces):
        header = Header(240, order, 1)
        header.put("i", (9, 1), (13, index + 1), (41, -7), (73, 100), (81, 1000 + 10 * index))
        header.put("h", (29, 1), (69, 1), (71, -10))
        header.put("H", (115, 0 if extended else length), (117, 0 if extended else int(interval)))
        content += bytes(header.bytes)
        for number in range(further):
            extension = Header(240, order, 1)
            if number == 0:
                extension.put("d", (33, -DEPTH), (97, 431_000.25), (113, X + 12.5 * index))
                extension.bytes[232:240] = name
            content += bytes(extension.bytes)
        content += coded(trace, form, order)
    path.write_bytes(content + b"x" * 3200 * max(trailers, 0))
    return path


@pytest.mark.parametrize("form", [*KINDS, 7, 15])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("extended", [False, True])
def test_samples_of_every_format_are_read_in_either_order(
    tmp_path: Path, form: int, order: str, extended: bool
) -> None:
    path = write(tmp_path / "line.sgy", samples(), form=form, order=order, extended=extended)
    survey = npde.Survey.read(path)
    np.testing.assert_array_equal(survey.traces[0], samples())
    assert survey.dt == 0.0025
    np.testing.assert_allclose(survey.receivers, [[100 + i, 7] for i in range(4)])


def test_signed_numbers_of_three_bytes_may_be_negative(tmp_path: Path) -> None:
    survey = npde.Survey.read(write(tmp_path / "line.sgy", -samples(), form=7))
    np.testing.assert_array_equal(survey.traces[0], -samples())


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_trace_may_have_more_samples_than_two_bytes_count_and_a_fraction_of_a_microsecond(
    tmp_path: Path, order: str
) -> None:
    long = samples(2, 70_000)
    survey = npde.Survey.read(
        write(tmp_path / "line.sgy", long, order=order, form=6, interval=12.5, extended=True)
    )
    np.testing.assert_array_equal(survey.traces[0], long)
    assert survey.dt == pytest.approx(12.5e-6, rel=1e-12)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("further", [1, 3])
def test_places_of_the_first_extension_are_doubles(tmp_path: Path, order: str, further: int) -> None:
    survey = npde.Survey.read(write(tmp_path / "line.sgy", samples(), order=order, further=further))
    np.testing.assert_allclose(survey.receivers, [[X + 12.5 * i, DEPTH] for i in range(4)], rtol=1e-12)
    np.testing.assert_allclose(survey.sources, [[431_000.25, 0.0]], rtol=1e-12)
    np.testing.assert_array_equal(survey.traces[0], samples())


def test_headers_of_another_name_are_passed_over(tmp_path: Path) -> None:
    survey = npde.Survey.read(write(tmp_path / "line.sgy", samples(), further=2, name=b"OURS0001"))
    np.testing.assert_allclose(survey.receivers, [[100 + i, 7] for i in range(4)])
    np.testing.assert_array_equal(survey.traces[0], samples())


TEXTS = (b"((SEG: notes))", b"more", b"((SEG: EndText))")


@pytest.mark.parametrize(
    "options",
    [
        {"trailers": 2},
        {"texts": TEXTS},
        {"texts": TEXTS, "text_count": -1},
        {"texts": tuple(text.decode().encode("cp500") for text in TEXTS), "text_count": -1},
        {"texts": TEXTS, "text_count": -1, "offset": 3600 + 3 * 3200},
        {"said": 4, "trailers": -1},
        {"said": 3},
    ],
)
def test_what_stands_before_and_behind_the_traces_is_passed_over(tmp_path: Path, options: Any) -> None:
    path = write(tmp_path / "line.sgy", samples(), **options)
    if options.get("trailers") == -1:
        path.write_bytes(path.read_bytes() + b"((SEG: Layout))".ljust(3200))
    survey = npde.Survey.read(path)
    np.testing.assert_array_equal(survey.traces[0], samples()[: options.get("said")])


def test_spectra_and_entries_at_other_bytes_are_read_too(tmp_path: Path) -> None:
    path = write(tmp_path / "line.sgy", samples(), order="<", form=6, extended=True)
    spectra = npde.Survey.read(path, frequencies=[5.0, 20.0])
    np.testing.assert_allclose(spectra.data, npde.Survey.read(path).at([5.0, 20.0]).data, rtol=1e-12)
    moved = npde.Survey.read(path, header_bytes={"receiver_x": 13})
    np.testing.assert_allclose(moved.receivers[:, 0], [0.1, 0.2, 0.3, 0.4])


def test_models_of_revision_two_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "model.sgy", samples(), order="<", form=6, interval=5000.0, extended=True)
    model = npde.seismic.read_model(path)
    np.testing.assert_allclose(model.values, samples())
    np.testing.assert_allclose(model.bounds, ((100.0, 0.0), (103.0, 59 * 5.0)))


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "line.sgy"
    with pytest.raises(npde.StorageError, match="02 01 04 03 in bytes 3297–3300"):
        npde.Survey.read(write(path, samples(), constant=0x02010403))
    whole = write(path, samples()).read_bytes()
    path.write_bytes(whole[:-10])
    with pytest.raises(npde.StorageError, match="not whole traces of 60 samples and 1 headers"):
        npde.Survey.read(path)
    write(path, samples(), said=5)
    with pytest.raises(npde.StorageError, match="which are not 5 traces of 60 samples"):
        npde.Survey.read(path)
    content = bytearray(whole)
    content[3600 + 114 : 3600 + 116] = (59).to_bytes(2, "big")
    path.write_bytes(content)
    with pytest.raises(npde.StorageError, match="traces of 59 to 60 samples; only one length is read"):
        npde.Survey.read(path)
    content = bytearray(whole)
    content[3224:3226] = (4).to_bytes(2, "big")
    path.write_bytes(content)
    with pytest.raises(npde.StorageError, match="samples of format 4"):
        npde.Survey.read(path)

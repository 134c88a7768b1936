"""Run benchmarks, print their tables and keep their raw numbers.

    python benchmarks/run.py                        # all of them, minutes each
    python benchmarks/run.py training_step peers    # those named
    python benchmarks/run.py --small                # each in seconds, to see that it runs

The clock means little on a busy machine: close what else computes.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import accuracy
import audit
import bandwidth
import baselines
import deepxde
import eikonal
import elements
import faces
import first_layer
import harness
import held_out
import inversion
import learned_prior
import media
import memory
import multiscale
import overthrust
import paper_trainings
import peers
import picture_step
import placing
import regions
import room
import scaling
import shapes
import time_modelling
import training_step
import varying
import wave_family
import wave_training
import wavenumber
from harness import ROOT, Benchmark

BENCHMARKS: dict[str, Benchmark] = {
    module.__name__: module
    for module in (
        training_step,
        peers,
        wavenumber,
        elements,
        varying,
        bandwidth,
        baselines,
        first_layer,
        held_out,
        media,
        picture_step,
        eikonal,
        shapes,
        room,
        inversion,
        learned_prior,
        accuracy,
        placing,
        scaling,
        memory,
        time_modelling,
        overthrust,
        multiscale,
        wave_family,
        wave_training,
        paper_trainings,
        audit,
        regions,
        faces,
        deepxde,
    )
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmarks named, or all."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--only", nargs="+", default=(), metavar="KIND", help="kinds of problem, of deepxde")
    parser.add_argument("--small", action="store_true", help="at a size that takes seconds")
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / "runs" / "benchmarks",
        metavar="DIR",
        help="folder of the raw numbers",
    )
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in BENCHMARKS]:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    if unknown := set(options.only) - set(deepxde.NAMES):
        parser.error(f"no kind is called {', '.join(unknown)}; there are {', '.join(deepxde.NAMES)}")
    chosen = {**BENCHMARKS, "deepxde": deepxde.Chosen(tuple(options.only))}
    for name in options.names or BENCHMARKS:
        measured, record = harness.record(name, options.small, chosen[name])
        path = harness.save(record, options.out)
        print(harness.text(measured, record), f"\nRaw numbers: {path}\n", flush=True)


if __name__ == "__main__":
    main()

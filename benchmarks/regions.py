"""Is the stated error true where coefficients are constant by region? Random disks, rooms and plates by the default."""

import time
from typing import Any

import numpy as np
from harness import Measured
from regions_cases import FAMILIES, ROUNDED, SEED, judged

CASES = {"disks": 30, "close_disks": 10, "rooms": 5, "plates": 20}


def measure(small: bool) -> Measured:
    """All cases of every family, or the first one."""
    rows: list[dict[str, Any]] = []
    for family in FAMILIES:
        for number in range(1 if small else CASES[family.__name__]):
            began, start = time.perf_counter(), time.process_time()
            judgement = judged(family, number)
            rows.append(
                {
                    "family": family.__name__,
                    "case": number,
                    "method": judgement.method,
                    "true": judgement.true,
                    "estimate": judgement.estimate,
                    "converged": judgement.converged,
                    "warned": judgement.warned,
                    "silent": judgement.silent,
                    "wall": time.perf_counter() - began,
                    "computed": time.process_time() - start,
                }
            )
    notes = [f"Ratios are true error, less {ROUNDED:.0e}, over stated estimate, where a case converged."]
    return Measured({"seed": SEED, "cases": CASES}, rows, _table(rows), notes)


def _table(rows: list[dict[str, Any]]) -> list[list[str]]:
    table = [
        [
            "family",
            "cases",
            "Trefftz",
            "converged",
            "silent",
            "true, median",
            "worst",
            "ratio, worst",
            "CPU s, median",
        ]
    ]
    for name in dict.fromkeys(row["family"] for row in rows):
        mine = [row for row in rows if row["family"] == name]
        true = [row["true"] for row in mine]
        ratios = [max(row["true"] - ROUNDED, 0) / row["estimate"] for row in mine if row["converged"]]
        table.append(
            [
                name,
                str(len(mine)),
                str(sum(row["method"] == "Trefftz" for row in mine)),
                str(sum(row["converged"] for row in mine)),
                str(sum(row["silent"] for row in mine)),
                f"{np.median(true):.1e}",
                f"{max(true):.1e}",
                f"{max(ratios, default=0.0):.2f}",
                f"{np.median([row['computed'] for row in mine]):.2f}",
            ]
        )
    return table

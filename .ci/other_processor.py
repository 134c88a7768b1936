"""Run a command as an older processor would: NumPy, OpenBLAS, MKL and PyTorch without their newest instructions.

`python .ci/other_processor.py COMMAND …` sets what these libraries read at their start, and becomes that command. What
passes here and fails there rests on the last digits of one machine.
"""

import os
import sys

from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

optional = [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]
OLDER = {
    "NPY_DISABLE_CPU_FEATURES": " ".join(optional),
    "OPENBLAS_CORETYPE": "Sandybridge" if os.environ.get("OPENBLAS_CORETYPE") == "Nehalem" else "Nehalem",
    "MKL_CBWR": "COMPATIBLE",
    "ATEN_CPU_CAPABILITY": "default",
}
print(*(f"{name}={value!r}" for name, value in OLDER.items()), sep="\n", flush=True)
os.execvpe(sys.argv[1], sys.argv[1:], {**os.environ, **OLDER})

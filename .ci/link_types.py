"""Link the four rooms into one tree, build/types/neurapde, where type checkers find them as one package.

With --installed, the environment that runs this has the tree on its path: type checkers do not follow the import hook by
which an editable installation joins the rooms.
"""

import sys
import sysconfig
from pathlib import Path

root = Path(__file__).resolve().parent.parent
tree = root / "build" / "types" / "neurapde"
tree.mkdir(parents=True, exist_ok=True)
rooms = [root / name for name in ("problems", "reference_solvers", "validation")]
for link in tree.iterdir():
    if not link.exists():  # what it led to is gone
        link.unlink()
for source in [*(root / "neurapde").iterdir(), *rooms]:
    link = tree / source.name
    if source.name != "__pycache__" and not link.is_symlink():
        link.symlink_to(source)
if sys.argv[1:] == ["--installed"]:
    Path(sysconfig.get_path("purelib"), "neurapde_types.pth").write_text(f"{tree.parent}\n", encoding="utf-8")

"""Link the four rooms into one tree, build/types/neurapde, where type checkers find them as one package."""

from pathlib import Path

root = Path(__file__).resolve().parent.parent
tree = root / "build" / "types" / "neurapde"
tree.mkdir(parents=True, exist_ok=True)
rooms = [root / name for name in ("problems", "reference_solvers", "validation")]
for source in [*(root / "neurapde").iterdir(), *rooms]:
    link = tree / source.name
    if source.name != "__pycache__" and not link.is_symlink():
        link.symlink_to(source)

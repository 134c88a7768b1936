"""What compressed sounds and films are read with, the program of imageio's plugin, and files that other packages ship."""

from importlib.util import find_spec
from pathlib import Path

from neurapde.core.errors import DeclarationError
from neurapde.late import Late


def ffmpeg(purpose: str) -> str:
    """The path of the program. Raises: DeclarationError where the plugin is not installed."""
    if find_spec("imageio_ffmpeg") is None:
        raise DeclarationError(f"{purpose}, imageio needs its plugin: pip install neurapde[media]")
    return str(Late("imageio_ffmpeg").get_ffmpeg_exe())


def shipped(package: str, distribution: str, path: str) -> Path:
    """A file in the folder of a package, which is not imported. Raises: DeclarationError where that is not installed."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise DeclarationError(f"{path} comes with {distribution}: pip install neurapde[media]")
    return Path(spec.origin).parent / path

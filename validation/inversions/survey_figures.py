"""A survey before it is inverted, in one picture: its geometry in the model, one recorded shot, the spectrum."""

from matplotlib.figure import Figure

from neurapde.core.pictures.style import LETTERING, WIDTH, empty_figure
from neurapde.core.pictures.surveys import gather, geometry, spectrum
from neurapde.domains.base import Domain
from neurapde.seismic.survey.survey import Survey


def figure(survey: Survey, domain: Domain | None = None, *, shot: int | None = None) -> Figure:
    """Geometry on top; below, one shot's gather and the spectrum of all.

    domain: the model, drawn by the box around it. shot: of the gather, the middle one by default.
    Raises: DeclarationError for a geometry outside the model.
    """
    chosen = survey.shots // 2 if shot is None else shot
    drawn = empty_figure(WIDTH, 6.2)
    panels = drawn.subplot_mosaic(
        [["geometry", "geometry"], ["gather", "spectrum"]], height_ratios=[1.0, 1.1]
    )
    geometry(panels["geometry"], survey, chosen, *survey.frame(domain))
    panels["geometry"].legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=4, frameon=False, fontsize=LETTERING - 2
    )
    gather(panels["gather"], survey, chosen)
    spectrum(panels["spectrum"], survey)
    return drawn

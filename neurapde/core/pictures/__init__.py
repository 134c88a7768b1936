"""Pictures in one style, of plain numbers and domains; its parts are imported when something is first drawn.

matplotlib takes half a second to import, and most programs that solve something draw nothing. So a part of this room,
`pictures.style`, `pictures.fields`, …, is imported at its first use, and the rest of the house may name it anywhere.
"""

from typing import TYPE_CHECKING

from neurapde.late import FrontDoor

if TYPE_CHECKING:
    from neurapde.core.pictures import animations as animations
    from neurapde.core.pictures import domains as domains
    from neurapde.core.pictures import fields as fields
    from neurapde.core.pictures import histories as histories
    from neurapde.core.pictures import html as html
    from neurapde.core.pictures import panels as panels
    from neurapde.core.pictures import places as places
    from neurapde.core.pictures import style as style
    from neurapde.core.pictures import surveys as surveys

if not TYPE_CHECKING:
    __getattr__ = FrontDoor(__name__).get

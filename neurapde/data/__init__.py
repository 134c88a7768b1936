"""Sampled data: pictures, audio and video as samples on a regular grid, read from files and written to them."""

from neurapde.data.audio import audio as audio
from neurapde.data.audio import read_audio as read_audio
from neurapde.data.audio import write_audio as write_audio
from neurapde.data.blending import blended_differences as blended_differences
from neurapde.data.images import image as image
from neurapde.data.images import read_image as read_image
from neurapde.data.images import write_image as write_image
from neurapde.data.raster import Raster as Raster
from neurapde.data.video import read_video as read_video
from neurapde.data.video import video as video
from neurapde.data.video import write_video as write_video

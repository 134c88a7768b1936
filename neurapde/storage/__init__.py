"""Solutions as files: declarations as JSON, one HDF5 file, meshes for other programs."""

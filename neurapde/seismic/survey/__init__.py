"""Surveys: geometry, spectra and traces, files, transforms, quality control."""

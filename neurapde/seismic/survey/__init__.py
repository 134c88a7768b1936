"""What was recorded: geometry, spectra and traces, files, transforms, quality control."""

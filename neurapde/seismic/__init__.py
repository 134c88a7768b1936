"""Surveys and full-waveform inversion: from receiver data to a velocity."""

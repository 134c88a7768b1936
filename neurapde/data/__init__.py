"""Sampled data: pictures, sounds and films as samples on a regular grid, read from files and written to them."""

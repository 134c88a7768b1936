"""Declared problems solved on grids: one adapter from an equation to a reference solver a file."""

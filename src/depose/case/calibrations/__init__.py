"""Calibrations that ship with depose: numbers only, each made by `depose validate` on the source in its name."""

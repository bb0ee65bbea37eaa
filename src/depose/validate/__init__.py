"""Validation study on a labelled population: known error rates, and the calibration that `analyze` loads."""

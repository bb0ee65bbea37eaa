"""What stands in a case folder and is read from it: case file, protocol, tables, calibration, annexes, budget."""

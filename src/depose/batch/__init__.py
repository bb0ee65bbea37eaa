"""Many suspects against many references as one matrix."""

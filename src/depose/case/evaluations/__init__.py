"""Independent evaluations on families that took no part in any choice: a file each, by date and name."""

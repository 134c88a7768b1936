"""Unknown numbers and fields, found with the head: rows for both, Gauss–Newton steps, and uncertainty."""

"""Unknown numbers and fields, found with the head: rows by both, Gauss–Newton steps, how much the data tell."""

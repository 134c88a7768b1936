"""One run of a method: what it is given, what it finds, how it ended and its history."""

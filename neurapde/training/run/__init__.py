"""One run of a method: its task, its outcome, its status and its history."""

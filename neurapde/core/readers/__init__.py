"""Files of other people's making: each is read in a process of its own, so that a damaged one harms nothing."""

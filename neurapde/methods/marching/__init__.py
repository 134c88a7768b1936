"""Evolution in windows of time: collocation at Radau points in each, and elements in space if there is a space."""

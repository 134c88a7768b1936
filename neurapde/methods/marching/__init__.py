"""Evolution in windows of time: collocation at Radau points in each, on elements in space where there is one."""

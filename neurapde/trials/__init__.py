"""Trial functions: fields with trainable parameters that know their own derivatives."""

"""JT/T 808 in its editions of 2011, 2013 and 2019: frames, messages, sub-packets."""

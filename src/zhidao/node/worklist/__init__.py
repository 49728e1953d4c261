"""The worklist: what waits for one caller, over all kinds of act that somebody must do by hand."""

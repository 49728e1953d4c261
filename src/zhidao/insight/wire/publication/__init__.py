"""The report on digital public goods: its order form, its document, its page, its credential."""

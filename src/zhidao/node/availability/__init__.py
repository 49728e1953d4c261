"""One node on three machines: what each of them is given, and what is wrong with them."""

"""Keys in files, in a sealed export, and in a device of PKCS#11."""

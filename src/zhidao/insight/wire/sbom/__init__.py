"""Bills of materials of others: CycloneDX, SPDX 2 and SPDX 3 in JSON, and names of lock files."""

"""HTTP downloads: in parts, from several mirrors, continued where they broke off, checksums compared at the end."""

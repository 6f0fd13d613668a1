"""The audit: every image of the archives exactly once in each product, nothing else there, and all of it whole."""

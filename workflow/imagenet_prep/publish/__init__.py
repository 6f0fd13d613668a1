"""Copies of the products in an object store or another folder: compared, sent, verified, and listed in a manifest."""

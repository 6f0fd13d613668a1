"""The dataset's page: what there is, whether it is right, and what it looks like."""

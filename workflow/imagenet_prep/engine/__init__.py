"""What all products share: what each is made from, the receipts of what was made, and how it is cut into jobs."""

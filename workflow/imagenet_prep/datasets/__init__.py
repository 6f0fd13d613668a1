"""What is known of data sets before any of their files is there."""

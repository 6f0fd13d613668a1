"""The data sets: what each consists of, as declarations."""

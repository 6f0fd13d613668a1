"""What is made of the dataset: image folders, TFRecords, indexes, label files, the audit."""

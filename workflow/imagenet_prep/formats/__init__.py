"""Bytes, and nothing of ImageNet: tar, JPEG and PNG headers, TFRecord, PASCAL-VOC XML."""

{
 "file": "ILSVRC2012_bbox_train_v2.tar.gz"
}

"""How large the made-up ILSVRC2012 is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The `synthetic` section of the configuration, key by key; `configuration` checks the values.

    Attributes:
        seed: everything is drawn from it.
        classes: number of classes.
        train_images_per_class: images a class of the train archive, on average (a class has up to 25 % more or fewer).
        val_images_per_class: images a class of the val archive.
        test_images: images of the test archive.
        train_t3_classes: classes of the train_t3 archive, dogs first.
        train_t3_images_per_class: images a class of it.
        max_side: longest side of an image in pixels.
    """

    seed: int
    classes: int
    train_images_per_class: int
    val_images_per_class: int
    test_images: int
    train_t3_classes: int
    train_t3_images_per_class: int
    max_side: int

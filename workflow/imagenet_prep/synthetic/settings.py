"""How large the made-up ILSVRC2012 is."""

from __future__ import annotations

from dataclasses import dataclass, fields

from imagenet_prep.errors import PrepError

_LEAST = {"seed": 0, "max_side": 16}


@dataclass(frozen=True)
class Settings:
    """The `synthetic` section of the configuration, key by key.

    Args:
        seed: everything is drawn from it.
        classes: number of classes.
        train_images_per_class: images a class of the train archive, on average (a class has up to 25 % more or fewer).
        val_images_per_class: images a class of the val archive.
        test_images: images of the test archive.
        train_t3_classes: classes of the train_t3 archive, dogs first.
        train_t3_images_per_class: images a class of it.
        max_side: longest side of an image in pixels.

    Raises:
        PrepError: a number is too small, or train_t3 has more classes than there are.
    """

    seed: int
    classes: int
    train_images_per_class: int
    val_images_per_class: int
    test_images: int
    train_t3_classes: int
    train_t3_images_per_class: int
    max_side: int

    def __post_init__(self) -> None:
        for field in fields(self):
            value, least = getattr(self, field.name), _LEAST.get(field.name, 1)
            if value < least:
                raise PrepError(
                    f"configuration key synthetic.{field.name}", f"{value} is too small", f"Write {least} or more"
                )
        if self.train_t3_classes > self.classes:
            raise PrepError(
                "configuration key synthetic.train_t3_classes",
                f"{self.train_t3_classes} is more than classes ({self.classes})",
                f"Write at most {self.classes}",
            )

"""The scan of an archive of the official layout: a tar of class tars, or a flat tar of images."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from imagenet_prep.datasets.names import CLASS_TAR
from imagenet_prep.engine import archive_remedies
from imagenet_prep.engine.scan_rows import IMAGE_LIMIT, Row, row_of
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import remedies, tar
from imagenet_prep.formats.file_kind import PEEK, kind_of
from imagenet_prep.formats.passed_over import PassedOver
from imagenet_prep.formats.stream import EndOfStream, Stream

_SEVERAL = re.compile(r"(?i)\.(?:tar|tgz|gz|bz2|xz|zst|zip)$")
_IMAGE = re.compile(r"(?i)\.(?:jpe|jpeg|jpg|png)$")


class ArchiveScan:
    """The images of an archive in its order, each as its row.

    Args:
        stream: the bytes of the archive, from their beginning.
        path: of the archive; its base name goes into the rows.
        size: of the archive, in bytes.
        pattern: of the images' file names, a regular expression with `{wnid}` for the class.
        nested: whether it holds a tar for each class.

    Attributes:
        passed_over: the members that are no images.
        odd_header: the first image whose base name is not what its header begins with; None while there is none.
    """

    def __init__(self, stream: Stream, path: Path, size: int, pattern: str, nested: bool) -> None:
        self.passed_over = PassedOver()
        self.odd_header: str | None = None
        self._stream = stream
        self._path = path
        self._place = os.fspath(path)
        self._size = size
        self._pattern = pattern
        self._nested = nested

    def rows(self) -> Iterator[Row]:
        """All images.

        Raises:
            PrepError: a member is no whole image, has a name that does not belong here, or comes twice.
        """
        return self._of_class_tars() if self._nested else self._of_tar(self._size, None, None)

    def _of_class_tars(self) -> Iterator[Row]:
        classes: set[str] = set()
        for class_tar in tar.walk(self._stream, self._place, end=self._size, passed_over=self.passed_over):
            matched = CLASS_TAR.fullmatch(class_tar.name.rpartition("/")[2])
            if not matched:
                self._pass_over_beside_classes(class_tar)
                continue
            wnid = matched[1]
            if wnid in classes:
                raise self._refusal("a class archive of this name comes twice", class_tar)
            classes.add(wnid)
            end, images = class_tar.offset + class_tar.nbytes, 0
            for row in self._of_tar(end, wnid, class_tar.name):
                yield row
                images += 1
            if not images:
                raise self._refusal("the class archive holds no image", class_tar)

    def _of_tar(self, end: int, wnid: str | None, within: str | None) -> Iterator[Row]:
        fits = re.compile(self._pattern.format(wnid=wnid or r"n\d{8}"), re.ASCII).fullmatch
        seen: set[str] = set()
        for member in tar.walk(self._stream, self._place, end=end, within=within, passed_over=self.passed_over):
            filename = member.name.rpartition("/")[2]
            shown = f"{within}/{member.name}" if within else member.name
            if not fits(filename):
                self._pass_over_beside_images(member, shown, fits)
                continue
            if filename in seen:  # `walk` compares whole names; here two folders may not hold the same one
                raise self._refusal("two members have this file name", member, shown)
            seen.add(filename)
            if self.odd_header is None and not (member.is_named_in_header and member.name == filename):
                self.odd_header = shown
            yield self._row(member, shown, filename, wnid)

    def _pass_over_beside_classes(self, member: tar.Member) -> None:
        """Count a member that is no class tar, but refuse one that images would be lost with."""
        beginning = bytes(self._stream.take(min(PEEK, member.nbytes)))
        kind = kind_of(beginning)
        if (kind and kind.is_image) or _IMAGE.search(member.name):
            remedy = f"Make it again of a tar for each class: {archive_remedies.of_class_folders(self._place)}"
            raise self._refusal(
                "it holds images, where a tar for each class (nXXXXXXXX.tar) is expected", member, None, remedy
            )
        if (kind and kind.packed) or _SEVERAL.search(member.name):
            what = f" but {kind.name}" if kind and kind.packed else ""
            raise self._refusal(f"the member is no class archive (nXXXXXXXX.tar){what}", member)
        self.passed_over.note(member.name)

    def _pass_over_beside_images(self, member: tar.Member, shown: str, fits: Callable[[str], object]) -> None:
        """Count a member that is no image, but refuse one that is, under another name, or that others are in."""
        kind = kind_of(bytes(self._stream.take(min(PEEK, member.nbytes))))
        stem, _, suffix = member.name.rpartition("/")[2].rpartition(".")
        if suffix.lower() in ("jpg", "jpeg") and fits(f"{stem}.JPEG"):
            remedy = f"Rename them: {archive_remedies.renamed(self._place, class_tars=self._nested)}"
            raise self._refusal(f"the image ends in .{suffix}, where .JPEG is expected", member, shown, remedy)
        if (kind and kind.is_image) or _IMAGE.search(member.name):
            raise self._refusal("the file name is not one that this archive holds", member, shown)
        if (kind and kind.packed) or _SEVERAL.search(member.name):
            what = f" ({kind.name})" if kind else ""
            raise self._refusal(f"images are expected, and the member is another archive{what}", member, shown)
        self.passed_over.note(shown)

    def _row(self, member: tar.Member, shown: str, filename: str, wnid: str | None) -> Row:
        if member.nbytes > IMAGE_LIMIT:
            raise self._refusal(f"an image of {member.nbytes} bytes cannot be", member, shown)
        try:
            data = self._stream.take(member.nbytes)
        except EndOfStream as error:
            problem = "the archive ends inside this image: it is cut off"
            raise self._refusal(problem, member, shown, remedies.CUT_OFF) from error
        try:
            return row_of(data, filename, wnid, self._path.name, member.offset)
        except ValueError as error:
            raise self._refusal(str(error), member, shown) from error

    def _refusal(
        self, problem: str, member: tar.Member, shown: str | None = None, remedy: str = remedies.DAMAGED
    ) -> PrepError:
        return PrepError(self._path, problem, remedy, member=shown or member.name, offset=member.offset)

"""WebDataset shards, held against Python's own tarfile: what is written, and what is read."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import webdataset
from imagenet_prep.formats.stream import Stream

Samples = list[tuple[str, tuple[tuple[str, bytes], ...]]]

KEYS = st.text("abcXYZ019_-", min_size=1, max_size=40)
CONTENTS = st.binary(max_size=1500)
SAMPLES = st.lists(
    st.tuples(KEYS, st.tuples(*(st.tuples(st.just(kind), CONTENTS) for kind in ("jpg", "cls", "json")))),
    unique_by=lambda sample: sample[0],
    max_size=5,
)


def written(path: Path, samples: Samples) -> dict[str, Any]:
    with open(path, "wb", buffering=0) as file:
        return webdataset.write_samples(file, samples)


def read(path: Path) -> Samples:
    with open(path, "rb", buffering=0) as file, Stream(file) as stream:
        found = webdataset.read_samples(stream, str(path), path.stat().st_size)
        return [(key, tuple((kind, bytes(content)) for kind, (_, content) in of.items())) for key, of in found]


@given(SAMPLES)
def test_tarfile_reads_what_is_written(samples: Samples) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "shard.tar")
        content = written(path, samples)
        with tarfile.open(path) as tar:
            found = [(member, tar.extractfile(member).read()) for member in tar]  # type: ignore[union-attr]
        wanted = [(f"{key}.{kind}", content) for key, files in samples for kind, content in files]
        assert [(member.name, content) for member, content in found] == wanted
        assert {(member.mtime, member.uid, member.gid, member.uname, member.mode) for member, _ in found} <= {
            (0, 0, 0, "", 0o644)
        }
        first, *lines = content["beside"][0].decode().splitlines()
        assert first == f"v1.2 {len(samples)}"
        places = [(kind, int(offset), int(size), name) for line in lines for kind, offset, size, name in fours(line)]
        assert places == [
            (member.name.partition(".")[2], member.offset_data, member.size, member.name) for member, _ in found
        ]


def fours(line: str) -> list[list[str]]:
    words = line.split(" ")
    return [words[start : start + 4] for start in range(0, len(words), 4)]


@given(SAMPLES)
def test_tarfile_finds_in_a_header_what_it_would_write_itself(samples: Samples) -> None:
    for key, files in samples:
        for kind, content in files:
            member = tarfile.TarInfo(f"{key}.{kind}")
            member.size, member.mode = len(content), 0o644
            found = tarfile.TarInfo.frombuf(webdataset.header(member.name, member.size), "utf-8", "strict")
            assert found.get_info() | {"chksum": 0} == member.get_info()  # no checksum in what was not read


@given(SAMPLES)
def test_what_tarfile_writes_is_read(samples: Samples) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "shard.tar")
        members = [(f"{key}.{kind}", content) for key, files in samples for kind, content in files]
        path.write_bytes(builders.tar(members, tarfile.USTAR_FORMAT))
        assert read(path) == samples


def test_what_is_said_of_a_shard_is_what_is_written(tmp_path: Path) -> None:
    from crc32c import crc32c

    content = written(tmp_path / "shard.tar", [("a", (("jpg", b"image"), ("cls", b"7")))])
    data = (tmp_path / "shard.tar").read_bytes()
    assert (content["bytes"], content["crc32c"]) == (len(data), f"{crc32c(data):08x}")


@pytest.mark.parametrize("key", ["", "a.b", "x" * 100])
def test_a_name_that_readers_would_take_for_another_is_refused(key: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"key of a sample|fits in no header"):
        written(tmp_path / "shard.tar", [(key, (("jpg", b""),))])


def test_a_shard_that_is_cut_off_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "shard.tar"
    written(path, [(key, (("jpg", b"x" * 700), ("cls", b"1"))) for key in "abc"])
    whole = path.read_bytes()
    for end in range(0, len(whole) - 512, 300):
        path.write_bytes(whole[:end])
        with pytest.raises(PrepError):
            read(path)


def test_a_sample_with_two_files_of_one_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "shard.tar"
    output = io.BytesIO(builders.tar([("a.jpg", b"1"), ("./a.jpg2", b"2"), ("a.cls", b"3")]))
    path.write_bytes(output.getvalue().replace(b"./a.jpg2", b".//a.jpg"))
    with pytest.raises(PrepError):
        read(path)

"""What is published is what was audited, whole or without a manifest, and nothing is sent twice."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import google_crc32c
import pytest

from imagenet_prep.errors import PrepError
from imagenet_prep.filesystem import FileSystem
from imagenet_prep.publish.publication import Outcome
from publish import proxy
from publish.places import S3, Folder, Google, Other, Place, Products

Publish = Callable[..., Outcome]


def test_all_files_arrive_byte_by_byte_under_their_names(place: Place, products: Products, publish: Publish) -> None:
    publish(place.url)
    found = place.contents()
    del found["manifest.json"]
    assert found == products.published


def test_a_bucket_without_a_folder_takes_them_too(s3: S3, products: Products, publish: Publish) -> None:
    s3.client.create_bucket(Bucket="of-its-own")
    publish("s3://of-its-own")
    keys = {entry["Key"] for entry in s3.client.list_objects_v2(Bucket="of-its-own")["Contents"]}
    assert keys == {*products.published, "manifest.json"}
    assert publish("s3://of-its-own").sent == []


def test_the_manifest_has_size_and_checksums_of_each_file(place: Place, products: Products, publish: Publish) -> None:
    publish(place.url)
    manifest = json.loads(place.content("manifest.json"))
    assert manifest["files"] == {
        name: {
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "md5": hashlib.md5(content).hexdigest(),
            "crc32c": google_crc32c.Checksum(content).hexdigest().decode(),
        }
        for name, content in products.published.items()
    }


def test_the_same_products_make_the_same_manifest_everywhere(s3: S3, folder: Folder, publish: Publish) -> None:
    publish(s3.url)
    publish(folder.url)
    assert s3.content("manifest.json") == folder.content("manifest.json")


def test_what_is_there_is_not_sent_again(place: Place, publish: Publish) -> None:
    publish(place.url)
    before = place.contents()
    again = publish(place.url)
    assert (again.sent, again.removed) == ([], [])
    assert place.contents() == before


def test_a_finished_set_is_not_touched_again(remote: Place, publish: Publish) -> None:
    publish(remote.url)
    remote.proxy.requests.clear()
    publish(remote.url)
    assert {request.method for request in remote.proxy.requests} <= {"GET", "HEAD"}


def test_only_what_has_changed_is_sent(place: Place, products: Products, publish: Publish) -> None:
    publish(place.url)
    products.write(labels__classes=b"\r\nindex,wnid,\r\n", tables__images=b"other")
    assert set(publish(place.url).sent) == {"labels/classes", "tables/images", "SHA256SUMS"}
    assert place.content("labels/classes") == b"\r\nindex,wnid,\r\n"


def test_what_is_no_product_any_more_is_taken_away(place: Place, products: Products, publish: Publish) -> None:
    publish(place.url)
    products.write(tfrecord__train_of_1=None, tfrecord__train_of_2=b"half")
    assert publish(place.url).removed == ["tfrecord/train-of-1"]
    assert place.names() == {*products.published, "manifest.json"}


def test_files_of_others_stay(place: Place, products: Products, publish: Publish) -> None:
    place.write("tfrecord/notes", b"mine")
    publish(place.url)
    products.write(tables__images=None)
    publish(place.url)
    assert place.content("tfrecord/notes") == b"mine"


def test_what_was_damaged_there_is_mended(place: Place, products: Products, publish: Publish) -> None:
    publish(place.url)
    content = products.files["tables/images"]
    place.write("tables/images", bytes([content[0] ^ 1]) + content[1:])
    assert publish(place.url).sent == ["tables/images"]
    assert place.content("tables/images") == content


def test_what_was_deleted_there_comes_back(place: Place, products: Products, publish: Publish) -> None:
    publish(place.url)
    place.delete("labels/classes")
    assert publish(place.url).sent == ["labels/classes"]
    assert place.names() == {*products.published, "manifest.json"}


@pytest.mark.parametrize("earlier", [False, True], ids=["new", "changed"])
def test_no_manifest_is_there_while_sending(remote: Place, products: Products, publish: Publish, earlier: bool) -> None:
    if earlier:
        publish(remote.url)
        products.write(tfrecord__train_of_1=b"new", tables__images=b"new", labels__empty=None)
    seen: list[bool] = []
    look = proxy.watch(lambda: seen.append("manifest.json" in remote.names()))
    remote.proxy.misbehave(look, lambda request: request.sends, times=None)
    publish(remote.url)
    first, *products_and_manifest = seen
    assert first is earlier, "the list of what may lie there is written before anything changes"
    assert len(products_and_manifest) >= 4
    assert not any(products_and_manifest)
    assert remote.names() == {*products.published, "manifest.json"}


def test_the_next_run_knows_the_files_of_one_that_failed(remote: Place, products: Products, publish: Publish) -> None:
    publish(remote.url)
    products.write(labels__new=b"new", tables__images=None, tfrecord__train_of_1=b"x" * 500_000)
    remote.proxy.misbehave(proxy.denied, lambda request: request.nbytes >= 500_000, times=None)
    with pytest.raises(PrepError):
        publish(remote.url)
    assert "manifest.json" not in remote.names()
    assert "labels/new" in remote.names()
    remote.proxy.faults.clear()
    products.write(labels__new=None)
    publish(remote.url)
    assert remote.names() == {*products.published, "manifest.json"}


def test_a_manifest_of_something_else_is_not_overwritten(place: Place, products: Products, publish: Publish) -> None:
    place.write("manifest.json", b'{"name": "My web page"}')
    with pytest.raises(PrepError, match=r"manifest\.json: something else has written this file"):
        publish(place.url)
    assert place.contents() == {"manifest.json": b'{"name": "My web page"}'}


@pytest.mark.parametrize("name", ["../../precious", "/precious", "labels/../../precious"])
def test_a_manifest_cannot_make_files_outside_of_the_folder_go(folder: Folder, publish: Publish, name: str) -> None:
    publish(folder.url)
    manifest = json.loads(folder.content("manifest.json"))
    manifest["files"][name] = {}
    folder.write("manifest.json", json.dumps(manifest).encode())
    precious = folder.folder.parent.parent / "precious"
    precious.write_bytes(b"precious")
    with pytest.raises(PrepError, match="something else has written this file"):
        publish(folder.url)
    assert precious.read_bytes() == b"precious"


def test_a_file_changed_since_the_audit_is_not_published(place: Place, products: Products, publish: Publish) -> None:
    (products.folder / "tables" / "images").write_bytes(b"changed")
    with pytest.raises(PrepError, match="tables/images: it has changed since the audit"):
        publish(place.url)
    assert "manifest.json" not in place.names()
    assert "tables/images" not in place.names()


def test_a_file_that_is_gone_since_the_audit_is_told(place: Place, products: Products, publish: Publish) -> None:
    (products.folder / "tables" / "images").unlink()
    with pytest.raises(PrepError, match="tables/images: it is not there, and the audit saw it"):
        publish(place.url)
    assert place.names() == set()


def test_by_the_stores_own_checksums_nothing_needs_to_be_read_back(remote: Place, publish: Publish) -> None:
    publish(remote.url)
    publish(remote.url)
    read = [request for request in remote.proxy.requests if request.reads]
    assert [request for request in read if not request.is_about("manifest.json")] == []


def test_a_store_without_checksums_is_read_back(other: Other, products: Products, publish: Publish) -> None:
    content = products.files["tables/images"]
    other.write("tables/images", content[:-1] + bytes([content[-1] ^ 1]))
    assert "tables/images" in publish(other.url).sent
    assert other.content("tables/images") == content


def test_where_etags_are_no_checksums_files_are_read_back(s3: S3, products: Products, publish: Publish) -> None:
    s3.proxy.misbehave(proxy.encrypt, lambda request: request.method in ("GET", "HEAD"), times=None)
    publish(s3.url)
    assert set(s3.names()) == {*products.published, "manifest.json"}
    assert publish(s3.url).sent == []
    content = products.files["tables/images"]
    s3.write("tables/images", content[:-1] + b"!")
    assert publish(s3.url).sent == ["tables/images"]


def test_the_manifest_has_the_checksum_that_googles_store_has(google: Google, publish: Publish) -> None:
    publish(google.url)
    stored = {name: item["crc32c"] for name, item in google.listing().items() if name != "manifest.json"}
    files = json.loads(google.content("manifest.json"))["files"]
    assert stored == {name: base64.b64encode(bytes.fromhex(entry["crc32c"])).decode() for name, entry in files.items()}


@pytest.mark.parametrize(("nbytes", "files"), [(10, None), (None, 1)])
def test_a_folder_with_too_little_space_is_refused_before_the_first_byte_and_what_lies_there_counts(
    folder: Folder, publish: Publish, monkeypatch: pytest.MonkeyPatch, nbytes: int | None, files: int | None
) -> None:
    def full(path: Path) -> FileSystem:
        return FileSystem(0, path, nbytes, files)

    with monkeypatch.context() as while_full:
        while_full.setattr("imagenet_prep.publish.folder.file_system_at", full)
        with pytest.raises(PrepError, match=r"too little space: .*Make room"):
            publish(folder.url)
        assert folder.names() == set()
    publish(folder.url)
    folder.delete("manifest.json")
    monkeypatch.setattr("imagenet_prep.publish.folder.file_system_at", full)
    assert publish(folder.url).sent == []

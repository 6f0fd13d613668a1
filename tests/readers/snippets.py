"""The code that docs/readers.md gives for each reader, which is the code that is tested."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent.parent
READERS, README = CHECKOUT / "docs" / "readers.md", CHECKOUT / "README.md"

# What tells a block from the others of the page.
SNIPPETS = {
    "ImageFolder": 'ImageFolder("results',
    "root of ImageNet": "mkdir imagenet",
    "ImageNet": "import ImageNet",
    "Keras": "import keras",
    "Hugging Face": 'load_dataset("imagefolder"',
    "tf.data": "parse_single_example",
    "TFDS": 'builder_from_directory("results/tfrecord")',
    "TFDS, multi-label": 'builder_from_directory("results/tfrecord_multilabel")',
    "DALI": "fn.readers.tfrecord",
    "Images": "in_blocks",
    "Grain, archive": 'images = Images("results", split="train")\nsampler',
    "DALI, archive": "results/archive_index/dali",
    "ratarmount": "ratarmount --no-recreate-index",
    "ImageFolder, mounted": 'glob("mounted/*")',
    "timm, archive": "import ImageDataset",
    "Lance": "import lance",
    "fsspec": "import fsspec",
    "tfrecord": "import TFRecordDataset",
    "timm": "import create_dataset",
    "webdataset": "import webdataset",
    "DALI, WebDataset": "imagenet1k-train-*.idx",
    "Hugging Face, Parquet": 'load_dataset("results/parquet", split="train")',
    "Hugging Face, streaming": "streaming=True",
    "pandas, Parquet": "pd.concat",
    "DuckDB, Parquet": "FROM 'results/parquet",
    "TFDS, ArrayRecord": "as_data_source",
    "Grain": "ArrayRecordDataSource",
    "pandas": "merge(images",
    "DuckDB": "multilabel.parquet'",
    "one image": "archive.seek",
    "dd": "dd if=",
    "tar": "tar --extract",
    "sha256sum": "sha256sum",
}
CLASS_FOLDERS = ("ImageFolder", "ImageNet", "Keras", "Hugging Face")


@cache
def blocks() -> list[str]:
    """All blocks of code in docs/readers.md."""
    return _code(READERS.read_text(encoding="utf-8"))


def blocks_of_readme() -> list[str]:
    """All blocks of code in the README's section on reading."""
    section = re.search(r"^## Reading it\n(.*?)^## ", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert section is not None
    return _code(section[1])


def _code(text: str) -> list[str]:
    return re.findall(r"^```(?:python|sh)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def snippet(name: str, split: str = "train") -> str:
    """The block of a reader; for the validation set with the words changed that the page says to change."""
    (code,) = [block for block in blocks() if SNIPPETS[name] in block]
    if split == "validation":
        code = re.sub(r"\btrain\b", "val" if name in CLASS_FOLDERS else "validation", code)
    return code


def run(name: str, split: str = "train") -> dict[str, Any]:
    """Run a reader's Python block in this process and folder; return the names that it defines."""
    script = Path(f"{name} {split}.py").absolute()  # a file, since TensorFlow looks at the source of functions
    script.write_text(snippet(name, split), encoding="utf-8")
    names: dict[str, Any] = {}
    exec(compile(script.read_text(encoding="utf-8"), script, "exec"), names)
    return names


def run_in_shell(name: str, **variables: str | int) -> None:
    """Run a block of shell commands in this folder, with these variables set."""
    settings = "".join(f"{variable}={value}\n" for variable, value in variables.items())
    subprocess.run(["sh", "-e", "-c", settings + snippet(name)], check=True, stderr=subprocess.PIPE)

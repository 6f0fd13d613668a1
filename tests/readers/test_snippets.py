"""The code for reading, in docs/readers.md and the README: all of it is known to this suite."""

from readers.snippets import SNIPPETS, blocks, blocks_of_readme, snippet


def test_every_block_of_the_page_on_reading_is_one_that_is_run_here() -> None:
    assert sorted(blocks()) == sorted(snippet(name) for name in SNIPPETS)


def test_the_readmes_blocks_are_some_of_these() -> None:
    assert blocks_of_readme()
    assert set(blocks_of_readme()) <= set(blocks())

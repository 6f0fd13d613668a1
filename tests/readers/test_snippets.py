"""The README's code for reading: all of it is known to this suite."""

from readers.snippets import SNIPPETS, blocks, snippet


def test_every_block_of_the_section_on_reading_is_one_that_is_run_here() -> None:
    assert sorted(blocks()) == sorted(snippet(name) for name in SNIPPETS)

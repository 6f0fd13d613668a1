"""Why a source does not give what it was asked for, and what to do about it."""

from __future__ import annotations

TOKENS = "IMAGENET_PREP_TOKEN"  # the environment variable with the bearer tokens

BY_HAND = (
    "Get the archive by hand and put it there (ImageNet's own, with your account and under its terms, from "
    "https://image-net.org/download-images), give a url in the configuration that may be read, or leave it out of use"
)
CREDENTIALS = (
    f"Where a mirror wants to know you, put your login into ~/.netrc, or host=token into the variable {TOKENS}"
)
ADDRESS = "Correct the url in the configuration"
LATER = "Run the same command again later"
CERTIFICATE = (
    "Look whether the clock of this machine is right; where your institution has certificates of its own, name them in "
    "the environment variable REQUESTS_CA_BUNDLE"
)


class Failure(Exception):
    """Why a source did not give what was asked; `answer` is told with its address, `remedy` says what to do."""

    def __init__(self, answer: str, remedy: str) -> None:
        super().__init__(answer)
        self.answer = answer
        self.remedy = remedy


class Refused(Failure):
    """Asking the same source again would not help."""


class Interrupted(Failure):
    """Asking again may help; the server wants `wait` seconds before that."""

    def __init__(self, answer: str, remedy: str = LATER, wait: float | None = None) -> None:
        super().__init__(answer, remedy)
        self.wait = wait


class Changed(Exception):
    """The source has another version than the one of which a part is there; the text says what tells them apart."""


def stalled(seconds: float) -> Interrupted:
    """The failure where nothing, or next to nothing, comes."""
    return Interrupted(f"it stalled: next to nothing came for {seconds:g} s")


def closed_early() -> Interrupted:
    """The failure where an answer ends before its end."""
    return Interrupted("the connection failed: it was closed early")

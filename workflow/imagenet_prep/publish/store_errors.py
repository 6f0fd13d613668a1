"""Why a store does not take or give what it was asked for, and what to do about it."""

from __future__ import annotations

import re

from imagenet_prep.publish.address import KEY

CREDENTIALS = (
    "Give credentials as the store's own tools take them: for s3:// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
    "AWS_PROFILE; for gs:// gcloud auth application-default login, or GOOGLE_APPLICATION_CREDENTIALS"
)
RIGHTS = "Let its owner give you the right to list, read, write and delete there, or use other credentials"
PLACE = f"Make that bucket, or correct the {KEY}"
LATER = "Run the same command again later: what is there is not sent again"

_NO_CREDENTIALS = {
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialRetrievalError",
    "ProfileNotFound",
    "SSOError",
    "SSOTokenLoadError",
    "TokenRetrievalError",
    "UnauthorizedSSOTokenError",
    "DefaultCredentialsError",
    "MalformedError",
}
_BAD_CREDENTIALS = {
    "401",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
}
_NO_SUCH_PLACE = {"404", "NoSuchBucket", "InvalidBucketName", "InvalidName", "ParamValidationError"}
_FORBIDDEN = {"403", "AccessDenied", "AllAccessDisabled", "AccountProblem"}
_DAMAGED = {"BadDigest", "FlexibleChecksumError", "InvalidDigest", "XAmzContentChecksumMismatch"}
_QUERY = re.compile(r"\?[^\s'\"]*")


class Failure(Exception):
    """Why a store did not do what was asked; `remedy` says what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


class Refused(Failure):
    """Asking again would not help."""


class Interrupted(Failure):
    """Asking again may help."""

    def __init__(self, problem: str, remedy: str = LATER) -> None:
        super().__init__(problem, remedy)


class Damaged(Interrupted):
    """What a store holds, or gives, is not what was sent."""

    def __init__(self, said: str = "by its checksum") -> None:
        remedy = "Run the same command again; if it happens again, the network or the memory of a machine is damaged"
        super().__init__(f"what arrived there is not what was sent: {said}", remedy)


def failure_of(error: Exception) -> Failure | None:
    """What an error of a client means, whichever client it is; None where it means a fault of a program.

    The clients translate what the stores answered, each in its own way, and chain the original answer to it.
    """
    chain = list(_chain(error))
    signs = {sign for link in chain for sign in _signs(link)}
    said = _said(chain)
    if signs & _NO_CREDENTIALS:
        return Refused(f"there are no credentials for it: {said}", CREDENTIALS)
    if signs & _BAD_CREDENTIALS:
        return Refused(f"it does not accept the credentials: {said}", CREDENTIALS)
    if signs & _NO_SUCH_PLACE or isinstance(error, FileNotFoundError):
        return Refused(f"there is no such bucket or folder: {said}", PLACE)
    if signs & _FORBIDDEN or isinstance(error, PermissionError) or str(error).startswith("Forbidden"):
        return Refused(f"it does not let you do this: {said}", RIGHTS)
    if signs & _DAMAGED:
        return Damaged(said)
    if isinstance(error, NotImplementedError):
        return Refused("its client cannot write there", f"Choose another {KEY}")
    if isinstance(error, OSError) or type(error).__module__.partition(".")[0] not in ("builtins", "imagenet_prep"):
        return Interrupted(f"the transfer failed: {said}")
    if isinstance(error, (ValueError, RuntimeError)):  # which gcsfs makes of answers that it does not know
        return Refused(f"it refuses: {said}", LATER)
    return None


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _signs(error: BaseException) -> set[str]:
    """The class of an error, and the codes in it: `response` of botocore, `code` of gcsfs, `status` of aiohttp."""
    response = getattr(error, "response", None)
    answer = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    codes = (answer, getattr(error, "code", None), getattr(error, "status", None))
    return {type(error).__name__, *(str(code) for code in codes if isinstance(code, (int, str)))}


def _said(chain: list[BaseException]) -> str:
    """The words of the innermost error that has some, in one line, without what could be a signature in an address."""
    for error in reversed(chain):
        words = _QUERY.sub("", " ".join(str(error).split()))
        if words:
            return words if len(words) <= 200 else f"{words[:197]}..."
    return type(chain[0]).__name__

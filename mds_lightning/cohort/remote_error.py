"""What a remote file system's refusal means, in a sentence: one object's fault, or the whole store's."""

import errno
import os
from typing import Any

#: Codes of S3 that concern one object alone; other refusals concern the credentials.
_OF_ONE_OBJECT = ("AccessDenied", "403", "")
_UNREACHABLE = ("connect", "endpoint", "timeout", "timedout", "dns", "ssl", "proxy", "closed", "disconnected")
_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}
_CREDENTIALS = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE (FSSPEC_S3_ANON=true for a public "
    "bucket)",
    "gcs": "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS",
}
_ADDRESS = {"s3": " and, if it is not Amazon's, AWS_ENDPOINT_URL", "gcs": ""}


class RemoteError(ValueError):
    """A remote folder as a whole cannot be used; the message names it, the reason and the fix."""


def explain_refusal(url: str, error: Exception) -> Exception:
    """What to raise in place of `error`, which fsspec or the library below it raised for `url`.

    Returns:
        FileNotFoundError or PermissionError where one object is at fault, else a `RemoteError`.
    """
    kind = _EXTRAS.get(protocol(url), "")
    reason = " ".join(str(error).split()) or type(error).__name__
    name = type(error).__name__.lower()
    if isinstance(error, FileNotFoundError):
        return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), url)
    if isinstance(error, PermissionError) and _code(error) in _OF_ONE_OBJECT:
        return PermissionError(errno.EACCES, reason, url)
    if isinstance(error, ImportError):
        extra = f"pip install 'mds-lightning[{kind}]'" if kind else reason
        return RemoteError(f"{url}: a package is missing that reads {protocol(url)}://: {extra}")
    if isinstance(error, PermissionError) or "credential" in name or "credential" in reason.lower():
        return RemoteError(f"{url}: the credentials are missing or refused ({reason}): {_credentials(kind)}")
    if isinstance(error, ConnectionError | TimeoutError) or any(sign in name for sign in _UNREACHABLE):
        return RemoteError(
            f"{url}: its server cannot be reached ({reason}): check the network{_ADDRESS.get(kind, '')}, and "
            "run the same command again"
        )
    return RemoteError(f"{url}: cannot be read ({reason}): check the address, and run the same command again")


def explain_denied_listing(url: str, error: PermissionError) -> RemoteError:
    """What to raise where the names in a folder may not be listed."""
    kind = _EXTRAS.get(protocol(url), "")
    return RemoteError(
        f"{url}: may not be listed ({error.strerror}): allow it (s3:ListBucket, storage.objects.list), or "
        f"{_credentials(kind)}"
    )


def protocol(url: str) -> str:
    """What stands before `://`, in small letters."""
    return url.partition("://")[0].lower()


def _credentials(kind: str) -> str:
    return _CREDENTIALS.get(kind, "give them in the environment or in fsspec's configuration")


def _code(error: BaseException) -> str:
    """The store's own code of a refusal; '' where it gave none."""
    response: Any = getattr(error.__cause__, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""

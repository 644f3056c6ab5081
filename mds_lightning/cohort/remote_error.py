"""Explanations of errors of remote file systems: of one file, or of the whole folder."""

import errno
import os
from typing import Any

from mds_lightning.cohort.explained_error import ExplainedError

#: Error codes of S3 that concern one object; other permission errors concern the credentials.
_SINGLE_OBJECT = ("AccessDenied", "403", "")
_UNREACHABLE = ("connect", "endpoint", "timeout", "timedout", "dns", "ssl", "proxy", "closed", "disconnected")
_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}
_CREDENTIALS = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE (FSSPEC_S3_ANON=true for a public "
    "bucket)",
    "gcs": "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS",
}
_ADDRESS = {"s3": " and, if it is not Amazon's, AWS_ENDPOINT_URL", "gcs": ""}


class RemoteError(ExplainedError):
    """A remote folder as a whole cannot be used; the message names it, the reason and the remedy."""


def explain_remote_error(url: str, error: Exception) -> Exception:
    """The exception to raise instead of `error`, which fsspec or a library below it raised for `url`.

    Returns:
        FileNotFoundError or PermissionError if the error concerns one file, else a `RemoteError`.
    """
    kind = _EXTRAS.get(protocol(url), "")
    reason = " ".join(str(error).split()) or type(error).__name__
    name = type(error).__name__.lower()
    if isinstance(error, FileNotFoundError):
        return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), url)
    if isinstance(error, PermissionError) and _code(error) in _SINGLE_OBJECT:
        return PermissionError(errno.EACCES, reason, url)
    if isinstance(error, ImportError):
        extra = f"pip install 'mds-lightning[{kind}]'" if kind else reason
        return RemoteError(f"{url}: the package that reads {protocol(url)}:// is missing", extra)
    if isinstance(error, PermissionError) or "credential" in name or "credential" in reason.lower():
        return RemoteError(f"{url}: the credentials are missing or refused ({reason})", _credentials(kind))
    if isinstance(error, ConnectionError | TimeoutError) or any(sign in name for sign in _UNREACHABLE):
        return RemoteError(
            f"{url}: the server cannot be reached ({reason})",
            f"check the network{_ADDRESS.get(kind, '')}, and run the same command again",
        )
    return RemoteError(
        f"{url}: cannot be read ({reason})", "check the address, and run the same command again"
    )


def explain_denied_listing(url: str, error: PermissionError) -> RemoteError:
    """The exception to raise if listing a folder is denied."""
    kind = _EXTRAS.get(protocol(url), "")
    return RemoteError(
        f"{url}: cannot be listed ({error.strerror})",
        f"allow it (s3:ListBucket, storage.objects.list), or {_credentials(kind)}",
    )


def protocol(url: str) -> str:
    """The scheme of a URL, in lower case."""
    return url.partition("://")[0].lower()


def _credentials(kind: str) -> str:
    return _CREDENTIALS.get(kind, "give them in the environment or in fsspec's configuration")


def _code(error: BaseException) -> str:
    """The error code of the remote store, or ''."""
    response: Any = getattr(error.__cause__, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""

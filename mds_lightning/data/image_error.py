"""The error of an image that cannot be decoded."""

from mds_lightning.cohort.explained_error import ExplainedError


class ImageError(ExplainedError):
    """An image cannot be decoded; the message names the file, the reason and the remedy."""

    def __str__(self) -> str:
        # A worker of a data loader passes its traceback as the message.
        return super().__str__().rpartition("ImageError: ")[2].rstrip()


def reason_of(error: BaseException) -> str:
    """First line of the text of an error, or its type if it has none."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).splitlines()[0] if str(error) else type(error).__name__

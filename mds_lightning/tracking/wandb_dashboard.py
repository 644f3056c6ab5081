"""The dashboard of a study: a W&B report that compares its variants, folds and settings."""

import math
import threading
from collections.abc import Callable
from concurrent.futures import Future

import wandb
import wandb_workspaces.reports.v2 as reports

from mds_lightning.tracking.tracked import TrackedStudy
from mds_lightning.tracking.wandb_panels import lay_out

#: Characters that W&B's filter expressions change or do not accept in a value.
_UNFILTERABLE = "'\\=<>"


class PublicationError(ValueError):
    """A dashboard could not be published; the message says why and what to do."""


def publish_dashboard(study: TrackedStudy, entity: str | None, timeout: float) -> str:
    """Publish the dashboard of a study, or replace the one that was published before.

    Args:
        study: The study, whose runs are in W&B.
        entity: User or team of the runs; None: WANDB_ENTITY, or the default of the account.
        timeout: Seconds after which to give up.

    Returns:
        Address of the report.

    Raises:
        PublicationError: W&B is offline on this machine, no API key is configured, the project or its runs do
            not exist, or the server refused or did not answer in time.
    """
    unfilterable = sorted(set(study.name) & set(_UNFILTERABLE))
    if unfilterable:
        raise PublicationError(
            f"W&B cannot select the runs of a study whose name contains {' '.join(unfilterable)}: train it "
            "with another logger.wandb.study"
        )
    try:
        settings = wandb.setup().settings
        if settings.mode in ("offline", "dryrun", "disabled"):
            raise PublicationError(
                f"W&B is {settings.mode} on this machine: unset WANDB_MODE, or run `wandb online`"
            )
        # Not in the thread: it asks for a missing API key, if there is a terminal.
        api = wandb.Api(timeout=math.ceil(timeout))
        return _within(timeout, lambda: _publish(study, entity or settings.entity, api))
    except PublicationError:
        raise
    except TimeoutError:
        raise PublicationError(
            f"the W&B server did not answer within {timeout:g} s: check the network, or increase timeout="
        ) from None
    # Not only errors of W&B: its public API also raises those of requests and pydantic.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PublicationError(
            f"W&B could not be reached or refused ({reason}): check the network, `wandb login`, entity= and "
            "project="
        ) from error


def _publish(study: TrackedStudy, entity: str | None, api: wandb.Api) -> str:
    owner = entity or api.default_entity
    if owner is None:
        raise PublicationError("the account has no default user or team: give entity=")
    place = f"{owner}/{study.project}"
    if not len(api.runs(place, filters={"group": study.name}, per_page=1)):
        raise PublicationError(f"the project {place} contains no run of the study {study.name}")
    report = reports.Report(
        project=study.project,
        entity=owner,
        # W&B allows 128 characters.
        title=f"{study.name[:80]}: folds and backbones",
        blocks=lay_out(study, owner),
        width="fluid",
    )
    earlier = [one.id for one in api.reports(place) if one.display_name == report.title]
    report.id = earlier[0] if earlier else ""
    report.save()
    return str(report.url)


def _within(seconds: float, work: Callable[[], str]) -> str:
    """Return `work()`; raise TimeoutError if it takes longer (the timeout of the API is per request)."""
    result: Future[str] = Future()

    def deliver() -> None:
        try:
            result.set_result(work())
        except BaseException as error:
            result.set_exception(error)

    threading.Thread(target=deliver, daemon=True).start()
    return result.result(seconds)

"""Publish a dashboard: find its project, look whether its runs are there, and put it up or replace it."""

import json
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import quote

from mds_lightning.tracking.wandb_dashboard import Dashboard
from mds_lightning.tracking.wandb_server import PublicationError, Server

Result = TypeVar("Result")

_VIEWER = "query Viewer { viewer { entity username } }"
_PROJECT = """
query Project($entity: String!, $project: String!, $view: String!, $runs: JSONString!) {
  project(name: $project, entityName: $entity) {
    internalId
    runCount(filters: $runs)
    allViews(viewType: "runs", viewName: $view) { edges { node { id } } }
  }
}"""
_UPSERT = """
mutation Upsert($id: ID, $entity: String, $project: String, $name: String, $title: String, $spec: String) {
  upsertView(input: {
    id: $id, entityName: $entity, projectName: $project, type: "runs", name: $name, displayName: $title,
    description: "", spec: $spec, createdUsing: WANDB_SDK
  }) { view { id } inserted }
}"""


def publish_dashboard(dashboard: Dashboard, server: Server, entity: str | None, timeout: float) -> str:
    """Publish `dashboard`; a study that was published before gets its report replaced.

    Args:
        dashboard: Of the study.
        server: Where to.
        entity: User or team; None: the one set for W&B on this machine, else the account's own.
        timeout: Seconds after which to give up, all in all, whatever the network does.

    Returns:
        Address of the report.

    Raises:
        PublicationError: There is no such project, it holds none of the study's runs, the account may not
            write to it, or the server did not answer in time.
    """
    end = monotonic() + timeout

    def ask(query: str, **variables: Any) -> dict[str, Any]:
        left = end - monotonic()
        if left <= 0:
            raise TimeoutError
        return server.ask(query, variables, left)

    def publish() -> str:
        owner = entity or server.entity or _own_entity(server, ask)
        return _publish(dashboard, server, owner, ask)

    try:
        return _within(timeout, publish)
    except TimeoutError:
        raise PublicationError(
            f"{server.url} did not answer within {timeout:g} s: check the network, or wait longer (timeout=)"
        ) from None


def _own_entity(server: Server, ask: Callable[..., dict[str, Any]]) -> str:
    viewer = ask(_VIEWER).get("viewer") or {}
    owner = viewer.get("entity") or viewer.get("username")
    if not owner:
        raise PublicationError(f"{server.url} does not know the API key: run `wandb login --relogin`")
    return str(owner)


def _publish(dashboard: Dashboard, server: Server, owner: str, ask: Callable[..., dict[str, Any]]) -> str:
    place = f"{owner}/{dashboard.project}"
    runs = json.dumps({"group": dashboard.study})
    found = ask(_PROJECT, entity=owner, project=dashboard.project, view=dashboard.name, runs=runs)
    project = found.get("project")
    if project is None:
        raise PublicationError(
            f"{server.url} has no project {place} that this account may see: name the user or team "
            "with entity=, the project with project=; a project comes into being with its first run"
        )
    if not project.get("runCount"):
        raise PublicationError(f"the project {place} holds no run of the study {dashboard.study}")
    edges = (project.get("allViews") or {}).get("edges") or []
    answer = ask(
        _UPSERT,
        id=edges[0]["node"]["id"] if edges else None,
        entity=owner,
        project=dashboard.project,
        name=dashboard.name,
        title=dashboard.title,
        spec=json.dumps(dashboard.placed(owner, project["internalId"])),
    )
    view = (answer.get("upsertView") or {}).get("view") or {}
    if "id" not in view:
        raise PublicationError(
            f"{server.url} did not keep the dashboard in {place}: may this account write there?"
        )
    slug = quote(dashboard.title.replace(" ", "-"), safe="")
    return f"{server.app}/{quote(owner)}/{quote(dashboard.project)}/reports/{slug}--{view['id'].rstrip('=')}"


def _within(seconds: float, work: Callable[[], Result]) -> Result:
    """Do `work`, or leave it behind: no time-out of a request covers looking up a host or a slow trickle.

    Raises:
        TimeoutError: It took longer.
    """
    results: SimpleQueue[Result | BaseException] = SimpleQueue()

    def deliver() -> None:
        try:
            results.put(work())
        except BaseException as error:
            results.put(error)

    threading.Thread(target=deliver, daemon=True).start()
    try:
        result = results.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if isinstance(result, BaseException):
        raise result
    return result

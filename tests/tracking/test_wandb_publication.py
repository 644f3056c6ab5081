"""Publishing against a server on loopback, in every way that it can go."""

import json
import socket
import threading
import time

import pytest

from mds_lightning.tracking.tracked import TrackedStudy
from mds_lightning.tracking.wandb_dashboard import build_dashboard, run_sets
from mds_lightning.tracking.wandb_publication import publish_dashboard
from mds_lightning.tracking.wandb_server import PublicationError, Server

from .graphql import KEY, serve


@pytest.fixture(scope="module")
def dashboard():
    return build_dashboard(TrackedStudy("search", "smears", {}))


@pytest.fixture
def stub():
    with serve() as stub:
        yield stub


def server(url, entity=None):
    return Server(url, "https://app", KEY, entity)


def test_a_new_dashboard_arrives_as_it_was_built(stub, dashboard):
    url = publish_dashboard(dashboard, server(stub.url), None, timeout=10)
    assert url == "https://app/lab/smears/reports/search%3A-folds-and-backbones--VmlldzoxMjM"
    sent = stub.asked["Upsert"]
    assert (sent["id"], sent["entity"], sent["project"]) == (None, "lab", "smears")
    assert (sent["name"], sent["title"]) == (dashboard.name, dashboard.title)
    spec = json.loads(sent["spec"])
    assert spec == dashboard.placed("lab", "17")
    for runs in run_sets(spec):
        assert runs["project"] == {"name": "smears", "entityName": "lab", "id": "17"}
    assert stub.keys == {KEY}


def test_a_dashboard_that_is_there_is_replaced(stub, dashboard):
    stub.project["allViews"]["edges"] = [{"node": {"id": "here"}}]
    publish_dashboard(dashboard, server(stub.url), None, timeout=10)
    assert stub.asked["Project"]["view"] == dashboard.name
    assert stub.asked["Upsert"]["id"] == "here"


@pytest.mark.parametrize(
    ("given", "here", "used"), [("team", "mine", "team"), (None, "mine", "mine"), (None, None, "lab")]
)
def test_the_entity_is_the_one_given_else_that_of_the_machine_else_of_the_account(
    stub, dashboard, given, here, used
):
    publish_dashboard(dashboard, server(stub.url, here), given, timeout=10)
    assert stub.asked["Upsert"]["entity"] == used
    assert ("Viewer" in stub.asked) == (used == "lab")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": 401, "body": b"{}"}, r"refuses the API key \(HTTP 401\): run `wandb login --relogin`"),
        ({"status": 403, "body": b""}, r"refuses the API key \(HTTP 403\)"),
        ({"status": 502, "body": b"<html>"}, "answers HTTP 502 and no JSON"),
        ({"status": 200, "body": b"<html>"}, "answers HTTP 200 and no JSON"),
        ({"status": 200, "body": b'{"errors": [{"message": "no view"}]}'}, r"\(HTTP 200\): no view"),
        ({"status": 500, "body": b"{}"}, r"refuses \(HTTP 500\): no reason given"),
        ({"body": b'{"data": {"viewer": null}}'}, "does not know the API key"),
        ({"project": None}, r"has no project lab/smears .* entity=.* project="),
        ({"project": {"internalId": "1", "runCount": 0}}, "lab/smears holds no run of the study search"),
    ],
)
def test_a_refusal_is_told_in_its_own_words(stub, dashboard, change, message):
    for name, value in change.items():
        setattr(stub, name, value)
    with pytest.raises(PublicationError, match=message):
        publish_dashboard(dashboard, server(stub.url), None, timeout=10)
    assert "Upsert" not in stub.asked


def test_a_server_that_is_not_there_is_told_from_one_that_is_silent(stub, dashboard):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(PublicationError, match=r"cannot be reached \(Connection refused\)"):
        publish_dashboard(dashboard, server(f"http://127.0.0.1:{port}"), None, timeout=10)
    stub.silent = True
    began = time.monotonic()
    with pytest.raises(PublicationError, match=r"did not answer within 0\.5 s: .* \(timeout=\)"):
        publish_dashboard(dashboard, server(stub.url), None, timeout=0.5)
    assert time.monotonic() - began < 5


def test_a_trickle_of_bytes_does_not_prolong_the_time(dashboard):
    """Each byte starts the wait of a request anew; the time for all of it is kept nevertheless."""
    ended = threading.Event()

    def trickle(listening):
        connection, _ = listening.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not ended.wait(0.05):
                connection.sendall(b" ")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=trickle, args=(listening,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(PublicationError, match=r"did not answer within 0\.5 s"):
            publish_dashboard(dashboard, server(url), None, timeout=0.5)
        ended.set()
        thread.join(5)
        assert not thread.is_alive()


def test_a_bug_keeps_its_type(stub, dashboard, monkeypatch):
    def fail(*_):
        raise RuntimeError("a bug")

    monkeypatch.setattr(Server, "ask", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        publish_dashboard(dashboard, server(stub.url), None, timeout=10)

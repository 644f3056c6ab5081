"""W&B's server: who we are there, and one question at a time, answered or refused in plain words."""

from dataclasses import dataclass, field
from typing import Any

import requests
from wandb.errors import AuthenticationError
from wandb.sdk import wandb_setup
from wandb.sdk.lib import wbauth


class PublicationError(ValueError):
    """W&B did not take what was to be published; the message says why and what to do."""


@dataclass(frozen=True)
class Server:
    """A W&B server and the account used there.

    Not `wandb.Api`: that tells a refused connection, a server that is silent and one that fails by the same
    words ("the service process is busy"), and it may ask for a key in the terminal.

    Attributes:
        url: Of the API, such as `https://api.wandb.ai`.
        app: Of the pages people look at.
        key: API key.
        entity: User or team that is set for W&B on this machine, None if there is none.
    """

    url: str
    app: str
    key: str = field(repr=False)
    entity: str | None

    def ask(self, query: str, variables: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Send a GraphQL query and return its data.

        Args:
            query: GraphQL.
            variables: Of the query.
            seconds: How long to wait for the connection, and for each part of the answer.

        Raises:
            PublicationError: The server cannot be reached, or it refuses.
            TimeoutError: It does not answer.
        """
        try:
            answer = requests.post(
                f"{self.url}/graphql",
                json={"query": query, "variables": variables},
                auth=("api", self.key),
                timeout=seconds,
            )
        except requests.exceptions.SSLError as error:
            raise PublicationError(
                f"{self.url} has no certificate that this machine trusts ({error})"
            ) from None
        except requests.exceptions.Timeout:
            raise TimeoutError from None
        except requests.exceptions.RequestException as error:
            raise PublicationError(
                f"{self.url} cannot be reached ({_innermost(error)}): check the network, proxies, and "
                "WANDB_BASE_URL if the server is your own"
            ) from None
        if answer.status_code in (401, 403):
            raise PublicationError(
                f"{self.url} refuses the API key (HTTP {answer.status_code}): run `wandb login --relogin`, "
                "or set WANDB_API_KEY to a key of this server"
            )
        return _data(self.url, answer)


def find_server() -> Server:
    """The server and account that W&B's own commands would use here.

    Raises:
        PublicationError: W&B is switched off here, set up wrongly, or no API key is known.
    """
    try:
        settings = wandb_setup.singleton().settings
    except ValueError as error:
        told = " ".join(str(error).split())
        raise PublicationError(f"W&B's settings are wrong, check the WANDB_ variables ({told})") from None
    if settings.mode in ("offline", "dryrun", "disabled"):
        raise PublicationError(
            f"W&B is {settings.mode} on this machine: unset WANDB_MODE, or run `wandb online`"
        )
    try:
        found = wbauth.authenticate_session(
            host=settings.base_url, source="mds-lightning", prompt=False, update_session=False
        )
    except AuthenticationError as error:
        raise PublicationError(
            f"W&B's API key cannot be used ({error}): run `wandb login --relogin`"
        ) from None
    if not isinstance(found, wbauth.AuthApiKey):
        raise PublicationError(
            f"no API key for {settings.base_url} is known: run `wandb login`, or set WANDB_API_KEY"
        )
    return Server(settings.base_url.rstrip("/"), settings.app_url, found.api_key, settings.entity)


def _data(url: str, answer: requests.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except requests.exceptions.JSONDecodeError:
        content = None
    if not isinstance(content, dict):
        raise PublicationError(
            f"{url} answers HTTP {answer.status_code} and no JSON: try later, or check WANDB_BASE_URL"
        )
    errors = content.get("errors")
    if errors or answer.status_code != 200 or not isinstance(content.get("data"), dict):
        told = "; ".join(
            str(error.get("message", error)) for error in errors or [] if isinstance(error, dict)
        )
        raise PublicationError(f"{url} refuses (HTTP {answer.status_code}): {told or 'no reason given'}")
    data: dict[str, Any] = content["data"]
    return data


def _innermost(error: BaseException) -> str:
    """The system's own words for a broken connection, out of the layers around them."""
    inner = error
    while (cause := inner.__cause__ or inner.__context__) is not None:
        inner = cause
    return str(getattr(inner, "strerror", None) or inner)

import pytest
import wandb

from mds_lightning.tracking.wandb_server import PublicationError, find_server

from .graphql import KEY


@pytest.fixture(autouse=True)
def nobody(tmp_path, monkeypatch):
    """A machine where no one has logged in to W&B."""
    for name in ("WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    # Within a process W&B remembers the variables that it saw first.
    wandb.teardown()
    yield
    wandb.teardown()


def test_the_key_is_that_of_the_environment_or_of_wandb_login(tmp_path, monkeypatch):
    with pytest.raises(PublicationError, match="run `wandb login`, or set WANDB_API_KEY"):
        find_server()
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    known = find_server()
    assert known.key == KEY
    assert known.url.startswith("https://")
    assert KEY not in repr(known)
    monkeypatch.delenv("WANDB_API_KEY")
    host = known.url.removeprefix("https://")
    (tmp_path / "netrc").write_text(f"machine {host}\n  login user\n  password {'n' * 40}\n")
    assert find_server().key == "n" * 40


def test_a_key_that_is_none_is_refused_before_it_is_sent(monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "short")
    with pytest.raises(PublicationError, match=r"API key cannot be used .* `wandb login --relogin`"):
        find_server()


def test_an_identity_token_is_no_key(tmp_path, monkeypatch):
    (tmp_path / "token").write_text("token")
    monkeypatch.setenv("WANDB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    with pytest.raises(PublicationError, match="no API key"):
        find_server()

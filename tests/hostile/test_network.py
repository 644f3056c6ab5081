"""No verb calls another machine, also with `logger=wandb`, unless the user names one."""

import re

import pytest

#: A system call with an internet address: family, port, address.
_ADDRESS = re.compile(r"sa_family=AF_INET6?, .*?htons\((\d+)\).*?\"([0-9a-f.:]+)\"")


def test_no_verb_sends_a_web_request(made) -> None:
    assert made.calls == []


def test_no_verb_looks_up_a_name_or_calls_an_address(made) -> None:
    if made.trace is None:
        pytest.skip("needs strace, and the permission to trace")
    assert "AF_UNIX" in made.trace, "W&B and its service talk through a socket, which is traced"
    addresses = {(port, address) for port, address in _ADDRESS.findall(made.trace)}
    local = ("127.", "::1")
    outside = {one for one in addresses if not one[1].startswith(local) or one[0] == "53"}
    assert outside == set()

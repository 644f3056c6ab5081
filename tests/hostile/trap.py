"""A server on this machine that answers nothing and counts who calls, as a proxy of all web requests too."""

import socket
from threading import Thread


class Trap:
    """Attributes: `calls`, the first bytes of every connection."""

    def __init__(self) -> None:
        self.calls: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        Thread(target=self._serve, daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.getsockname()[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """Sends requests of every library to the trap, and lets no library call the cloud by itself."""
        names = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy")
        proxies = dict.fromkeys(names, f"http://{self.host}")
        return (
            proxies
            | {name.upper(): value for name, value in proxies.items()}
            | {"no_proxy": "", "NO_PROXY": ""}
        )

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(1)
                try:
                    self.calls.append(connection.recv(200))
                except OSError:
                    self.calls.append(b"")

    def close(self) -> None:
        self._server.close()

"""A local S3 server."""

import logging
import re
from pathlib import Path


class ObjectStore(logging.Handler):
    """A real S3 server on loopback with one bucket, and the requests that it was asked.

    Attributes:
        bucket: URL of the bucket.
        environment: What a user's shell would hold.
        requests: Method and path of every request since the last `clear`.
    """

    def __init__(self, bucket: str) -> None:
        from moto.server import ThreadedMotoServer

        super().__init__()
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.server.start()
        host, port = self.server.get_host_and_port()
        self.bucket = f"s3://{bucket}"
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "anyone", "AWS_SECRET_ACCESS_KEY": "secret",
            # One attempt: a server that has gone would delay the test.
            "AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip
        self.requests: list[tuple[str, str]] = []
        log = logging.getLogger("werkzeug")
        log.setLevel(logging.INFO)
        log.propagate = False
        log.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        found = re.search(r"(GET|HEAD|PUT|DELETE|POST) (/\S*) HTTP", record.getMessage())
        if found is not None:
            self.requests.append((found[1], found[2]))

    @property
    def reads(self) -> list[str]:
        """Paths of the objects that were read, once for each time."""
        return [path for method, path in self.requests if method == "GET" and "?" not in path]

    def clear(self) -> None:
        self.requests.clear()

    def filesystem(self):
        from fsspec.core import url_to_fs

        return url_to_fs(self.bucket, use_listings_cache=False, skip_instance_cache=True)[0]

    def upload(self, folder: Path, name: str) -> str:
        """Copy `folder` into the bucket under `name`, and return its URL."""
        filesystem = self.filesystem()
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            filesystem.pipe_file(f"{self.bucket}/{name}/{path.relative_to(folder)}", path.read_bytes())
        self.clear()
        return f"{self.bucket}/{name}"

    def stop(self) -> None:
        if self.server._server is not None:
            self.server.stop()
            self.server._server = None
        logging.getLogger("werkzeug").removeHandler(self)

"""Keep-alive connections to one local server."""

import http.client
import threading
from collections.abc import Mapping

Answer = tuple[int, dict[str, str], bytes]


class ServerGone(Exception):
    """The server cannot be reached or broke off."""


class ServerTimeout(Exception):
    """The server did not answer in time."""


class Connections:
    """A pool of HTTP connections to 127.0.0.1:`port`; one is taken for each request and put back after it."""

    def __init__(self, *, port: int, timeout: float) -> None:
        self._port = port
        self._timeout = timeout
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()

    def request(self, *, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """One request; headers of the answer have lower-case keys. Raises ServerGone or ServerTimeout."""
        connection, used = self._take()
        try:
            return self._exchange(connection, method, path, headers, body)
        except TimeoutError as error:
            connection.close()
            raise ServerTimeout(f"no answer from the model server within {self._timeout:.0f} s") from error
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            if not used:
                raise ServerGone(f"the model server broke off: {error!r}") from error
        # The server may have closed an idle connection in the meantime; a fresh one says whether it lives.
        self.close()
        return self.request(method=method, path=path, headers=headers, body=body)

    def close(self) -> None:
        """Closes the connections that are idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Answer:
        connection.request(method, path, body=body, headers=dict(headers))
        response = connection.getresponse()
        content = response.read()
        answer = response.status, {key.lower(): value for key, value in response.getheaders()}, content
        if response.will_close:
            connection.close()
        else:
            with self._lock:
                self._idle.append(connection)
        return answer

    def _take(self) -> tuple[http.client.HTTPConnection, bool]:
        with self._lock:
            if self._idle:
                return self._idle.pop(), True
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._timeout), False

"""The shop's sessions in memcached, by its text protocol."""

import socket
import threading


class Sessions:
    """`seen(session)` looks a session up and stores it when it is not there. One connection a thread."""

    def __init__(self, server, truth, ttl_seconds):
        self._server = server
        self._truth = truth
        self._ttl = max(1, round(ttl_seconds))
        self._local = threading.local()

    def _ask(self, request, ends):
        stream = getattr(self._local, "stream", None)
        try:
            if stream is None:
                with socket.create_connection(("127.0.0.1", self._server.port), 5) as s:
                    stream = self._local.stream = s.makefile("rwb")
            stream.write(request)
            stream.flush()
            answer = b""
            while not answer.endswith(ends):
                line = stream.readline()
                if not line:
                    raise OSError("memcached closed the connection")
                answer += line
            return answer
        except OSError:
            self._local.stream = None
            return None

    def seen(self, session):
        answer = self._ask(f"get session:{session}\r\n".encode(), b"END\r\n")
        if answer is None:
            return False
        hit = answer.startswith(b"VALUE")
        self._truth.count("lookups", "memcached", "session", "hit" if hit else "miss", "" if hit else "new or expired")
        if not hit:
            self._ask(f"set session:{session} 0 {self._ttl} 2\r\nok\r\n".encode(), b"STORED\r\n")
        return hit

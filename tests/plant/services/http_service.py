"""An HTTP server whose requests are logged and counted."""

import http.server
import json
import re
import socket
import threading
import time
import uuid


class Router:
    """Routes are written as METHOD /models/{id}; a handler gets the values of the braces and the body, and returns (status, object)."""

    def __init__(self, routes):
        self._routes = []
        for route, handler in routes.items():
            method, template = route.split(" ", 1)
            pattern = re.compile("^" + re.sub(r"\{\w+\}", "([^/]+)", template) + "$")
            self._routes.append((method, template, pattern, handler))

    def find(self, method, path):
        for m, template, pattern, handler in self._routes:
            match = pattern.match(path)
            if m == method and match:
                return template, handler, match.groups()
        return "other", None, ()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536
    service = None  # set by the subclass that HttpService makes

    def log_message(self, *_):  # our own log instead
        pass

    def _answer(self):
        begin = time.monotonic()
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        trace = self.headers.get("X-Request-ID") or uuid.uuid4().hex
        path = self.path.split("?", 1)[0]
        status, answer, route = self.service.handle(self.command, path, body, trace, self.headers)
        data = json.dumps(answer).encode()
        self.service.account(self.command, route, path, status, time.monotonic() - begin, trace)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: the names that http.server asks for


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, *arguments):
        self._open = set()
        super().__init__(*arguments)

    def process_request(self, request, client_address):
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        pass  # a client that went away

    def break_connections(self):
        for request in list(self._open):
            try:
                request.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class HttpService:
    """`start` and `stop` any number of times; the port stays the same. A request is logged and counted before it is answered, so
    that whoever has the answer finds it in the truth."""

    def __init__(self, name, routes, truth, log, instance="", quiet=()):
        self.name = name
        self.instance = instance or name
        self._router = Router(routes)
        self._truth = truth
        self._log = log
        self._quiet = quiet  # routes that are neither logged nor counted
        self._server = None
        self._thread = None
        self.port = 0

    def start_http(self):
        handler = type("Handler", (_Handler,), {"service": self})
        self._server = _Server(("127.0.0.1", self.port), handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.5}, daemon=True, name=self.instance)
        self._thread.start()

    def stop_http(self):
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.break_connections()
            self._server = None

    def handle(self, method, path, body, trace, headers):
        route, handler, values = self._router.find(method, path)
        if handler is None:
            return 404, {"error": f"there is no {method} {path}"}, route
        try:
            status, answer = handler(*values, body=body, trace=trace, headers=headers)
        except Exception as e:  # pylint: disable=broad-except  # as any web framework: 500 and a stack trace
            self._log.error("request failed", e, route=route, trace_id=trace)
            status, answer = 500, {"error": "internal error"}
        return status, answer, route

    def account(self, method, route, path, status, seconds, trace):
        if route in self._quiet:
            return
        self._truth.count("requests", self.name, self.instance, route, method, str(status), seconds=seconds)
        more = {"instance": self.instance} if self.instance != self.name else {}
        self._log.info("request", method=method, route=route, path=path, status=status, duration_s=round(seconds, 6), trace_id=trace, **more)


class Probe:
    """The body of GET /healthz."""

    def __call__(self, **_):
        return 200, {"status": "ok"}

"""GET /truth: what is true, as JSON. POST /scenario/NAME: another scenario. Neither logged nor counted."""

import http.server
import json
import threading


class TruthServer:
    def __init__(self, answers, actions=None):
        """`answers`: path -> function that returns what is sent as JSON. `actions`: the same for POST; what the function raises as
        ValueError is the client's mistake."""
        actions = actions or {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):  # the name that http.server asks for
                answer = answers.get(self.path.split("?", 1)[0])
                paths = [*sorted(answers), *(f"POST {path}" for path in sorted(actions))]
                self._send(200 if answer else 404, answer() if answer else {"paths": paths})

            def do_POST(self):
                action = actions.get(self.path)
                try:
                    self._send(200 if action else 404, action() if action else {"paths": sorted(actions)})
                except ValueError as e:
                    self._send(400, {"error": str(e)})

            def _send(self, status, what):
                data = json.dumps(what, indent=1).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True, name="truth").start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

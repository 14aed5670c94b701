"""GET /truth: what is true, as JSON. Neither logged nor counted."""

import http.server
import json
import threading


class TruthServer:
    def __init__(self, answers):
        """`answers`: path -> function that returns what is sent as JSON."""

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):  # the name that http.server asks for
                answer = answers.get(self.path.split("?", 1)[0])
                data = json.dumps(answer() if answer else {"paths": sorted(answers)}, indent=1).encode()
                self.send_response(200 if answer else 404)
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

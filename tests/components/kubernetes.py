"""As much of the API of Kubernetes as kube-state-metrics reads: pods and replica sets, listed and watched over HTTP as its documentation
says (https://kubernetes.io/docs/reference/using-api/api-concepts/). No registry has an API server; what is asked of this one is real.

    with KubeApi() as api:
        api.put(pod("shop", "shop-1", ["shop"], sidecars=["sidelight"]))
        api.delete("Pod", "shop", "shop-1")
"""

import copy
import datetime
import http.server
import json
import threading
import time
import urllib.parse
import uuid

PATHS = {"/api/v1/pods": ("Pod", "v1"), "/apis/apps/v1/replicasets": ("ReplicaSet", "apps/v1")}
VERSION = {"major": "1", "minor": "29", "gitVersion": "v1.29.0", "gitCommit": "", "gitTreeState": "", "buildDate": "1970-01-01T00:00:00Z",
           "goVersion": "", "compiler": "", "platform": ""}


def _metadata(namespace, name, owner=None):
    out = {"namespace": namespace, "name": name, "uid": str(uuid.uuid4()),
           "creationTimestamp": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")}
    if owner:
        out["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "uid": str(uuid.uuid4()), "controller": True}]
    return out


def _status(name, phase):
    now = "2026-01-01T00:00:00Z"
    state = {"Running": {"running": {"startedAt": now}}, "Pending": {"waiting": {"reason": "PodInitializing"}},
             "Succeeded": {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}}}[phase]
    return {"name": name, "image": f"registry.example/{name}:1", "imageID": f"registry.example/{name}@sha256:{'0' * 64}",
            "containerID": f"containerd://{name}", "ready": phase == "Running", "started": phase == "Running", "restartCount": 0, "state": state}


def pod(namespace, name, containers, sidecars=(), phase="Running", owner=None):
    """A pod; `sidecars` are native ones, init containers that are always restarted and run beside the others."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": _metadata(namespace, name, owner),
            "spec": {"nodeName": "node-1", "containers": [{"name": c, "image": f"registry.example/{c}:1"} for c in containers],
                     "initContainers": [{"name": c, "image": f"registry.example/{c}:1", "restartPolicy": "Always"} for c in sidecars]},
            "status": {"phase": phase, "containerStatuses": [_status(c, phase) for c in containers],
                       "initContainerStatuses": [_status(c, phase) for c in sidecars]}}


def replica_set(namespace, name, replicas=1):
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": _metadata(namespace, name),
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}}, "status": {"replicas": replicas, "readyReplicas": replicas}}


class KubeApi:
    """Holds objects; each change has a resource version, and watchers get what came after theirs."""

    def __init__(self):
        self._objects = {}  # (kind, namespace, name) -> object
        self._changes = []  # (resource version, event type, object)
        self._version = 1
        self._changed = threading.Condition()
        self._closed = False
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # pylint: disable=invalid-name
                url = urllib.parse.urlsplit(self.path)
                query = dict(urllib.parse.parse_qsl(url.query))
                if url.path == "/version":
                    self._answer(200, VERSION)
                elif url.path not in PATHS:
                    self._answer(404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404,
                                       "message": "the server could not find the requested resource"})
                elif query.get("watch") in ("true", "1"):
                    self._watch(PATHS[url.path][0], int(query.get("resourceVersion") or 0), float(query.get("timeoutSeconds", 300)))
                else:
                    self._answer(200, api.listed(*PATHS[url.path]))

            def _answer(self, status, answer):
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def _watch(self, kind, version, seconds):
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                try:
                    for event in api.events(kind, version, seconds):
                        line = json.dumps(event).encode() + b"\n"
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                        self.wfile.flush()
                    self.wfile.write(b"0\r\n\r\n")
                except OSError:
                    self.close_connection = True

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def _change(self, what, key, made):
        self._version += 1
        made["metadata"]["resourceVersion"] = str(self._version)
        self._changes.append((self._version, what, key[0], made))
        self._changed.notify_all()

    def put(self, made):
        """Adds an object, or changes the one with its name, which stays the same object."""
        made = copy.deepcopy(made)
        key = (made["kind"], made["metadata"]["namespace"], made["metadata"]["name"])
        with self._changed:
            what, before = "ADDED", self._objects.get(key)
            if before:
                what = "MODIFIED"
                made["metadata"] |= {k: before["metadata"][k] for k in ("uid", "creationTimestamp")}
            self._objects[key] = made
            self._change(what, key, made)

    def delete(self, kind, namespace, name):
        with self._changed:
            key = (kind, namespace, name)
            self._change("DELETED", key, copy.deepcopy(self._objects.pop(key)))

    def listed(self, kind, version):
        with self._changed:
            return {"kind": f"{kind}List", "apiVersion": version, "metadata": {"resourceVersion": str(self._version)},
                    "items": [o for (k, _, _), o in self._objects.items() if k == kind]}

    def events(self, kind, version, seconds):
        """What happened after `version`, as it happens, for so many seconds."""
        until = time.monotonic() + seconds
        while True:
            with self._changed:
                news = [(v, what, made) for v, what, k, made in self._changes if v > version and k == kind]
                if not news:
                    left = until - time.monotonic()
                    if left <= 0 or self._closed:
                        return
                    self._changed.wait(left)
                    continue
            for version, what, made in news:
                yield {"type": what, "object": made}

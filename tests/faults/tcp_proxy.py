"""A TCP proxy on a thread of its own that cuts connections, for protocols that fault_proxy.py does not know.

    with TcpProxy(upstream_port) as proxy:
        proxy.cut_after = (20_000, 200_000)   # each new connection is cut after so many bytes of the client, at random between these
        proxy.cut_all()                       # those that are open, now
        proxy.hold = True                     # nothing passes, nothing is closed
"""

import random
import selectors
import socket
import struct
import threading


class TcpProxy:
    def __init__(self, upstream, port=0, seed=1):
        self.upstream = upstream
        self.random = random.Random(seed)
        self.cut_after = None
        self.hold = False
        self.answer_filter = None  # bytes of the server -> bytes for the client, or None to cut after what it returned before
        self.connections = 0
        self.cuts = 0
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.pairs = {}
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()
        self.cut_all()
        self.listener.close()

    @staticmethod
    def _reset(sock):
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        sock.close()

    def cut_all(self):
        with self.lock:
            for client in list(self.pairs):
                self._cut(client)

    def _cut(self, client):
        server, _ = self.pairs.pop(client)
        self.selector_forget(client, server)
        self.cuts += 1
        self._reset(client)
        self._reset(server)

    def selector_forget(self, *sockets):
        for s in sockets:
            try:
                self.selector.unregister(s)
            except (KeyError, ValueError):
                pass

    def _accept(self):
        client, _ = self.listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self.upstream), timeout=5)
        except OSError:
            self._reset(client)
            return
        self.connections += 1
        limit = self.random.randint(*self.cut_after) if self.cut_after else None
        with self.lock:
            self.pairs[client] = (server, limit)
            self.selector.register(client, selectors.EVENT_READ, ("client", client))
            self.selector.register(server, selectors.EVENT_READ, ("server", client))

    def _pass(self, side, client):
        if client not in self.pairs:
            return
        server, limit = self.pairs[client]
        source, target = (client, server) if side == "client" else (server, client)
        try:
            data = source.recv(65536)
            if not data:
                self._cut(client)
                return
            if side == "client" and limit is not None:
                target.sendall(data[:limit])
                limit -= len(data)
                self.pairs[client] = (server, limit)
                if limit <= 0:
                    self._cut(client)
                return
            if side == "server" and self.answer_filter is not None:
                data, cut = self.answer_filter(data)
                target.sendall(data)
                if cut:
                    target.shutdown(socket.SHUT_WR)  # what was answered arrives before the end
                    server.close()
                    self.selector_forget(client, server)
                    self.pairs.pop(client)
                    self.cuts += 1
                return
            target.sendall(data)
        except OSError:
            if client in self.pairs:
                self._cut(client)

    def _run(self):
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        while not self.stopping.is_set():
            if self.hold:
                self.stopping.wait(0.05)
                continue
            for key, _ in self.selector.select(0.1):
                if key.data is None:
                    self._accept()
                else:
                    with self.lock:
                        self._pass(*key.data)

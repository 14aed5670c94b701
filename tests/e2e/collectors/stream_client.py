"""As much of RabbitMQ's stream protocol as it takes to be a consumer that is slow (rabbitmq_stream's PROTOCOL.adoc has the frames)."""

import socket
import struct
import threading

PEER_PROPERTIES, SASL_HANDSHAKE, SASL_AUTHENTICATE, TUNE, OPEN, SUBSCRIBE, CREDIT = 0x11, 0x12, 0x13, 0x14, 0x15, 0x07, 0x09
FIRST = 1


def text(s):
    return struct.pack(">H", len(s)) + s.encode()


class StreamConsumer:
    """Reads the stream from its beginning, as many chunks as it has credit for."""

    def __init__(self, port, user, password, stream, credit):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self._ask(PEER_PROPERTIES, struct.pack(">I", 0))
        self._ask(SASL_HANDSHAKE)
        secret = f"\0{user}\0{password}".encode()
        self._ask(SASL_AUTHENTICATE, text("PLAIN") + struct.pack(">I", len(secret)) + secret)
        tune = self._receive()
        assert struct.unpack(">H", tune[:2])[0] & 0x7FFF == TUNE
        self._send(TUNE, tune[4:])
        self._ask(OPEN, text("/"))
        self._ask(SUBSCRIBE, struct.pack(">B", 1) + text(stream) + struct.pack(">HHI", FIRST, credit, 0))
        threading.Thread(target=self._drain, daemon=True).start()

    def _send(self, key, payload):
        frame = struct.pack(">HH", key, 1) + payload
        self.socket.sendall(struct.pack(">I", len(frame)) + frame)

    def _receive(self):
        def exactly(n):
            data = b""
            while len(data) < n:
                more = self.socket.recv(n - len(data))
                if not more:
                    raise ConnectionError("the broker closed the connection")
                data += more
            return data
        return exactly(struct.unpack(">I", exactly(4))[0])

    def _ask(self, key, payload=b""):
        self._send(key, struct.pack(">I", 7) + payload)
        answer = self._receive()
        got, _, correlation, code = struct.unpack(">HHIH", answer[:10])
        assert (got & 0x7FFF, correlation, code) == (key, 7, 1), answer

    def _drain(self):
        try:
            while True:
                self._receive()
        except OSError:
            pass

    def credit(self, chunks):
        self._send(CREDIT, struct.pack(">BH", 1, chunks))

    def close(self):
        self.socket.close()

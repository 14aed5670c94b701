"""Publishing with confirms and consuming with acknowledgements on RabbitMQ, both telling the truth what happens to each message."""

import contextlib
import functools
import logging
import socket
import threading
import time

import pika
import pika.exceptions

DEAD_LETTER_EXCHANGE = "mes.dlx"
DEAD_LETTERS = "mes.dead"
QUEUES = ("mes.orders", "mes.price")
STATUS_QUEUE = "mes.status"  # a quorum queue: the MES tells the CRM of each order's status
EVENTS = "mes.events"  # a stream, where the plant has one: each order's status, kept for reports
logging.getLogger("pika").setLevel(logging.CRITICAL)  # lost connections are ours to report
LOST = (pika.exceptions.AMQPError, OSError)


def connect(rabbitmq, heartbeat=60):
    return pika.BlockingConnection(pika.ConnectionParameters(
        "127.0.0.1", rabbitmq.port, credentials=pika.PlainCredentials("plant", rabbitmq.passwords["plant"]), heartbeat=heartbeat,
        socket_timeout=5, stack_timeout=10, connection_attempts=1))


def declare(rabbitmq, truth):
    """The exchanges and queues of the plant; each service that starts may do this again."""
    connection = connect(rabbitmq)
    try:
        channel = connection.channel()
        channel.exchange_declare(DEAD_LETTER_EXCHANGE, "fanout", durable=True)
        channel.queue_declare(DEAD_LETTERS, durable=True)
        channel.queue_bind(DEAD_LETTERS, DEAD_LETTER_EXCHANGE)
        truth.queue(DEAD_LETTERS, dead_letters=True)
        for queue in QUEUES:
            channel.queue_declare(queue, durable=True, arguments={"x-dead-letter-exchange": DEAD_LETTER_EXCHANGE})
            truth.queue(queue)
        channel.queue_declare(STATUS_QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        truth.queue(STATUS_QUEUE)
        if rabbitmq.stream_port:
            channel.queue_declare(EVENTS, durable=True, arguments={"x-queue-type": "stream"})
            truth.stream(EVENTS)
    finally:
        connection.close()


class Publisher:
    """Publishes persistent messages to queues and waits for each confirm; a lost broker is waited for. One user at a time."""

    def __init__(self, rabbitmq, truth, timestamps=True):
        self._rabbitmq = rabbitmq
        self._truth = truth
        self.timestamps = timestamps
        self._connection = None
        self._channel = None
        self._stop = threading.Event()
        self.lock = threading.Lock()  # held while a message is on its way

    def publish(self, queue, message_id, body):
        """True when the broker has the message; False when the plant stops before."""
        properties = pika.BasicProperties(message_id=message_id, delivery_mode=2, content_type="application/json")
        with self.lock:
            first = True
            while not self._stop.is_set():
                properties.timestamp = int(time.time()) if self.timestamps else None
                try:
                    if self._channel is None:
                        self._connection = connect(self._rabbitmq, heartbeat=0)
                        self._channel = self._connection.channel()
                        self._channel.confirm_delivery()
                    if first:
                        self._truth.published(queue, message_id)  # before a consumer can have it
                        first = False
                    self._channel.basic_publish("", queue, body, properties, mandatory=True)
                    return True
                except LOST:
                    self._drop()
                    self._stop.wait(0.2)
        return False

    def _drop(self):
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None and connection.is_open:
            with contextlib.suppress(*LOST):
                connection.close()

    def close(self):
        self._stop.set()
        with self.lock:
            self._drop()


class Delivery:
    """One message in the hands of a worker, to be settled exactly once, from any thread."""

    def __init__(self, consumer, session, tag, queue, message_id, redelivered, body):
        self._consumer = consumer
        self._session = session
        self._tag = tag
        self.queue = queue
        self.message_id = message_id
        self.redelivered = redelivered
        self.body = body

    def ack(self):
        self._consumer.settle(self._session, self, "ack", self._tag)

    def requeue(self):
        self._consumer.settle(self._session, self, "requeue", self._tag)

    def reject(self):
        """Into the dead letters."""
        self._consumer.settle(self._session, self, "reject", self._tag)


class Consumer:
    """Consumes queues in a thread of its own and connects again when the broker is lost. `on_delivery` must return at once."""

    def __init__(self, rabbitmq, truth, queues, prefetch, on_delivery, log):
        self._rabbitmq = rabbitmq
        self._truth = truth
        self._queues = queues
        self._prefetch = prefetch
        self._on_delivery = on_delivery
        self._log = log
        self._stop = threading.Event()
        self._dead = False
        self._session = None  # (connection, channel) while consuming
        self._unacked = {}  # delivery tag -> (queue, message id) of this session
        self.lock = threading.Lock()  # held while an acknowledgement is written
        self._thread = threading.Thread(target=self._run, daemon=True, name="consumer")

    def start(self):
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            try:
                self._consume()
            except LOST as e:
                if not self._stop.is_set():
                    self._log.warn("broker connection lost, connecting again", error=f"{type(e).__name__} {e}".strip())
            self._stop.wait(0.2)

    def _consume(self):
        connection = connect(self._rabbitmq)
        channel = connection.channel()
        channel.basic_qos(prefetch_count=self._prefetch)
        session = self._session = (connection, channel)
        self._unacked = {}
        consuming = []
        try:
            for queue in self._queues:
                self._truth.consumers(queue, +1)
                consuming.append(queue)
                channel.basic_consume(queue, functools.partial(self._delivered, session, queue))
            while not self._stop.is_set():
                connection.process_data_events(time_limit=0.5)
                if not channel.is_open or len(channel.consumer_tags) < len(self._queues):
                    raise pika.exceptions.ConsumerCancelled("the channel or a queue was closed by the broker")
        finally:
            self._session = None
            for queue in consuming:
                self._truth.consumers(queue, -1)
            if connection.is_open and not self._dead:
                with contextlib.suppress(*LOST):
                    connection.close()
            for queue, message in self._unacked.values():
                self._truth.returned(queue, [message])
            self._unacked = {}

    def _delivered(self, session, queue, _channel, method, properties, body):
        self._truth.delivered(queue, properties.message_id, method.redelivered)
        self._unacked[method.delivery_tag] = (queue, properties.message_id)
        self._on_delivery(Delivery(self, session, method.delivery_tag, queue, properties.message_id, method.redelivered, body))

    def settle(self, session, delivery, how, tag):
        connection, channel = session
        with contextlib.suppress(*LOST):  # the connection went: the broker delivers the message again
            connection.add_callback_threadsafe(functools.partial(self._settle, session, channel, delivery, how, tag))

    def _settle(self, session, channel, delivery, how, tag):
        with self.lock:
            if self._session is not session or not channel.is_open or tag not in self._unacked:
                return
            queue, message = delivery.queue, delivery.message_id
            # The truth goes first: a requeued message may come back before this thread's next line.
            del self._unacked[tag]
            if how == "ack":
                channel.basic_ack(tag)
                self._truth.acked(queue, message)
            elif how == "requeue":
                self._truth.returned(queue, [message])
                channel.basic_nack(tag, requeue=True)
            else:
                channel.basic_nack(tag, requeue=False)
                self._truth.dead_lettered(queue, message, DEAD_LETTERS)

    def die(self):
        """As a killed process: the connection breaks off without a word. The broker gives what was unacknowledged to others."""
        self._dead = True
        self.stop(close=False)

    def stop(self, close=True):
        self._stop.set()
        session = self._session
        if session is not None and not close:
            with contextlib.suppress(OSError, AttributeError):
                session[0]._impl._transport._sock.shutdown(socket.SHUT_RDWR)  # pylint: disable=protected-access
        if self._thread.is_alive():
            self._thread.join(15)

"""The real servers of the plant, each an ordinary process on 127.0.0.1 with a folder of its own."""

from .memcached import Memcached
from .nginx import Nginx
from .postgresql import PostgreSQL, Replica
from .rabbitmq import RabbitMQ
from .redis import Redis

__all__ = ["Memcached", "Nginx", "PostgreSQL", "RabbitMQ", "Redis", "Replica"]

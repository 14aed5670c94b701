"""The MES's database: orders with hot and cold statuses, and their history by month."""

import threading

import psycopg2

from .servers.postgresql import DATABASE

SEED_ROWS = {"closed": 26_000, "cancelled": 3_000, "shipped": 1_000}  # what earlier days left behind
MONTHS = 3  # of history partitions before and after the present one

SCHEMA = """
create table orders (
  id text not null, created_at timestamptz not null, status text not null, model text not null, customer text not null default '',
  price numeric(10, 2), primary key (id, created_at)  -- created_at: so that it can be partitioned by month
);
create index orders_status on orders (status);
create table order_history (order_id text not null, changed_at timestamptz not null, status text not null) partition by range (changed_at);
create index order_history_order on order_history (order_id);
"""


def make(server, password):
    """The schema, the rows of earlier days, and the role with which Sidelight looks."""
    server.sql(f"create database {DATABASE}", database="postgres")
    connection = server.connect()
    try:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(SCHEMA)
        for month in range(-MONTHS, MONTHS + 1):
            cursor.execute("select to_char(m, 'YYYY_MM'), m::text, (m + interval '1 month')::text "
                           "from (select date_trunc('month', now()) + make_interval(months => %s) m) x", (month,))
            name, start, end = cursor.fetchone()
            cursor.execute(f"create table order_history_{name} partition of order_history for values from ('{start}') to ('{end}')")
        begin = 0
        for status, rows in SEED_ROWS.items():
            cursor.execute("insert into orders select 'old-' || n, now() - n * interval '23 minutes', %s, 'm-' || n %% 400, 'c-' || n %% 97, "
                           "5 + n %% 60 from generate_series(%s, %s) n", (status, begin + 1, begin + rows))
            begin += rows
        cursor.execute("insert into order_history select id, greatest(created_at, date_trunc('month', now()) - interval '2 months'), status "
                       "from orders where id like '%5'")
        cursor.execute("analyze")
        cursor.execute(f"create role sidelight login password '{password}'")
        cursor.execute("grant pg_monitor to sidelight; grant select on orders, order_history to sidelight")
    finally:
        connection.close()


class Database:
    """Connections of the MES, one a thread. A lost database is waited for."""

    def __init__(self, server, log):
        self._server = server
        self._log = log
        self._local = threading.local()

    def _connection(self):
        connection = getattr(self._local, "connection", None)
        if connection is None or connection.closed:
            connection = self._local.connection = self._server.connect(application="mes")
        return connection

    def order(self, order, created, status, model, customer, price, stop):
        """The order has this status, and its history says so. False when the event `stop` came before the database did."""
        while not stop.is_set():
            try:
                with self._connection() as connection, connection.cursor() as cursor:  # one transaction
                    if status == "new":
                        cursor.execute("insert into orders (id, created_at, status, model, customer) values (%s, %s, %s, %s, %s) "
                                       "on conflict do nothing", (order, created, status, model, customer))
                    else:
                        cursor.execute("update orders set status = %s, price = coalesce(%s, price) where id = %s and created_at = %s",
                                       (status, price, order, created))
                    cursor.execute("insert into order_history values (%s, now(), %s)", (order, status))
                return True
            except psycopg2.Error as e:
                self._log.error("database error", e, order=order)
                connection = getattr(self._local, "connection", None)
                if connection is not None:
                    connection.close()
                stop.wait(0.5)
        return False


class Report:
    """A report that somebody runs in the daytime: again and again it locks the orders against writers, and one query of it never ends."""

    def __init__(self, server, pace, hold=4.0, pause=1.0):
        self._server = server
        self._pace = pace
        self._hold = hold
        self._pause = pause
        self._stop = threading.Event()
        self._connections = []
        self._threads = [threading.Thread(target=run, daemon=True, name="report") for run in (self._locks, self._long_query)]

    def start(self):
        for thread in self._threads:
            thread.start()

    def _connect(self):
        connection = self._server.connect(application="report")
        self._connections.append(connection)
        return connection

    def _locks(self):
        try:
            connection = self._connect()
            while not self._stop.is_set():
                with connection, connection.cursor() as cursor:
                    cursor.execute("lock table orders in share mode")
                    cursor.execute("select count(*), pg_sleep(%s) from (select 1 from orders limit 1) x group by ()",
                                   (self._pace.real(self._hold),))
                self._pace.wait(self._stop, self._pause)
        except psycopg2.Error:
            pass  # cancelled by `stop`, or the database went

    def _long_query(self):
        try:
            with self._connect() as connection, connection.cursor() as cursor:
                cursor.execute("select pg_sleep(86400)")
        except psycopg2.Error:
            pass

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            while thread.is_alive():
                for connection in self._connections:
                    try:
                        connection.cancel()
                    except psycopg2.Error:
                        pass
                thread.join(0.2)
        for connection in self._connections:
            connection.close()

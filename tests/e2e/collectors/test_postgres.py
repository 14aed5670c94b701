"""The PostgreSQL collector against a real server: every value beside what the server itself, or the test, knows."""

import threading
import time

import psycopg2
import pytest

from postgres_rig import Primary, Watch, make_role, open_folder, wait_for


@pytest.fixture(scope="module", name="server")
def fixture_server():
    with open_folder() as folder:
        server = Primary(folder / "primary")
        server.start()
        server.sql("create database mes", database="postgres")
        make_role(server)
        yield server
        server.stop()


@pytest.fixture(name="watch")
def fixture_watch(program, server, tmp_path):
    with Watch(program, tmp_path / "watch", server) as watch:
        yield watch.wait_up()


@pytest.fixture(name="quiet")
def fixture_quiet(server):
    """A database that nobody but the test connects to."""
    server.sql("drop database if exists quiet", database="postgres")
    server.sql("create database quiet", database="postgres")
    yield "quiet"
    server.sql("drop database quiet with (force)", database="postgres")


def test_server_and_sizes(server, watch):
    version = server.value("show server_version")
    watch.after_runs()
    assert watch.value("mes_db_info", version=version) == 1
    assert watch.value("mes_db_replica") == 0
    assert watch.value("mes_db_connections_limit") == 40 - 3
    assert watch.value("mes_db_size_bytes", database="mes") == server.value("select pg_database_size('mes')")
    assert watch.value("mes_db_size_bytes", database="postgres") == server.value("select pg_database_size('postgres')")


def test_counters_of_a_database_are_those_of_the_server(server, watch, quiet):
    connection = server.connect(quiet)
    connection.cursor().execute("create table t as select n from generate_series(1, 10000) n")
    connection.commit()
    for i in range(30):
        connection.cursor().execute("select count(*) from t")
        if i < 20:
            connection.commit()
        else:
            connection.rollback()
    connection.close()
    columns = ("xact_commit", "xact_rollback", "deadlocks", "blks_hit", "blks_read")

    def truth():
        return server.sql(f"select {', '.join(columns)} from pg_stat_database where datname = 'quiet'", database="postgres")[0]

    wait_for(lambda: truth()[1] == 10, 10, "the server to count")
    watch.after_runs()
    shown = (watch.value("mes_db_transactions_total", database=quiet, result="commit"),
             watch.value("mes_db_transactions_total", database=quiet, result="rollback"),
             *(watch.value(name, database=quiet) for name in ("mes_db_deadlocks_total", "mes_db_blocks_hit_total", "mes_db_blocks_read_total")))
    assert shown == truth()
    assert shown[0] >= 21 and shown[1] == 10 and shown[3] > 30


def test_connections_by_state(server, watch, quiet):
    idle = [server.connect(quiet) for _ in range(3)]
    busy = [server.connect(quiet) for _ in range(2)]
    broken = server.connect(quiet)
    for connection in busy:
        connection.cursor().execute("select 1")
    with pytest.raises(psycopg2.Error):
        broken.cursor().execute("no sql")
    try:
        watch.after_runs()
        states = ("idle", "idle in transaction", "idle in transaction (aborted)", "active")
        assert [watch.value("mes_db_connections", database=quiet, state=state) for state in states] == [3, 2, 1, 0]
        assert watch.value("mes_db_connections", database="mes", state="active") == 1  # the collector's own
    finally:
        for connection in [*idle, *busy, broken]:
            connection.close()
    watch.after_runs()
    assert watch.value("mes_db_connections", database=quiet, state="idle") == 0


def test_a_blocked_lock(server, watch):
    server.execute("drop table if exists locked", "create table locked as select 1 as x")
    watch.eventually(lambda w: w.value("mes_db_table_size_bytes", database="mes", schema="public", table="locked"), what="the table's size")
    holder = server.connect()
    holder.cursor().execute("lock table locked in access exclusive mode")
    waiting = [server.connect() for _ in range(2)]

    def wait(connection):
        connection.cursor().execute("select * from locked")
        connection.rollback()

    threads = [threading.Thread(target=wait, args=(c,)) for c in waiting]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: server.value("select count(*) from pg_locks where not granted") == 2, 10, "two to wait")
        watch.after_runs()
        assert watch.value("mes_db_lock_waiters", database="mes") == 2
        assert watch.value("mes_db_lock_waiters", database="postgres") == 0
        assert watch.value("mes_db_locks", database="mes", mode="AccessExclusiveLock") == 1
        # Its size cannot be asked for without waiting; all else goes on.
        assert watch.value("mes_db_table_size_bytes", database="mes", schema="public", table="locked") is None
        assert watch.value("mes_db_table_sequential_scans_total", database="mes", schema="public", table="locked") is not None
        assert watch.up() == 1
        assert "ACCESS EXCLUSIVE mode: public.locked" in watch.log_text()
    finally:
        holder.rollback()
        for thread in threads:
            thread.join()
        for connection in [holder, *waiting]:
            connection.close()
    watch.after_runs()
    assert watch.value("mes_db_lock_waiters", database="mes") == 0
    assert watch.value("mes_db_locks", database="mes", mode="AccessExclusiveLock") == 0
    assert watch.value("mes_db_table_size_bytes", database="mes", schema="public", table="locked") > 0


def test_waiting_for_a_row_is_waiting_for_a_lock(server, watch):
    server.execute("drop table if exists rows", "create table rows as select 1 as x")
    holder, waiter = server.connect(), server.connect()
    holder.cursor().execute("update rows set x = 2")
    thread = threading.Thread(target=lambda: waiter.cursor().execute("update rows set x = 3"))
    thread.start()
    try:
        watch.eventually(lambda w: w.value("mes_db_lock_waiters", database="mes") == 1, what="the waiter to be seen")
    finally:
        holder.rollback()
        thread.join()
        holder.close()
        waiter.close()


def test_deadlocks(server, watch):
    server.execute("drop table if exists pair", "create table pair as select n from generate_series(1, 2) n", "alter table pair add v int")
    watch.after_runs()
    before = watch.value("mes_db_deadlocks_total", database="mes")
    one, two = server.connect(), server.connect()
    for connection in (one, two):
        connection.cursor().execute("set deadlock_timeout = '50ms'")
    one.cursor().execute("update pair set v = 1 where n = 1")
    two.cursor().execute("update pair set v = 2 where n = 2")
    failed = []

    def cross(connection, n):
        try:
            connection.cursor().execute("update pair set v = 3 where n = %s", (n,))
        except psycopg2.errors.DeadlockDetected:  # pylint: disable=no-member
            failed.append(n)
        connection.rollback()

    threads = [threading.Thread(target=cross, args=a) for a in ((one, 2), (two, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one.close()
    two.close()
    assert len(failed) == 1
    watch.eventually(lambda w: w.value("mes_db_deadlocks_total", database="mes") == before + 1, what="the deadlock to be counted")


def test_long_queries_and_old_transactions(program, server, quiet, tmp_path):
    with Watch(program, tmp_path, server, long_query="2s") as watch:
        watch.wait_up().after_runs()
        assert watch.value("mes_db_long_queries", database=quiet) == 0
        assert watch.value("mes_db_longest_query_seconds", database=quiet) == 0
        old, running = server.connect(quiet), server.connect(quiet)
        old.cursor().execute("select 1")
        begin = time.monotonic()

        def sleep():
            with pytest.raises(psycopg2.Error):  # cancelled below
                running.cursor().execute("select pg_sleep(60)")

        thread = threading.Thread(target=sleep)
        thread.start()
        watch.after_runs(1)
        assert watch.value("mes_db_long_queries", database=quiet) == 0
        watch.eventually(lambda w: w.value("mes_db_long_queries", database=quiet) == 1, what="the query to be long")
        assert time.monotonic() - begin >= 2
        shown = watch.value("mes_db_longest_query_seconds", database=quiet)
        assert 2 <= shown <= time.monotonic() - begin
        assert shown <= watch.value("mes_db_oldest_transaction_seconds", database=quiet) <= time.monotonic() - begin + 0.5
        running.cancel()
        thread.join()
        old.close()
        running.close()
        watch.after_runs()
        assert watch.value("mes_db_long_queries", database=quiet) == 0
        assert watch.value("mes_db_oldest_transaction_seconds", database=quiet) == 0


def test_tables_and_indexes(server, watch):
    server.execute("drop table if exists orders",
                   "create table orders as select n as id, repeat('x', 5000) || n as big, n % 7 as kind from generate_series(1, 3000) n",
                   "create index orders_id on orders (id)", "create index orders_kind on orders (kind)", "vacuum analyze orders",
                   "delete from orders where id <= 250")
    connection = server.connect()
    cursor = connection.cursor()
    for _ in range(5):
        cursor.execute("select count(*) from orders where big = ''")
    cursor.execute("set enable_seqscan = off")
    for n in range(7):
        cursor.execute("select kind from orders where id = %s", (n,))
    connection.commit()
    connection.close()
    table = {"database": "mes", "schema": "public", "table": "orders"}

    def truth():
        return server.sql("select seq_scan, idx_scan, n_dead_tup, pg_table_size('orders'), pg_relation_size('orders_id'), pg_relation_size('orders_kind'), "
                          "(select idx_scan from pg_stat_user_indexes where indexrelname = 'orders_id') from pg_stat_user_tables where relname = 'orders'")[0]

    wait_for(lambda: truth()[2] == 250 and truth()[1] >= 7, 10, "the server to count")
    watch.after_runs()
    shown = (watch.value("mes_db_table_sequential_scans_total", **table), watch.value("mes_db_table_index_scans_total", **table),
             watch.value("mes_db_table_dead_rows", **table), watch.value("mes_db_table_size_bytes", **table),
             watch.value("mes_db_index_size_bytes", index="orders_id", **table), watch.value("mes_db_index_size_bytes", index="orders_kind", **table),
             watch.value("mes_db_index_scans_total", index="orders_id", **table))
    assert shown == truth()
    assert shown[0] >= 5 and shown[1] == shown[6] >= 7
    assert watch.value("mes_db_table_rows", **table) == 3000
    assert watch.value("mes_db_partitions", **table) is None  # no partitioned table


def test_partitions_are_one_table(server, watch):
    server.execute("drop table if exists history", "drop schema if exists archive cascade", "create schema archive",
                   "create table history (id int, at date) partition by range (at)",
                   "create table history_1 partition of history for values from ('2026-01-01') to ('2026-02-01')",
                   "create table archive.history_2 partition of history for values from ('2026-02-01') to ('2026-03-01') partition by list (id)",
                   "create table archive.history_2a partition of archive.history_2 for values in (1)",
                   "create table archive.history_2b partition of archive.history_2 default",
                   "create index history_at on history (at)", "create index own_name on history_1 (id)",
                   "insert into history select n % 3, date '2026-01-01' + n % 50 from generate_series(1, 20000) n", "vacuum analyze history")
    connection = server.connect()
    for _ in range(4):
        connection.cursor().execute("select count(*) from history")
    connection.commit()
    connection.close()
    leaves = "('history_1', 'history_2a', 'history_2b')"

    def truth(what, view="pg_stat_user_tables", column="relname"):
        return server.value(f"select {what} from {view} where {column} in {leaves}")

    wait_for(lambda: truth("sum(seq_scan)") >= 12, 10, "the server to count")
    watch.after_runs()
    table = {"database": "mes", "schema": "public", "table": "history"}
    assert watch.value("mes_db_partitions", **table) == 3
    assert watch.value("mes_db_table_size_bytes", **table) == truth("sum(pg_table_size(relid))")
    assert watch.value("mes_db_table_rows", **table) == 20000
    assert watch.value("mes_db_table_sequential_scans_total", **table) == truth("sum(seq_scan)")
    assert watch.value("mes_db_index_size_bytes", index="history_at", **table) == server.value(
        "select sum(pg_relation_size(relid)) from pg_partition_tree('history_at') where isleaf")
    assert watch.value("mes_db_index_size_bytes", index="own_name", **table) == server.value("select pg_relation_size('own_name')")
    assert not [labels for labels in watch.series("mes_db_table_size_bytes") if {"history_1", "history_2", "history_2a"} & {v for _, v in labels}]
    # A partition that goes takes its scans along; a counter that falls would look like a restart.
    before = watch.value("mes_db_table_sequential_scans_total", **table)
    server.execute("drop table archive.history_2")
    watch.after_runs()
    assert watch.value("mes_db_partitions", **table) == 1
    assert watch.value("mes_db_table_sequential_scans_total", **table) == before
    assert watch.value("mes_db_table_size_bytes", **table) == server.value("select pg_table_size('history_1')")


def test_only_the_largest_tables_have_series(program, server, quiet, tmp_path):
    server.execute(*(f"create table t{n} as select repeat('x', 100) from generate_series(1, {n * 200})" for n in range(1, 21)), database=quiet)
    with Watch(program, tmp_path, server, databases=[quiet], max_tables=5) as watch:
        watch.wait_up().after_runs()
        shown = {dict(labels)["table"] for labels in watch.series("mes_db_table_size_bytes")}
        assert shown == {"t20", "t19", "t18", "t17", "t16"}
        assert {dict(labels)["database"] for labels in watch.series("mes_db_table_size_bytes")} == {quiet}


def test_slow_values_stay_until_they_are_asked_for_again(program, server, quiet, tmp_path):
    server.execute("create table first as select 1 as x", database=quiet)
    with Watch(program, tmp_path, server, databases=[quiet], slow_interval="4s") as watch:
        watch.wait_up()
        table = {"database": quiet, "schema": "public"}
        size = watch.value("mes_db_table_size_bytes", table="first", **table)
        assert size == 8192
        server.execute("create table second as select 1 as x", database=quiet)
        begin = time.monotonic()
        seen = []
        while watch.value("mes_db_table_size_bytes", table="second", **table) is None:
            assert watch.value("mes_db_table_size_bytes", table="first", **table) == size  # never a gap
            seen.append(watch.runs())
            assert time.monotonic() - begin < 10
            time.sleep(0.1)
        assert len(set(seen)) >= 3  # runs between two looks at tables


def test_several_databases_and_one_that_fails(program, server, quiet, tmp_path):
    server.execute("create table here as select 1 as x", database=quiet)
    server.sql("revoke connect on database quiet from public", database="postgres")
    with Watch(program, tmp_path, server, databases=["mes", quiet]) as watch:
        watch.wait_up().after_runs()
        assert watch.up() == 1
        assert not [labels for labels in watch.series("mes_db_table_size_bytes") if ("database", quiet) in labels]
        assert 'tables of database quiet' in watch.log_text() and 'permission denied for database' in watch.log_text()
        assert watch.value("mes_db_size_bytes", database=quiet) > 0
        server.sql("grant connect on database quiet to sidelight", database="postgres")
        table = {"database": quiet, "schema": "public", "table": "here"}
        watch.eventually(lambda w: w.value("mes_db_table_size_bytes", **table) == 8192, what="the other database")
        server.sql("revoke connect on database quiet from sidelight", database="postgres")
        server.sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'quiet'", database="postgres")
        watch.eventually(lambda w: w.value("mes_db_table_size_bytes", **table) is None, what="the other database to vanish")
        assert watch.up() == 1
    server.sql("grant connect on database quiet to public", database="postgres")


def test_one_connection_a_database_with_the_name_of_the_program(server, watch):
    watch.after_runs(3)
    sessions = server.sql("select application_name, usename, datname from pg_stat_activity where usename = 'sidelight'")
    assert sessions == [("sidelight", "sidelight", "mes")]


def test_a_locked_catalog_takes_the_slow_part_away_and_nothing_else(server, watch):
    server.execute("drop table if exists seen", "create table seen as select 1 as x")
    table = {"database": "mes", "schema": "public", "table": "seen"}
    watch.eventually(lambda w: w.value("mes_db_table_size_bytes", **table) == 8192, what="the table")
    holder = server.connect()
    holder.cursor().execute("lock table pg_index in access exclusive mode")
    try:
        watch.eventually(lambda w: w.value("mes_db_index_scans_total", **table) is None and not w.series("mes_db_table_size_bytes"),
                         what="what is unknown to vanish")
        watch.after_runs(3)
        assert watch.up() == 1
        assert watch.value("mes_db_lock_waiters", database="mes") is not None
        assert "canceling statement due to lock timeout" in watch.log_text()
    finally:
        holder.rollback()
        holder.close()
    watch.eventually(lambda w: w.value("mes_db_table_size_bytes", **table) == 8192, what="the table again")

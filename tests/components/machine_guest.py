"""The first process of machine.py's machine: a control group with limits, load in it, Sidelight in it, and the way out.

    machine_guest.py FILE    with {"port": ..., "command": [...]}
"""

import json
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.request

GROUP = pathlib.Path("/sys/fs/cgroup/pod")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/run", "LC_ALL": "C.UTF-8"}
LOAD = "while True: pass"
# More than the group may have: the kernel kills it, and nothing else.
GREEDY = "open('/proc/self/oom_score_adj', 'w').write('1000'); x = b'x' * (128 << 20)"


def run(*command):
    subprocess.run(command, env=ENVIRONMENT, check=True)


def in_the_group(*command):
    """A process that is in the group from its beginning."""
    return subprocess.Popen(["/bin/sh", "-c", f'echo $$ > {GROUP}/cgroup.procs && exec "$@"', "sh", *command], env=ENVIRONMENT)


def set_up():
    for kind, where in (("proc", "/proc"), ("sysfs", "/sys"), ("tmpfs", "/run"), ("cgroup2", "/sys/fs/cgroup")):
        run("mount", "-t", kind, kind, where)
    run("ip", "link", "set", "lo", "up")
    (GROUP.parent / "cgroup.subtree_control").write_text("+cpu +memory +pids")
    GROUP.mkdir()
    (GROUP / "memory.max").write_text(str(96 << 20))
    (GROUP / "memory.swap.max").write_text("0")


def answer(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as page:
            return page.status, page.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()
    except OSError as e:
        return 502, str(e).encode()


def main():
    set_up()
    wanted = json.loads(pathlib.Path(sys.argv[1]).read_text())
    line = open("/dev/ttyS0", "r+b", buffering=0)  # noqa: SIM115 - for as long as the machine runs
    subprocess.run(["stty", "raw", "-echo"], stdin=line, env=ENVIRONMENT, check=True)
    in_the_group("/usr/bin/python3", "-c", GREEDY).wait()
    (GROUP / "cpu.max").write_text("30000 100000")
    in_the_group(*wanted["command"])
    in_the_group("nice", "-n", "19", "/usr/bin/python3", "-c", LOAD)
    out = b"!\n"  # what is sent here before that is lost
    while True:  # then one request a line; the answer is its status and length in a line, and the page
        while out:
            out = out[line.write(out):]
        path = b""
        while not path.endswith(b"\n"):
            path += line.read(1) or b""
        status, body = answer(wanted["port"], path.decode().strip())
        out = b"%d %d\n" % (status, len(body)) + body


try:
    main()
except BaseException as error:  # pylint: disable=broad-exception-caught
    print(f"machine_guest: {type(error).__name__}: {error}", flush=True)
    time.sleep(1)
    raise

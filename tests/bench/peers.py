"""Runs rsyslog and syslog-ng of Debian 12 for comparison, unpacked by peers.sh, with the work that the program does: tail a file and send
it to _bulk as documents with a time, a message, a service and a path."""

import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent

RSYSLOG = """
global(workDirectory="{folder}" maxMessageSize="64k")
module(load="imfile" mode="inotify")
module(load="omelasticsearch")
{json_module}
main_queue(queue.type="LinkedList" queue.size="100000" queue.dequeueBatchSize="5000")
input(type="imfile" file="{log}" tag="shop" reopenOnTruncate="on" ruleset="ship")
template(name="raw" type="list") {{
  constant(value="{{\\"@timestamp\\":\\"") property(name="timegenerated" dateFormat="rfc3339")
  constant(value="\\",\\"message\\":\\"") property(name="msg" format="json")
  constant(value="\\",\\"service\\":{{\\"name\\":\\"shop\\"}},\\"log\\":{{\\"file\\":{{\\"path\\":\\"/var/log/app/shop.log\\"}}}}}}")
}}
template(name="parsed" type="list") {{
  constant(value="{{\\"@timestamp\\":\\"") property(name="$!timestamp" format="json")
  constant(value="\\",\\"message\\":\\"") property(name="$!message" format="json")
  constant(value="\\",\\"log\\":{{\\"level\\":\\"") property(name="$!level" format="json")
  constant(value="\\"}},\\"service\\":{{\\"name\\":\\"shop\\"}},\\"labels\\":{{\\"logger\\":\\"") property(name="$!logger" format="json")
  constant(value="\\",\\"duration_ms\\":\\"") property(name="$!duration_ms" format="json")
  constant(value="\\"}},\\"trace\\":{{\\"id\\":\\"") property(name="$!trace_id" format="json")
  constant(value="\\"}}}}")
}}
ruleset(name="ship") {{
  {parse}
  action(type="omelasticsearch" server="127.0.0.1" serverport="{port}" template="{template}" searchIndex="logs-shop-default" searchType=""
         bulkmode="on" maxbytes="4m" action.resumeRetryCount="-1")
}}
"""

SYSLOG_NG = """
@version: 3.38
options {{ stats-level(0); keep-hostname(yes); use-dns(no); log-msg-size(65536); }};
source s {{ file("{log}" follow-freq(1) flags(no-parse) log-fetch-limit(5000) log-iw-size(100000) read-old-records(yes)); }};
{parser}
destination d {{
  http(url("http://127.0.0.1:{port}/logs-shop-default/_bulk") method("POST") headers("Content-Type: application/x-ndjson")
       batch-lines(5000) batch-bytes(4Mb) batch-timeout(500) workers(1) log-fifo-size(200000)
       body-suffix("\\n") delimiter("\\n")
       body('{{"create":{{}}}}\n{body}'));
}};
log {{ source(s); {use} destination(d); flags(flow-control); }};
"""


class Peer:
    """A peer as a process in the foreground; end() when the sink has everything."""

    name = ""

    def __init__(self, root, folder, log, form, port):
        self.root = pathlib.Path(root)
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log, self.form, self.port = log, form, port
        lib = self.root / "usr/lib"
        self.environment = {**os.environ, "LD_LIBRARY_PATH": f"{lib}/x86_64-linux-gnu:{self.root}/lib/x86_64-linux-gnu:{lib}/syslog-ng"}

    def command(self):
        raise NotImplementedError

    def start(self):
        with open(self.folder / "output.txt", "wb") as out:
            return subprocess.Popen(self.command(), env=self.environment, stdout=out, stderr=out, cwd=self.folder)


class Rsyslog(Peer):
    name = "rsyslog"

    def command(self):
        is_json = self.form == "json"
        conf = self.folder / "rsyslog.conf"
        conf.write_text(RSYSLOG.format(folder=self.folder, log=self.log, port=self.port, template="parsed" if is_json else "raw",
                                       json_module='module(load="mmjsonparse")' if is_json else "",
                                       parse='action(type="mmjsonparse" cookie="")' if is_json else ""), encoding="ascii")
        return [str(self.root / "usr/sbin/rsyslogd"), "-n", "-f", str(conf), "-i", str(self.folder / "pid"),
                "-M", str(self.root / "usr/lib/x86_64-linux-gnu/rsyslog")]


class SyslogNg(Peer):
    name = "syslog-ng"

    def command(self):
        is_json = self.form == "json"
        raw = '$(format-json @timestamp="$ISODATE" message="$MSG" service.name="shop" log.file.path="/var/log/app/shop.log")'
        parsed = ('$(format-json @timestamp="${.j.timestamp}" message="${.j.message}" log.level="${.j.level}" service.name="shop" '
                  'labels.logger="${.j.logger}" labels.duration_ms="${.j.duration_ms}" trace.id="${.j.trace_id}")')
        conf = self.folder / "syslog-ng.conf"
        conf.write_text(SYSLOG_NG.format(log=self.log, port=self.port, body=parsed if is_json else raw,
                                         parser='parser j { json-parser(prefix(".j.")); };' if is_json else "",
                                         use="parser(j);" if is_json else ""), encoding="ascii")
        return [str(self.root / "usr/sbin/syslog-ng"), "-F", "-f", str(conf), "-R", str(self.folder / "persist"),
                "-p", str(self.folder / "pid"), "-c", str(self.folder / "control"), "--no-caps",
                f"--module-path={self.root}/usr/lib/syslog-ng/3.38"]


PEERS = (Rsyslog, SyslogNg)


def unpack():
    """(folder of the peers, "") or (None, why there are none)."""
    result = subprocess.run([str(HERE / "peers.sh")], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        return None, "peers.sh: " + (result.stderr.strip().splitlines() or ["failed"])[-1]
    return result.stdout.strip().splitlines()[-1], ""

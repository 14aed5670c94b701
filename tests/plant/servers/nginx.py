"""nginx as the gateway in front of the shop and the partner API."""

import os
import pwd
import signal

from ports import free_port

from .. import decisions
from .process import ServerProcess, accepts

# As docs and presets of Sidelight read it: one JSON object a line, all values strings, no API key.
LOG_FIELDS = {
    "time": "time_iso8601", "msec": "msec", "remote_addr": "remote_addr", "method": "request_method", "path": "uri", "route": "route",
    "partner": "partner", "status": "status", "duration_s": "request_time", "bytes": "bytes_sent", "upstream_addr": "upstream_addr",
    "upstream_status": "upstream_status", "upstream_response_time": "upstream_response_time",
    "upstream_cache_status": "upstream_cache_status", "limit_req_status": "limit_req_status", "trace_id": "request_id",
}
LOG_FORMAT = "{" + ",".join(f'"{k}":"${v}"' for k, v in LOG_FIELDS.items()) + "}"


class Nginx(ServerProcess):
    """`shop` is a port, `partner_api` a list of them; either may be empty. Rates are per real second."""

    name = "gateway"
    program = "nginx"
    package = "nginx-light"

    def __init__(self, folder, logs, partner_rate, cache_seconds):
        super().__init__(folder)
        self.access_log = logs / "access.log"
        self.error_log = logs / "error.log"
        self.status_port = free_port()
        self.partner_rate = partner_rate
        self.cache_seconds = cache_seconds
        self.shop = None
        self.partner_api = []

    def _conf(self):
        temp = "\n".join(f"  {k}_temp_path {self.folder}/temp-{k};" for k in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        keys = "\n".join(f'    "{key}" {partner};' for partner, key in decisions.API_KEYS.items())
        user = pwd.getpwuid(os.geteuid()).pw_name
        # An upstream needs one server; port 9 refuses.
        shop = f"server 127.0.0.1:{self.shop or 9};"
        partner_api = " ".join(f"server 127.0.0.1:{p} max_fails=1 fail_timeout=2s;" for p in self.partner_api or [9])
        return f"""
{f"user {user};" if os.geteuid() == 0 else ""}
worker_processes 1;
pid {self.folder}/nginx.pid;
error_log {self.error_log} warn;
events {{ worker_connections 512; }}
http {{
{temp}
  map $uri $route {{
    default                       other;
    /                             /;
    ~^/models/[^/]+$              "/models/{{id}}";
    ~^/models/[^/]+/price$        "/models/{{id}}/price";
    /api/v1/catalog               /api/v1/catalog;
    /api/v1/quotes                /api/v1/quotes;
    ~^/api/v1/quotes/[^/]+$       "/api/v1/quotes/{{id}}";
  }}
  map $http_x_api_key $partner {{
    default "";
{keys}
  }}
  log_format sidelight escape=json '{LOG_FORMAT}';
  access_log {self.access_log} sidelight;

  limit_req_zone $partner zone=partners:1m rate={self.partner_rate}r/s;
  limit_req_status 429;
  limit_req_log_level warn;
  proxy_cache_path {self.folder}/cache keys_zone=catalog:1m max_size=16m use_temp_path=off;

  upstream shop {{ {shop} keepalive 8; }}
  upstream partner_api {{ {partner_api} keepalive 8; }}
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $host;
  proxy_set_header X-Request-ID $request_id;
  proxy_set_header X-Partner $partner;
  proxy_set_header X-API-Key "";
  proxy_connect_timeout 2s;
  keepalive_timeout 75s;
  keepalive_requests 100000;
  # What the limiter and the cache decided, for the client that checks it.
  add_header X-Limit $limit_req_status always;
  add_header X-Cache $upstream_cache_status always;

  server {{
    listen 127.0.0.1:{self.port};
    location / {{ proxy_pass http://shop; }}
    location /api/ {{
      if ($partner = "") {{ return 401; }}
      limit_req zone=partners burst=5 delay=2;
      proxy_pass http://partner_api;
    }}
    location = /api/v1/catalog {{
      if ($partner = "") {{ return 401; }}
      limit_req zone=partners burst=5 delay=2;
      proxy_cache catalog;
      proxy_cache_valid 200 {self.cache_seconds}s;
      proxy_pass http://partner_api;
    }}
  }}
  server {{
    listen 127.0.0.1:{self.status_port};
    access_log off;
    location = /stub_status {{ stub_status; }}
  }}
}}
"""

    def begin(self):
        self.make_folder()
        self.access_log.parent.mkdir(parents=True, exist_ok=True)
        conf = self.folder / "nginx.conf"
        conf.write_text(self._conf(), encoding="utf-8")
        self.process = self.spawn([self.program, "-p", self.folder, "-c", conf, "-e", self.error_log, "-g", "daemon off;"],
                                  env={**os.environ, "TZ": "UTC", "PATH": os.environ.get("PATH", "") + ":/usr/sbin"})

    def is_ready(self):
        return accepts(self.port) and accepts(self.status_port)

    def reopen_logs(self):
        self.process.send_signal(signal.SIGUSR1)

"""One JSON object a line in DIR/logs/<service>/<service>.log, rotated by renaming."""

import datetime
import json
import os
import pathlib
import threading
import traceback

ROTATE_BYTES = 32 * 1024 * 1024
KEEP = 3


class ServiceLog:
    """The log of one service; any thread may write. Counts its lines by level in the truth."""

    def __init__(self, folder, service, truth, stamp_service=True):
        self.path = pathlib.Path(folder) / service / f"{service}.log"
        self.service = service
        self.truth = truth
        self._lock = threading.Lock()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(self.path, "a", encoding="utf-8")  # pylint: disable=consider-using-with  # lives as long as the service
        self._stamp = {"service": service} if stamp_service else {}

    def write(self, level, message, **fields):
        now = datetime.datetime.now(datetime.timezone.utc)
        line = json.dumps({"time": now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z", "level": level, "msg": message,
                           **self._stamp, **fields}, ensure_ascii=False, separators=(",", ":")) + "\n"
        with self._lock:
            if self._file.closed:
                return
            self._file.write(line)
            self._file.flush()
            if self._file.tell() > ROTATE_BYTES:
                self._rotate()
        self.truth.count("log_lines", self.service, level)

    def debug(self, message, **fields):
        self.write("debug", message, **fields)

    def info(self, message, **fields):
        self.write("info", message, **fields)

    def warn(self, message, **fields):
        self.write("warn", message, **fields)

    def error(self, message, exception=None, **fields):
        if exception is not None:
            fields = {**fields, "error": str(exception), "stack_trace": "".join(traceback.format_exception(exception)).rstrip("\n")}
        self.write("error", message, **fields)

    def _rotate(self):
        self._file.close()
        for i in range(KEEP - 1, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{i}")
            if older.exists():
                os.replace(older, self.path.with_name(f"{self.path.name}.{i + 1}"))
        os.replace(self.path, self.path.with_name(f"{self.path.name}.1"))
        self._file = open(self.path, "a", encoding="utf-8")  # pylint: disable=consider-using-with

    def close(self):
        with self._lock:
            self._file.close()

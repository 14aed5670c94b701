"""alerts/alertmanager.yaml as data, made fit for a test: receivers on 127.0.0.1, seconds instead of minutes, any time of day."""

import copy
import shutil

import rulebook
import yaml

CONFIG = rulebook.ALERTS / "alertmanager.yaml"
QUICK = {"30s": "1s", "2m": "1s", "5m": "2s", "15m": "2s", "1m": "1s"}


def load():
    return yaml.safe_load(CONFIG.read_text())


def _routes(route):
    yield route
    for child in route.get("routes", []):
        yield from _routes(child)


def receivers_of(config, labels):
    """The receivers, as amtool finds them."""
    import subprocess
    done = subprocess.run(["amtool", "config", "routes", "test", f"--config.file={config}", *[f"{k}={v}" for k, v in labels.items()]],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return done.stdout.strip().split(",")


# The dead man's minute is four seconds.
MINUTE = 4


def for_test(folder, sink, mail, office_hours=True, quick=None):
    """The configuration with the same routes, groups and inhibitions; webhooks and chats go to sink/webhook|chat/RECEIVER.

    `office_hours`: always, never, or a list of time intervals. `quick`: other waiting times than QUICK."""
    quick = QUICK | (quick or {})
    config = copy.deepcopy(load())
    shutil.copytree(rulebook.ALERTS / "templates", folder / "templates")
    config["global"].update(smtp_smarthost=mail.address, smtp_require_tls=False, resolve_timeout="1h")
    for route in _routes(config["route"]):
        if route.get("receiver") == "dead-man":
            for key in ("group_interval", "repeat_interval"):
                route[key] = f"{rulebook.seconds(route[key]) * MINUTE * 1000 // 60}ms"
            continue
        for key in ("group_wait", "group_interval"):
            if key in route:
                route[key] = quick.get(route[key], route[key])
    config["time_intervals"][0]["time_intervals"] = office_hours if isinstance(office_hours, list) else [{}] if office_hours else [{"years": ["1999"]}]
    for receiver in config["receivers"]:
        for hook in receiver.get("webhook_configs", []):
            hook["url"] = f"{sink.url}/webhook/{receiver['name']}"
        for i, chat in enumerate(receiver.get("slack_configs", [])):
            secret = folder / f"{receiver['name']}-{i}"
            secret.write_text(f"{sink.url}/chat/{receiver['name']}")
            chat["api_url_file"] = str(secret)
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True)

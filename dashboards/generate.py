#!/usr/bin/python3
"""Writes dashboards/*.json and dashboards/kibana/*.ndjson from dashboards/source.   generate.py [--help]"""

import argparse
import dataclasses
import importlib
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from source import kibana  # noqa: E402
from source.dashboard import Sites  # noqa: E402

MODULES = ("overview", "mes_queue", "price_cache", "log_pipeline", "mes_database", "gateway", "capacity", "sidecar")


def files(sites):
    """{path below dashboards/: text}"""
    out = {}
    for module in MODULES:
        dashboard = importlib.import_module(f"source.{module}").dashboard()
        content = dataclasses.replace(dashboard, sites=sites).json()
        out[module.replace("_", "-") + ".json"] = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    out["kibana/sidelight.ndjson"] = kibana.ndjson()
    return out


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Writes the dashboards from their source.")
    parser.add_argument("--output", type=pathlib.Path, default=HERE, help="folder to write to (default: %(default)s)")
    parser.add_argument("--kibana", default=Sites.kibana, help="address of your Kibana (default: %(default)s)")
    parser.add_argument("--runbooks", default=Sites.runbooks, help="where your runbooks are (default: %(default)s)")
    options = parser.parse_args(arguments)
    for path, text in files(Sites(options.kibana.rstrip("/"), options.runbooks.rstrip("/"))).items():
        target = options.output / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        print(target)


if __name__ == "__main__":
    main()

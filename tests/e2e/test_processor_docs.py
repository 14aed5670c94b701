"""The examples of docs/processors.md, through `sidelight try`."""

import json
import os
import pathlib
import pty
import re
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOCUMENT = (ROOT / "docs" / "processors.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```\n```examples\n(.*?)```", DOCUMENT, re.S)


def run_try(program, folder, processors, lines, **options):
    config = folder / "try.yaml"
    config.write_text(json.dumps({"logs": [{"paths": ["/nowhere/*.log"], "format": "json"}], "processors": processors,
                                  "output": {"file": {"path": str(folder / "never.ndjson")}},
                                  "state_dir": str(folder / "never")}), encoding="utf-8")
    result = subprocess.run([program, "try", "--config", str(config)], input="".join(f"{x}\n" for x in lines), capture_output=True,
                            text=True, timeout=30, check=False, **options)
    assert result.returncode == 0, result.stderr
    assert not (folder / "never").exists() and not (folder / "never.ndjson").exists()
    return result


def holds(part, whole):
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(k in whole and holds(v, whole[k]) for k, v in part.items())
    return part == whole


def test_there_are_examples_of_each_processor():
    used = {key for text, _ in EXAMPLES for item in yaml.safe_load(text) for key in item}
    assert used >= {"add", "rename", "copy", "remove", "truncate", "parse", "drop", "sample", "rate_limit", "dedupe", "redact", "when"}


@pytest.mark.parametrize("processors, examples", EXAMPLES)
def test_example(program, tmp_path, processors, examples):
    lines = [x[2:] for x in examples.splitlines() if x.startswith("< ")]
    wanted = [x[2:] for x in examples.splitlines() if x.startswith("> ")]
    result = run_try(program, tmp_path, yaml.safe_load(processors), lines)
    documents = [json.loads(x) for x in result.stdout.splitlines()]
    expected = [json.loads(x) for x in wanted if x != "dropped"]
    assert len(documents) == len(expected), result.stdout + result.stderr
    for part, whole in zip(expected, documents):
        assert holds(part, whole), f"{json.dumps(part, ensure_ascii=False)}\nin {json.dumps(whole, ensure_ascii=False)}"
    assert result.stderr.count(": dropped by ") == wanted.count("dropped")


def test_it_says_why_a_line_did_not_parse_and_who_dropped_one(program, tmp_path):
    result = run_try(program, tmp_path, [{"remove": ["x"]}, {"drop": {}, "when": {"level": "debug"}}],
                     ['{"msg":"fine"}', "no json", '{"level":"debug"}'])
    assert "line 2: did not parse" in result.stderr
    assert "line 3: dropped by processor 2 (drop)" in result.stderr
    assert "line 1 -> output" in result.stderr
    assert "2 document(s), 1 event(s) dropped" in result.stderr
    assert "\033" not in result.stdout + result.stderr, "colours are for terminals"


@pytest.mark.parametrize("no_color, coloured", [("", True), ("1", False)])
def test_colours_on_a_terminal_unless_it_is_told_not_to(program, tmp_path, no_color, coloured):
    config = tmp_path / "try.yaml"
    config.write_text(json.dumps({"logs": [{"paths": ["/nowhere"]}], "output": {"stdout": {}}, "state_dir": str(tmp_path / "s")}),
                      encoding="utf-8")
    ours, theirs = pty.openpty()
    process = subprocess.Popen([program, "try", "--config", str(config)], stdin=subprocess.PIPE, stdout=theirs, stderr=theirs,
                               env={**os.environ, "NO_COLOR": no_color})
    os.close(theirs)
    process.communicate(b'{"msg":"hello"}\n')
    text = b""
    try:
        while chunk := os.read(ours, 4096):
            text += chunk
    except OSError:  # the other side is closed
        pass
    os.close(ours)
    assert b"hello" in text
    assert (b"\033[" in text) == coloured

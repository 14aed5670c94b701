"""The status page in a real browser, beside the plant on real servers."""

import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests"))

from plant import Plant  # noqa: E402
from status import browser as browsers  # noqa: E402

PROGRAM = os.environ.get("SIDELIGHT", str(TOP / "build/release/sidelight"))
PICTURES = TOP / "build" / "status-page"
pytestmark = pytest.mark.skipif(browsers.missing() is not None, reason=str(browsers.missing()))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with Plant(tmp_path_factory.mktemp("plant"), scenario="normal_day", seed=3, speed=4) as plant:
        listen = f"127.0.0.1:{browsers.free_port()}"
        config = plant.write_config(sections={"logs", "output", "log_metrics", "rabbitmq", "redis", "postgres", "nginx"}, interval="1s",
                                    listen=listen)
        program = subprocess.Popen([PROGRAM, "run", "--config", str(config)], stderr=(plant.directory / "sidelight.log").open("w"))
        url = f"http://{listen}"
        _wait_for(url + "/readyz")
        plant.page = url
        plant.program = program
        PICTURES.mkdir(parents=True, exist_ok=True)
        yield plant
        program.terminate()
        program.wait(30)


def _wait_for(url, seconds=20):
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            assert time.monotonic() < deadline, url
            time.sleep(0.1)


def _cells(browser, section):
    return browser.run("""
        return [...document.querySelectorAll('#' + arguments[0] + ' tbody tr')].map(r => [...r.children].map(c => c.innerText))""", section)


def test_it_shows_what_the_plant_knows(place):
    with browsers.Browser() as browser:
        browser.open(place.page)
        # Queues, cache, services, gateway, logs and collectors, each once its first answer is there.
        for section in ("queues", "cache", "services", "gateway", "logs", "collectors"):
            browser.wait(f"return document.querySelector('#{section} tbody tr') !== null")
        place.rest()
        place.pause_load()
        # The page looks every five seconds, the broker's statistics lag, and a busy machine takes its time.
        names, deadline = ("mes.orders", "mes.price"), time.monotonic() + 60
        while True:
            shown = {row[0]: row[1] for row in _cells(browser, "queues")}
            truth = place.truth()["queues"]
            if [shown[name] for name in names] == [str(truth[name]["depth"]) for name in names]:
                break
            assert time.monotonic() < deadline, (shown, {name: truth[name] for name in names})
            time.sleep(0.5)
        assert {row[0].split()[0] for row in _cells(browser, "collectors")} >= {"rabbitmq", "redis", "postgres", "nginx"}
        assert all("up" in row[1] for row in _cells(browser, "collectors"))
        place.resume_load()
        assert browser.problems() == []
        elsewhere = [u for u in browser.requested() if not u.startswith((place.page, "data:", "about:"))]
        assert elsewhere == []


def test_a_queue_without_a_consumer_is_a_problem_at_the_top(place):
    with browsers.Browser() as browser:
        browser.open(place.page)
        place.switch("dead_consumer")
        text = "return document.querySelector('#problems') && document.querySelector('#problems').innerText.includes('no consumer')"
        browser.wait(text, 40)
        assert "problem" in browser.run("return document.getElementById('summary').innerText")
        place.switch("normal_day")
        browser.wait("return !(" + text.removeprefix("return ") + ")", 60)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390], ids=["desk", "phone"])
def test_nothing_is_cut_off_and_everything_is_legible(place, width, dark):
    with browsers.Browser(width=width, height=850, dark=dark) as browser:
        browser.open(place.page)
        browser.wait("return Number(document.body.dataset.looks || 0) >= 2", 30)
        browser.picture(PICTURES / f"{width}-{'dark' if dark else 'light'}.png")
        assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth")
        # Contrast of all text against what lies behind it (WCAG 2.1, 1.4.3).
        low = browser.run("""
            const parse = c => c.match(/[\\d.]+/g).map(Number);
            const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
                                 return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
            const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c.slice(0, 3); }
                                  return [255, 255, 255]; };
            const bad = new Set();
            for (const e of document.querySelectorAll('body *')) {
              if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || ['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(e.tagName)) continue;
              const a = light(parse(getComputedStyle(e).color).slice(0, 3)), b = light(behind(e));
              const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
              if (ratio < 4.5) bad.add(e.tagName + ' ' + e.className + ' ' + ratio.toFixed(2));
            }
            return [...bad];""")
        assert low == []


def test_it_is_usable_by_keyboard_and_by_screen_readers(place):
    with browsers.Browser() as browser:
        browser.open(place.page)
        browser.wait("return document.querySelector('#queues tbody tr') !== null", 30)
        assert browser.run("""
            const wrong = [];
            if (!document.documentElement.lang || !document.title) wrong.push('language or title');
            for (const t of document.querySelectorAll('table')) {
              if (!t.caption || !t.caption.innerText) wrong.push('a table without a caption');
              for (const h of t.querySelectorAll('th')) if (!h.scope) wrong.push('a header cell without a scope');
            }
            for (const s of document.querySelectorAll('svg')) if (s.getAttribute('role') !== 'img' || !s.getAttribute('aria-label')) wrong.push('a sparkline without words');
            for (const s of document.querySelectorAll('section')) if (!s.getAttribute('aria-label') && !document.getElementById(s.getAttribute('aria-labelledby'))) wrong.push('a section without a name');
            const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
            if (new Set(ids).size !== ids.length) wrong.push('an id twice');
            if (document.getElementById('summary').getAttribute('role') !== 'status') wrong.push('a summary that is not announced');
            return wrong;""") == []
        tab, enter = "\ue004", "\ue007"
        browser.press(tab)
        assert browser.run("return document.activeElement.className") == "skip"
        browser.press(tab)
        assert browser.run("return document.activeElement.id") == "pause"
        assert browser.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
        browser.press(enter)
        assert browser.run("return document.getElementById('pause').getAttribute('aria-pressed')") == "true"
        looks = browser.run("return document.body.dataset.looks")
        time.sleep(6)
        assert browser.run("return document.body.dataset.looks") == looks, "paused"
        browser.press(enter)
        browser.wait(f"return document.body.dataset.looks !== '{looks}'", 10)
        # A table that is wider than a phone can be scrolled by keyboard, and the focus survives a redraw.
        browser.run("document.querySelector('#collectors .scroll').focus()")
        label = browser.run("return document.activeElement.getAttribute('aria-label')")
        now = browser.run("return document.body.dataset.looks")
        browser.wait(f"return document.body.dataset.looks !== '{now}'", 10)
        assert browser.run("return document.activeElement.getAttribute('aria-label')") == label


def test_markup_from_outside_stays_text(place, tmp_path):
    log = tmp_path / "<img src=x onerror=window.hit=1>.log"
    log.write_text("a line\n")
    config = tmp_path / "c.yaml"
    listen = f"127.0.0.1:{browsers.free_port()}"
    config.write_text(json.dumps({"logs": [{"paths": [str(tmp_path / "*.log")], "name": "<script>window.hit=1</script>"}],
                                  "output": {"file": {"path": str(tmp_path / "out" / "o.ndjson")}}, "state_dir": str(tmp_path / "state"),
                                  "http": {"listen": listen}}))
    program = subprocess.Popen([PROGRAM, "run", "--config", str(config)], stderr=subprocess.DEVNULL)
    try:
        _wait_for(f"http://{listen}/readyz")
        with browsers.Browser() as browser:
            browser.open(f"http://{listen}/")
            browser.wait("return document.querySelector('#logs tbody tr') !== null", 20)
            assert "<script>" in browser.run("return document.querySelector('#logs').innerText")
            assert browser.run("return window.hit === undefined")
    finally:
        program.terminate()
        program.wait(30)


def test_it_says_when_the_sidecar_is_gone(place, tmp_path):
    listen = f"127.0.0.1:{browsers.free_port()}"
    config = tmp_path / "c.yaml"
    config.write_text(json.dumps({"http": {"listen": listen}, "collectors": {"nginx": {"url": f"http://127.0.0.1:{place.gateway.status_port}/stub_status"}}}))
    program = subprocess.Popen([PROGRAM, "run", "--config", str(config)], stderr=subprocess.DEVNULL)
    _wait_for(f"http://{listen}/readyz")
    with browsers.Browser() as browser:
        browser.open(f"http://{listen}/")
        browser.wait("return document.querySelector('#collectors tbody tr') !== null", 20)
        program.terminate()
        program.wait(30)
        browser.wait("return document.getElementById('summary').innerText.includes('no answer from the sidecar')", 20)
        assert browser.run("return document.querySelector('#collectors tbody tr') !== null"), "what was known stays"


def test_advice_shows_the_statement_that_it_would_take(place, tmp_path):
    place.postgres.sql("create table public.jobs as select n, case when n % 50 = 0 then 'open' else 'done' end as status from generate_series(1, 20000) n;"
                       "create index jobs_status on public.jobs (status); analyze public.jobs; grant select on public.jobs to sidelight")
    listen = f"127.0.0.1:{browsers.free_port()}"
    config = tmp_path / "c.yaml"
    config.write_text(json.dumps({"http": {"listen": listen}, "collectors": {"postgres": {
        "url": f"postgresql://127.0.0.1:{place.postgres.port}/mes", "username": "sidelight", "password_file": str(place.secrets / "sidelight.pw"),
        "interval": "1s", "slow_interval": "1s",
        "hot_cold": [{"table": "public.jobs", "status_column": "status", "hot": ["open"], "partial_index_min_rows": 1000}]}}}))
    program = subprocess.Popen([PROGRAM, "run", "--config", str(config)], stderr=subprocess.DEVNULL)
    try:
        _wait_for(f"http://{listen}/readyz")
        with browsers.Browser() as browser:
            browser.open(f"http://{listen}/")
            browser.wait("return document.querySelector('#advice pre') !== null", 30)
            browser.picture(PICTURES / "advice.png")
            statements = browser.run("return [...document.querySelectorAll('#advice pre')].map(e => e.innerText).join('\\n')")
            assert "CREATE INDEX" in statements and "'open'" in statements, statements
            assert browser.run("return document.getElementById('advice').innerText.includes('public.jobs')")
    finally:
        program.terminate()
        program.wait(30)
        place.postgres.sql("drop table public.jobs")

"""MesQueueBacklogGrowing on backlogs with noise, hours and days long: promtool's own series are straight lines."""

import math
import random

import pytest
import rulebook

HOUR = 60


def _told(tmp_path, depths, minutes, at, days=False):
    """Minutes of `at` in which the alert fires, of a queue whose depth is given by minute."""
    step = 5 if days else 1
    values = " ".join(str(max(0, round(depths(minute)))) for minute in range(0, minutes + 1, step))
    series = {"series": 'mes_queue_depth{target="mq",vhost="/",queue="q",job="sidelight",instance="a:9464"}', "values": values}
    # Asked for the opposite of what is expected to be there, promtool says what is.
    checks = [{"expr": 'count(ALERTS{alertname="MesQueueBacklogGrowing",alertstate="firing"})', "eval_time": f"{minute}m", "exp_samples": []}
              for minute in at]
    book = {path: book for path, book in rulebook.load().items() if path.name == "queue.rules.yaml"}
    for groups in book.values():
        for group in groups["groups"]:
            group["rules"] = [r for r in group["rules"] if "mes:queue_depth" in r.get("record", "") or r.get("alert") == "MesQueueBacklogGrowing"]
        groups["groups"] = [g for g in groups["groups"] if g["rules"]]
    header = {"evaluation_interval": f"{step}m", "group_eval_order": ["mes-queue.recording", "mes-queue.days", "queue.alerts"]}
    group = {"interval": f"{step}m", "input_series": [series], "promql_expr_test": checks}
    passed, said = rulebook.run_tests(tmp_path, book, [group], header)
    assert passed or "got:" in said, said
    return said.count("got:")


def _noisy(level, share, seed):
    rng = random.Random(seed)
    return lambda minute: level(minute) * (1 + rng.uniform(-share, share))


@pytest.mark.parametrize("start, a_minute", [(200, 20), (10000, 100), (50000, 50)])
@pytest.mark.parametrize("noise", [0, 0.01])
def test_it_fires_from_the_second_hour_on_and_until_the_growth_ends(tmp_path, start, a_minute, noise):
    at = range(100, 401, 10)
    level = _noisy(lambda minute: start + a_minute * minute, noise, start)
    assert _told(tmp_path, level, 400, at) == len(at)


@pytest.mark.parametrize("seed", range(4))
def test_noise_is_no_growth(tmp_path, seed):
    assert _told(tmp_path, _noisy(lambda minute: 5000, 0.3, seed), 12 * HOUR, range(30, 12 * HOUR, 10)) == 0


def test_a_backlog_that_is_worked_off_is_over(tmp_path):
    def level(minute):
        return 500 + 50 * minute if minute <= 180 else 9500 - 200 * (minute - 180)
    assert _told(tmp_path, level, 6 * HOUR, [120, 180]) == 2
    assert _told(tmp_path, level, 6 * HOUR, range(260, 360, 10)) == 0


@pytest.mark.parametrize("seed", range(2))
def test_the_rhythm_of_a_day_is_no_growth_once_a_day_is_known(tmp_path, seed):
    level = _noisy(lambda minute: 2000 - 1800 * math.cos(2 * math.pi * minute / (24 * HOUR)), 0.1, seed)
    assert _told(tmp_path, level, 96 * HOUR, range(26 * HOUR, 96 * HOUR, 30), days=True) == 0

"""alerts/alertmanager.yaml and its templates: by amtool, and in a real Alertmanager that sends to receivers which keep what they get."""

import datetime
import email
import email.policy
import json
import re
import subprocess
import time

import pytest
import routing
import rulebook
import servers

TARGET = {"cluster": "prod", "target": "mes-broker"}


def test_amtool_accepts_it():
    done = subprocess.run(["amtool", "check-config", str(routing.CONFIG)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


def _expected_receivers(labels):
    if labels["severity"] == "none":
        return ["dead-man"]
    team = labels["team"] if labels["team"] in ("apps", "mes", "gateway") else "platform"
    return [f"tickets-{team}", f"chat-{team}"] if labels["severity"] == "ticket" else [f"pages-{team}"]


def test_routes():
    """One alert of each severity and team, as the rules have them; nothing else decides."""
    kinds = {(rule["labels"]["severity"], rule["labels"]["team"]): rule for _, rule in rulebook.alerts()}
    assert len(kinds) >= 8
    for rule in kinds.values():
        labels = dict(rule["labels"], alertname=rule["alert"])
        assert routing.receivers_of(routing.CONFIG, labels) == _expected_receivers(labels), labels


def test_what_has_no_route_is_not_lost():
    assert routing.receivers_of(routing.CONFIG, {"alertname": "X", "severity": "page", "team": "unheard-of"}) == ["pages-platform"]
    assert routing.receivers_of(routing.CONFIG, {"alertname": "X"}) == ["tickets-platform"]
    assert routing.receivers_of(routing.CONFIG, {"alertname": "X", "severity": "ticket"}) == ["tickets-platform", "chat-platform"]


def test_only_the_chat_of_the_tickets_waits_for_office_hours():
    """Time intervals are not inherited: each route of the chat must have its own."""
    routes = list(routing._routes(routing.load()["route"]))
    chats = [r for r in routes if r.get("receiver", "").startswith("chat-")]
    assert len(chats) == 3
    assert all(r.get("active_time_intervals") == ["office-hours"] for r in chats)
    assert not any("active_time_intervals" in r or "mute_time_intervals" in r for r in routes if r not in chats)


def test_both_copies_of_a_ticket_are_grouped_alike():
    tickets, chats = (r for r in routing.load()["route"]["routes"] if r["matchers"] == ["severity = ticket"])
    for ticket, chat in zip([tickets, *tickets["routes"]], [chats, *chats["routes"]], strict=True):
        same = ("matchers", "group_by", "group_wait", "group_interval", "repeat_interval")
        assert {k: ticket.get(k) for k in same} == {k: chat.get(k) for k in same}


# ---- inhibition: labels under `equal` exist on both sides

OPTIONAL = {"cluster", "output", "namespace", "pod"}    # in installations that have them; then on both sides


def _labels_seen(alert):
    """Label names with which the tests saw it fire, and those that its rule keeps."""
    seen = set()
    for test in rulebook.test_files().values():
        for group in test["tests"]:
            for check in group["promql_expr_test"]:
                for sample in check["exp_samples"]:
                    if f'alertname="{alert}"' in sample["labels"]:
                        seen |= set(re.findall(r"(\w+)=\"", sample["labels"]))
    return seen


def _kept(alert):
    """Label names that the rule's own `by`, and those of what it reads, keep."""
    recorded = {rule["record"]: rule["expr"] for _, rule in rulebook.records()}
    todo = [rule["expr"] for _, rule in rulebook.alerts() if rule["alert"] == alert]
    kept = set()
    while todo:
        expression = todo.pop()
        by = re.findall(r"\bby \(([^)]*)\)", expression)
        kept |= {label.strip() for labels in by for label in labels.split(",")}
        if not by:
            todo += [recorded[name] for name in rulebook.names_in(expression) if name in recorded]
            if "up" in rulebook.names_in(expression):
                kept |= {"cluster", "namespace", "pod", "instance", "output"}
    return kept


def _matches(matchers, labels):
    for matcher in matchers:
        name, operator, value = re.fullmatch(r'\s*(\w+)\s*(=~|!=|=)\s*"?([^"]*)"?\s*', matcher).groups()
        there = labels.get(name, "")
        fits = {"=": there == value, "!=": there != value, "=~": bool(re.fullmatch(value, there))}[operator]
        if not fits:
            return False
    return True


def _complaints_of_inhibition(config):
    alerts = [dict(rule["labels"], alertname=rule["alert"]) for _, rule in rulebook.alerts()]
    out = []
    for rule in config["inhibit_rules"]:
        sides = {side: [a for a in alerts if _matches(rule[f"{side}_matchers"], a)] for side in ("source", "target")}
        for side, found in sides.items():
            if not found:
                out.append(f"{rule[f'{side}_matchers']} matches no alert")
            for alert in found:
                for label in rule["equal"]:
                    where = _kept(alert["alertname"]) if label in OPTIONAL else _labels_seen(alert["alertname"])
                    if label not in where:
                        out.append(f"{alert['alertname']} has no label {label}, on which {rule['source_matchers']} is compared")
        for alert in sides["source"]:
            if alert in sides["target"]:
                out.append(f"{alert['alertname']} inhibits itself")
    return out


def test_inhibition_compares_what_both_sides_have():
    assert _complaints_of_inhibition(routing.load()) == []
    broken = routing.load()
    broken["inhibit_rules"][0]["equal"].append("queue")
    assert _complaints_of_inhibition(broken) != []
    broken = routing.load()
    broken["inhibit_rules"][1]["source_matchers"] = ["alertname = MesCacheGone"]
    assert _complaints_of_inhibition(broken) != []


# ---- templates

def _render(template, data, tmp_path):
    path = tmp_path / "data.json"
    path.write_text(json.dumps(data))
    done = subprocess.run(["amtool", "template", "render", f"--template.glob={rulebook.ALERTS / 'templates' / '*.tmpl'}",
                           "--template.text={{ template \"" + template + "\" . }}", f"--template.data={path}"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout.rstrip("\n")


def _group(alerts, status="firing", **labels):
    def common(key):
        sets = [set(a[key].items()) for a in alerts]
        return dict(set.intersection(*sets))
    return {"receiver": "r", "status": status, "alerts": alerts, "groupLabels": labels, "commonLabels": common("labels"),
            "commonAnnotations": common("annotations"), "externalURL": "http://am"}


def _one(status="firing", **labels):
    labels = {"alertname": "MesQueueNoConsumer", "severity": "page", "team": "mes", "area": "queue", "vhost": "/", **TARGET, **labels}
    return {"status": status, "labels": labels, "startsAt": "2026-11-24T01:02:03Z", "endsAt": "2026-11-24T02:00:00Z",
            "annotations": {"summary": f"Nobody consumes {labels.get('queue')}", "summary_ru": f"Никто не читает {labels.get('queue')}",
                            "description": "There are messages ready and not one consumer.", "value": "17",
                            "runbook_url": "https://sidelight.example/docs/runbooks/MesQueueNoConsumer.md",
                            "dashboard_url": f"https://grafana.example/d/sidelight-mes-queue?var-queue={labels.get('queue')}"}}


def test_message_in_english(tmp_path):
    data = _group([_one(queue="orders"), _one(queue="prices")], area="queue")
    assert _render("sidelight.en.title", data, tmp_path) == "[PAGE] MesQueueNoConsumer mes-broker (prod), 2 alerts"
    assert _render("sidelight.en.text", data, tmp_path) == """\
There are messages ready and not one consumer.
Runbook:   https://sidelight.example/docs/runbooks/MesQueueNoConsumer.md

What:      Nobody consumes orders
Where:     prod mes-broker / orders
Since:     2026-11-24 01:02:03 UTC
Value:     17
Dashboard: https://grafana.example/d/sidelight-mes-queue?var-queue=orders

What:      Nobody consumes prices
Where:     prod mes-broker / prices
Since:     2026-11-24 01:02:03 UTC
Value:     17
Dashboard: https://grafana.example/d/sidelight-mes-queue?var-queue=prices"""


def test_message_about_no_place_in_particular_has_no_line_for_it(tmp_path):
    """LogDeliveryStopped, where the scrape configuration adds no label `cluster`."""
    for status in ("firing", "resolved"):
        alert = _one(status, alertname="LogDeliveryStopped")
        for label in ("cluster", "target", "vhost"):
            alert["labels"].pop(label)
        data = _group([alert], status)
        for language, word in (("en", "Where"), ("ru", "Где")):
            text = _render(f"sidelight.{language}.text", data, tmp_path)
            assert word not in text and "\n\n\n" not in text and "2026-11-24 01:02:03" in text
            assert not re.search(r":\s*$", text, re.M), text


def test_message_in_russian(tmp_path):
    data = _group([_one(queue="orders")], area="queue")
    assert _render("sidelight.ru.title", data, tmp_path) == "[СРОЧНО] MesQueueNoConsumer mes-broker orders (prod)"
    assert _render("sidelight.ru.text", data, tmp_path) == """\
Что делать: https://sidelight.example/docs/runbooks/MesQueueNoConsumer.md

Что:        Никто не читает orders
Где:        prod mes-broker / orders
Началось:   2026-11-24 01:02:03 UTC
Значение:   17
Дашборд:    https://grafana.example/d/sidelight-mes-queue?var-queue=orders"""


def test_message_when_it_is_over(tmp_path):
    data = _group([_one("resolved", queue="orders")], "resolved", area="queue")
    assert _render("sidelight.en.title", data, tmp_path) == "[RESOLVED] MesQueueNoConsumer mes-broker orders (prod)"
    assert "Lasted:    2026-11-24 01:02:03 UTC to 02:00:00 UTC" in _render("sidelight.en.text", data, tmp_path)
    assert _render("sidelight.ru.title", data, tmp_path) == "[ЗАКОНЧИЛОСЬ] MesQueueNoConsumer mes-broker orders (prod)"
    assert "Длилось:    2026-11-24 01:02:03 UTC – 02:00:00 UTC" in _render("sidelight.ru.text", data, tmp_path)


def test_message_about_many_pods_counts_them_and_shows_ten(tmp_path):
    pods = [_one(alertname="LogOutputDown", severity="ticket", pod=f"shop-{i}", namespace="shop") for i in range(37)]
    pods.append(_one(alertname="LogFilesUnreadable", severity="ticket", pod="shop-1", namespace="shop"))
    for language, title in (("en", "[TICKET] logs mes-broker (prod), 38 alerts, pods: 37"),
                            ("ru", "[ЗАДАЧА] logs mes-broker (prod), оповещений: 38, подов: 37")):
        data = _group(pods, area="logs")
        assert _render(f"sidelight.{language}.title", data, tmp_path) == title
        text = _render(f"sidelight.{language}.text", data, tmp_path)
        assert text.count("shop-") == 10 and "10" in text and "38" in text


def test_messages_of_labels_and_annotations_that_are_missing(tmp_path):
    bare = {"status": "firing", "labels": {"alertname": "Foreign"}, "annotations": {}, "startsAt": "2026-11-24T01:02:03Z",
            "endsAt": "0001-01-01T00:00:00Z"}
    for language in ("en", "ru"):
        for part in ("title", "text"):
            said = _render(f"sidelight.{language}.{part}", _group([bare]), tmp_path)
            assert said and "no value" not in said and "<nil>" not in said


# ---- a real Alertmanager

class Rig:
    def __init__(self, folder, office_hours=True):
        self.sink = servers.HttpSink()
        self.mail = servers.MailSink()
        folder.mkdir(exist_ok=True)
        self.alertmanager = servers.Alertmanager(folder, routing.for_test(folder, self.sink, self.mail, office_hours))

    def __enter__(self):
        self.alertmanager.__enter__()
        return self

    def __exit__(self, *error):
        self.alertmanager.__exit__(*error)
        self.sink.close()
        self.mail.close()

    def send(self, *alerts, over=False):
        now = datetime.datetime.now(datetime.timezone.utc)
        # An alert that started before group_wait ago is sent at once, alone: these start now.
        ends = now if over else now + datetime.timedelta(hours=1)
        self.alertmanager.post([{"labels": a["labels"], "annotations": a["annotations"], "endsAt": ends.isoformat(),
                                 "startsAt": now.isoformat()} for a in alerts])

    def webhooks(self, receiver):
        return self.sink.at(f"/webhook/{receiver}")

    def mails(self):
        return [email.message_from_bytes(m, policy=email.policy.default) for m in list(self.mail.messages)]


@pytest.fixture
def rig(tmp_path):
    with Rig(tmp_path / "alertmanager") as made:
        yield made


def _named(notification, status="firing"):
    return sorted(a["labels"]["alertname"] + ":" + a["labels"].get("queue", "") for a in notification["alerts"] if a["status"] == status)


def test_one_message_for_a_broker_another_for_its_neighbour_and_a_word_when_it_is_over(rig):
    alerts = [_one(queue="orders"), _one(queue="prices"), _one(alertname="MesBrokerAlarm", node="rabbit@1", alarm="disk")]
    other = _one(queue="orders", target="other-broker")
    rig.send(*alerts, other)
    servers.wait_for(lambda: len(rig.webhooks("pages-mes")) >= 2, "two notifications")
    first = {n["groupLabels"]["target"]: n for n in rig.webhooks("pages-mes")}
    assert _named(first["mes-broker"]) == ["MesBrokerAlarm:", "MesQueueNoConsumer:orders", "MesQueueNoConsumer:prices"]
    assert _named(first["other-broker"]) == ["MesQueueNoConsumer:orders"]
    servers.wait_for(lambda: len(rig.sink.at("/chat/pages-mes")) >= 2, "two messages in the chat")
    titles = sorted(m["attachments"][0]["title"] for m in rig.sink.at("/chat/pages-mes"))
    assert titles == ["[СРОЧНО] MesQueueNoConsumer other-broker orders (prod)", "[СРОЧНО] queue mes-broker (prod), оповещений: 3"]

    rig.send(*alerts, over=True)
    servers.wait_for(lambda: len(rig.webhooks("pages-mes")) >= 3, "the resolution")
    over = rig.webhooks("pages-mes")[2]
    assert over["status"] == "resolved" and over["groupLabels"]["target"] == "mes-broker" and len(over["alerts"]) == 3
    time.sleep(4)
    assert len(rig.webhooks("pages-mes")) == 3, "nothing is repeated"
    assert rig.mails() == [] and rig.webhooks("pages-platform") == []


def test_fault_of_the_fleet_is_one_message_with_the_number_of_pods(rig):
    def of(alert, output, i):
        return _one(alertname=alert, severity="ticket", team="platform", area="logs", target="", vhost="", output=output, namespace="shop",
                    pod=f"{output}-{i}", instance=f"10.0.0.{i}:9464")
    fleet = [of(alert, "es", i) for i in range(120) for alert in ("LogOutputDown", "LogLagHigh")]
    rig.send(*fleet, of("LogOutputDown", "spare", 1))
    servers.wait_for(lambda: len(rig.mail.messages) >= 2, "two mails")
    time.sleep(3)
    subjects = sorted(m["Subject"] for m in rig.mails())
    assert subjects == ["[TICKET] LogOutputDown -> es (prod), 120 alerts, pods: 120", "[TICKET] LogOutputDown -> spare (prod), pods: 1"]
    body = next(m for m in rig.mails() if "-> es" in m["Subject"]).get_body(("plain",)).get_content()
    assert body.count("What:") == 10 and "The first 10 of 120." in body
    # The chat has the same two, and nobody else has anything.
    assert sorted(m["attachments"][0]["title"] for m in rig.sink.at("/chat/chat-platform")) == subjects
    assert len(rig.sink.received) == 2

    # The page for the whole fleet silences them, also those to come.
    page = _one(alertname="LogDeliveryStopped", team="platform", area="logs", target="", vhost="", output="es")
    rig.send(page)
    servers.wait_for(lambda: len(rig.webhooks("pages-platform")) == 1, "the page")
    rig.send(*[of("LogOutputDown", "es", i) for i in range(120, 140)])
    time.sleep(5)
    assert len(rig.mail.messages) == 2 and len(rig.webhooks("pages-platform")) == 1


def test_dead_broker_silences_its_queues_and_resolves_no_page(rig):
    stalled = _one(alertname="MesQueueStalled", queue="orders")
    rig.send(stalled)
    servers.wait_for(lambda: len(rig.webhooks("pages-mes")) == 1, "the page")
    down = _one(alertname="MesBrokerDown", collector="rabbitmq")
    elsewhere = _one(alertname="MesQueueStalled", queue="orders", target="other-broker")
    rig.send(down, stalled, _one(alertname="MesQueueHeadTooOld", queue="prices"), elsewhere)
    servers.wait_for(lambda: len(rig.webhooks("pages-mes")) == 3, "two more pages")
    time.sleep(4)
    told = rig.webhooks("pages-mes")
    assert len(told) == 3
    by_target = {n["groupLabels"]["target"]: n for n in told[1:]}
    assert _named(by_target["mes-broker"]) == ["MesBrokerDown:"], "the broker alone"
    assert all(n["status"] == "firing" and _named(n, "resolved") == [] for n in told), "nothing was called over"
    assert _named(by_target["other-broker"]) == ["MesQueueStalled:orders"]
    # Both end: then it is over.
    rig.send(down, stalled, over=True)
    servers.wait_for(lambda: len(rig.webhooks("pages-mes")) == 4, "the resolution")
    assert "MesBrokerDown:" in _named(rig.webhooks("pages-mes")[3], "resolved")


def test_cause_silences_its_consequences_for_the_same_queue_only(rig):
    rig.send(_one(alertname="MesQueueNoConsumer", queue="orders"), _one(alertname="MesQueueHeadTooOld", queue="orders"),
             _one(alertname="MesQueueStalled", queue="orders"), _one(alertname="MesQueueHeadTooOld", queue="prices"))
    servers.wait_for(lambda: rig.webhooks("pages-mes"), "the page")
    time.sleep(3)
    assert [_named(n) for n in rig.webhooks("pages-mes")] == [["MesQueueHeadTooOld:prices", "MesQueueNoConsumer:orders"]]


def test_watchdog_goes_to_the_dead_man_again_and_again(rig):
    rig.send(_one(alertname="Watchdog", severity="none", team="platform", area="watchdog"))
    servers.wait_for(lambda: len(rig.webhooks("dead-man")) >= 4, "four signs of life")
    assert {path for _, path, _ in rig.sink.received} == {"/webhook/dead-man"}
    times = [when for when, _, _ in rig.sink.received]
    between = [b - a for a, b in zip(times, times[1:])]
    assert all(0.8 * routing.MINUTE < x < 1.3 * routing.MINUTE for x in between), f"{between}: not every minute (which is {routing.MINUTE} s here)"


def test_targets_that_lost_their_watcher_are_one_page(rig):
    rig.send(*[_one(alertname="TargetUnwatched", team="platform", area="sidecar", collector="c", target=f"t{i}", vhost="") for i in range(5)],
             _one(alertname="TargetUnwatched", team="platform", area="sidecar", collector="c", target="t0", vhost="", cluster="spare"))
    servers.wait_for(lambda: len(rig.webhooks("pages-platform")) >= 2, "a page for each cluster")
    time.sleep(4)
    assert sorted(len(n["alerts"]) for n in rig.webhooks("pages-platform")) == [1, 5]
    titles = sorted(m["attachments"][0]["title"] for m in rig.sink.at("/chat/pages-platform"))
    assert titles == ["[PAGE] TargetUnwatched (prod), 5 alerts", "[PAGE] TargetUnwatched t0 (spare)"]


TICKETS = {"mes": _one(alertname="MesBrokerNodeDown", severity="ticket", node="rabbit@2"),
           "gateway": _one(alertname="GatewayPartnerThrottled", severity="ticket", team="gateway", area="gateway", partner="p"),
           "platform": _one(alertname="LogBytesLost", severity="ticket", team="platform", area="logs", pod="p")}


def _subjects(rig, team):
    return [m["Subject"] for m in rig.mails() if m["To"] == f"{team}-tickets@shop.example"]


def _titles(rig, receiver):
    return [m["attachments"][0]["title"] for m in rig.sink.at(f"/chat/{receiver}")]


def test_ticket_of_the_night_that_is_over_by_the_morning_has_arrived(tmp_path):
    """Nobody is disturbed: the mail has it, and its end; the chat has only the page."""
    with Rig(tmp_path / "night", office_hours=False) as rig:
        rig.send(*TICKETS.values(), _one(queue="orders"))
        servers.wait_for(lambda: len(rig.mails()) >= 3, "three mails")
        rig.send(*TICKETS.values(), over=True)
        servers.wait_for(lambda: len(rig.mails()) >= 6, "three more mails")
        time.sleep(4)
        assert _subjects(rig, "mes") == ["[ЗАДАЧА] MesBrokerNodeDown mes-broker (prod)", "[ЗАКОНЧИЛОСЬ] MesBrokerNodeDown mes-broker (prod)"]
        assert _subjects(rig, "gateway") == [f"[{what}] GatewayPartnerThrottled mes-broker (prod)" for what in ("TICKET", "RESOLVED")]
        assert _subjects(rig, "platform") == [f"[{what}] LogBytesLost mes-broker (prod), pods: 1" for what in ("TICKET", "RESOLVED")]
        assert sorted({path for _, path, _ in rig.sink.received}) == ["/chat/pages-mes", "/webhook/pages-mes"]


def test_ticket_of_the_day_is_in_the_mail_and_in_the_chat_once_each(rig):
    rig.send(*TICKETS.values())
    servers.wait_for(lambda: len(rig.mails()) >= 3 and len(rig.sink.received) >= 3, "three mails and three messages")
    rig.send(*TICKETS.values(), over=True)
    servers.wait_for(lambda: len(rig.mails()) >= 6 and len(rig.sink.received) >= 6, "their ends")
    time.sleep(4)
    for team in TICKETS:
        assert len(_subjects(rig, team)) == 2
        assert _titles(rig, f"chat-{team}") == _subjects(rig, team)
    assert len(rig.sink.received) == 6


def test_ticket_of_the_night_that_goes_on_is_in_the_chat_in_the_morning(tmp_path):
    now = datetime.datetime.now(datetime.timezone.utc)
    if (now.hour, now.minute) >= (23, 57):
        pytest.skip("the day ends")
    morning = now + datetime.timedelta(minutes=1 if now.second < 45 else 2)
    opens = [{"times": [{"start_time": morning.strftime("%H:%M"), "end_time": "24:00"}]}]
    with Rig(tmp_path / "dawn", office_hours=opens) as rig:
        rig.send(TICKETS["mes"], TICKETS["platform"])
        servers.wait_for(lambda: len(rig.mails()) >= 2, "two mails")
        rig.send(TICKETS["platform"], over=True)
        servers.wait_for(lambda: len(rig.mails()) >= 3, "one is over")
        assert rig.sink.received == []
        servers.wait_for(lambda: rig.sink.received, "the morning", 100)
        time.sleep(4)
        assert [path for _, path, _ in rig.sink.received] == ["/chat/chat-mes"]
        assert _titles(rig, "chat-mes") == ["[ЗАДАЧА] MesBrokerNodeDown mes-broker (prod)"]
        assert len(rig.mails()) == 3

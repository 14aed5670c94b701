"""Lists in the manual that no generator writes are as long as the code's own."""

import re

from lint_tools import TOP

DOCS = TOP / "docs"


def table_below(page, heading):
    """The first cells of the table that follows a line."""
    text = (DOCS / page).read_text()
    assert heading in text, f"docs/{page} has no line {heading!r}"
    rows = re.search(r"(?:^\|.*\n)+", text[text.index(heading):], re.M).group(0).splitlines()
    return [row.split("|")[1] for row in rows[2:]]


def quoted(cells):
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def causes(folder):
    """The constants of namespaces named cause, and what functions named cause_of() return."""
    found = set()
    for path in sorted((TOP / "agent" / "send" / folder).rglob("*")):
        if path.suffix not in (".h", ".cc"):
            continue
        text = path.read_text()
        for block in re.findall(r"^namespace \w*cause \{\n(.*?)^\}", text, re.M | re.S):
            found |= set(re.findall(r'= "(\w+)";', block))
        for block in re.findall(r"^std::string_view cause_of\(.*?\{\n(.*?)^\}", text, re.M | re.S):
            found |= set(re.findall(r'return "(\w+)";', block))
    return found


def test_every_cause_of_an_output_that_is_down_is_in_the_manual():
    for folder, some in (("elasticsearch", "cluster_block"), ("file", "disk_full"), ("logstash", "too_large")):
        assert some in causes(folder), folder
    assert quoted(table_below("operating.md", "Causes of `sidelight_output_down_cause`:")) == causes(".")
    assert quoted(table_below("logstash.md", "## When it does not work")) == causes("logstash")


def test_every_flag_of_a_document_is_in_the_manual():
    encoder = (TOP / "agent" / "batch" / "encoder.cc").read_text()
    body = re.search(r"^char\* put_flags\(.*?^\}", encoder, re.M | re.S).group(0)
    flags = set(re.findall(r'\\"(\w+)\\",', body))
    assert {"parsing_error", "unterminated"} <= flags
    assert quoted(table_below("operating.md", "Names in `log.flags`:")) == flags


def test_every_collector_has_a_page_that_the_index_names():
    sections = (TOP / "config" / "REFERENCE.md").read_text()
    kinds = set(re.findall(r"^## `collectors\.(\w+)(?:\[\])?`$", sections, re.M))
    assert {"nginx", "process"} <= kinds
    assert quoted(table_below("collectors/README.md", "# Collectors")) == kinds
    index = (DOCS / "collectors" / "README.md").read_text()
    linked = set(re.findall(r"^\|.*\[([\w.]+)\]\(\1\) \|$", index, re.M))
    assert linked == {path.name for path in (DOCS / "collectors").glob("*.md")} - {"README.md"}


def test_links_lead_somewhere():
    """Within the repository: to a file, and where they name one, to a heading of it."""
    broken = []
    for page in (TOP / "README.md", TOP / "README.ru.md", TOP / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))):
        text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"\w+:", link):
                continue
            file, _, heading = link.partition("#")
            target = page.parent / file if file else page
            if not target.exists():
                broken.append(f"{page.relative_to(TOP)}: {link}")
            elif heading and heading not in anchors(target):
                broken.append(f"{page.relative_to(TOP)}: {link}: no such heading")
    assert broken == []


def anchors(page):
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}

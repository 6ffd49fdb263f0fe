"""The accepted advisories have a reason, and name packages that the lock still holds."""

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
ACCEPTED = [
    line.split()
    for line in (PROJECT / "tools" / "accepted_advisories.txt").read_text().splitlines()
    if not line.startswith("#")
]


def test_every_accepted_advisory_has_a_reason_in_the_table() -> None:
    page = (PROJECT / "CONTRIBUTING.md").read_text()
    table = page.partition("### Known vulnerabilities in the older stack")[2].partition("\n## ")[0]
    rows = {row.split("|")[1].strip(): row.split("|")[2:] for row in table.splitlines() if row.startswith("| ")}
    for advisory, package, version in ACCEPTED:
        vulnerability, _, reason, _ = rows[f"{package} {version}"]
        assert advisory in vulnerability
        assert reason.strip()


def test_every_accepted_advisory_is_of_a_package_in_the_lock() -> None:
    lock = (PROJECT / "requirements.lock").read_text()
    for _, package, version in ACCEPTED:
        assert re.search(rf"^{package.lower()}=={re.escape(version)}[ .]", lock, re.MULTILINE), package

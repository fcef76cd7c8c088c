"""The shipped filter finds the line that a failed login writes."""

import re
from pathlib import Path

FILTER = Path(__file__).parents[2] / "examples" / "fail2ban" / "lazaret.filter.conf"


def test_the_filter_finds_a_failed_login_and_the_address(site):
    expression = re.search(r"^failregex = (.*)$", FILTER.read_text(), re.MULTILINE)[1]
    pattern = re.compile(expression.replace("<HOST>", "(?P<host>[0-9a-f.:]+)"))
    site.browser().log_in("fail2ban@home.example", "not the password")
    [line] = [line for line in site.log().splitlines() if "fail2ban@home.example" in line]

    assert "127.0.0.1" == pattern.search(line)["host"]

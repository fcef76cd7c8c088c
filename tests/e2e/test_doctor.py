"""`lazaret doctor` on the running servers: what is documented is right."""

import json

import pytest

from .place import Place


@pytest.mark.parametrize("setup", ["by_lmtp", "by_smtp", "before_queue"])
def test_the_documented_set_ups_are_found_right(setup: str, request: pytest.FixtureRequest) -> None:
    place: Place = request.getfixturevalue(setup)
    done = place.lazaret.run("doctor", "--postfix", str(place.postfix.home / "etc"), "--json")
    found = [json.loads(line) for line in done.stdout.splitlines()]

    assert (0, [], b"") == (done.returncode, [one for one in found if one["severity"] != "note"], done.stderr)

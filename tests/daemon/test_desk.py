"""The desk works without a page too, and a certificate that it could not use is told before it begins."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.store.test_merging import backlog, pieces
from tests.support.installation import ANN, QUARANTINE, Installation, hop_beside


def test_old_mail_goes_without_a_page_too(tmp_path: Path, free_port: Callable[[], int]) -> None:
    with hop_beside() as hop:
        quiet = Installation(tmp_path, next_hop=hop.at.endpoint.port, smtp=free_port())
        assert 'http = ""' in quiet.file.read_text()
        with quiet.service():
            mail_id = quiet.send_found(QUARANTINE, ANN, subject="older than anything is kept")
        quiet.write("UPDATE msgs SET time_num = time_num - 9000000 WHERE mail_id = ?", mail_id)
        with quiet.service():
            quiet.wait(lambda: [] == quiet.query("SELECT 1 FROM quarantine WHERE mail_id = ?", mail_id))


def test_what_the_index_of_words_has_put_off_is_done_by_the_service(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    quiet = Installation(tmp_path, smtp=free_port())
    with quiet.service():
        pass
    backlog(quiet.database)
    assert pieces(quiet.database) >= 16
    with quiet.service():
        quiet.wait(lambda: pieces(quiet.database) < 16)


@pytest.mark.parametrize("content", [None, "no certificate\n"])
def test_a_page_certificate_that_is_none_ends_the_start_with_78(
    tmp_path: Path, free_port: Callable[[], int], content: str | None
) -> None:
    broken = tmp_path / "page.pem"
    site = Installation(tmp_path, smtp=free_port(), http=free_port())
    site.file.write_text(f'{site.file.read_text()}[web]\ntls_certificate = "{broken}"\n')
    if content is not None:
        broken.write_text(content)
    done = site.run("serve")

    assert (78, b"") == (done.returncode, done.stdout)
    [line] = [line for line in done.stderr.decode().splitlines() if not line.startswith("compiling")]
    assert line.startswith(f"lazaret: web.tls_certificate = {broken}: ")


def test_a_key_with_a_password_is_refused_and_not_asked_for(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    both = tmp_path / "page.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-passout"),
            *("pass:secret", "-keyout", both, "-out", tmp_path / "only.pem", "-subj", "/CN=localhost"),
        ],
        check=True,
        capture_output=True,
    )
    both.write_bytes(both.read_bytes() + (tmp_path / "only.pem").read_bytes())
    site = Installation(tmp_path, smtp=free_port(), http=free_port())
    site.file.write_text(f'{site.file.read_text()}[web]\ntls_certificate = "{both}"\n')
    status, lines = site.on_terminal("serve")

    assert 78 == status
    assert any("web.tls_certificate" in line for line in lines), lines

"""Takes the pictures of the page that stand in docs/, of a service and letters of its own, in Chromium.

python docs/pictures/take.py
"""

import pty
import smtplib
import subprocess
import sys
import tempfile
import time
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

from playwright.sync_api import BrowserContext, sync_playwright

from lazaret.cli.demo_mail import LETTERS
from lazaret.cli.demo_service import HOST, DemoService
from lazaret.cli.demo_sink import Sink

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
ADMIN, PASSWORD = "ada@harbour.example", "four words for pictures"

OFFERS = (
    ("Grand Prize Office", "office@prizes.example", "You have won 2.5 million dollars, reply now"),
    ("Dr. Long Life", "pills@meds.example", "Cheapest pills without a prescription"),
    ("Harbour Bank", "alert@secure-login.example", "Your account is suspended: verify your password"),
    ("Easy Money Club", "club@easy.example", "Earn 5000 dollars a week from home, 100% free"),
    ("Loan Department", "loans@credit.example", "Lowest mortgage rates, guaranteed approval"),
    ("Kate", "kate@lonely.example", "I saw your profile and want to meet you"),
)
TEXT = """<html><body bgcolor="#ffffff">
<center><font size="5" color="#b00020"><b>{subject}!</b></font></center>
<p>Dear friend,</p><p>this is a limited offer, act now:
<a href="http://192.0.2.66/claim">click here</a>. You have won money, guaranteed, risk free.
Do not wait, urgent reply needed with your account and password.</p>
<p>If you do not want to receive this, reply with REMOVE.</p></body></html>"""


def letters() -> list[tuple[str, str, bytes]]:
    """(sender, recipient, octets) of mail that makes a list worth looking at."""
    found = [(letter.sender, letter.recipient, letter.octets) for letter in LETTERS]
    people = ("ann", "ben", "clara", "dora")
    for number, (name, sender, subject) in enumerate(OFFERS):
        mail = EmailMessage()
        mail["From"] = f"{name} <{sender}>"
        mail["To"] = "undisclosed-recipients:;"
        mail["Subject"] = subject
        mail["Reply-To"] = f"answer{number}@gmail.com"
        mail["Date"] = formatdate(time.time() - 4 * 3600)
        mail["Message-ID"] = make_msgid(domain="mailer")
        mail.set_content(TEXT.format(subject=subject), subtype="html")
        recipient = f"{people[number % len(people)]}@harbour.example"
        found.append((sender, recipient, mail.as_bytes().replace(b"\n", b"\r\n")))
    return found


def link(service: DemoService) -> str:
    """The link of an invitation, which is printed to a terminal only."""
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "lazaret", "--config", str(service.file)]
    done = subprocess.run([*command, "user", "add", ADMIN, "--admin"], stdout=its, check=True)
    assert done.returncode == 0
    with open(ours, "rb", buffering=0) as terminal:
        return terminal.read(500).decode().strip().replace("localhost", HOST)


def take(context: BrowserContext, path: str, name: str, height: int = 760) -> None:
    """One picture of one page."""
    page = context.new_page()
    page.set_viewport_size({"width": page.viewport_size["width"], "height": height})
    page.goto(path)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=HERE / f"{name}.png")
    page.close()
    print(f"{name}.png")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="lazaret-pictures-") as home, Sink(HOST, 0) as sink:
        service = DemoService(Path(home), sink.port, 10024, 8025, ())
        with service.running(), sync_playwright() as playwright:
            with smtplib.SMTP(HOST, service.port) as client:
                for sender, recipient, octets in letters():
                    client.sendmail(sender, [recipient], octets)
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            origin = f"http://{HOST}:{service.http_port}"
            first = browser.new_context(base_url=origin)
            page = first.new_page()
            page.goto(link(service))
            page.fill("#password", PASSWORD)
            page.fill("#again", PASSWORD)
            page.click("button.first")
            page.wait_for_url("**/mail")
            page.wait_for_function("document.querySelectorAll('#rows tr').length > 3")
            opened = page.locator("#rows tr", has_text="invoice").first.get_attribute("data-id")
            state = first.storage_state()
            wide = {"base_url": origin, "storage_state": state, "viewport": {"width": 1280, "height": 760}}
            light = browser.new_context(**wide, color_scheme="light")
            take(light, "/mail", "list")
            take(light, f"/mail/{opened}", "message", 980)
            take(light, "/overview", "overview", 900)
            narrow = {**wide, "viewport": {"width": 390, "height": 760}}
            dark = browser.new_context(**narrow, color_scheme="dark", locale="de-DE")
            take(dark, "/mail", "list-narrow-dark-german")
            browser.close()


if __name__ == "__main__":
    main()

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
    (
        *("Grand Prize Office", "office@prizes.example", "You have won 2.5 million dollars, reply now"),
        "Your address was drawn from millions in our yearly lottery. You have won money, guaranteed: "
        "send name, address and bank account to our claims agent before the prize goes back to the fund.",
    ),
    (
        *("Dr. Long Life", "pills@meds.example", "Cheapest pills without a prescription"),
        "Order online and save up to eighty percent: no doctor, no waiting room, discreet shipping to "
        "your door. This week every second box is free, and regular customers get a bonus.",
    ),
    (
        *("Harbour Bank", "alert@secure-login.example", "Your account is suspended: verify your password"),
        "We have noticed an unusual login and locked your account. Urgent: confirm your password and the "
        "number of your card within one day, or access stays closed for good.",
    ),
    (
        *("Easy Money Club", "club@easy.example", "Earn 5000 dollars a week from home, 100% free"),
        "No boss, no experience, no risk: our members work two hours a day and quit their jobs after a "
        "month. Act now, as only a few places in your town are left.",
    ),
    (
        *("Loan Department", "loans@credit.example", "Lowest mortgage rates, guaranteed approval"),
        "Bad credit is no problem: everybody is approved within the hour, risk free and without papers. "
        "Lower what you pay each month, and spend the rest on what you like.",
    ),
    (
        *("Kate", "kate@lonely.example", "I saw your profile and want to meet you"),
        "I am new in this town and a little shy. Your picture made me smile, so I write to you first; "
        "mine are on the page below, only for you. Do not let me wait too long.",
    ),
)
"""Name, address, subject, text."""
COPIES = 37
"""Of the first offer: a campaign."""
TEXT = """<html><body bgcolor="#ffffff">
<center><font size="5" color="#b00020"><b>{subject}!</b></font></center>
<p>Dear friend,</p><p>{text}</p>
<p><a href="http://192.0.2.66/claim">click here</a></p>
<p>If you do not want to receive this, reply with REMOVE.</p></body></html>"""


def letters() -> list[tuple[str, str, bytes]]:
    """(sender, recipient, octets) of mail that makes a list worth looking at."""
    found = [(letter.sender, letter.recipient, letter.octets) for letter in LETTERS]
    for number, offer in enumerate((*(OFFERS[0],) * COPIES, *OFFERS[1:])):
        found.append(letter(number, *offer))
    return found


def letter(number: int, name: str, sender: str, subject: str, text: str) -> tuple[str, str, bytes]:
    mail = EmailMessage()
    mail["From"] = f"{name} <{sender}>"
    mail["To"] = "undisclosed-recipients:;"
    mail["Subject"] = subject
    mail["Reply-To"] = f"answer{number}@gmail.com"
    mail["Date"] = formatdate(time.time() - 4 * 3600)
    mail["Message-ID"] = make_msgid(domain="mailer")
    mail.set_content(TEXT.format(subject=subject, text=text), subtype="html")
    recipient = f"{('ann', 'ben', 'clara', 'dora')[number % 4]}@harbour.example"
    return sender, recipient, mail.as_bytes().replace(b"\n", b"\r\n")


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
            page.locator("#rows tr").nth(6).wait_for()
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

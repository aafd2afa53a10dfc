"""Sends what falls due by mail: a second channel beside webhooks, without a change to Carillon."""

import asyncio
import os
import smtplib
import sys
from email.message import EmailMessage

import httpx
from domain.events import BirthdayDue, DueEvent
from messaging.kit import consume, listen

QUEUE = os.environ.get("QUEUE", "carillon-local-email")
API_URL = os.environ.get("API_URL", "http://127.0.0.1:8000")
SMTP_HOST, SMTP_PORT = os.environ.get("SMTP_HOST", "127.0.0.1"), int(os.environ.get("SMTP_PORT", "25"))
MAIL_FROM = os.environ.get("MAIL_FROM", "carillon@localhost")
HEADERS = {"authorization": f"Bearer {token}"} if (token := os.environ.get("CARILLON_TOKEN")) else {}


async def find_address(http: httpx.AsyncClient, event: DueEvent) -> str | None:
    """Ask the API for the user's address, which events do not carry; None if there is none, or no user."""
    answer = await http.get(f"/user/{event.user_id}")
    if answer.status_code == httpx.codes.NOT_FOUND:
        return None
    address: str | None = answer.raise_for_status().json().get("email")
    return address


def compose(event: DueEvent, address: str) -> EmailMessage:
    """Return the mail; its Message-ID is the same however often it is sent."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = MAIL_FROM, address, " ".join(event.message.split())
    mail["Message-ID"] = f"<{event.occasion_id}.{event.local_date}@carillon>"
    mail.set_content(event.message)
    return mail


def send(mail: EmailMessage) -> None:
    """Hand a mail to the SMTP server."""
    with smtplib.SMTP(SMTP_HOST, SMTP_PORT, timeout=10) as smtp:
        smtp.send_message(mail)


async def main() -> None:
    """Mail until SIGTERM or Ctrl-C. What cannot be sent now comes again, and in the end is a dead letter."""
    async with httpx.AsyncClient(base_url=API_URL, headers=HEADERS) as http, listen(QUEUE) as queue:
        while not queue.stop.is_set():
            try:
                async for event in consume(queue, types=[BirthdayDue]):
                    if address := await find_address(http, event):
                        await asyncio.to_thread(send, compose(event, address))
            except (OSError, smtplib.SMTPException, httpx.HTTPError) as error:
                print(f"not sent, it comes again: {error!r}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    asyncio.run(main())

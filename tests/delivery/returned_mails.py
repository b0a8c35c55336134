"""Returned mail as mail systems write it, each with what it means. All written for these tests; no reader is real."""

from typing import NamedTuple

from digest.delivery.bounces import verp
from digest.delivery.bounces.reports import Kind
from digest.delivery.bounces.returned import Returned
from digest.delivery.reasons import CONSEQUENCES, Reason, Suppress
from digest.subscribers import links

KEYS = [b"n" * 32, b"o" * 32]
WHOSE = verp.Whose(41, 7_205_759_403_792_793)
READER = "ann.smith@example.org"
RETURN_PATH = verp.return_path("bounce@news.example", *WHOSE, KEYS)
MESSAGE_ID = "0123456789abcdef0123456789abcdef@news.example"
LINK = f"https://digest.example/unsubscribe/{links.sign(links.UNSUBSCRIBE, WHOSE.subscriber_id, KEYS)}"

ORIGINAL = f"""\
Return-Path: <{RETURN_PATH}>
Date: Mon, 04 May 2026 09:00:00 +0000
From: Digest <weekly@news.example>
To: {READER}
Subject: gpt-5.5 ties for #1
Message-ID: <{MESSAGE_ID}>
List-Unsubscribe: <{LINK}>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

This week the sender policy of a spam benchmark exceeded its size limit; mailbox unknown.
"""


class Sample(NamedTuple):
    name: str
    raw: bytes
    kind: Kind
    reason: Reason | None
    status: str = ""


def suppresses(returned: Returned) -> Suppress:
    """When the reader gets no more mail because of it: never for what no signature proves."""
    if returned.proof == "none":
        return "never"
    if returned.kind == "complaint":
        return "at_once"
    return "never" if returned.reason is None else CONSEQUENCES[returned.reason].suppress


def mail(
    body: str, *header: str, sender: str = "MAILER-DAEMON@mx.example.org", subject: str = "failure notice"
) -> bytes:
    """A message to the return path; what `header` names, beside the usual."""
    lines = (f"From: {sender}", f"To: {RETURN_PATH}", f"Subject: {subject}", "MIME-Version: 1.0", *header)
    return ("\n".join(lines) + "\n\n" + body).replace("\n", "\r\n").encode()


def report(
    notice: str,
    fields: str,
    original: str = ORIGINAL,
    *,
    kind: str = "delivery-status",
    part: str = "",
    encoding: str = "7bit",
    subject: str = "Undelivered Mail Returned to Sender",
) -> bytes:
    """A multipart/report (RFC 6522) of three parts."""
    parts = (
        f"Content-Type: text/plain; charset=utf-8\n\n{notice}",
        f"Content-Type: message/{part or kind}\nContent-Transfer-Encoding: {encoding}\n\n{fields}",
        f"Content-Type: message/rfc822\n\n{original}",
    )
    body = "".join(f"--=_report/1\n{one}\n" for one in parts) + "--=_report/1--\n"
    return mail(
        body,
        "Auto-Submitted: auto-replied",
        f'Content-Type: multipart/report; report-type={kind}; boundary="=_report/1"',
        subject=subject,
    )


def status(
    status: str, diagnostic: str, action: str = "failed", reader: str = READER, original: str | None = None
) -> str:
    """The fields of a delivery status notification about one recipient."""
    asked = f"Original-Recipient: rfc822;{original}\n" if original else ""
    return (
        "Reporting-MTA: dns; mx.example.org\nArrival-Date: Mon, 04 May 2026 09:00:02 +0000\n\n"
        f"{asked}Final-Recipient: rfc822; {reader}\nAction: {action}\nStatus: {status}\n"
        f"Remote-MTA: dns; in.example.org\nDiagnostic-Code: smtp; {diagnostic}\n"
    )


POSTFIX = (
    "This is the mail system at host relay.news.example.\n\nI'm sorry to have to inform you that your message\n"
    "could not be delivered to one or more recipients. It's attached below.\n\n"
)
UTF8_STATUS = (
    "Reporting-MTA: dns; mx.example.jp\n\nOriginal-Recipient: utf-8;用户@例え.example\n"
    "Final-Recipient: utf-8;用户@例え.example\nAction: failed\nStatus: 5.1.1\n"
    "Diagnostic-Code: smtp; 550 5.1.1 <用户@例え.example> その宛先はありません\n"
)
XTEXT_STATUS = (
    "Reporting-MTA: dns; mx.example.de\n\nFinal-Recipient: utf-8; j\\x{FC}rgen@m\\x{FC}ller.example\n"
    "Action: failed\nStatus: 5.6.7\nDiagnostic-Code: smtp; 553 5.6.7 j\\x{FC}rgen@m\\x{FC}ller.example wants SMTPUTF8\n"
)
BASE64_STATUS = (
    "UmVwb3J0aW5nLU1UQTogZG5zOyBteC5leGFtcGxlLmp"
    "wCgpGaW5hbC1SZWNpcGllbnQ6IHV0Zi04O2FubkBleGFt\ncGxlLmpwCkFjdGlvbjogZmFpbGVkClN0YXR1czogNS4xLjEK\n"
)  # Reporting-MTA …, Final-Recipient: utf-8;ann@example.jp, Action: failed, Status: 5.1.1
QMAIL = """\
Hi. This is the qmail-send program at mx.example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ann.smith@example.org>:
{}

--- Below this line is a copy of the message.

"""
EXIM = """\
This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ann.smith@example.org
    {}

------ This is a copy of the message, including all the headers. ------

"""
FEEDBACK = (
    "Feedback-Type: {}\nUser-Agent: Loop/1.0\nVersion: 1\nOriginal-Mail-From: <" + RETURN_PATH + ">\n"
    "Original-Rcpt-To: <ann.smith@example.org>\nArrival-Date: Mon, 04 May 2026 09:00:00 +0000\nSource-IP: 192.0.2.7\n"
)

NO_USER = f"550 5.1.1 <{READER}>: Recipient address rejected: User unknown in virtual mailbox table"

DELIVERY_REPORTS = [
    Sample("Postfix", report(POSTFIX, status("5.1.1", NO_USER)), "hard", "no_such_mailbox", "5.1.1"),
    Sample(
        "Postfix, on two lines",
        report(POSTFIX, status("5.1.1", f"550 5.1.1 <{READER}>:\n    Recipient address rejected: User unknown")),
        "hard",
        "no_such_mailbox",
        "5.1.1",
    ),
    Sample(
        "Postfix, no such domain",
        report(
            POSTFIX,
            status("5.4.4", "x; Host or domain name not found. Name service error for name=example.org type=AAAA"),
        ),
        "soft",
        "domain_gone",
        "5.4.4",
    ),
    Sample(
        "Postfix, null MX",
        report(POSTFIX, status("5.1.10", "556 5.1.10 Domain example.org does not accept mail (nullMX)")),
        "hard",
        "null_mx",
        "5.1.10",
    ),
    Sample(
        "Postfix, delayed",
        report(
            "Your message could not be delivered for more than 4 hours.\nIt will be retried until it is 5 days old.",
            status("4.4.1", "connect to in.example.org[192.0.2.25]:25: Connection timed out", "delayed"),
            subject="Delayed Mail (still being retried)",
        ),
        "soft",
        "temporary",
        "4.4.1",
    ),
    Sample(
        "Postfix, expired",
        report(POSTFIX, status("4.4.1", "connect to in.example.org[192.0.2.25]:25: Connection timed out")),
        "soft",
        "unreachable",
        "4.4.1",
    ),
    Sample(
        "Exchange Online",
        report(
            "Your message to ann.smith@example.org couldn't be delivered.\nann.smith wasn't found at example.org.",
            status("5.1.10", f"550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {READER} not found by SMTP lookup"),
        ),
        "hard",
        "no_such_mailbox",
        "5.1.10",
    ),
    Sample(
        "Exchange Online, not in the directory",
        report("", status("5.4.1", "550 5.4.1 Recipient address rejected: Access denied. [DB3.example.net]")),
        "hard",
        "no_such_mailbox",
        "5.4.1",
    ),
    Sample(
        "Exchange Online, our authentication",
        report("", status("5.7.515", "550 5.7.515 Access denied, sending domain news.example is not authenticated")),
        "soft",
        "blocked_policy",
        "5.7.515",
    ),
    Sample(
        "Exchange, quota",
        report("", status("5.2.2", "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException")),
        "soft",
        "mailbox_full",
        "5.2.2",
    ),
    Sample(
        "Exchange, too large",
        report("", status("5.2.3", "550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient")),
        "soft",
        "too_large",
        "5.2.3",
    ),
    Sample(
        "Outlook.com",
        report("", status("5.5.0", "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).")),
        "soft",
        "mailbox_disabled",
        "5.5.0",
    ),
    Sample(
        "Gmail",
        report(
            "** Address not found **\n\nYour message wasn't delivered to ann.smith@example.org.",
            status(
                "5.1.1",
                "550-5.1.1 The email account that you tried to reach does not exist. Please try\n"
                " 550-5.1.1 double-checking the recipient's email address for typos or\n"
                " 550 5.1.1 unnecessary spaces. https://support.example/mail/?p=NoSuchUser&policy=1 - gsmtp",
            ),
        ),
        "hard",
        "no_such_mailbox",
        "5.1.1",
    ),
    Sample(
        "Gmail, over quota",
        report("", status("5.2.2", "552-5.2.2 The recipient's inbox is out of storage space. 552 5.2.2 - gsmtp")),
        "soft",
        "mailbox_full",
        "5.2.2",
    ),
    Sample(
        "Gmail, disabled",
        report("", status("5.2.1", "550 5.2.1 The email account that you tried to reach is disabled. - gsmtp")),
        "soft",
        "mailbox_disabled",
        "5.2.1",
    ),
    Sample(
        "Gmail, unauthenticated",
        report("", status("5.7.26", "550-5.7.26 This mail is unauthenticated, which poses a risk to the user")),
        "soft",
        "blocked_policy",
        "5.7.26",
    ),
    Sample(
        "a report without a diagnostic text",
        report("", f"Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822;{READER}\nAction: failed\nStatus: 5.1.1\n"),
        "hard",
        "no_such_mailbox",
        "5.1.1",
    ),
    Sample(
        "a report whose notice alone tells",
        report(f"<{READER}>: unknown user\n", f"Final-Recipient: rfc822;{READER}\nAction: failed\nStatus: 5.0.0\n"),
        "hard",
        "no_such_mailbox",
        "5.0.0",
    ),
    Sample(
        "a report whose notice alone spares",
        report("The mailbox is full.", f"Final-Recipient: rfc822;{READER}\nAction: failed\nStatus: 5.1.1\n"),
        "soft",
        "mailbox_full",
        "5.1.1",
    ),
    Sample(
        "a report that tells nothing",
        report("It did not work.", f"Final-Recipient: rfc822;{READER}\nAction: failed\nStatus: 5.0.0\n"),
        "soft",
        "unknown",
        "5.0.0",
    ),
    Sample(
        "a code that lies: full",
        report("", status("5.1.1", f"550 5.1.1 <{READER}>: mailbox is full, over quota")),
        "soft",
        "mailbox_full",
        "5.1.1",
    ),
    Sample(
        "a code that lies: blocked",
        report("", status("5.1.1", "550 5.1.1 rejected: client host [192.0.2.9] is listed at zen.dnsbl.example")),
        "soft",
        "blocked_policy",
        "5.1.1",
    ),
    Sample(
        "a code that lies: unknown user as policy",
        report("", status("5.7.1", f"554 5.7.1 <{READER}>: no such user here")),
        "hard",
        "no_such_mailbox",
        "5.7.1",
    ),
    Sample(
        "a code that lies: a policy that is one",
        report("", status("5.7.26", "550 5.7.26 user unknown")),
        "soft",
        "blocked_policy",
        "5.7.26",
    ),
    Sample(
        "unknown user, but not for good",
        report("", status("4.1.1", f"450 4.1.1 <{READER}>: User unknown in local recipient table")),
        "soft",
        "unreachable",
        "4.1.1",
    ),
    Sample(
        "the address of spammer@ is no spam",
        report("", status("5.1.1", "550 5.1.1 <spammer@example.org> user unknown", reader="spammer@example.org")),
        "hard",
        "no_such_mailbox",
        "5.1.1",
    ),
    Sample(
        "an owner that changed (RFC 7293)",
        report("", status("5.7.17", "550 5.7.17 receiving mailbox owner has changed")),
        "hard",
        "moved",
        "5.7.17",
    ),
    Sample(
        "forwarded to a dead mailbox",
        report("", status("5.1.1", "550 5.1.1 user unknown", reader="old@elsewhere.example", original=READER)),
        "soft",
        "forward_failed",
        "5.1.1",
    ),
    Sample(
        "an alias of two, one of them dead",
        report(
            "",
            status("5.1.1", "550 5.1.1 user unknown", reader="one@example.org")
            + "\nFinal-Recipient: rfc822; two@example.org\nAction: relayed\nStatus: 2.1.9\n",
        ),
        "delivered",
        None,
    ),
    Sample("a success", report("", status("2.0.0", "250 2.0.0 Ok", "delivered")), "delivered", None),
    Sample(
        "no empty line between the groups",
        report("", "Reporting-MTA: dns; a\nFinal-Recipient: rfc822;x@example.org\nAction: failed\nStatus: 5.1.1 (x)\n"),
        "hard",
        "no_such_mailbox",
        "5.1.1",
    ),
    Sample(
        "in UTF-8 (RFC 6533)",
        report("届きませんでした。", UTF8_STATUS, part="global-delivery-status", encoding="8bit"),
        "hard",
        "no_such_mailbox",
        "5.1.1",
    ),
    Sample(
        "in UTF-8, as ASCII (RFC 6533 section 3)",
        report("", XTEXT_STATUS, part="global-delivery-status"),
        "soft",
        "smtputf8",
        "5.6.7",
    ),
    Sample(
        "in base64",
        report("", BASE64_STATUS, part="global-delivery-status", encoding="base64"),
        "hard",
        "no_such_mailbox",
        "5.1.1",
    ),
    Sample(
        "with a footer that a gateway put around it",
        mail(
            "--outer\n"
            + report(POSTFIX, status("5.1.1", NO_USER)).decode().partition("MIME-Version: 1.0\r\n")[2].replace("\r", "")
            + "\n--outer\nContent-Type: text/plain\n\nThis mail is confidential.\n--outer--\n",
            'Content-Type: multipart/mixed; boundary="outer"',
        ),
        "hard",
        "no_such_mailbox",
        "5.1.1",
    ),
]
"""multipart/report, as nearly all systems send it today."""

NOTICES = [
    Sample(
        "qmail",
        mail(QMAIL.format("Sorry, no mailbox here by that name. (#5.1.1)") + ORIGINAL),
        "hard",
        "no_such_mailbox",
        "5.1.1",
    ),
    Sample(
        "qmail, no such host",
        mail(QMAIL.format("Sorry, I couldn't find any host named example.org. (#5.1.2)") + ORIGINAL),
        "soft",
        "domain_gone",
        "5.1.2",
    ),
    Sample(
        "qmail, given up",
        mail(
            QMAIL.format(
                "Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n"
                "I'm not going to try again; this message has been in the queue too long."
            )
            + ORIGINAL
        ),
        "soft",
        "unreachable",
        "4.4.1",
    ),
    Sample(
        "Exim",
        mail(
            EXIM.format(
                f"host in.example.org [192.0.2.25]\n    SMTP error after RCPT TO:<{READER}>:\n    550 Unknown user"
            )
            + ORIGINAL,
            "Auto-Submitted: auto-replied",
            f"X-Failed-Recipients: {READER}",
            sender="Mail Delivery System <Mailer-Daemon@mx.example.org>",
            subject="Mail delivery failed: returning message to sender",
        ),
        "hard",
        "no_such_mailbox",
    ),
    Sample(
        "Exim, late",
        mail(
            "A message that you sent has not yet been delivered to one or more of its recipients after more than\n"
            "24 hours on the queue. No action is required on your part.\n",
            "Auto-Submitted: auto-replied",
            sender="Mail Delivery System <Mailer-Daemon@mx.example.org>",
            subject="Warning: message 1sABC-0001 delayed 24 hours",
        ),
        "soft",
        "temporary",
    ),
    Sample(
        "sendmail, late",
        mail(
            "    **  THIS IS A WARNING MESSAGE ONLY  **\n    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n\n"
            "... Deferred: Connection timed out with in.example.org.\n",
            subject="Warning: could not send message for past 4 hours",
        ),
        "soft",
        "temporary",
    ),
    Sample(
        "about news of a delay",
        mail(
            "550 5.1.1 User unknown\n",
            subject="Undeliverable: the next model is delayed",
            sender="postmaster@a.example",
        ),
        "hard",
        "no_such_mailbox",
        "5.1.1",
    ),
    Sample(
        "sendmail of old",
        mail(
            "   ----- The following addresses had permanent fatal errors -----\n<ann.smith@example.org>\n\n"
            "   ----- Transcript of session follows -----\n... while talking to in.example.org.:\n"
            ">>> DATA\n<<< 552 5.2.2 Over quota\n554 5.0.0 Service unavailable\n\n"
            "   ----- Original message follows -----\n" + ORIGINAL,
            sender="Mail Delivery Subsystem <MAILER-DAEMON@mx.example.org>",
            subject="Returned mail: see transcript for details",
        ),
        "soft",
        "mailbox_full",
        "5.2.2",
    ),
    Sample(
        "in HTML alone",
        mail(
            "<html><p>Delivery to <b>ann.smith@example.org</b> failed:</p><p>550&nbsp;No such user</p></html>",
            "Content-Type: text/html; charset=utf-8",
            sender="postmaster@example.org",
            subject="Undeliverable: gpt-5.5 ties for #1",
        ),
        "hard",
        "no_such_mailbox",
    ),
    Sample(
        "in German, without a code",
        mail(
            "Ihre Nachricht konnte nicht zugestellt werden.\n",
            sender="Postmaster <postmaster@example.de>",
            subject="Unzustellbar: gpt-5.5",
        ),
        "soft",
        "unknown",
    ),
    Sample(
        "a report without its delivery status",
        report(f"<{READER}>: host in.example.org said: 550 5.1.1 User unknown\n", status("5.1.1", NO_USER)).partition(
            b"--=_report/1\r\nContent-Type: message/delivery-status"
        )[0],
        "hard",
        "no_such_mailbox",
        "5.1.1",
    ),
    Sample(
        "Yahoo",
        mail(
            "Unable to deliver message to the following address(es).\n\n<ann.smith@example.org>:\n"
            "This user doesn't have a yahoo.example account (ann.smith@example.org) [0]\n\n"
            "--- Original message follows.\n\n" + ORIGINAL,
            sender="mailer-daemon@yahoo.example",
        ),
        "hard",
        "no_such_mailbox",
    ),
    Sample(
        "from nobody that we know as a system, so only that it came back is believed",
        mail(
            "Here is your list of failed recipients:\n\n<ann.smith@example.org> user unknown (5.1.1)\n\n"
            "Here is your returned mail:\n\n" + ORIGINAL,
            sender="The Mail Room <room@example.org>",
        ),
        "soft",
        "unreadable",
    ),
]
"""Written for people, or cut off."""

COMPLAINTS = [
    Sample(
        "an abuse report",
        report("This is a spam report.", FEEDBACK.format("abuse"), kind="feedback-report"),
        "complaint",
        None,
    ),
    Sample("fraud", report("", FEEDBACK.format("Fraud"), kind="feedback-report"), "complaint", None),
    Sample("not spam", report("", FEEDBACK.format("not-spam"), kind="feedback-report"), "unknown", None),
    Sample("authentication", report("", FEEDBACK.format("auth-failure"), kind="feedback-report"), "unknown", None),
    Sample(
        "junk mail report of Outlook.com",
        mail(
            f"--b\nContent-Type: message/rfc822\n\nX-HmXmrOriginalRecipient: {READER}\n{ORIGINAL}\n--b--\n",
            'Content-Type: multipart/mixed; boundary="b"',
            sender="staff@hotmail.example",
            subject="complaint about message from 192.0.2.7",
        ),
        "complaint",
        None,
    ),
]

ANSWERS = [
    Sample(
        "vacation (RFC 3834)",
        mail(
            "I am away; my mailbox is full.", "Auto-Submitted: auto-replied (vacation)", sender=READER, subject="Re: x"
        ),
        "auto_reply",
        None,
    ),
    Sample(
        "Exchange, out of office",
        mail(
            "I left; user unknown.", "X-Auto-Response-Suppress: All", sender=READER, subject="Automatic reply: gpt-5.5"
        ),
        "auto_reply",
        None,
    ),
    Sample("in German", mail("Bin weg.", sender=READER, subject="Abwesenheitsnotiz: gpt-5.5"), "auto_reply", None),
    Sample("in Japanese", mail("…", sender=READER, subject="=?utf-8?b?6Ieq5YuV5b+c562U?=: x"), "auto_reply", None),
    Sample("by precedence", mail("Away.", "Precedence: auto_reply", sender=READER, subject="Hi"), "auto_reply", None),
    Sample(
        "a challenge",
        mail("Prove that you are a person.", "X-AutoReply: YES", sender=READER, subject="Confirm"),
        "auto_reply",
        None,
    ),
    Sample(
        "read (RFC 8098)",
        report(
            "Your message was read.",
            f"Final-Recipient: rfc822;{READER}\nDisposition: manual-action/MDN-sent-manually; displayed\n",
            kind="disposition-notification",
        ),
        "auto_reply",
        None,
    ),
    Sample(
        "an answer that encloses a report",
        mail(
            "--b\nContent-Type: text/plain\n\nAway.\n--b\nContent-Type: message/rfc822\n\n"
            + report("", status("5.1.1", NO_USER)).decode().replace("\r", "")
            + "\n--b--\n",
            "Auto-Submitted: auto-replied",
            'Content-Type: multipart/mixed; boundary="b"',
            sender=READER,
            subject="Re: x",
        ),
        "auto_reply",
        None,
    ),
]

OTHERS = [
    Sample("a person", mail("Thank you, I like it. The user unknown part was funny.", sender=READER), "unknown", None),
    Sample("nothing", b"", "unknown", None),
    Sample("not a mail", b"\x00\xff\x00" * 100, "unknown", None),
    Sample(
        "news of a postmaster",
        mail("The server moves on Sunday.", sender="postmaster@example.org", subject="Maintenance"),
        "unknown",
        None,
    ),
    Sample(
        "parts in one another without end",
        mail("".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(2000))),
        "unknown",
        None,
    ),
]

ALL = [*DELIVERY_REPORTS, *NOTICES, *COMPLAINTS, *ANSWERS, *OTHERS]

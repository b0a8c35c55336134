"""Messages a second of django-post-office, queueing included: post_office.py PORT COUNT PAGE"""

import sys
import time
from pathlib import Path

sys.path.pop(0)  # this folder, in which a file has the package's name

import django
from django.conf import settings

port, count, page = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]).read_text(encoding="utf-8")
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "post_office"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "post_office.db"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    EMAIL_BACKEND="post_office.EmailBackend",
    EMAIL_HOST="127.0.0.1",
    EMAIL_PORT=port,
    POST_OFFICE={"BATCH_SIZE": 5000},
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
)
django.setup()

from django.core.management import call_command  # noqa: E402
from post_office import mail  # noqa: E402

call_command("migrate", verbosity=0)
start = time.perf_counter()
mail.send_many(
    {
        "recipients": [f"r{number}@example.org"],
        "sender": "news@digest.example",
        "subject": "Digest",
        "message": "Digest",
        "html_message": page.replace("@@LINK@@", f"https://digest.example/unsubscribe/{number}"),
    }
    for number in range(count)
)
sent, failed, _requeued = mail.send_queued(processes=1)
assert (sent, failed) == (count, 0), (sent, failed)
print(count / (time.perf_counter() - start))

"""Messages a second of django-newsletter: newsletter.py PORT COUNT PAGE"""

import sys
import time
from pathlib import Path

sys.path.pop(0)  # this folder, in which a file has the package's name

import django
from django.conf import settings

port, count, page = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]).read_text(encoding="utf-8")
(templates := Path("templates/newsletter/message")).mkdir(parents=True)
linked = page.replace("@@LINK@@", "{{ link }}")
for kind, content in (("_subject.txt", "Digest"), (".txt", "Digest"), (".html", linked)):
    whole = "{% with link=subscription.unsubscribe_activate_url %}" + content + "{% endwith %}"
    (templates / f"message{kind}").write_text(whole, encoding="utf-8")
settings.configure(
    INSTALLED_APPS=[
        *(f"django.contrib.{name}" for name in ("contenttypes", "auth", "sites", "sessions", "messages")),
        "sorl.thumbnail",
        "newsletter",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "newsletter.db"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    EMAIL_HOST="127.0.0.1",
    EMAIL_PORT=port,
    NEWSLETTER_THUMBNAIL="sorl-thumbnail",
    NEWSLETTER_USE_HTTPS=True,
    ROOT_URLCONF="newsletter.urls",
    SITE_ID=1,
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": ["templates"], "APP_DIRS": True}],
    USE_TZ=True,
)
django.setup()

from django.core.management import call_command  # noqa: E402
from newsletter.models import Message, Newsletter, Submission, Subscription  # noqa: E402

call_command("migrate", verbosity=0)
letter = Newsletter.objects.create(title="Digest", slug="digest", email="news@digest.example", sender="Digest")
letter.site.set([1])
Subscription.objects.bulk_create(
    Subscription(newsletter=letter, email_field=f"r{number}@example.org", subscribed=True, activation_code="x" * 40)
    for number in range(count)
)
submission = Submission.from_message(Message.objects.create(title="Digest", slug="digest", newsletter=letter))
submission.prepared = True
submission.save()
start = time.perf_counter()
Submission.submit_queue()
submission.refresh_from_db()
assert submission.sent
print(count / (time.perf_counter() - start))

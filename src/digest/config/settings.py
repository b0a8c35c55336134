"""All settings as one frozen value, parsed once at the edge (loading.py) and trusted inside."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, NestedSecretsSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from digest.config.sections import (
    Alerts,
    Approval,
    Backups,
    Bounces,
    Consent,
    Database,
    Delivery,
    Dkim,
    Fetch,
    Hooks,
    Links,
    Location,
    Mail,
    Mailgun,
    Policy,
    Postmark,
    Schedule,
    Series,
    Signup,
    Smtp,
    Verdicts,
    Web,
    Webhooks,
)
from digest.config.source import Source


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="DIGEST_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        secrets_dir_missing="ok",
        secrets_nested_delimiter="__",
    )

    series: Series = Series()
    database: Database = Database()
    mail: Mail = Mail()
    delivery: Delivery = Delivery()
    smtp: Smtp = Smtp()
    postmark: Postmark = Postmark()
    mailgun: Mailgun = Mailgun()
    dkim: Dkim = Dkim()
    bounces: Bounces = Bounces()
    webhooks: Webhooks = Webhooks()
    alerts: Alerts = Alerts()
    backups: Backups = Backups()
    hooks: Hooks = Hooks()
    web: Web = Web()
    links: Links = Links()
    consent: Consent = Consent()
    location: Location = Location()
    signup: Signup = Signup()
    approval: Approval = Approval()
    schedule: Schedule = Schedule()
    fetch: Fetch = Fetch()
    policy: Policy = Policy()
    verdicts: Verdicts = Verdicts()
    sources: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,60}$")], Source] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 (the library's signature)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the library's signature)
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, NestedSecretsSettingsSource(file_secret_settings, secrets_prefix=""), init_settings

    @property
    def enabled_sources(self) -> dict[str, Source]:
        return {name: source for name, source in self.sources.items() if source.enabled}

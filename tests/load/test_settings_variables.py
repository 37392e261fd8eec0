"""The variable of a field of pydantic-settings, with a value that the field accepts."""

import datetime as dt
import ipaddress
import uuid
from collections.abc import Sequence
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    AliasChoices,
    AmqpDsn,
    AnyUrl,
    BaseModel,
    ByteSize,
    DirectoryPath,
    Field,
    FilePath,
    HttpUrl,
    Json,
    MySQLDsn,
    PositiveInt,
    PostgresDsn,
    RedisDsn,
    SecretBytes,
    SecretStr,
    WebsocketUrl,
    create_model,
)
from pydantic_settings import BaseSettings
from routegen.load.settings_variables import settings_variables


class Color(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 3


class Account(BaseModel):
    token: SecretStr
    port: int = 5


class Database(BaseModel):
    host: str
    account: Account
    name: str = Field("main", alias="title")


class Host(BaseModel):
    host: str


def variables_of(settings: type[BaseSettings]) -> dict[str, str]:
    with pytest.raises(ValueError, match=r"Settings|error parsing") as error:
        settings()
    return settings_variables(error.value)


def make_settings(annotation: Any, field: Any = ..., name: str = "thing", **config: Any) -> type[BaseSettings]:
    fields: Any = {name: (annotation, field)}
    base = type("Base", (BaseSettings,), {"model_config": config})
    return create_model("Settings", __base__=base, **fields)


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Check that the settings can be read with the values, and return them."""

    def run(settings: type[BaseSettings]) -> dict[str, str]:
        variables = variables_of(settings)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        settings()
        return variables

    return run


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Host, '{"host": "example.com"}'),
        (Host | None, '{"host": "example.com"}'),
        (list[str], '["example"]'),
        (Annotated[list[str], Field(min_length=1)], '["example"]'),
        (Sequence[str], '["example"]'),
        (set[int], "[1]"),
        (tuple[int, str], '[1, "example"]'),
        (list[Host], '[{"host": "example.com"}]'),
        (list[HttpUrl], '["https://example.com"]'),
        (list[Color], '["red"]'),
        (dict[str, int], "{}"),
        (Literal["dev", "prod"], "dev"),
        (Color, "red"),
        (Level, "3"),
        (int | list[str], "1"),
        (bool, "true"),
        (Decimal, "1"),
        (PositiveInt, "1"),
        (ByteSize, "1"),
        (Json, "1"),
        (SecretBytes, "example"),
        (HttpUrl, "https://example.com"),
        (AnyUrl, "https://example.com"),
        (WebsocketUrl, "ws://localhost/example"),
        (PostgresDsn, "postgres://localhost/example"),
        (RedisDsn, "redis://localhost/example"),
        (MySQLDsn, "mysql://localhost/example"),
        (AmqpDsn, "amqp://localhost/example"),
        (dt.date, "2030-01-01"),
        (dt.timedelta, "PT1S"),
        (uuid.UUID, "00000000-0000-4000-8000-000000000000"),
        (ipaddress.IPv4Address, "127.0.0.1"),
        (Path, "example"),
        (DirectoryPath, "/tmp"),
        (FilePath, "/etc/hosts"),
        (Any, "example"),
    ],
    ids=str,
)
def test_the_value_is_accepted_by_the_type(annotation: Any, value: str, check: Any) -> None:
    assert check(make_settings(annotation)) == {"THING": value}


@pytest.mark.parametrize(
    ("annotation", "field", "value"),
    [
        (int, Field(ge=10), "10"),
        (int, Field(gt=10, lt=20), "11"),
        (float, Field(lt=0), "-1"),
        (SecretStr, Field(min_length=30), "00000000-0000-4000-8000-000000000000"),
    ],
)
def test_the_value_is_within_the_limits(annotation: Any, field: Any, value: str, check: Any) -> None:
    assert check(make_settings(annotation, field)) == {"THING": value}


@pytest.mark.parametrize(
    ("name", "annotation", "value"),
    [
        ("port", int, "8000"),
        ("api_key", SecretStr, "invented-0123456789-0123456789-0123456789"),
        ("database_url", PostgresDsn, "postgres://localhost/example"),
        ("public_url", HttpUrl, "https://example.com"),
    ],
)
def test_the_name_decides_if_the_type_accepts_its_value(name: str, annotation: Any, value: str, check: Any) -> None:
    assert check(make_settings(annotation, name=name)) == {name.upper(): value}


@pytest.mark.parametrize(
    ("config", "field", "variables"),
    [
        ({"env_prefix": "app_"}, ..., ["APP_THING"]),
        ({"env_nested_delimiter": "__"}, ..., ["THING__HOST", "THING__ACCOUNT__TOKEN"]),
        ({"env_nested_delimiter": "__", "env_prefix": "app_"}, ..., ["APP_THING__HOST", "APP_THING__ACCOUNT__TOKEN"]),
        ({"case_sensitive": True, "env_prefix": "app_"}, ..., ["app_thing"]),
        ({"env_prefix": "app_"}, Field(alias="other"), ["OTHER"]),
        ({"env_prefix": "app_"}, Field(validation_alias="thing"), ["THING"]),
        ({}, Field(validation_alias=AliasChoices("FIRST", "SECOND")), ["FIRST"]),
        ({"env_nested_delimiter": "__"}, Field(validation_alias=AliasChoices("FIRST", "SECOND")),
         ["FIRST__HOST", "FIRST__ACCOUNT__TOKEN"]),
    ],
)  # fmt: skip
def test_prefixes_aliases_and_delimiters(config: Any, field: Any, variables: list[str], check: Any) -> None:
    assert list(check(make_settings(Database, field, **config))) == variables


@pytest.mark.parametrize(
    ("config", "name", "wrong", "variables"),
    [
        ({}, "THING", "example", ["THING"]),
        ({}, "THING", '{"port": 1}', ["THING"]),
        ({"env_nested_delimiter": "__"}, "THING__ACCOUNT__PORT", "x",
         ["THING__HOST", "THING__ACCOUNT__TOKEN", "THING__ACCOUNT__PORT"]),
    ],
)  # fmt: skip
def test_a_wrong_value_is_replaced(
    config: Any, name: str, wrong: str, variables: list[str], check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, wrong)
    assert list(check(make_settings(Database, **config))) == variables


def test_an_item_of_a_list_has_no_variable(check: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING", '["x"]')
    assert check(make_settings(list[int], env_nested_delimiter="__")) == {"THING": "[1]"}


def test_a_model_of_the_environment_has_only_names() -> None:
    with pytest.raises(ValueError, match="HOST") as error:
        create_model("Environment", HOST=(str, ...)).model_validate({})
    assert settings_variables(error.value) == {"HOST": ""}
    assert settings_variables(KeyError("HOST")) == {}

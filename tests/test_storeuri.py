"""The address of a store: complete, and with nothing in it that must not be written down."""

from __future__ import annotations

from pathlib import Path

import pytest

from tutelage.storeuri import checked_store

SECRETS = [
    "postgresql://u:s3cret@h/db",
    "postgresql://u:s3/cr?et@h/db",
    "postgresql://:s3cret@h/db",
    "postgresql://u@h/db?password=s3cret",
    "postgresql://u@h/db?a=b#&password=s3cret",
    "postgresql+psycopg://u@h/db?sslmode=on&sslpassword=s3cret",
    "mysql+pymysql://u@h/db?passwd=s3cret",
    "mysql://u@h/db?x=1;PassWord=s3cret",
    "mysql://u@h/db?%70assword=s3cret",
    "mysql://u@h/db?auth_token=s3cret",
    "mssql+pyodbc:///?odbc_connect=DRIVER%3DX%3BPWD%3Ds3cret",
    "mssql+pyodbc://h/?odbc_connect=DRIVER%253DX%253BPWD%253Ds3cret",
    "https://s3cret@host",
    "https://me:s3cret@host",
    "https://me:s3/cret@host",
    "https://host/?token=s3cret",
    "HTTPS://host/?s3cret",
    "https://host/#s3cret",
    "https://me:s3cret@[::1",
    "http://me:s3cret@\u2100",
    "redis://:s3cret@h",
    "nothing:s3cret@h",
]


@pytest.mark.parametrize("uri", SECRETS)
def test_what_may_hold_a_secret_is_refused_without_repeating_it(uri: str) -> None:
    with pytest.raises(ValueError, match=r"\*\*\*") as told:
        checked_store(uri)
    said = str(told.value)
    assert not any(part in said for part in ("s3", "cret", "cr?et")) and told.value.__cause__ is None


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://u@h/db",
        "postgresql+psycopg://u@h:5432/db?sslmode=verify-full&sslkey=/k.pem&passfile=/home/u/.pgpass",
        "mysql+pymysql://u@h/db?charset=utf8mb4",
        "http://localhost:5000",
        "https://mlflow.example.org/under/here",
    ],
)
def test_a_server_without_a_secret_is_taken_as_it_is(uri: str) -> None:
    assert checked_store(uri) == uri


def test_a_file_is_made_absolute_whatever_its_name_holds(in_folder: Path) -> None:
    assert checked_store("sqlite:///my_key=1@home.db") == f"sqlite:///{in_folder / 'my_key=1@home.db'}"

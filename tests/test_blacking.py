"""What is a secret of a configuration, what is none, and where neither may be mistaken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tutelage import jsonl
from tutelage.blacking import blacked, blacked_yaml
from tutelage.export.mlflow.figures import parameters
from tutelage.export.recipe import read_recipe
from tutelage.rundir import RunDir
from tutelage.secret import without_secrets

LEAK = "s3cr3t-l34k"
NAMES = """
key api_key apiKey apikey APIKey accessToken access_token api_keys bearer auth passphrase aws_access_key_id
private_key_pem Cookie X-Auth X-API-Key Proxy-Authorization credentials secret password passwd db_password PassWord
OPENAI_API_KEY_2 session_cookies service_account_key_json dbpass openai-key secretAccessKey
"""
OTHERS = """
api_key_env token_env passfile ssl_key sslkey key_file answer_key question_key answerKey pad_token eos_token
pad_token_id tokenizer compass monkey author keyboard max_tokens_by passes sort_key name
"""


@pytest.mark.parametrize("name", NAMES.split())
@pytest.mark.parametrize("value", [LEAK, [LEAK, LEAK], {"x": LEAK, "y": [{"z": LEAK}]}, 12345678, [1234]])
def test_all_below_the_name_of_a_secret_is_black(name: str, value: Any) -> None:
    shown = blacked({name: value})
    assert LEAK not in str(shown) and "1234" not in str(shown) and "***" in str(shown)
    assert type(shown[name]) is (str if isinstance(value, int) else type(value))


@pytest.mark.parametrize("name", OTHERS.split())
def test_what_is_only_named_alike_is_shown(name: str) -> None:
    assert blacked({name: "value", "list": [{name: 64}]}) == {name: "value", "list": [{name: 64}]}


def test_figures_switches_and_pieces_of_text_are_shown() -> None:
    shown: dict[str, Any] = {
        "max_new_tokens": 64, "tokens_per_minute": 1e5, "tokens": "5e4", "stop": {"max_tokens": 100}, "token": None,
        "eos_token": "<|end|>", "image_token": "x", "begin_token": "<s>", "stop_tokens": ["</s>", "<eos>"],
        "usd_per_token": 3e-6, "use_auth": True, "password": "", "keys": [], "url": "http://localhost:8000/v1/a@b",
        "mail": "me@example.org", "store": "postgresql://me@db:5432/x?sslmode=on&passfile=/x", "time": "12:30",
        "python": "max(x, key=len)", "prompt": "Bearer of a ring: n=3, x = y; answer_key=B http://x/?page=2#a=b",
    }  # fmt: skip
    assert blacked(shown) == shown
    assert blacked({"token": 12345678, "api_tokens": [LEAK]}) == {"token": "***", "api_tokens": ["***"]}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"https://{LEAK}@host/x", "https://***@host/x"),
        (f"see https://me:{LEAK}@host:8000/v1/a@b now", "see https://***@host:8000/v1/a@b now"),
        (f"https://host/v1?page=2&api_key={LEAK}&x=1", "https://host/v1?page=2&api_key=***&x=1"),
        (f"https://host/?key={LEAK}", "https://host/?key=***"),
        (f"https://host/?sv=2&sig={LEAK}%3D", "https://host/?sv=2&sig=***"),
        (f"https://host/?X-Amz-Signature={LEAK}#x", "https://host/?X-Amz-Signature=***#x"),
        (f"postgresql://me:pa/{LEAK}@db/x", "postgresql://me:***@db/x"),
        (f"redis://:p@{LEAK}@h/0", "redis://:***@h/0"),
        (f"host=db password={LEAK} dbname=x", "host=db password=*** dbname=x"),
        (f"Server=x;PWD={{a;{LEAK}}};Database=y", "Server=x;PWD=***;Database=y"),
        (f"password = '{LEAK} {LEAK}' x", "password = *** x"),
        (f"mssql:///?odbc_connect=DRIVER%3DX%3BPWD%3D{LEAK}%3BA%3DB", "mssql:///?odbc_connect=DRIVER%3DX%3BPWD%3D***%3BA%3DB"),
        (f"mysql://u@h/db?%70assword={LEAK}", "mysql://u@h/db?%70assword=***"),
        (f"send 'Bearer {LEAK}' first", "send 'Bearer ***' first"),
        (f"Authorization: Basic {LEAK}==", "Authorization: ***"),
        (f"run --api-key={LEAK} -x", "run --api-key=*** -x"),
        (f"-----BEGIN RSA PRIVATE KEY-----\n{LEAK}\n-----END RSA PRIVATE KEY-----\nx", "***\nx"),
    ],
)  # fmt: skip
def test_secrets_within_a_text_are_black(text: str, shown: str) -> None:
    assert blacked([{"field": text, text: 1}]) == [{"field": shown, shown: 1}]
    assert blacked(shown) == shown


def test_no_field_is_lost_where_names_become_alike() -> None:
    assert list(blacked({"Bearer aaaaaa1": 1, "Bearer bbbbbb2": 2}).values()) == [1, 2]


def test_a_long_text_takes_no_long_time() -> None:
    for text in ("x" * 300_000, "//a:" * 20_000, "https://" * 20_000, "%3B" * 50_000, "a=" * 100_000):
        assert blacked(text)


def test_a_folder_is_no_secret_whatever_its_variable_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PWD", "/home/somebody")
    monkeypatch.setenv("DB_PASSWORD", LEAK)
    assert without_secrets(f"/home/somebody {LEAK}") == "/home/somebody ***"


def test_cards_and_parameters_hold_no_secret(tmp_path: Path) -> None:
    options = {"api_key": LEAK, "headers": {"Authorization": f"Bearer {LEAK}"}, "max_tokens": 64}
    task = {"name": "rows", "options": {"dataset": f"https://{LEAK}@host/rows"}}
    config = {"student": {"model": "m"}, "task": task, "training": {"stages": []}, "teachers": [{"options": options}]}
    rundir = RunDir(tmp_path)
    rundir.config.write_text(yaml.safe_dump(config))
    jsonl.write_json(rundir.task, {"schema": 1, "instruction": None})
    recipe = read_recipe(rundir)
    assert LEAK not in str(recipe) and yaml.safe_load(recipe.text)["teachers"][0]["options"]["api_key"] == "***"
    told = parameters(blacked(rundir.settings()))
    assert (told["teachers.0.options.api_key"], told["teachers.0.options.max_tokens"]) == ("***", "64")
    assert yaml.safe_load(blacked_yaml(config)) == yaml.safe_load(recipe.text)

"""Generators and linters of others read our API without an error."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
from tests.docs.outside_tools import npm_tools, python_client_generator
from tests.docs.test_docs import from_code

__all__ = ["from_code"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def description(from_code: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("api") / "openapi.json"
    file.write_text(json.dumps(from_code.openapi()))
    return file


def _run(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(each) for each in words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_spectral_finds_nothing(description: Path) -> None:
    tools = npm_tools()
    rules = description.with_name("rules.yaml")
    rules.write_text('extends: ["spectral:oas"]\n')
    spectral = tools / "node_modules" / ".bin" / "spectral"
    done = _run(spectral, "lint", description, "-r", rules, "-f", "json", "-D", cwd=tools)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    found = json.loads(done.stdout[done.stdout.index("[") : done.stdout.rindex("]") + 1])
    assert [(each["code"], each["path"]) for each in found] == []


def test_spectral_would_find_something(description: Path) -> None:
    """A linter that reads nothing finds nothing."""
    tools = npm_tools()
    spoiled = json.loads(description.read_text())
    spoiled["paths"]["/v1/session"]["get"]["operationId"] = "V1TokensListTokens"
    file = description.with_name("spoiled.json")
    file.write_text(json.dumps(spoiled))
    rules = description.with_name("rules.yaml")
    rules.write_text('extends: ["spectral:oas"]\n')
    spectral = tools / "node_modules" / ".bin" / "spectral"
    done = _run(spectral, "lint", file, "-r", rules, cwd=tools)
    assert done.returncode == 1
    assert "operation-operationId-unique" in done.stdout


def test_openapi_typescript_makes_types_that_a_compiler_takes(description: Path) -> None:
    tools = npm_tools()
    binaries = tools / "node_modules" / ".bin"
    types = description.with_name("api.ts")
    done = _run(binaries / "openapi-typescript", description, "-o", types, cwd=tools)
    assert done.returncode == 0, done.stderr
    used = description.with_name("used.ts")
    used.write_text(
        'import type { components, operations } from "./api";\n'
        'export const token: components["schemas"]["NewToken"]["role"] = "operator";\n'
        "// @ts-expect-error A role that there is not.\n"
        'export const wrong: components["schemas"]["NewToken"]["role"] = "king";\n'
        'export type Who = operations["V1SessionWho"]["responses"]["200"];\n'
    )
    done = _run(binaries / "tsc", "--noEmit", "--strict", "--skipLibCheck", used, cwd=tools)
    assert done.returncode == 0, done.stdout


def test_openapi_python_client_generates_every_operation(description: Path, tmp_path: Path) -> None:
    made = generated_client(description, tmp_path / "zhidao_client")
    functions = [each for each in (made / "api").rglob("*.py") if each.name != "__init__.py"]
    operations = json.loads(description.read_text())["paths"].values()
    assert len(functions) == sum(len(each) for each in operations)


def generated_client(description: Path, folder: Path) -> Path:
    """A Python client made from the description; there must be neither error nor warning."""
    generator = python_client_generator()
    settings = description.with_name("client.yaml")
    # What its kinds of bytes are, as its own settings ask.
    kinds = {
        kind
        for item in json.loads(description.read_text())["paths"].values()
        for operation in item.values()
        for told in (operation.get("requestBody", {}), *operation["responses"].values())
        for kind in told.get("content", {})
        if not kind.endswith("json") and kind != "application/octet-stream"
    }
    overrides = "".join(f"  {kind}: application/octet-stream\n" for kind in sorted(kinds))
    settings.write_text(f"content_type_overrides:\n{overrides}post_hooks: []\n")
    done = _run(
        *(generator, "generate", "--path", description, "--output-path", folder),
        *("--meta", "none", "--config", settings),
        cwd=description.parent,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-3000:]
    assert "Error" not in said
    assert "Warning" not in said, said[-3000:]
    return folder

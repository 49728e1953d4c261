"""Asks a node by a generated client only: finds the generated function of a method and a path.

It stands where the demonstration's parties have their HTTP client, so that whatever they send goes
through models and functions that openapi-python-client made from the API's description.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import io
import json
import pkgutil
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

import httpx

_METHOD = re.compile(r'"method": "(\w+)"')
_URL = re.compile(r'"url": "([^"]+)"')


@dataclass(frozen=True, slots=True)
class Function:
    """A generated operation. `path` finds the names in a path."""

    name: str
    method: str
    path: re.Pattern[str]
    ask: Callable[..., Any]
    kinds: Mapping[str, tuple[Any, ...]]


def functions(package: ModuleType) -> list[Function]:
    """Every operation of a generated package; what has the more fixed letters comes first."""
    found = []
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(info.name)
        if not hasattr(module, "sync_detailed"):
            continue
        source = inspect.getsource(module._get_kwargs)
        method, url = _METHOD.search(source), _URL.search(source)
        assert method
        assert url
        path = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", url[1])
        kinds = {
            name: typing.get_args(parameter.annotation) or (parameter.annotation,)
            for name, parameter in inspect.signature(
                module._get_kwargs, eval_str=True
            ).parameters.items()
        }
        name = info.name.rpartition(".")[2]
        ask = module.sync_detailed
        found.append(Function(name, method[1].upper(), re.compile(path), ask, kinds))
    return sorted(found, key=lambda each: each.path.pattern.count("(?P"))


class GeneratedHttp:
    """What `httpx.AsyncClient` is to the demonstration, made of a generated client's functions."""

    def __init__(self, package: ModuleType, every: list[Function], *, base_url: str) -> None:
        self._client = package.Client
        self._file = importlib.import_module(f"{package.__name__}.types").File
        self._every = every
        self._base_url = base_url
        self._clients: dict[tuple[tuple[str, str], ...], Any] = {}
        self.used: set[str] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.get_httpx_client().close()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        json: Any = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """The answer as the generated function read it."""
        path, _, query = url.partition("?")
        function, named = self._find(method, path)
        self.used.add(function.name)
        arguments: dict[str, Any] = dict(named)
        for name, value in parse_qsl(query):
            arguments[name] = int(value) if int in function.kinds[name] else value
        if content is not None:
            arguments["body"] = self._file(io.BytesIO(content))
        elif json is not None:
            arguments["body"] = _body(function.kinds["body"], json)
        # Its asynchronous form cannot send a body of bytes (httpx takes no plain file there).
        told = await asyncio.to_thread(function.ask, client=self._by(headers), **arguments)
        return self._answer(told)

    def _by(self, headers: Mapping[str, str]) -> Any:
        # The kind of a body is the generated function's own to say.
        own = {name: value for name, value in headers.items() if name != "Content-Type"}
        key = tuple(sorted(own.items()))
        if key not in self._clients:
            self._clients[key] = self._client(
                base_url=self._base_url, headers=own, timeout=httpx.Timeout(30.0)
            )
        return self._clients[key]

    def _find(self, method: str, path: str) -> tuple[Function, dict[str, str]]:
        for function in self._every:
            found = function.path.fullmatch(path)
            if found and function.method == method:
                return function, {k: unquote(v) for k, v in found.groupdict().items()}
        raise AssertionError(f"nothing was generated for {method} {path}")

    def _answer(self, told: Any) -> httpx.Response:
        """What the generated response holds; a model that lost something fails here.

        The bytes stay as they came: what is signed, a trust list, is passed on as it stands.
        """
        parsed, content = told.parsed, told.content
        if isinstance(parsed, self._file):
            content = parsed.payload.getvalue()
        elif content and "json" in told.headers.get("content-type", ""):
            assert parsed is not None, told.content[:300]
            assert _plain(parsed) == json.loads(content)
        dropped = ("content-encoding", "content-length", "transfer-encoding")
        kept = [(k, v) for k, v in told.headers.multi_items() if k.lower() not in dropped]
        request = httpx.Request("GET", self._base_url)
        return httpx.Response(int(told.status_code), headers=kept, content=content, request=request)


def _plain(parsed: Any) -> Any:
    if isinstance(parsed, list):
        return [_plain(each) for each in parsed]
    return parsed.to_dict() if hasattr(parsed, "to_dict") else parsed


def _body(kinds: tuple[Any, ...], value: Any) -> Any:
    """The value as the first of the body's models that says the same again."""
    for kind in _models(kinds):
        try:
            made = kind.from_dict(value)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
        if made.to_dict() == value:
            return made
    raise AssertionError(f"no model of {kinds} takes {json.dumps(value)[:200]}")


def _models(kinds: tuple[Any, ...]) -> Iterator[Any]:
    for kind in kinds:
        if isinstance(kind, types.UnionType):
            yield from _models(typing.get_args(kind))
        elif hasattr(kind, "from_dict"):
            yield kind

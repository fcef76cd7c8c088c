"""The OpenAPI document (3.1), made of the table of operations and the types that check them."""

from functools import cache
from typing import Any

import msgspec
from starlette.responses import Response

from lazaret import __version__
from lazaret.web.api.calls import answer
from lazaret.web.problem import PROBLEM_TYPE, Problem
from lazaret.web.visit import Visit

ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 40},
}
NUMBER = ID | {"name": "number", "schema": {"type": "string", "pattern": "^[0-9]{1,15}$"}}
QUERY = {
    "name": "q",
    "in": "query",
    "description": "In the query language of `lazaret find`.",
    "schema": {"type": "string", "maxLength": 4096},
}
PLACE = {
    "name": "in",
    "in": "query",
    "schema": {"type": "string", "enum": ["quarantine", "history"], "default": "quarantine"},
}
AFTER = {
    "name": "after",
    "in": "query",
    "description": "The cursor `next` of the page before.",
    "schema": {"type": "string", "maxLength": 100},
}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key gives the same answer for a day, and acts once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


def number(name: str, default: int, low: int, high: int) -> dict[str, Any]:
    """A whole number of the query string."""
    schema = {"type": "integer", "minimum": low, "maximum": high, "default": default}
    return {"name": name, "in": "query", "schema": schema}


def text(name: str, description: str) -> dict[str, Any]:
    """A text of the query string."""
    return {
        "name": name,
        "in": "query",
        "description": description,
        "schema": {"type": "string", "maxLength": 255},
    }


async def document(visit: Visit) -> Response:
    """The document."""
    return answer(_document(visit.way.prefix))


@cache
def _document(prefix: str) -> dict[str, Any]:
    from lazaret.web.api.routes import OPERATIONS  # which has this page among its own

    kinds: list[type] = [Problem]
    for operation in OPERATIONS:
        kinds += [kind for kind in (operation.takes, operation.gives) if kind is not None]
    _, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.page.path, {})[operation.page.methods[0].lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lazaret",
            "version": __version__,
            "description": "Find, understand and release quarantined mail.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": prefix or "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _operation(operation: Any) -> dict[str, Any]:  # routes.Operation, which imports this module
    page = operation.page
    described: dict[str, Any] = {
        "operationId": page.endpoint.__name__ if page.endpoint.__name__ != "show" else "message",
        "summary": (page.endpoint.__doc__ or "").strip(),
        "parameters": list(operation.parameters),
        "responses": {"200": _gives(operation)} | _problems(operation),
    }
    if page.need is None:
        described["security"] = []
    if operation.takes is not None:
        schema = {"$ref": f"#/components/schemas/{operation.takes.__name__}"}
        needed = any(field.required for field in msgspec.structs.fields(operation.takes))
        described["requestBody"] = {"required": needed, "content": {"application/json": {"schema": schema}}}
    return described


def _gives(operation: Any) -> dict[str, Any]:
    if operation.gives is None:
        return {"description": "As it is", "content": {operation.media: {"schema": {}}}}
    schema = {"$ref": f"#/components/schemas/{operation.gives.__name__}"}
    return {"description": "Done", "content": {"application/json": {"schema": schema}}}


def _problems(operation: Any) -> dict[str, Any]:
    codes = [429] if operation.page.need is None else [400, 401, 403, 422, 429, 503]
    if "{id}" in operation.page.path or operation.may_lack:
        codes.append(404)
    if operation.takes is not None:
        codes += [409, 413]
    content = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {str(code): {"description": "See `detail`", "content": content} for code in sorted(codes)}

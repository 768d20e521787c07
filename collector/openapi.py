"""The read API described in OpenAPI 3.1, from the tables themselves.

Law: the description is made from what is served, so that it cannot say anything else.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Described(Protocol):
    """What a table says of itself."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def columns(self) -> Mapping[str, str]: ...
    @property
    def weekly(self) -> bool: ...


def document(tables: Sequence[Described], rows_usual: int, rows_max: int) -> dict[str, Any]:
    """The whole description. A column's type is an OpenAPI type, nullable."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Jangkau",
            "version": "1",
            "description": "How the internet of villages is: status, outages, availability, "
            "coverage. A reader's key sees its region.",
        },
        "security": [{"reader": []}],
        "paths": {f"/api/v1/{table.name}": _path(table, rows_usual, rows_max) for table in tables},
        "components": {
            "securitySchemes": {"reader": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": _ERROR, **{table.name: _row(table) for table in tables}},
        },
    }


_ERROR = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
}


def _row(table: Described) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(table.columns),
        "properties": {
            name: {"type": "array", "items": {"type": "string"}}
            if kind == "array"
            else {"type": [kind, "null"]}
            for name, kind in table.columns.items()
        },
    }


def _path(table: Described, rows_usual: int, rows_max: int) -> dict[str, Any]:
    formats = ["json", "csv", *(["geojson"] if "lat" in table.columns else [])]
    parameters = [
        _parameter("format", {"type": "string", "enum": formats, "default": "json"}),
        _parameter("region", {"type": "string", "pattern": r"^\d\d(\.\d\d(\.\d\d(\.\d{4})?)?)?$"}),
        _parameter(
            "limit",
            {"type": "integer", "minimum": 1, "maximum": rows_max, "default": rows_usual},
        ),
        _parameter("offset", {"type": "integer", "minimum": 0, "maximum": 10**9, "default": 0}),
    ]
    if table.weekly:
        parameters.append(
            _parameter("week", {"type": "string", "pattern": r"^\d{4}-W(0[1-9]|[1-4]\d|5[0-3])$"})
        )
    page = {
        "type": "object",
        "required": ["rows", "total", "next"],
        "properties": {
            "rows": {"type": "array", "items": {"$ref": f"#/components/schemas/{table.name}"}},
            "total": {"type": "integer"},
            "next": {"type": ["string", "null"]},
        },
    }
    content: dict[str, Any] = {"application/json": {"schema": page}, "text/csv": {}}
    if "lat" in table.columns:
        content["application/geo+json"] = {}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    failures = {
        "400": "A parameter is wrong; the message says which.",
        "401": "No valid reader's key.",
        "403": "The key reads another region.",
        "429": "Too often: wait as Retry-After says.",
        "507": "The data cannot be read now.",
    }
    return {
        "get": {
            "operationId": table.name,
            "summary": table.description,
            "parameters": parameters,
            "responses": {
                "200": {"description": "A page of rows.", "content": content},
                "304": {"description": "Unchanged since the ETag of If-None-Match."},
                **{
                    status: {"description": meaning, "content": error}
                    for status, meaning in failures.items()
                },
            },
        }
    }


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema}

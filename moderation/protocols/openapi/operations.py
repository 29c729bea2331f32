"""For operators and explorers."""

from moderation.protocols.openapi.parts import (
    HTML,
    JSON,
    TEXT,
    Answer,
    Dialect,
    Operation,
    array,
    parameter,
    record,
    ref,
    shown,
)
from moderation.protocols.problems import PROBLEMS

_STATUS = record({"status": {"const": "ok"}})
_READINESS = record(
    {"status": {"enum": ["ok", "degraded"]}, "missing": array({"enum": ["postgresql", "redis", "model"]})}
)
_CODE = parameter(
    "code",
    "path",
    {"type": "string", "enum": sorted(PROBLEMS)},
    "The last part of a problem's `type`.",
    example="gone",
)
_PAGE = {HTML: {"type": "string"}}

DIALECT = Dialect(
    name="Operations",
    description="Liveness, readiness, metrics, and this documentation. Public: keep `/metrics` behind your proxy.",
    schemas={"Readiness": _READINESS},
    operations=(
        Operation(
            "GET",
            "/livez",
            "live",
            "Does the process answer?",
            {200: Answer("Yes.", {JSON: shown(_STATUS, {"status": "ok"})})},
        ),
        Operation(
            "GET",
            "/readyz",
            "ready",
            "Can it take comments?",
            {
                200: Answer(
                    "Yes; `missing` says what it does without.",
                    {JSON: shown(ref("Readiness"), {"status": "ok", "missing": []})},
                ),
                503: Answer(
                    "No: PostgreSQL is away.",
                    {JSON: shown(ref("Readiness"), {"status": "degraded", "missing": ["postgresql"]})},
                    ("Retry-After",),
                ),
            },
        ),
        Operation(
            "GET",
            "/metrics",
            "metrics",
            "Metrics for Prometheus",
            {200: Answer("The text format 0.0.4.", {TEXT: {"type": "string"}})},
        ),
        Operation(
            "GET",
            "/problems/{code}",
            "explainProblem",
            "The page behind a problem's type",
            {200: Answer("A page.", _PAGE)},
            parameters=(_CODE,),
            problems=("not-found", "internal"),
        ),
        Operation("GET", "/", "start", "Where to begin", {303: Answer("At `/docs`.", headers=("Location",))}),
        Operation(
            "GET",
            "/openapi.json",
            "openapi",
            "This document",
            {200: Answer("OpenAPI 3.1.", {JSON: {"type": "object"}})},
        ),
        Operation("GET", "/docs", "docs", "This document, to be read", {200: Answer("A page.", _PAGE)}),
        Operation(
            "GET",
            "/docs/docs.css",
            "docsStyle",
            "The look of that page",
            {200: Answer("A style sheet.", {"text/css": {"type": "string"}})},
        ),
    ),
)

"""A small FastAPI application: a page, JSON, something kept between requests, and a health path."""

import os
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.started = datetime.now(UTC)
    yield


app = FastAPI(title="Greetings", lifespan=lifespan)


@app.get("/", response_class=HTMLResponse)
async def home(request: Request) -> str:
    return f"<h1>Hello from FastAPI</h1><p>{request.url.scheme} request, greeting {os.environ.get('GREETING', 'hello')}</p>"


@app.get("/items/{number}")
async def item(number: int, q: str | None = None) -> dict[str, object]:
    return {"number": number, "q": q}


@app.get("/health")
async def health(request: Request) -> dict[str, str]:
    return {"status": "ok", "since": request.app.state.started.isoformat()}

"""A small Flask application made by a factory: a page, JSON, a static file, and a health path."""

from flask import Flask, jsonify, render_template, request


def create_app() -> Flask:
    app = Flask(__name__)

    @app.get("/")
    def home() -> str:
        return render_template("home.html", scheme=request.scheme)

    @app.get("/items/<int:number>")
    def item(number: int):
        return jsonify(number=number, q=request.args.get("q"))

    @app.get("/health")
    def health():
        return jsonify(status="ok")

    return app

"""``/``, and what newer clients ask for before anything else."""

from flask import Blueprint, Response

from registry.http.responses import answer
from registry.registry import Registry


def blueprint(registry: Registry) -> Blueprint:
    """The routes."""
    routes = Blueprint("root", __name__)

    @routes.route("/", methods=["GET", "POST"])
    def root() -> Response:
        return answer({})

    @routes.get("/mode")
    def mode() -> Response:
        return answer({"mode": str(registry.mode())})

    @routes.get("/associations/resources/<subject:resource>")
    @routes.get("/associations/subjects/<subject:resource>")
    def associations(resource: str) -> Response:  # noqa: ARG001 - the route's
        # confluent-kafka's serializers ask for a topic's associations with their first message. We keep none.
        return answer([])

    return routes

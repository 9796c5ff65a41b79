"""``/``, and what newer clients ask for before anything else."""

from flask import Blueprint, Response

from registry.http.responses import answer
from registry.registry import Registry


def blueprint(registry: Registry) -> Blueprint:  # noqa: ARG001 - as all the others
    """The routes."""
    routes = Blueprint("root", __name__)

    @routes.route("/", methods=["GET", "POST"])
    def root() -> Response:
        return answer({})

    @routes.get("/associations/resources/<subject:resource>")
    @routes.get("/associations/subjects/<subject:resource>")
    def associations(resource: str) -> Response:  # noqa: ARG001 - the route's
        # confluent-kafka's serializers ask for a topic's associations with their first message. We keep none.
        return answer([])

    return routes

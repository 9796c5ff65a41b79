"""``/``, and what newer clients ask for before anything else."""

from importlib.metadata import version

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

    @routes.get("/v1/metadata/id")
    def cluster() -> Response:
        # There is no Kafka behind it whose id could be told.
        clusters = {"kafka-cluster": "fivebyte", "schema-registry-cluster": "schema-registry"}
        return answer({"id": "", "scope": {"path": [], "clusters": clusters}})

    @routes.get("/v1/metadata/version")
    def release() -> Response:
        return answer({"version": version("fivebyte"), "commitId": ""})

    @routes.get("/v1/metadata/deployment")
    def deployment() -> Response:
        return answer({"attributes": []})

    return routes

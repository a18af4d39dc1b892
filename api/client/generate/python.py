"""Makes a client in Python of a server's OpenAPI document.

    pip install openapi-python-client==0.29.1
    keci serve &
    python3 api/client/generate/python.py http://127.0.0.1:8080 keci_client

The package that comes needs httpx and attrs. It sends documents and reads what is
found as JSON; what the generator does not know is left out of the document first:
the other forms, and server-sent events.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

JSON_LINES = "application/x-ndjson"
METHODS = {"get", "post", "delete"}


def without_other_forms(document: dict) -> dict:
    """Leaves, where JSON is one of several forms, JSON alone."""
    del document["paths"]["/v1/jobs/{id}/events"]  # ask for the job instead
    for path in document["paths"].values():
        for operation in (path[method] for method in METHODS & path.keys()):
            for body in [operation.get("requestBody", {}), *operation["responses"].values()]:
                content = body.get("content", {})
                if "application/json" in content:
                    body["content"] = {"application/json": content["application/json"]}
                elif JSON_LINES in content:
                    content[JSON_LINES]["schema"]["format"] = "binary"
    return document


def main(server: str, package: str) -> int:
    with urllib.request.urlopen(server.rstrip("/") + "/openapi.json") as answer:
        document = without_other_forms(json.load(answer))
    with tempfile.TemporaryDirectory() as folder:
        source, config = pathlib.Path(folder, "openapi.json"), pathlib.Path(folder, "config.json")
        source.write_text(json.dumps(document))
        # Of the results of a job the client gives the bytes: a document a line.
        config.write_text(json.dumps({"content_type_overrides": {JSON_LINES: "application/octet-stream"}, "post_hooks": []}))
        return subprocess.call([sys.executable, "-m", "openapi_python_client", "generate", "--path", str(source), "--config", str(config),
                                "--meta", "none", "--output-path", package, "--overwrite", "--fail-on-warning"])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))

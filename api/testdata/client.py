"""Uses the generated client in Python as its users would; run by TestPythonClient."""

import json
import sys
import time

from keci_client import AuthenticatedClient, Client
from keci_client.api.documents import delete_document, extract, get_document, submit_document
from keci_client.api.extracted import list_relations, list_seen_concepts
from keci_client.api.jobs import get_job, job_results, submit_batch
from keci_client.models import DocumentBody, Problem
from keci_client.models.job_state import JobState

SENTENCE = "FKBP12 binds FK506 and rapamycin, and the complex inhibits calcineurin."


def check(what: str, got, want) -> None:
    if got != want:
        sys.exit(f"{what}: {got!r}, want {want!r}")


def documents(client: Client) -> None:
    created = submit_document.sync_detailed(client=client, body=DocumentBody(id="PMID:1/β ?", text=SENTENCE))
    check("status of a new document", created.status_code, 201)
    check("mentions", [m.text for m in created.parsed.mentions], ["FKBP12", "FK506", "rapamycin", "calcineurin"])
    check("the label of a relation", created.parsed.relations[0].label, "bind")
    check("the stored document", get_document.sync("PMID:1/β ?", client=client), created.parsed)
    check("status of a removal", delete_document.sync_detailed("PMID:1/β ?", client=client).status_code, 204)


def jobs(client: Client) -> None:
    job = submit_batch.sync(client=client, body=[
        DocumentBody(id="PMID:1", text=SENTENCE),
        DocumentBody(id="PMID:2", text="fail"),
        DocumentBody(id="PMID:3", text="FKBP12 binds rapamycin."),
    ])
    while job.state in (JobState.QUEUED, JobState.RUNNING):
        time.sleep(0.05)
        job = get_job.sync(job.id, client=client)
    check("the job", (job.state, job.documents, job.done, job.failed), (JobState.DONE, 3, 3, 1))
    results = [json.loads(line) for line in job_results.sync(job.id, client=client).payload]
    check("the results", [(r["id"], r.get("error", {}).get("status")) for r in results], [("PMID:1", None), ("PMID:2", 500), ("PMID:3", None)])


def facts(client: Client) -> None:
    relations, after = [], None
    while True:
        page = list_relations.sync(client=client, limit=2, evidence=1, **({"after": after} if after else {}))
        relations += page.relations
        if not page.next_:
            break
        after = page.next_
    check("relations", [(r.head.name, r.label, r.tail.name, r.documents) for r in relations],
          [("FKBP12", "bind", "Sirolimus", 2), ("Calcineurin", "bind", "FKBP12", 1), ("FKBP12", "bind", "Tacrolimus", 1)])
    check("a sentence", relations[0].evidence[0].sentence, SENTENCE)
    check("the concept seen most", list_seen_concepts.sync(client=client, limit=1).concepts[0].name, "FKBP12")


def problems(client: Client, server: str) -> None:
    refused = extract.sync(client=client, body=DocumentBody(text=" "))
    check("a problem", (type(refused), refused.status, refused.field), (Problem, 422, "text"))
    stranger = extract.sync(client=AuthenticatedClient(server, token="0123456789abcdeX"), body=DocumentBody(text=SENTENCE))
    check("a stranger", (type(stranger), stranger.status), (Problem, 401))


def main(server: str, token: str) -> None:
    client = AuthenticatedClient(server, token=token)
    documents(client)
    jobs(client)
    facts(client)
    problems(client, server)


main(*sys.argv[1:])

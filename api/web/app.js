// The page: sends a text to the service and shows what comes back.

import { renderText, renderLegend } from "./text.js";
import { renderEvidence } from "./evidence.js";
import { renderGraph, selectInGraph } from "./graph.js";

const element = (id) => document.getElementById(id);
const form = element("form");
const input = element("input");

const examples = [
  "FKBP12 binds FK506 and rapamycin, and the complex inhibits calcineurin.",
  "The RAS-binding domain of RAF1 binds to GTP-bound H-RAS, but it does not bind GDP-bound H-RAS. The RAF inhibitor sorafenib disrupts the BRAF–RAF1 heterodimer.",
  "Cyclin-dependent kinase 2 (CDK2) forms a complex with cyclin A. The inhibitor p27Kip1 binds the CDK2–cyclin A complex and blocks binding of ATP to CDK2.",
];
let example = 0;

// send asks the service and gives its answer, or throws the problem it tells.
async function send(path, options) {
  const answer = await fetch(path, options);
  if (answer.ok) return answer;
  let problem;
  try {
    problem = await answer.json();
  } catch {
    problem = { title: "The service failed", detail: `It answered with status ${answer.status}.` };
  }
  throw problem;
}

const post = (path, body, accept) =>
  send(path, { method: "POST", headers: { "Content-Type": "application/json", Accept: accept }, body: JSON.stringify(body) });

// Offsets are asked for in UTF-16 units, which is what strings here count.
async function extract() {
  if (element("submit").getAttribute("aria-disabled") === "true") return;
  const body = { text: input.value };
  setBusy(true);
  showProblem(null);
  try {
    const started = performance.now();
    const answer = await post("/v1/extract?offsets=utf16", body, "application/json");
    const doc = await answer.json();
    const ms = Math.round(performance.now() - started);
    const known = answer.headers.get("X-Cache") === "hit" ? ", known" : "";
    const relations = doc.relations ?? [];
    element("status").value = `${count(doc.mentions.length, "entity", "entities")}, ${count(relations.length, "relation", "relations")} in ${ms} ms${known}`;
    show(doc);
    await showGraph(body, doc);
  } catch (problem) {
    showProblem(problem);
  } finally {
    setBusy(false);
  }
}

function count(n, one, more) {
  return n === 1 ? `1 ${one}` : `${n.toLocaleString("en")} ${more}`;
}

function setBusy(busy) {
  element("submit").setAttribute("aria-disabled", busy);
  element("submit").textContent = busy ? "Extracting…" : "Extract";
  element("result").setAttribute("aria-busy", busy);
}

function showProblem(problem) {
  const box = element("problem");
  box.hidden = problem === null;
  box.replaceChildren();
  input.setAttribute("aria-invalid", problem?.field === "text");
  if (problem === null) return;
  element("status").value = "";
  element("result").hidden = true;
  const title = document.createElement("strong");
  title.textContent = problem.title ?? "The service cannot be reached";
  box.append(title, problem.detail ?? String(problem));
}

function show(doc) {
  element("result").hidden = false;
  const select = (id, focus) => {
    const mention = doc.mentions.find((m) => m.id === id);
    text.select(id, focus);
    selectInGraph(element("graph"), id);
    renderEvidence(element("evidence-body"), doc, mention, select, send);
  };
  const text = renderText(element("text"), doc, select, () => element("evidence-title").focus());
  renderLegend(element("legend"), doc);
  element("graph").replaceChildren();
  element("graph").onclick = (event) => {
    const id = event.target.closest(".node")?.dataset.mention;
    if (id) select(id, false);
  };
  element("evidence").onkeydown = (event) => {
    if (event.key === "Escape") text.focus();
  };
  if (doc.mentions.length > 0) {
    select(doc.mentions[0].id, false);
  } else {
    renderEvidence(element("evidence-body"), doc, null, select, send);
  }
}

async function showGraph(body, doc) {
  const graph = element("graph");
  try {
    const answer = await post("/v1/extract", body, "image/svg+xml");
    renderGraph(graph, await answer.text(), doc);
    const selected = document.querySelector("#text .selected");
    if (selected) selectInGraph(graph, selected.dataset.mention);
  } catch (problem) {
    const note = document.createElement("p");
    note.className = "nothing";
    note.textContent = problem.detail ?? "The graph could not be drawn.";
    graph.replaceChildren(note);
  }
}

async function showAbout() {
  const [model, kb] = await Promise.all(["/v1/model", "/v1/kb"].map(async (path) => (await send(path)).json()));
  element("about").textContent = `Model ${model.name} · knowledge base ${kb.name}, ${count(kb.concepts, "concept", "concepts")}`;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  extract();
});
input.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
element("example").addEventListener("click", () => {
  example = (example + 1) % examples.length;
  input.value = examples[example];
  input.focus();
});
showAbout().catch(() => {});

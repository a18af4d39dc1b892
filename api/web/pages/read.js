// The first page: a text in, its graph out.

import { make, count, problemBox } from "../dom.js";
import { documentAt, go, keep, kept, remember } from "../place.js";
import { post } from "../service/service.js";
import { viewDocument } from "../document/viewer.js";

const examples = [
  "Metformin lowers glucose in patients with type 2 diabetes, and may cause lactic acidosis.",
  "Mutations in BRCA1 increase the risk of breast cancer. The V600E mutation of BRAF confers sensitivity to vemurafenib in melanoma.",
  "The RAS-binding domain of RAF1 binds to GTP-bound H-RAS, but it does not bind GDP-bound H-RAS. The RAF inhibitor sorafenib disrupts the BRAF–RAF1 heterodimer.",
];

// Longer texts do not go into the address, which they would make useless for sending:
// the browser keeps them for the way back.
const addressable = 2000;

// open gives the form, and what it led to when the address has a text.
export function open({ query }, signal) {
  const given = query.get("text") ?? kept().text;
  const parts = build(given ?? examples[0]);
  let example = 0;
  let asked = new AbortController(); // ended when something else is asked
  signal.addEventListener("abort", () => asked.abort());

  async function extract(wanted) {
    if (parts.submit.getAttribute("aria-disabled") === "true") return;
    asked.abort();
    asked = new AbortController();
    setBusy(parts, true);
    showProblem(parts, null);
    const text = parts.input.value;
    const started = performance.now();
    try {
      const stored = parts.keep.checked;
      const answer = await post([stored ? "documents" : "extract"], { offsets: "utf16" }, { text }, asked.signal);
      const doc = await answer.json();
      if (stored) return go(documentAt(doc.id));
      const short = text.length <= addressable;
      remember({ text: short ? text : "", mention: "", relation: "", stage: "" });
      keep({ text: short ? undefined : text });
      const view = viewDocument(doc, { query: wanted, stored: false, signal: asked.signal });
      parts.result.replaceChildren(view.root);
      parts.status.value = summary(doc, performance.now() - started, answer);
      await view.drawn;
    } catch (problem) {
      if (problem.name !== "AbortError") showProblem(parts, problem);
    } finally {
      setBusy(parts, false);
    }
  }

  parts.form.addEventListener("submit", (event) => {
    event.preventDefault();
    extract(new URLSearchParams());
  });
  parts.input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) parts.form.requestSubmit();
  });
  parts.another.addEventListener("click", () => {
    example = (example + 1) % examples.length;
    parts.input.value = examples[example];
    parts.input.focus();
  });
  return {
    title: "Biomedical text in, knowledge graph out",
    content: parts.root,
    shown: () => given !== undefined && extract(query),
  };
}

function summary(doc, ms, answer) {
  const known = answer.headers.get("X-Cache") === "hit" ? ", known" : "";
  return `${count(doc.mentions.length, "entity", "entities")}, ${count(doc.relations?.length ?? 0, "relation", "relations")} in ${Math.round(ms)} ms${known}`;
}

function setBusy({ submit, result }, busy) {
  submit.setAttribute("aria-disabled", busy);
  submit.textContent = busy ? "Extracting…" : "Extract";
  result.setAttribute("aria-busy", busy);
}

function showProblem({ problem: box, input, status, result }, problem) {
  box.replaceChildren();
  input.setAttribute("aria-invalid", problem?.field === "text");
  if (!problem) return;
  status.value = "";
  result.replaceChildren();
  box.append(problemBox(problem));
}

function build(text) {
  const parts = {
    input: make("textarea", { id: "input", name: "text", rows: 3, spellcheck: "false", "aria-describedby": "hint problem", required: true }),
    submit: make("button", { type: "submit", id: "submit", class: "primary" }, "Extract"),
    another: make("button", { type: "button", id: "example" }, "Another example"),
    keep: make("input", { type: "checkbox", id: "keep" }),
    status: make("output", { class: "status", id: "status", for: "input" }),
    problem: make("div", { id: "problem" }),
    result: make("div"),
  };
  parts.input.value = text;
  parts.form = make("form", { id: "form", class: "card", "aria-label": "Text to read" },
    make("label", { class: "title", for: "input" }, "Text"), parts.input,
    make("div", { class: "actions" }, parts.submit, parts.another, make("label", {}, parts.keep, "keep it among the documents"),
      make("span", { class: "hint keys", id: "hint" }, make("kbd", {}, "Ctrl"), " ", make("kbd", {}, "Enter"), " extracts"), parts.status),
    parts.problem);
  parts.root = make("div", {}, parts.form, parts.result);
  return parts;
}

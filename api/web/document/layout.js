// Where the parts of a document stand on the page.

import { make, card } from "../dom.js";

const keys = (...said) => make("p", { class: "hint keys" }, ...said.flatMap(([names, does], i) => [i > 0 ? ", " : "", ...names.split(" ").flatMap((name) => [make("kbd", {}, name), " "]), does]));

// layout gives the parts, of which root holds all others.
export function layout() {
  const radio = (value, label) => make("label", {}, make("input", { type: "radio", name: "stage", value, checked: value === "final" }), label);
  const button = (id, label, sign) => make("button", { type: "button", id, "aria-label": label, title: label }, sign);
  const parts = {
    stages: make("fieldset", { class: "stages-choice" }, make("legend", {}, "Graph"), radio("final", "with knowledge"), radio("initial", "of the text alone")),
    tools: make("div", { class: "tools" }),
    failure: make("div", { role: "status" }),
    changes: make("details", { class: "card", id: "changes", hidden: true }),
    text: make("p", { class: "reading", id: "text" }),
    legend: make("ul", { class: "legend", id: "legend", "aria-label": "Colours of the entity types" }),
    graph: make("div", { class: "graph", id: "graph" }),
    alone: make("label", { class: "alone", hidden: true }, make("input", { type: "checkbox" }), make("span")),
    undrawn: make("p", { class: "hint", id: "undrawn", hidden: true }),
    relations: make("details", { id: "relations" }),
    evidence: make("div", { id: "evidence-body" }),
  };
  parts.tools.append(parts.stages);
  parts.evidenceCard = card("evidence", "Evidence", parts.evidence);
  parts.evidenceTitle = parts.evidenceCard.querySelector("h2");
  parts.evidenceTitle.tabIndex = -1;
  // On a small screen the evidence of what was touched lies far below.
  const toEvidence = () => make("button", { type: "button", class: "to-evidence", onclick: () => parts.evidenceTitle.focus() }, "Evidence ↓");
  const picture = card("picture", "Graph", make("div", { class: "zoom" }, button("zoom-out", "Smaller", "−"), button("zoom-in", "Larger", "+"), button("fit", "All of it", "⤢")),
    parts.graph, parts.alone, parts.undrawn, parts.relations, toEvidence(), keys(["← → ↑ ↓", "go from box to box"], ["Shift ←", "moves"], ["+ - 0", "zoom"]));
  parts.root = make("div", { id: "result" }, parts.tools, parts.failure, parts.changes, make("div", { class: "result" },
    card("reading", "Entities in the text", parts.text, parts.legend, toEvidence(), keys(["← →", "go from entity to entity"], ["Enter", "to its evidence"], ["Esc", "back"])),
    picture, parts.evidenceCard));
  return parts;
}

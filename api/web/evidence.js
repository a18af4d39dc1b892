// What speaks for a mention: its concepts with the attention paid to them, and
// how its type and relations changed when knowledge came in.

import { tone, percent } from "./text.js";

// make is an element with attributes and children.
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const fixed = (score) => score.toFixed(2);

// bar shows a share of 1. The number stands beside it, so it is hidden from
// those who hear the page.
function bar(share, kind = "") {
  const filled = make("span");
  filled.style.width = `${100 * share}%`;
  return make("div", { class: `bar ${kind}`, "aria-hidden": "true" }, filled);
}

let shown = 0; // counts what was asked for, so that a late answer is dropped

// renderEvidence shows the evidence of a mention. select goes to another one.
export function renderEvidence(container, doc, mention, select, send) {
  const ticket = ++shown;
  if (!mention) {
    container.replaceChildren(make("p", { class: "nothing" }, "No entity was found in this text."));
    return;
  }
  const concepts = make("section", {}, make("h3", {}, "Concepts and the attention paid to them"), conceptList(mention, {}));
  container.className = `tone-${tone(mention.type)}`;
  container.replaceChildren(
    subject(doc, mention, select),
    make("div", { class: "columns" }, concepts, make("div", { class: "stack" }, typeStages(mention), relationList(doc, mention, select))),
  );
  describeConcepts(mention, send).then((known) => {
    if (ticket === shown) concepts.lastChild.replaceWith(conceptList(mention, known));
  });
}

function subject(doc, mention, select) {
  const line = make("p", { class: "subject" }, make("strong", {}, mention.text));
  if (mention.type) line.append(make("span", { class: `pill tone-${tone(mention.type)}` }, mention.type));
  if (mention.negated) line.append(make("span", { class: "pill tone-8" }, "negated"));
  const long = doc.mentions.find((m) => m.id === mention.longForm);
  if (long) line.append("short for ", mentionButton(long, select));
  return line;
}

function mentionButton(mention, select) {
  const button = make("button", { type: "button", class: "link" }, mention.text);
  button.addEventListener("click", () => select(mention.id, true));
  return button;
}

// describeConcepts asks what the concepts of a mention are, once for each.
const descriptions = new Map();
async function describeConcepts(mention, send) {
  const missing = mention.concepts.map((c) => c.cui).filter((cui) => !descriptions.has(cui));
  if (missing.length > 0) {
    try {
      const answer = await send("/v1/subgraph", {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ concepts: missing }),
      });
      const { concepts, semanticTypes } = await answer.json();
      const names = new Map(semanticTypes.map((t) => [t.tui, t.name]));
      for (const c of concepts) descriptions.set(c.cui, { definition: c.definition, types: c.semanticTypes.map((tui) => names.get(tui) ?? tui) });
    } catch {
      // the ids of the types are shown instead
    }
  }
  return Object.fromEntries(descriptions);
}

function conceptList(mention, known) {
  const list = make("ul", { class: "concepts" });
  for (const concept of mention.concepts) list.append(conceptItem(concept, known[concept.cui]));
  if (mention.sentinel !== undefined) {
    list.append(make("li", { class: "none" }, make("div", { class: "row" },
      make("span", { class: "name" }, mention.concepts.length > 0 ? "none of these (sentinel)" : "no concept (sentinel)"),
      make("span", { class: "value" }, fixed(mention.sentinel)), bar(mention.sentinel, "initial"))));
  }
  if (list.children.length === 0) return make("p", { class: "nothing" }, "The knowledge base has no concept of this name.");
  return list;
}

function conceptItem(concept, known) {
  const types = (known?.types ?? concept.semanticTypes).join(", ");
  const matched = concept.matched.toLowerCase() === concept.name.toLowerCase() ? "" : ` · matched “${concept.matched}”`;
  const row = make("div", { class: "row" }, make("span", { class: "name" }, concept.name));
  if (concept.weight !== undefined) row.append(make("span", { class: "value" }, fixed(concept.weight)), bar(concept.weight));
  const item = make("li", {}, row, make("div", { class: "detail" }, `${concept.cui} · ${types}${matched} · link score ${concept.score}`));
  if (known?.definition) item.append(make("p", { class: "definition" }, known.definition));
  return item;
}

// stages compares what the text alone said with what was said in the end.
function stages(initial, final) {
  const stage = (term, what, score, kind) =>
    make("div", { class: "stage" }, make("dt", {}, term), make("dd", {}, what), make("span", { class: "value" }, percent(score)), bar(score, kind));
  const list = make("dl", { class: "stages" });
  if (initial) list.append(stage("text alone", initial.what, initial.score, "initial"));
  list.append(stage("with knowledge", final.what, final.score, ""));
  return list;
}

function typeStages(mention) {
  const section = make("section", {}, make("h3", {}, "Type"));
  if (!mention.type) return section;
  const initial = mention.initial && { what: mention.initial.type ?? "", score: mention.initial.score };
  section.append(stages(initial, { what: mention.type, score: mention.score }));
  return section;
}

function relationList(doc, mention, select) {
  const relations = (doc.relations ?? []).filter((r) => r.head === mention.id || r.tail === mention.id);
  const section = make("section", {}, make("h3", {}, "Relations: text alone → with knowledge"));
  if (relations.length === 0) {
    section.append(make("p", { class: "nothing" }, "None was found."));
    return section;
  }
  const name = (id) => {
    const other = doc.mentions.find((m) => m.id === id);
    return id === mention.id ? make("span", {}, other.text) : mentionButton(other, select);
  };
  const list = make("ul", { class: "relations" });
  for (const r of relations) {
    const label = r.directed ? ` ${r.label} → ` : ` – ${r.label} – `;
    list.append(make("li", { class: "row" }, make("span", {}, name(r.head), label, name(r.tail)),
      make("span", { class: "value" }, `${percent(r.initial.score)} → ${percent(r.score)}`),
      bar(r.initial.score, "thin initial"), bar(r.score, "thin")));
  }
  section.append(list);
  return section;
}

// How documents join two concepts, over what they say of others.

import { make, bar, card, percent } from "../dom.js";
import { addressOf, go } from "../place.js";
import { conceptItem, conceptLink, conceptOf, factItem } from "./facts.js";
import { exportButtons, pagedList, pages } from "./list.js";

// The interface lists no more paths than this.
const mostPaths = 100;

export async function open({ query }, signal) {
  const { from, to, q } = Object.fromEntries(query);
  if (!from) return { title: "Paths", content: make("p", {}, "Paths begin at a concept: ", make("a", { href: "#/search" }, "search for it"), ".") };
  const [first, last] = await Promise.all([from, to].map((cui) => cui && conceptOf(cui, signal)));
  const lists = [last && joined(first, last, signal), q && named(first, q, last, signal)].filter(Boolean);
  await Promise.all(lists.map(({ loaded }) => loaded));
  return {
    title: last ? `From ${first.name} to ${last.name}` : `From ${first.name} to another concept`,
    content: make("div", { class: "pile" },
      make("div", { class: "card" }, make("p", { class: "from" }, "From ", conceptLink(first), last && " to ", last && conceptLink(last)), pathForm(from, q)),
      make("div", { class: "found" }, ...lists.map(({ part }) => part))),
  };
}

// pathForm asks for the concept to which paths from another lead.
export function pathForm(from, q = "") {
  const made = make("form", { class: "path-form" }, make("label", { for: "path-to" }, "How do the documents join it with …"),
    make("div", { class: "actions" }, make("input", { type: "search", id: "path-to", name: "q", value: q, required: true, placeholder: "name of another concept" }),
      make("button", { type: "submit" }, "Find paths")));
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    go(addressOf(["paths"], { from, q: new FormData(made).get("q") }));
  });
  return made;
}

// named are the concepts of a name, of which the reader chooses.
function named(first, q, last, signal) {
  const item = (concept) => conceptItem(concept, addressOf(["paths"], { from: first.cui, to: concept.cui, q }));
  const { list, loaded } = pagedList(make("ul", { class: "plain", id: "path-ends" }), pages(["concepts"], "concepts", { q, limit: 10 }, signal), item,
    "The knowledge base has no concept of this name.");
  return { loaded, part: card("path-end", last ? "Or to one of these" : "To which of these?", list) };
}

function joined(first, last, signal) {
  const asked = { from: first.cui, to: last.cui };
  const { list, loaded } = pagedList(make("ul", { class: "plain", id: "paths" }), pages(["paths"], "paths", { ...asked, evidence: 1, limit: 20 }, signal), pathItem,
    "Nothing that the documents say leads from one to the other in four steps.");
  return { loaded, part: card("found-paths", "What joins them, the shortest", list, exportButtons(["paths"], asked, mostPaths)) };
}

// pathItem is a path with the relations of its steps.
function pathItem({ concepts, steps, score }) {
  const chain = concepts.flatMap((concept, i) => (i > 0 ? [" – ", conceptLink(concept)] : [conceptLink(concept)]));
  return make("li", { class: "fact-item" },
    make("div", { class: "row" }, make("strong", {}, ...chain), make("span", { class: "value" }, percent(score)), bar(score, "thin")),
    make("ul", { class: "plain steps" }, ...steps.flatMap(({ relations }) => relations.map(factItem))));
}

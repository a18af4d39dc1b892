// Search: concepts of the knowledge base, and relations that documents tell.

import { make, card } from "../dom.js";
import { addressOf, conceptAt, go } from "../place.js";
import { get } from "../service/service.js";
import { conceptItem, conceptLink, conceptOf, factItem } from "./facts.js";
import { exportButtons, pagedList, pages } from "./list.js";

// What narrows relations down: the names of the interface, how they are asked for.
const filters = [
  ["label", "Label", { type: "text", list: "labels" }],
  ["type", "Entity type", { type: "text", list: "types" }],
  ["minScore", "Least score", { type: "number", min: 0, max: 1, step: 0.05 }],
  ["source", "Source of ids, such as PMID", { type: "text" }],
  ["document", "Document", { type: "text" }],
  ["since", "Read since", { type: "date" }],
  ["before", "Read before", { type: "date" }],
];

export async function open({ query }, signal) {
  const asked = Object.fromEntries(query);
  const [model, ...ends] = await Promise.all([get(["model"], {}, signal), ...[asked.concept, asked.other].filter(Boolean).map((cui) => conceptOf(cui, signal))]);
  const narrowed = filtersOf(asked);
  const lists = [concepts(asked, narrowed, signal), relations(asked, narrowed, signal)];
  await Promise.all(lists.map(({ loaded }) => loaded));
  const title = asked.q ? `Search: ${asked.q}` : "Search";
  return { title, content: make("div", { class: "pile" }, form(asked, model, ends), make("div", { class: "found" }, ...lists.map(({ part }) => part))) };
}

// filtersOf are the filters of an address.
function filtersOf(asked) {
  return Object.fromEntries(filters.map(([name]) => [name, asked[name]]).filter(([, value]) => value));
}

// form asks for names or, where ends are chosen, what narrows down what is said of these.
function form(asked, model, ends) {
  const field = ([name, label, attributes]) => make("label", {}, label, make("input", { name, value: asked[name] ?? "", ...attributes }));
  const options = (id, values) => make("datalist", { id }, ...values.map((value) => make("option", { value })));
  const made = make("form", { class: "card", role: "search" },
    make("label", { class: "title", for: "q" }, "Names of concepts"),
    make("div", { class: "actions" }, make("input", { type: "search", id: "q", name: "q", value: asked.q ?? "", placeholder: "rapamycin" }),
      make("button", { type: "submit", class: "primary" }, "Search")),
    make("details", { class: "filters", open: Object.keys(filtersOf(asked)).length > 0 }, make("summary", {}, "Only relations with …"), make("div", {}, ...filters.map(field))),
    options("labels", model.relationLabels), options("types", model.entityTypes),
    ends.length > 0 && make("p", {}, "Relations of ", ...ends.flatMap((end, i) => (i > 0 ? [" and ", conceptLink(end)] : [conceptLink(end)])), ". ",
      ends.length > 1 && make("a", { href: addressOf(["paths"], { from: asked.concept, to: asked.other }) }, "Paths over other concepts"), ends.length > 1 && " · ",
      make("a", { href: "#/search" }, "Search anew")));
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(made));
    // The concepts of the address stay unless others are searched.
    const of = given.q ? {} : { concept: asked.concept, other: asked.other };
    go(addressOf(["search"], { ...given, ...of }));
  });
  return made;
}

// concepts are those of a name or, without one, those that documents name most.
function concepts({ q, concept }, { label, ...narrowed }, signal) {
  if (concept) return { loaded: null, part: "" };
  const page = q ? pages(["concepts"], "concepts", { q, limit: 10 }, signal)
    : pages(["concepts", "seen"], "concepts", { ...narrowed, limit: 10 }, signal);
  const none = q ? "The knowledge base has no concept of this name." : "No document names a concept yet.";
  const { list, loaded } = pagedList(make("ul", { class: "plain", id: "concepts" }), page, (found) => conceptItem(found, conceptAt(found.cui)), none);
  return { loaded, part: card("found-concepts", q ? "Concepts of the knowledge base" : "What the documents name most", list) };
}

function relations({ q, concept, other }, narrowed, signal) {
  const asked = { q, concept, other, ...narrowed };
  const page = pages(["relations"], "relations", { ...asked, evidence: 1, limit: 20 }, signal);
  const { list, loaded } = pagedList(make("ul", { class: "plain", id: "relations-found" }), page, factItem, "No document says anything of this kind.");
  return { loaded, part: card("found-relations", "What the documents say", list, exportButtons(["relations"], asked)) };
}

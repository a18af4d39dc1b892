// A concept: what the knowledge base knows of it, and where documents name it.

import { make, card } from "../dom.js";
import { addressOf, conceptAt, documentAt } from "../place.js";
import { get, post } from "../service/service.js";
import { factItem } from "./facts.js";
import { pagedList, pages } from "./list.js";
import { pathForm } from "./paths.js";

export async function open({ parts: [, cui] }, signal) {
  const { concept, name } = await known(cui, signal);
  if (!concept) return onlyTold(cui, name, signal);
  const lists = [said(cui, signal), seen(cui, signal)];
  const [types, around] = await Promise.all([typesOf(cui, signal), neighbours(cui, signal), ...lists.map(({ loaded }) => loaded)]);
  return {
    title: concept.name,
    content: make("div", { class: "found" },
      make("div", { class: "pile" }, card("about-concept", "In the knowledge base", about(concept, types)), card("neighbours", "Curated relations", around)),
      make("div", { class: "pile" }, card("said", "What the documents say", lists[0].list,
        make("p", {}, make("a", { href: addressOf(["search"], { concept: cui }) }, "Narrow it down, or save it")), pathForm(cui)),
        card("seen", "Where documents name it, or may do so", lists[1].list))),
  };
}

// known is a concept of the knowledge base or, where it has none with the id, the name by
// which documents know it that were read with another one.
async function known(cui, signal) {
  try {
    return { concept: await get(["concepts", cui], {}, signal) };
  } catch (problem) {
    if (problem.status !== 404) throw problem;
    const { relations } = await get(["relations"], { concept: cui, limit: 1 }, signal);
    if (relations.length === 0) throw problem;
    const { head, tail } = relations[0];
    return { name: (head.cui === cui ? head : tail).name };
  }
}

async function onlyTold(cui, name, signal) {
  const { list, loaded } = said(cui, signal);
  await loaded;
  return {
    title: name,
    content: make("div", { class: "pile" },
      card("about-concept", "In the knowledge base", make("p", {}, `It has no concept with the id ${cui}: documents were read with another one.`)),
      card("said", "What the documents say", list)),
  };
}

async function typesOf(cui, signal) {
  const { semanticTypes } = await (await post(["subgraph"], {}, { concepts: [cui] }, signal)).json();
  return semanticTypes;
}

function about(concept, types) {
  const kinds = concept.semanticTypes.map((tui) => `${types.find((t) => t.tui === tui)?.name ?? ""} (${tui})`);
  const row = (term, ...said) => (said.length > 0 ? [make("dt", {}, term), ...said.map((one) => make("dd", {}, one))] : []);
  const names = concept.synonyms ?? [];
  return make("dl", { class: "about-list" },
    ...row("Id", concept.cui),
    ...row("Definition", ...(concept.definition ? [concept.definition] : [])),
    ...row("Semantic types", ...kinds),
    ...row("Other names", ...names.slice(0, shownNames), ...unfolding(names.slice(shownNames))),
    ...row("In its sources", ...(concept.codes ?? []).map(({ source, code }) => `${source}: ${code}`)));
}

const shownNames = 12; // at once; drugs have a hundred

// unfolding has further names, if there are some.
function unfolding(names) {
  if (names.length === 0) return [];
  return [make("details", {}, make("summary", {}, `${names.length} more`), ...names.map((name) => make("div", {}, name)))];
}

async function neighbours(cui, signal) {
  const isNew = readOneWay();
  const page = async (after) => {
    const { relations, next } = await get(["concepts", cui, "neighbors"], { limit: 40, after }, signal);
    return { items: await named(relations.filter(isNew), signal), next };
  };
  const end = ({ cui: id, name }) => (id === cui ? make("span", {}, name) : make("a", { href: conceptAt(id) }, name));
  const item = ({ head, label, tail }) => make("li", {}, end(head), ` – ${inWords[label] ?? label.replaceAll("_", " ")} → `, end(tail));
  const { list, loaded } = pagedList(make("ul", { class: "plain" }), page, item, "The knowledge base relates it to no other concept.");
  await loaded;
  return list;
}

// inWords are the relations (REL) of UMLS, which stand where a source names none of its own.
const inWords = {
  AQ: "allowed qualifier of", CHD: "child of", PAR: "parent of", QB: "can be qualified by", RB: "broader than", RL: "like",
  RN: "narrower than", RO: "related to", RQ: "related to, perhaps the same as", RU: "related to", SIB: "sibling of", SY: "same as",
};

// readOneWay finds the relations that were not told before the other way round: UMLS has
// each of a source twice, as "isa" and "inverse isa". One that a source names alike both
// ways, as "regulates", is told both ways.
function readOneWay() {
  const alike = { PAR: "CHD", RN: "RB", QB: "AQ" };
  const seen = new Map();
  return ({ head, label, tail, rel, sources = [] }) => {
    const key = [...[head, tail].sort(), alike[rel] ?? rel, ...sources].join(" ");
    const first = seen.get(key) ?? { head, label };
    seen.set(key, first);
    return head === first.head || (label === first.label && !(label in inWords));
  };
}

// named gives relations the names of their concepts.
async function named(relations, signal) {
  if (relations.length === 0) return [];
  const ids = [...new Set(relations.flatMap(({ head, tail }) => [head, tail]))];
  const { concepts } = await (await post(["subgraph"], {}, { concepts: ids }, signal)).json();
  const names = new Map(concepts.map(({ cui, name }) => [cui, name]));
  const end = (cui) => ({ cui, name: names.get(cui) ?? cui });
  return relations.map(({ head, label, tail }) => ({ head: end(head), label, tail: end(tail) }));
}

const said = (cui, signal) => pagedList(make("ul", { class: "plain", id: "said-list" }),
  pages(["relations"], "relations", { concept: cui, evidence: 1, limit: 10 }, signal), factItem, "No document says anything of it.");

function seen(cui, signal) {
  const mentions = pages(["concepts", cui, "mentions"], "mentions", { limit: 50 }, signal);
  const page = async (after) => {
    const { items, next } = await mentions(after);
    return { items: [...Map.groupBy(items, ({ documentId }) => documentId)], next };
  };
  return pagedList(make("ul", { class: "plain", id: "seen-list" }), page, inDocument, "No document names it.");
}

// inDocument are the mentions in a document.
function inDocument([documentId, mentions]) {
  const links = mentions.map(({ mention }) => make("a", { href: documentAt(documentId, { mention: mention.id }) }, mention.text));
  return make("li", {}, ...links.flatMap((link, i) => (i > 0 ? [", ", link] : [link])), ` in ${documentId}`);
}

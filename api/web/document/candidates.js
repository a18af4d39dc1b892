// The concepts that a mention may denote, with the attention paid to each and how
// well its name fits.

import { make, bar, fixed, nothing } from "../dom.js";
import { conceptAt } from "../place.js";
import { post } from "../service/service.js";

// renderCandidates lists them, and adds names of types and definitions when they come.
export function renderCandidates(container, mention) {
  container.replaceChildren(list(mention));
  describe(mention).then(() => {
    const shown = container.firstChild;
    if (shown?.dataset?.mention === mention.id) shown.replaceWith(list(mention));
  });
}

// What the concepts are, asked for once.
const known = new Map();

async function describe(mention) {
  const concepts = mention.concepts.map((c) => c.cui).filter((cui) => !known.has(cui));
  if (concepts.length === 0) return;
  try {
    const found = await (await post(["subgraph"], {}, { concepts })).json();
    const names = new Map(found.semanticTypes.map((t) => [t.tui, t.name]));
    for (const c of found.concepts) known.set(c.cui, { definition: c.definition, types: c.semanticTypes.map((tui) => names.get(tui) ?? tui) });
  } catch {
    // the ids of the types stand there
  }
}

function list(mention) {
  if (mention.concepts.length === 0 && mention.sentinel === undefined) return nothing("The knowledge base has no concept of this name.");
  const items = mention.concepts.map(item);
  if (mention.sentinel !== undefined) items.push(sentinel(mention));
  return make("ul", { class: "concepts", "data-mention": mention.id }, ...items);
}

const row = (name, share, kind) =>
  make("div", { class: "row" }, name, share !== undefined && make("span", { class: "value" }, fixed(share)), share !== undefined && bar(share, kind));

function sentinel(mention) {
  const name = mention.concepts.length > 0 ? "none of these (sentinel)" : "no concept (sentinel)";
  return make("li", { class: "none" }, row(make("span", { class: "name" }, name), mention.sentinel, "initial"));
}

function item(concept) {
  const about = known.get(concept.cui);
  const types = (about?.types ?? concept.semanticTypes).join(", ");
  return make("li", {},
    row(make("a", { class: "name", href: conceptAt(concept.cui) }, concept.name), concept.weight),
    make("div", { class: "detail" }, `${concept.cui} · ${types}`),
    about?.definition && make("p", { class: "definition" }, about.definition),
    fit(concept));
}

// fit tells how well the name fits: MetaMap's score and the four parts of it.
function fit(concept) {
  const parts = ["centrality", "variation", "coverage", "cohesiveness"];
  const matched = concept.matched.toLowerCase() === concept.name.toLowerCase() ? "" : `, by the name “${concept.matched}”`;
  return make("details", { class: "fit" },
    make("summary", {}, `Link score ${concept.score}${matched}`),
    make("dl", {}, ...[...parts, "confidence"].flatMap((part) => [make("dt", {}, part), make("dd", {}, fixed(concept[part]))])),
    ...(concept.path ?? []).map((word) => make("p", {}, `“${word.text}” stands for “${word.name}”: ${word.kind}, distance ${word.distance}`)));
}

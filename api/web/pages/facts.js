// What documents say: relations between concepts, with sentences.

import { make, bar, count, percent } from "../dom.js";
import { conceptAt, documentAt, relationAt } from "../place.js";
import { get } from "../service/service.js";
import { markedSentence } from "../document/marks.js";

export const conceptLink = ({ cui, name }) => make("a", { href: conceptAt(cui) }, name);

// conceptOf is the concept with an id; one that documents name and the knowledge base
// lacks has its id as its name.
export async function conceptOf(cui, signal) {
  try {
    return await get(["concepts", cui], {}, signal);
  } catch (problem) {
    if (problem.status !== 404) throw problem;
    return { cui, name: cui };
  }
}

// conceptItem is a concept in a list, which leads to address.
export const conceptItem = (found, address) => make("li", { class: "fact-item" }, make("a", { href: address }, found.name),
  make("div", { class: "detail" }, [found.cui, found.documents !== undefined && `in ${count(found.documents, "document", "documents")}`,
    found.synonyms?.slice(0, 4).join(", ")].filter(Boolean).join(" · ")));

// sentenceOfFact says it: concept, label, concept.
export const sentenceOfFact = (fact) =>
  make("span", { class: "fact" }, conceptLink(fact.head), ` – ${fact.label} ${fact.directed ? "→" : "–"} `, conceptLink(fact.tail));

// timesFound tells how often a relation was found. Two pairs of mentions in one
// sentence are two times.
export const timesFound = ({ mentions, documents }) =>
  `Found ${mentions === 1 ? "once" : `${mentions.toLocaleString("en")} times`} in ${count(documents, "document", "documents")}`;

// factItem is a relation in a list, with its best sentence and where that stands.
export function factItem(fact) {
  const places = (fact.evidence ?? []).map(({ documentId, title, relation }) =>
    [", this one in ", make("a", { href: documentAt(documentId, { relation: relation.id }), title: title || null }, documentId)]);
  return make("li", { class: "fact-item" },
    make("div", { class: "row" }, sentenceOfFact(fact), make("span", { class: "value" }, percent(fact.noisyOr)), bar(fact.noisyOr, "thin")),
    ...(fact.evidence ?? []).map((evidence) => make("blockquote", {}, markedSentence(evidence))),
    make("div", { class: "detail" }, make("a", { href: relationAt(fact.id) }, timesFound(fact)), ...places.flat()));
}

// evidenceItem is a sentence that says a relation, with the way to its document.
export function evidenceItem(evidence) {
  const { documentId, title, relation } = evidence;
  return make("li", { class: "fact-item" },
    make("div", { class: "row" }, make("span", {}, make("a", { href: documentAt(documentId, { relation: relation.id }) }, title || documentId),
      title && make("span", { class: "detail" }, ` ${documentId}`)),
      make("span", { class: "value" }, `${percent(relation.initial.score)} → ${percent(relation.score)}`), bar(relation.score, "thin")),
    make("blockquote", {}, markedSentence(evidence)));
}

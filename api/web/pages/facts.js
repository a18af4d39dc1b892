// What documents say: relations between concepts, with sentences.

import { make, bar, count, percent } from "../dom.js";
import { conceptAt, documentAt, relationAt } from "../place.js";
import { markedSentence } from "../document/marks.js";

const concept = ({ cui, name }) => make("a", { href: conceptAt(cui) }, name);

// sentenceOfFact says it: concept, label, concept.
export const sentenceOfFact = (fact) =>
  make("span", { class: "fact" }, concept(fact.head), ` – ${fact.label} ${fact.directed ? "→" : "–"} `, concept(fact.tail));

// factItem is a relation in a list, with its best sentence.
export function factItem(fact) {
  return make("li", { class: "fact-item" },
    make("div", { class: "row" }, sentenceOfFact(fact), make("span", { class: "value" }, percent(fact.noisyOr)), bar(fact.noisyOr, "thin")),
    ...(fact.evidence ?? []).map((evidence) => make("blockquote", {}, markedSentence(evidence))),
    make("a", { href: relationAt(fact.id) }, `${count(fact.mentions, "sentence", "sentences")} in ${count(fact.documents, "document", "documents")}`));
}

// evidenceItem is a sentence that says a relation, with the way to its document.
export function evidenceItem(evidence) {
  const { documentId, title, relation } = evidence;
  return make("li", { class: "fact-item" },
    make("div", { class: "row" }, make("a", { href: documentAt(documentId, { relation: relation.id }) }, title || documentId),
      make("span", { class: "value" }, `${percent(relation.initial.score)} → ${percent(relation.score)}`), bar(relation.score, "thin")),
    make("blockquote", {}, markedSentence(evidence)));
}

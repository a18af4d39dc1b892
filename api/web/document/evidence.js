// What speaks for a mention or a relation: the concepts with the attention paid to
// them, and what the text alone had said.

import { make, bar, nothing, percent } from "../dom.js";
import { addressOf } from "../place.js";
import { renderCandidates } from "./candidates.js";
import { markedSentence } from "./marks.js";
import { ends, sentenceOf } from "./stages.js";
import { tone } from "./tone.js";

// mentionEvidence is the evidence of a mention in a document of a stage. select goes
// to another mention or relation.
export function mentionEvidence(doc, mention, stage, select) {
  const concepts = make("div");
  if (stage === "final") renderCandidates(concepts, mention);
  else concepts.append(nothing("The text alone knows no concepts."));
  return make("div", { class: `tone-${tone(mention.type)}` },
    subject(doc, mention, select),
    make("div", { class: "columns" },
      section("Concepts and the attention paid to them", concepts),
      make("div", { class: "stack" }, section("Type", typeStages(mention, stage)),
        section(stage === "final" ? "Relations: text alone → with knowledge" : "Relations", relationList(doc, mention, stage, select)))));
}

const section = (title, ...children) => make("section", {}, make("h3", {}, title), ...children);

const pill = (text, number) => make("span", { class: `pill tone-${number}` }, text);

const choice = (text, onclick) => make("button", { type: "button", class: "link", onclick }, text);

function subject(doc, mention, select) {
  const long = doc.mentions.find((m) => m.id === mention.longForm);
  return make("p", { class: "subject" }, make("strong", {}, mention.text),
    mention.type && pill(mention.type, tone(mention.type)),
    mention.negated && pill("negated", 8),
    long && make("span", {}, "short for ", choice(long.text, () => select({ mention: long.id }, true))));
}

// stages compares what the text alone said with what was said in the end.
function stages(initial, final) {
  const row = (term, { what, score }, kind) =>
    make("div", { class: "stage" }, make("dt", {}, term),
      make("dd", {}, make("span", {}, what), make("span", { class: "value" }, percent(score)), bar(score, kind)));
  return make("dl", { class: "stages" }, initial && row("text alone", initial, "initial"), final && row("with knowledge", final, ""));
}

function typeStages(mention, stage) {
  if (!mention.type) return nothing("None was looked for.");
  const said = { what: mention.type, score: mention.score ?? 0 };
  if (stage === "initial") return stages(said, null);
  return stages(mention.initial && { what: mention.initial.type ?? "", score: mention.initial.score }, said);
}

function relationList(doc, mention, stage, select) {
  const relations = (doc.relations ?? []).filter((r) => r.head === mention.id || r.tail === mention.id);
  if (relations.length === 0) return nothing("None was found.");
  return make("ul", { class: "relations" }, ...relations.map((r) => make("li", { class: "row" },
    choice(sentenceOf(doc, r), () => select({ relation: r.id }, true)),
    ...scores(r, stage))));
}

function scores(relation, stage) {
  if (stage === "initial") return [make("span", { class: "value" }, percent(relation.score)), bar(relation.score, "thin initial")];
  return [make("span", { class: "value" }, `${percent(relation.initial.score)} → ${percent(relation.score)}`),
    bar(relation.initial.score, "thin initial"), bar(relation.score, "thin")];
}

// relationEvidence is the evidence of a relation: its words in the text, its stages
// and its ends. stored tells whether other documents can be asked for the same.
export function relationEvidence(doc, relation, stage, stored, select) {
  const [head, tail] = ends(doc, relation);
  const said = { what: relation.label, score: relation.score };
  const end = (mention) => make("li", { class: "row" }, choice(mention.text, () => select({ mention: mention.id }, true)),
    mention.type && pill(mention.type, tone(mention.type)), mention.negated && pill("negated", 8));
  return make("div", {},
    make("p", { class: "subject" }, make("strong", {}, sentenceOf(doc, relation))),
    make("blockquote", {}, markedSentence(passage(doc.text, head, tail))),
    make("div", { class: "columns" },
      section("Relation", stage === "initial" ? stages(said, null) : stages({ what: relation.label, score: relation.initial.score }, said)),
      section("Between", make("ul", { class: "relations" }, end(head), end(tail)), stored && stage === "final" && others(head, tail))));
}

// others leads to what all documents say of two mentions.
function others(head, tail) {
  const [concept, other] = [head, tail].map((m) => m.concepts[0]).map((c) => c?.variant === "part" ? null : c?.cui);
  if (!concept || !other) return null;
  return make("p", {}, make("a", { href: addressOf(["search"], { concept, other }) }, "What all documents say of the two"));
}

// passage is the text around two mentions, from full stop to full stop. (Offsets of
// the page count UTF-16 units, those of a passage code points.)
function passage(text, head, tail) {
  const [first, last] = [Math.min(head.start, tail.start), Math.max(head.end, tail.end)];
  const start = Math.max(0, text.lastIndexOf(". ", first) + 1);
  const stop = text.indexOf(". ", last);
  const sentence = text.slice(start, stop < 0 ? text.length : stop + 1);
  const point = (m) => ({ ...m, start: [...text.slice(start, m.start)].length, end: [...text.slice(start, m.end)].length });
  return { sentence, start: 0, head: point(head), tail: point(tail) };
}

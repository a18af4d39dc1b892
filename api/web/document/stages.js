// What knowledge changed: the graph of the text alone against the final one.

import { make, count } from "../dom.js";

const placeOf = (mention) => `${mention.start}-${mention.end}`;

// samePlace finds the mention of another graph of the same text at the same place.
export const samePlace = (doc, mention) => doc.mentions.find((m) => placeOf(m) === placeOf(mention));

// ends are the mentions at the ends of a relation.
export function ends(doc, relation) {
  const at = (id) => doc.mentions.find((m) => m.id === id);
  return [at(relation.head), at(relation.tail)];
}

export const sentenceOf = (doc, relation) => {
  const [head, tail] = ends(doc, relation);
  return `${head.text} ${relation.directed ? `– ${relation.label} →` : `– ${relation.label} –`} ${tail.text}`;
};

function relationPlaces(doc) {
  return new Map((doc.relations ?? []).map((r) => [`${ends(doc, r).map(placeOf).sort()} ${r.label}`, sentenceOf(doc, r)]));
}

const without = (some, others) => [...some].filter(([key]) => !others.has(key)).map(([, said]) => said);

// renderChanges tells what knowledge added, dropped and judged otherwise.
export function renderChanges(container, initial, final) {
  const [before, after] = [initial, final].map((doc) => new Map(doc.mentions.map((m) => [placeOf(m), m.text])));
  const [relationsBefore, relationsAfter] = [relationPlaces(initial), relationPlaces(final)];
  const retyped = final.mentions.flatMap((m) => {
    const old = samePlace(initial, m);
    return old && old.type !== m.type ? [`${m.text} (${old.type} → ${m.type})`] : [];
  });
  const kinds = [
    ["added", [...without(after, before), ...without(relationsAfter, relationsBefore)]],
    ["dropped", [...without(before, after), ...without(relationsBefore, relationsAfter)]],
    ["another type", retyped],
  ].filter(([, said]) => said.length > 0);
  const total = kinds.reduce((sum, [, said]) => sum + said.length, 0);
  container.hidden = false;
  container.replaceChildren(make("summary", {}, total === 0 ? "Knowledge changed nothing here" : `Knowledge changed ${count(total, "finding", "findings")}`),
    make("dl", { class: "changes" }, ...kinds.flatMap(([kind, said]) => [make("dt", {}, kind), make("dd", {}, counted(said).join(" · "))])));
}

// counted tells what is said several times once, with how often.
function counted(said) {
  const times = new Map();
  for (const one of said) times.set(one, (times.get(one) ?? 0) + 1);
  return [...times].map(([one, n]) => (n > 1 ? `${one} (${n} times)` : one));
}

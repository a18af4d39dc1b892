// Ranges of a text in colour, one inside the other where they are nested.

import { make } from "../dom.js";
import { tone } from "./tone.js";

// marked is the text with its mentions, whose offsets count UTF-16 units.
export function marked(text, mentions) {
  return fragment(text, nest(mentions), 0, text.length, null);
}

// markedSentence is the sentence of an evidence with the two mentions in it, whose
// offsets count code points of the document.
export function markedSentence({ sentence, start, head, tail }) {
  const points = [...sentence];
  const unit = (point) => points.slice(0, point - start).join("").length;
  const within = [head, tail].map((m, i) => ({ ...m, id: `${i}`, start: unit(m.start), end: unit(m.end) }));
  return make("span", { class: "sentence" }, marked(sentence, within));
}

// nest turns mentions into a tree of ranges, each inside its parent. A mention
// that crosses the end of another is cut there into two ranges.
function nest(mentions) {
  const byPlace = (a, b) => a.start - b.start || b.end - a.end;
  const waiting = mentions.map((mention) => ({ mention, start: mention.start, end: mention.end, inner: [] })).sort(byPlace);
  const roots = [];
  const open = [];
  while (waiting.length > 0) {
    const range = waiting.shift();
    while (open.length > 0 && open.at(-1).end <= range.start) open.pop();
    const outer = open.at(-1);
    if (outer && range.end > outer.end) {
      waiting.push({ ...range, start: outer.end, inner: [] });
      waiting.sort(byPlace);
      range.end = outer.end;
    }
    (outer ? outer.inner : roots).push(range);
    open.push(range);
  }
  return roots;
}

// fragment is the text from start to end with the ranges in it; owner is the
// mention that it belongs to, if any.
function fragment(text, ranges, start, end, owner) {
  const whole = document.createDocumentFragment();
  const addPlain = (from, to) => {
    if (from >= to) return;
    const plain = text.slice(from, to);
    whole.append(owner ? make("span", { class: "part", "data-mention": owner.id }, plain) : plain);
  };
  let at = start;
  for (const { mention, inner, ...range } of ranges) {
    addPlain(at, range.start);
    const kind = `mention tone-${tone(mention.type)}${mention.negated ? " negated" : ""}`;
    whole.append(make("span", { class: kind, "data-mention": mention.id }, fragment(text, inner, range.start, range.end, mention)));
    at = range.end;
  }
  addPlain(at, end);
  return whole;
}

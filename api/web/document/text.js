// The text of a document, in which its mentions can be selected.

import { make, percent } from "../dom.js";
import { marked } from "./marks.js";
import { tone } from "./tone.js";

const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

// renderText writes the text into container and gives the means to select mentions
// there. Mentions are one stop of the Tab key; arrow keys go from one to the next.
// select is called for a mention that was clicked or focused, enter when Enter is
// pressed on one.
export function renderText(container, doc, select, enter) {
  container.replaceChildren(marked(doc.text, doc.mentions));
  const stops = new Map(doc.mentions.map((mention) => [mention.id, stopFor(container, mention)]));
  const order = [...stops.keys()];
  let current = order[0];
  stops.get(current)?.setAttribute("tabindex", 0);

  container.onclick = (event) => {
    const id = event.target.closest("[data-mention]")?.dataset.mention;
    if (id) select(id, true);
  };
  container.onfocusin = (event) => {
    const id = event.target.dataset.mention;
    if (id && id !== current) select(id, false);
  };
  container.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return; // Alt with an arrow is the browser's way back
    const at = order.indexOf(current);
    const to = { Home: 0, End: order.length - 1 }[event.key] ?? at + steps[event.key];
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      select(current, false);
      enter();
    } else if (!Number.isNaN(to)) {
      event.preventDefault();
      if (order[to] !== undefined) select(order[to], true);
    }
  };
  return {
    // mark shows which mentions are selected; one alone becomes the stop of Tab.
    mark(ids, focus) {
      for (const part of container.querySelectorAll(".mention")) part.classList.toggle("selected", ids.includes(part.dataset.mention));
      for (const [id, stop] of stops) stop.setAttribute("aria-current", ids.includes(id));
      if (ids.length === 0) return;
      stops.get(current)?.setAttribute("tabindex", -1);
      current = ids[0];
      stops.get(current).setAttribute("tabindex", 0);
      if (focus) stops.get(current).focus();
      else reveal(container, stops.get(current));
    },
    focus() {
      stops.get(current)?.focus();
    },
  };
}

// stopFor is what stands for a mention with the keyboard: its first part that is
// its own, or a handle where it lies under others entirely.
function stopFor(container, mention) {
  const id = CSS.escape(mention.id);
  const stop = container.querySelector(`.part[data-mention="${id}"]`) ?? addHandle(container, mention.id);
  stop.setAttribute("role", "button");
  stop.setAttribute("tabindex", -1);
  stop.setAttribute("aria-label", describe(mention));
  return stop;
}

function describe(mention) {
  const kind = mention.type ? `, ${mention.type} ${percent(mention.score ?? 0)}` : "";
  return `${mention.text}${kind}${mention.negated ? ", negated" : ""}`;
}

function addHandle(container, id) {
  const handle = make("span", { class: "handle", "data-mention": id });
  [...container.querySelectorAll(`.mention[data-mention="${CSS.escape(id)}"]`)].at(-1).append(handle);
  return handle;
}

// reveal scrolls the text, and nothing else, to a place in it.
function reveal(container, stop) {
  const outer = container.getBoundingClientRect();
  const inner = stop.getBoundingClientRect();
  if (inner.top < outer.top || inner.bottom > outer.bottom) container.scrollTop += inner.top - outer.top - outer.height / 3;
}

// renderLegend tells which colour is which type, and what a dashed line is.
export function renderLegend(container, doc) {
  const types = [...new Set(doc.mentions.map((m) => m.type).filter(Boolean))].sort();
  const entries = types.map((type) => make("li", { class: `pill tone-${tone(type)}` }, type));
  if (doc.mentions.some((m) => m.negated)) entries.push(make("li", { class: "dashed" }, "negated"));
  container.replaceChildren(...entries);
  container.hidden = entries.length === 0;
}

// The picture of the graph, which the service draws.

import { count } from "../dom.js";
import { panZoom } from "./panzoom.js";

// With more boxes than this, those without a line are left out at first.
const many = 12;

// renderPicture puts the picture into frame and gives the means to use it. Its boxes
// have a class "mention-T1" for each mention that they stand for, its lines
// "relation-R1". select is called with {mention} or {relation}.
export function renderPicture(frame, svg, doc, select) {
  const picture = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  for (const inner of picture.querySelectorAll("title")) inner.remove(); // they would show as tooltips
  picture.removeAttribute("width");
  picture.removeAttribute("height");
  const boxes = [...picture.querySelectorAll(".node")].map((shape) => newBox(shape, doc));
  const lines = [...picture.querySelectorAll(".edge")];
  lines.forEach(widen);
  picture.setAttribute("role", "group");
  picture.setAttribute("aria-label", `Graph of ${count(boxes.length, "entity", "entities")} and ${count(lines.length, "relation", "relations")}`);
  frame.replaceChildren(picture);

  const alone = boxes.filter((box) => box.relations === 0);
  const shown = () => boxes.filter((box) => !box.shape.hasAttribute("hidden"));
  const view = panZoom(picture, () => around(picture, [...shown().map((box) => box.shape), ...lines]));
  const choose = (box) => select({ mention: box.mentions[0] });
  let current;

  let marked; // the relation that is selected

  function stopAt(box, focus) {
    current?.shape.setAttribute("tabindex", -1);
    current = box;
    current?.shape.setAttribute("tabindex", 0);
    if (focus) current?.shape.focus();
  }

  function showAlone(visible) {
    for (const box of alone) box.shape.toggleAttribute("hidden", !visible);
    stopAt(shown().includes(current) ? current : shown()[0], false);
    const { width, height } = around(picture, [...shown().map((box) => box.shape), ...lines]);
    picture.style.aspectRatio = `${width} / ${height}`;
    view.fit();
  }

  picture.addEventListener("click", (event) => {
    const box = boxes.find(({ shape }) => shape === event.target.closest(".node"));
    const line = event.target.closest(".edge");
    if (box) choose(box);
    else if (line) select({ relation: after(marked, idsIn(line, "relation-")) });
  });
  picture.addEventListener("keydown", (event) => {
    const act = keys(view, event, (x, y) => stopAt(nearest(current, shown(), x, y), true), () => choose(current));
    if (!act) return;
    event.preventDefault();
    act();
  });
  picture.addEventListener("focusin", () => view.reveal(current.shape));

  const leaveOut = boxes.length > many && alone.length > 0 && alone.length < boxes.length;
  showAlone(!leaveOut);
  return {
    ...view,
    alone: alone.length,
    leftOut: leaveOut,
    undrawn: doc.mentions.length - new Set(boxes.flatMap((box) => box.mentions)).size, // mentions that the service left out
    showAlone,
    // mark shows which mentions and relation are selected.
    mark(mentions, relation) {
      marked = relation;
      for (const box of boxes) {
        const on = box.mentions.some((id) => mentions.includes(id));
        box.shape.classList.toggle("selected", on);
        box.shape.setAttribute("aria-current", on);
        if (on && !box.shape.hasAttribute("hidden")) {
          if (box !== current && mentions.length === 1) stopAt(box, false);
          view.reveal(box.shape);
        }
      }
      for (const line of lines) line.classList.toggle("selected", idsIn(line, "relation-").includes(relation));
    },
  };
}

// after gives the next of several, round and round: a line stands for all relations of its two boxes.
const after = (id, ids) => ids[(ids.indexOf(id) + 1) % ids.length];

const idsIn = (shape, prefix) => [...shape.classList].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));

// newBox makes a box a button.
function newBox(shape, doc) {
  const mentions = idsIn(shape, "mention-");
  const relations = (doc.relations ?? []).filter((r) => mentions.includes(r.head) || mentions.includes(r.tail)).length;
  const { type } = doc.mentions.find((m) => m.id === mentions[0]);
  const text = shape.querySelector("text")?.textContent;
  shape.setAttribute("role", "button");
  shape.setAttribute("tabindex", -1);
  shape.setAttribute("aria-label", [text, type, count(relations, "relation", "relations")].filter(Boolean).join(", "));
  return { shape, mentions, relations };
}

// widen gives a line an invisible one over it that is easy to hit.
function widen(line) {
  line.setAttribute("aria-hidden", "true"); // the list below the picture says the same
  const path = line.querySelector("path");
  if (!path) return;
  const wide = path.cloneNode();
  wide.setAttribute("class", "hit");
  line.append(wide);
}

// around is what shapes take up, with a margin.
function around(picture, shapes) {
  const margin = 12;
  const whole = picture.querySelector(".graph")?.transform.baseVal.consolidate()?.matrix ?? { e: 0, f: 0 };
  const boxes = shapes.map((shape) => shape.getBBox()).filter((box) => box.width > 0 || box.height > 0);
  if (boxes.length === 0) return { x: 0, y: 0, width: 100, height: 40 };
  const [left, top] = [Math.min(...boxes.map((b) => b.x)), Math.min(...boxes.map((b) => b.y))];
  const [right, bottom] = [Math.max(...boxes.map((b) => b.x + b.width)), Math.max(...boxes.map((b) => b.y + b.height))];
  return { x: left + whole.e - margin, y: top + whole.f - margin, width: right - left + 2 * margin, height: bottom - top + 2 * margin };
}

const directions = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

// keys is what a key does in the picture, if anything.
function keys(view, event, goTowards, choose) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const towards = directions[event.key];
  if (towards && event.shiftKey) return () => view.pan(-80 * towards[0], -80 * towards[1]);
  if (towards) return () => goTowards(...towards);
  return { "+": view.zoomIn, "=": view.zoomIn, "-": view.zoomOut, 0: view.fit, Enter: choose, " ": choose }[event.key];
}

// nearest is the box that lies next in a direction, the same one if there is none.
function nearest(from, boxes, x, y) {
  const midst = ({ shape }) => {
    const { left, top, width, height } = shape.getBoundingClientRect();
    return [left + width / 2, top + height / 2];
  };
  const [a, b] = midst(from);
  let best = from;
  let least = Infinity;
  for (const box of boxes) {
    const [c, d] = midst(box);
    const ahead = (c - a) * x + (d - b) * y;
    const aside = Math.abs((c - a) * y) + Math.abs((d - b) * x);
    if (box === from || ahead <= 0 || aside > 2 * ahead) continue;
    if (ahead + aside < least) [best, least] = [box, ahead + aside];
  }
  return best;
}

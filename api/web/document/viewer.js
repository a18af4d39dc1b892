// A document: its text, the picture of its graph and the evidence, which select
// together; of the final graph or of what the text alone gave.

import { make, count, nothing, percent, problemBox } from "../dom.js";
import { remember } from "../place.js";
import { mentionEvidence, relationEvidence } from "./evidence.js";
import { exportMenu, fetchForm } from "./export.js";
import { layout } from "./layout.js";
import { renderPicture } from "./picture.js";
import { renderChanges, samePlace, sentenceOf } from "./stages.js";
import { renderLegend, renderText } from "./text.js";

// viewDocument gives the parts of the page that show a document with offsets in
// UTF-16 units, which is what strings here count. query says what to select first;
// stored, whether the service keeps the document.
export function viewDocument(final, { query, stored, signal }) {
  const parts = layout();
  const graphs = new Map([["final", final]]);
  let stage = "final";
  let asked = stage; // the stage that was asked for last
  let doc = final;
  let text, picture;
  let chosen = {};

  // select is what the reader does; the address then leads to what was chosen.
  function select(what, focus) {
    choose(what, focus);
    remember({ mention: what.mention, relation: what.relation });
  }

  function choose(what, focus) {
    chosen = what;
    const relation = doc.relations?.find((r) => r.id === what.relation);
    const mention = doc.mentions.find((m) => m.id === what.mention);
    const ids = relation ? [relation.head, relation.tail] : mention ? [mention.id] : [];
    text.mark(ids, focus && !relation);
    picture?.mark(ids, relation?.id);
    parts.evidence.replaceChildren(
      relation ? relationEvidence(doc, relation, stage, stored, select)
        : mention ? mentionEvidence(doc, mention, stage, select)
          : nothing(doc.mentions.length === 0 ? "No entity was found in this text." : "Choose an entity or a relation."));
    if (focus && relation) parts.evidenceTitle.focus();
  }

  // show shows a graph; first tells what to select in it.
  async function show(next, first) {
    stage = next;
    doc = graphs.get(stage);
    for (const radio of parts.stages.querySelectorAll("input")) radio.checked = radio.value === stage;
    text = renderText(parts.text, doc, (id, focus) => select({ mention: id }, focus), () => parts.evidenceTitle.focus());
    renderLegend(parts.legend, doc);
    renderRelations();
    picture = undefined;
    parts.alone.hidden = parts.undrawn.hidden = true;
    choose(present(doc, first(doc)), false);
    await draw();
  }

  function renderRelations() {
    const relations = doc.relations ?? [];
    parts.relations.replaceChildren(make("summary", {}, count(relations.length, "relation", "relations")),
      make("ul", { class: "relations" }, ...relations.map((r) => make("li", { class: "row" },
        make("button", { type: "button", class: "link", onclick: () => select({ relation: r.id }, true) }, sentenceOf(doc, r)),
        make("span", { class: "value" }, percent(r.score))))));
  }

  async function draw() {
    const drawn = doc;
    parts.graph.replaceChildren(nothing("Drawing the graph …"));
    parts.graph.setAttribute("aria-busy", "true");
    try {
      const svg = await (await fetchForm(doc, { stage, stored, format: "svg", signal })).text();
      if (doc !== drawn || signal.aborted) return;
      picture = renderPicture(parts.graph, svg, doc, select);
      offerAlone();
      const relation = doc.relations?.find((r) => r.id === chosen.relation);
      picture.mark(relation ? [relation.head, relation.tail] : [chosen.mention], chosen.relation);
    } catch (problem) {
      if (problem.name !== "AbortError" && doc === drawn) parts.graph.replaceChildren(nothing(problem.detail ?? "The graph could not be drawn."));
    } finally {
      if (doc === drawn) parts.graph.removeAttribute("aria-busy");
    }
  }

  function offerAlone() {
    parts.alone.hidden = !picture.leftOut;
    parts.alone.querySelector("input").checked = false;
    parts.alone.querySelector("span").textContent = `with the ${count(picture.alone, "entity", "entities")} without a relation`;
    parts.undrawn.hidden = picture.undrawn === 0;
    parts.undrawn.textContent = `There are too many entities to draw: ${count(picture.undrawn, "mention", "mentions")} without a relation stand in the text alone.`;
  }

  // open shows the graph of a stage, for which the service may have to be asked, or
  // stays with the one that is shown. What was asked for last counts.
  async function open(next, first) {
    asked = next;
    let found = next;
    parts.failure.replaceChildren();
    try {
      if (!graphs.has(next)) await fetchInitial();
    } catch (problem) {
      if (problem.name === "AbortError") return;
      fail(problem);
      found = stage;
    }
    if (asked === next) await show(found, first);
  }

  async function fetchInitial() {
    parts.failure.replaceChildren(nothing("Reading the text alone …"));
    const initial = await (await fetchForm(final, { stage: "initial", stored, format: "json", offsets: "utf16", signal })).json();
    graphs.set("initial", initial);
    renderChanges(parts.changes, initial, final);
    const same = initial.model?.digest === final.model?.digest;
    parts.failure.replaceChildren(same ? "" : nothing("The service has another model now than when this document was read: the two graphs are not of one model."));
  }

  async function changeStage(next) {
    const mention = doc.mentions.find((m) => m.id === chosen.mention);
    await open(next, (other) => mention && { mention: samePlace(other, mention)?.id });
    if (!signal.aborted) remember({ stage: stage === "final" ? "" : stage, mention: chosen.mention, relation: chosen.relation });
  }

  const fail = (problem) => parts.failure.replaceChildren(problemBox(problem));

  parts.stages.addEventListener("change", (event) => changeStage(event.target.value));
  parts.tools.append(exportMenu(() => ({ doc, stage, stored, signal }), fail));
  parts.alone.addEventListener("change", (event) => picture.showAlone(event.target.checked));
  for (const [name, act] of [["zoom-in", "zoomIn"], ["zoom-out", "zoomOut"], ["fit", "fit"]]) {
    parts.root.querySelector(`#${name}`).addEventListener("click", () => picture?.[act]());
  }
  parts.evidenceCard.addEventListener("keydown", (event) => {
    if (event.key === "Escape") text.focus();
  });

  const wanted = { mention: query.get("mention"), relation: query.get("relation") };
  return { root: parts.root, drawn: open(query.get("stage") === "initial" ? "initial" : "final", () => wanted) };
}

// present is what of wanted the document has, its first mention if nothing.
function present(doc, wanted) {
  if (doc.relations?.some((r) => r.id === wanted?.relation)) return { relation: wanted.relation };
  if (doc.mentions.some((m) => m.id === wanted?.mention)) return { mention: wanted.mention };
  return { mention: doc.mentions[0]?.id };
}

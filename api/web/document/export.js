// Documents in the forms that the service writes.

import { make } from "../dom.js";
import { path, saveAs, send } from "../service/service.js";

// The forms, as ?format= names them, with the ending of their files.
const forms = [
  ["json", ".json", "JSON, everything"],
  ["jsonl", ".jsonl", "JSON Lines"],
  ["bioc", ".bioc.json", "BioC in JSON"],
  ["bioc-xml", ".bioc.xml", "BioC in XML"],
  ["pubtator", ".pubtator", "PubTator"],
  ["pubannotation", ".pubannotation.jsonl", "PubAnnotation"],
  ["brat", ".zip", "brat standoff, ZIP"],
  ["cypher", ".cypher", "Cypher for Neo4j"],
  ["csv", ".csv", "CSV, a row a relation"],
  ["graphml", ".graphml", "GraphML"],
  ["svg", ".svg", "Picture, SVG"],
  ["png", ".png", "Picture, PNG"],
];

// fetchForm gives the graph of one stage of a document in a form.
export function fetchForm(doc, { stage, stored, format, offsets, signal }) {
  if (stored && stage === "final") return send(path(["documents", doc.id], { format, offsets }), { signal });
  const body = JSON.stringify({ id: doc.id, title: doc.title, text: doc.text });
  return send(path(["extract"], { format, stage, offsets }), { method: "POST", headers: { "Content-Type": "application/json" }, body, signal });
}

const nameOf = (doc, ending) => `${doc.id.replace(/[^\w.-]+/g, "-").slice(0, 60)}${ending}`;

// exportMenu offers the forms. given says which graph there is to export, failed is
// told when that does not work.
export function exportMenu(given, failed) {
  const save = (format, ending) => async () => {
    menu.open = false;
    const { doc, ...rest } = given();
    try {
      saveAs(await (await fetchForm(doc, { ...rest, format })).blob(), nameOf(doc, ending));
    } catch (problem) {
      failed(problem);
    }
  };
  const item = ([format, ending, title]) => make("li", {}, make("button", { type: "button", "data-format": format, onclick: save(format, ending) }, title));
  const menu = make("details", { class: "menu" }, make("summary", {}, "Export"),
    make("ul", {}, ...forms.map(item)));
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  return menu;
}

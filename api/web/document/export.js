// Documents in the forms that the service writes, and as a picture in points.

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
  const save = (format, ending, convert = (answer) => answer.blob()) => async () => {
    menu.open = false;
    const { doc, ...rest } = given();
    try {
      saveAs(await convert(await fetchForm(doc, { ...rest, format })), nameOf(doc, ending));
    } catch (problem) {
      failed(problem);
    }
  };
  const item = (title, onclick, format) => make("li", {}, make("button", { type: "button", "data-format": format, onclick }, title));
  const menu = make("details", { class: "menu" }, make("summary", {}, "Export"),
    make("ul", {}, ...forms.map(([format, ending, title]) => item(title, save(format, ending), format)), item("Picture, PNG", save("svg", ".png", toPNG), "png")));
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

const widest = 8000; // browsers draw no picture of any size

// toPNG draws a picture, with two points for each pixel unless that is too large.
async function toPNG(answer) {
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(await answer.text())}`;
  await image.decode();
  const scale = Math.min(2, widest / Math.max(image.naturalWidth, image.naturalHeight));
  const canvas = make("canvas", { width: scale * image.naturalWidth, height: scale * image.naturalHeight });
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#ffffff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

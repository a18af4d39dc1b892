// The stored documents, a page at a time.

import { make, nothing, time } from "../dom.js";
import { addressOf, documentAt } from "../place.js";
import { get } from "../service/service.js";

const size = 50;

export async function open({ query }, signal) {
  const after = query.get("after") ?? "";
  const { documents, next } = await get(["documents"], { limit: size, after }, signal);
  const content = make("div", { class: "card" },
    documents.length === 0 ? nothing(after ? "There are no more documents." : "No document is stored yet. Read a text and keep it, or upload files.") : table(documents),
    make("nav", { class: "pager", "aria-label": "Pages" },
      after && make("a", { href: "#/documents" }, "From the beginning"),
      next && make("a", { href: addressOf(["documents"], { after: next }), id: "next" }, "Next page")));
  return { title: "Documents", content };
}

function table(documents) {
  const head = ["Id", "Title", "Characters", "Read", "Model"].map((name) => make("th", { scope: "col", class: { Characters: "number wide", Model: "wide" }[name] }, name));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Stored documents" }, make("table", { id: "documents" },
    make("thead", {}, make("tr", {}, ...head)),
    make("tbody", {}, ...documents.map((doc) => make("tr", {},
      make("th", { scope: "row" }, make("a", { href: documentAt(doc.id) }, short(doc.id))),
      make("td", {}, doc.title ?? ""), make("td", { class: "number wide" }, doc.characters.toLocaleString("en")),
      make("td", {}, time(doc.submittedAt)), make("td", { class: "wide" }, doc.model?.name ?? ""))))));
}

// short keeps an id that is a hash from taking the whole width.
const short = (id) => (id.length > 32 ? `${id.slice(0, 31)}…` : id);

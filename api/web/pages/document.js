// A stored document.

import { make, time } from "../dom.js";
import { go } from "../place.js";
import { get, path, send } from "../service/service.js";
import { viewDocument } from "../document/viewer.js";

export async function open({ parts: [, id], query }, signal) {
  const doc = await get(["documents", id], { offsets: "utf16" }, signal);
  const view = viewDocument(doc, { query, stored: true, signal });
  const facts = make("p", { class: "facts" }, doc.title && make("span", {}, doc.id), doc.submittedAt && make("span", {}, "read ", time(doc.submittedAt)),
    doc.model && make("span", {}, `by ${doc.model.name}`), removal(doc.id));
  return { title: doc.title || doc.id, content: make("div", {}, facts, view.root) };
}

// removal removes the document, when it is asked for twice.
function removal(id) {
  const button = make("button", { type: "button", class: "link", id: "remove" }, "Remove it");
  button.addEventListener("click", async () => {
    if (button.dataset.sure === undefined) {
      button.dataset.sure = "";
      button.textContent = "Really remove it, with all that was extracted?";
      return;
    }
    try {
      await send(path(["documents", id]), { method: "DELETE" });
      go("#/documents");
    } catch (problem) {
      button.replaceWith(make("span", { role: "alert" }, problem.detail));
    }
  });
  return button;
}

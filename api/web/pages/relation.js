// A relation that documents tell, with every sentence that says it.

import { make, card, percent } from "../dom.js";
import { get } from "../service/service.js";
import { evidenceItem, sentenceOfFact, timesFound } from "./facts.js";
import { exportButtons, pagedList, pages } from "./list.js";

export async function open({ parts: [, id] }, signal) {
  const fact = await get(["relations", id], {}, signal);
  const sentences = pagedList(make("ul", { class: "plain", id: "sentences" }), pages(["relations", id, "evidence"], "evidence", { limit: 20 }, signal), evidenceItem, "");
  await sentences.loaded;
  return {
    title: `${fact.head.name} – ${fact.label} ${fact.directed ? "→" : "–"} ${fact.tail.name}`,
    content: make("div", { class: "pile" },
      make("p", { class: "facts" }, sentenceOfFact(fact), make("span", {}, timesFound(fact)),
        make("span", {}, howSure(fact))),
      card("all-sentences", "The sentences that say it", sentences.list, exportButtons(["relations", id, "evidence"], {}))),
  };
}

function howSure({ documents, noisyOr, maxScore }) {
  if (documents === 1) return `${percent(maxScore)} that it is right`;
  return `${percent(noisyOr)} that at least one document is right, the best sentence alone ${percent(maxScore)}`;
}

// Light or dark colours: as the system has them, unless the reader chooses.

import { ofVisits } from "./service/storage.js";

const key = "keci.colours";

function apply(choice) {
  document.documentElement.dataset.colours = choice;
}

// offerScheme makes a select choose the colours.
export function offerScheme(select) {
  select.value = ofVisits.getItem(key) ?? "auto";
  apply(select.value);
  select.addEventListener("change", () => {
    ofVisits.setItem(key, select.value);
    apply(select.value);
  });
}

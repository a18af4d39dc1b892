// The access token, where the service asks for one. It is kept until the tab is closed.

import { ofTab } from "./storage.js";

const key = "keci.token";

export const token = () => ofTab.getItem(key) ?? "";

let asking = null; // the question that is open; several calls wait for one answer

let declined = -Infinity; // when the reader went on without

// anotherToken asks for a token other than the one that was refused to a call sent at a
// time. It gives false when the reader has none, or has said so since.
export async function anotherToken(refused, sent) {
  if (token() !== refused) return true; // given meanwhile
  if (sent < declined) return false;
  asking ??= ask(refused !== "").finally(() => { asking = null; });
  return asking;
}

function ask(again) {
  const dialog = document.getElementById("token-dialog");
  const field = document.getElementById("token");
  document.getElementById("token-refused").hidden = !again;
  field.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const given = dialog.returnValue === "use" && field.value.trim() !== "";
      if (given) keep(field.value.trim());
      else declined = performance.now();
      resolve(given);
    }, { once: true });
  });
}

function keep(value) {
  ofTab.setItem(key, value);
  showForget();
}

// showForget offers to forget the token when there is one.
export function showForget() {
  document.getElementById("forget-token").hidden = token() === "";
}

export function forget() {
  ofTab.removeItem(key);
  location.reload();
}

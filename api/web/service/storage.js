// What the browser keeps for the page: of this tab, or of all visits. A reader who lets
// pages keep nothing has it until the page is left.

const meanwhile = new Map();
const forgetful = {
  getItem: (key) => meanwhile.get(key) ?? null,
  setItem: (key, value) => meanwhile.set(key, value),
  removeItem: (key) => meanwhile.delete(key),
};

function allowed(kind) {
  try {
    return window[kind] ?? forgetful;
  } catch {
    return forgetful;
  }
}

export const ofTab = allowed("sessionStorage");
export const ofVisits = allowed("localStorage");

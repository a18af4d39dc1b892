// Elements, and numbers as people read them.

// make is an element with attributes and children. Functions among the attributes
// are handlers ("onclick"); what is null, undefined or false is left out.
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

// card is a part of a page with a heading.
export function card(id, title, ...children) {
  return make("section", { class: "card", id, "aria-labelledby": `${id}-title` }, make("h2", { id: `${id}-title` }, title), ...children);
}

// nothing says why there is nothing to see.
export const nothing = (why) => make("p", { class: "nothing" }, why);

export const count = (n, one, more) => (n === 1 ? `1 ${one}` : `${n.toLocaleString("en")} ${more}`);

// percent says a score as people do; what is less than certain is never 100 %.
export const percent = (score) => (score < 1 && score >= 0.995 ? "> 99 %" : `${Math.round(100 * score)} %`);

export const fixed = (score) => score.toFixed(2);

export function time(iso) {
  if (!iso) return "";
  const at = new Date(iso);
  return make("time", { datetime: iso }, at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" }));
}

// bar shows a share of 1. The number stands beside it, so it is hidden from those
// who hear the page.
export function bar(share, kind = "") {
  const filled = make("span");
  filled.style.width = `${100 * share}%`;
  return make("div", { class: `bar ${kind}`, "aria-hidden": "true" }, filled);
}

// problemBox tells what went wrong.
export function problemBox(problem) {
  return make("div", { class: "problem", role: "alert" }, make("strong", {}, problem.title ?? "The page failed"), problem.detail ?? String(problem));
}

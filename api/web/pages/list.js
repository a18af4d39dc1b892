// Lists that come page by page.

import { make, nothing, problemBox } from "../dom.js";
import { get, path, saveAs, send } from "../service/service.js";

// pagedList shows the beginning of a list, and more when it is asked for. page gives
// {items, next} from a place on; newItem makes an element of an item; none says what
// there is when nothing is. What did not come can be asked for again.
export function pagedList(container, page, newItem, none) {
  const more = make("button", { type: "button", class: "more", hidden: true }, "Show more");
  const failure = make("div");
  const list = make("div", { class: "list-frame" }, container, failure, more);
  let next = "";
  async function load() {
    more.setAttribute("aria-disabled", "true");
    try {
      const found = await page(next);
      const made = found.items.map(newItem);
      failure.replaceChildren();
      container.append(...made);
      if (next === "" && made.length === 0) list.replaceChildren(nothing(none));
      else if (next !== "") focusFirst(made[0]);
      next = found.next ?? "";
      more.hidden = next === "";
      more.textContent = "Show more";
    } catch (problem) {
      if (problem.name === "AbortError") return;
      failure.replaceChildren(problemBox(problem));
      more.hidden = problem.status === 404 || problem.status === 422;
      more.textContent = "Try again";
    } finally {
      more.removeAttribute("aria-disabled");
    }
  }
  more.addEventListener("click", () => more.getAttribute("aria-disabled") || load());
  return { list, loaded: load() };
}

// focusFirst goes on where the list was, for those who use the keyboard.
function focusFirst(item) {
  item?.querySelector("a, button")?.focus({ preventScroll: true });
}

// pages reads a list of the service whose items have a name.
export const pages = (parts, name, query, signal) => async (after) => {
  const answer = await get(parts, { ...query, after }, signal);
  return { items: answer[name], next: answer.next };
};

// exportButtons save a list of the service, of which it gives so many at once, in the
// forms that it writes lists in.
export function exportButtons(parts, query, most = 10_000) {
  const problem = make("div");
  const save = (format) => async () => {
    try {
      problem.replaceChildren();
      const answer = await send(path(parts, { ...query, format, limit: most }));
      saveAs(await answer.blob(), `${parts.at(-1)}.${format}`);
      if (answer.headers.has("Link")) problem.replaceChildren(nothing(`These are the first ${most.toLocaleString("en")}. To have all, narrow them down, or ask for them with a program.`));
    } catch (caught) {
      problem.replaceChildren(problemBox(caught));
    }
  };
  const button = (format) => make("button", { type: "button", "data-format": format, onclick: save(format) }, format.toUpperCase());
  return make("div", { class: "actions" }, make("span", { class: "hint" }, "Save as"), ...["csv", "jsonl", "json", "graphml"].map(button), problem);
}

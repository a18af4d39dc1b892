// The page: opens what its address names.

import { make, count, problemBox } from "./dom.js";
import { keep, kept, placeOf } from "./place.js";
import { offerScheme } from "./scheme.js";
import { get } from "./service/service.js";
import { forget, showForget } from "./service/token.js";
import * as read from "./pages/read.js";
import * as documents from "./pages/documents.js";
import * as stored from "./pages/document.js";
import * as uploads from "./pages/uploads.js";
import * as job from "./pages/job.js";
import * as search from "./pages/search.js";
import * as concept from "./pages/concept.js";
import * as relation from "./pages/relation.js";
import * as paths from "./pages/paths.js";

// Each page has a function open, which gives its title and its content. The signal
// that it gets is aborted when the reader leaves.
const lists = { "": read, documents, jobs: uploads, search, paths };
const things = { documents: stored, jobs: job, concepts: concept, relations: relation };

const element = (id) => document.getElementById(id);
let leaving = new AbortController();
let first = true;
let scrolling;

async function open() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  clearTimeout(scrolling);
  const { scrolled = 0 } = kept();
  const main = element("main");
  main.setAttribute("aria-busy", "true");
  const page = await load(signal);
  if (signal.aborted) return;
  main.replaceChildren(make("h1", { tabindex: "-1" }, page.title), page.content);
  main.removeAttribute("aria-busy");
  document.title = `${page.title} – keci`;
  page.shown?.();
  if (!first) main.querySelector("h1").focus({ preventScroll: true });
  scrollTo(0, scrolled);
  first = false;
}

async function load(signal) {
  const place = placeOf(location.hash);
  const [section = "", id] = place.parts;
  markSection(["concepts", "relations", "paths"].includes(section) ? "search" : section);
  const page = (id === undefined ? lists : things)[section];
  if (!page || place.parts.length > 2) return { title: "There is no such page", content: make("p", {}, "Begin at ", make("a", { href: "#/" }, "the first page"), ".") };
  try {
    return await page.open(place, signal);
  } catch (problem) {
    if (problem.status === 404) return { title: "Not found", content: problemBox(problem) };
    const again = make("button", { type: "button", id: "again", onclick: open }, "Try again");
    return { title: "This did not work", content: make("div", {}, problemBox(problem), make("div", { class: "actions" }, again)) };
  }
}

function markSection(section) {
  for (const link of document.querySelectorAll("#sections a")) {
    if (placeOf(link.hash).parts[0] === (section || undefined)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

async function showAbout() {
  const [model, kb] = await Promise.all([get(["model"]), get(["kb"])]);
  element("about").textContent = `Model ${model.name} · knowledge base ${kb.name}, ${count(kb.concepts, "concept", "concepts")}`;
}

offerScheme(element("colours"));
showForget();
element("forget-token").addEventListener("click", forget);
element("skip").addEventListener("click", (event) => {
  event.preventDefault();
  element("main").focus();
});
addEventListener("hashchange", open);
// Who comes back to a place finds it where it was left.
history.scrollRestoration = "manual";
addEventListener("scroll", () => {
  clearTimeout(scrolling);
  scrolling = setTimeout(() => keep({ scrolled: Math.round(scrollY) }), 150);
}, { passive: true });
open();
showAbout().catch(() => {});

// A job: how it goes on, its results while they come, and an end to it.

import { make, card, count, nothing, problemBox, time } from "../dom.js";
import { documentAt } from "../place.js";
import { get, path, saveAs, send } from "../service/service.js";
import { events, lines } from "../service/stream.js";

// More results than this nobody reads here; all of them can be saved.
const most = 200;

const ended = (job) => ["done", "cancelled", "failed"].includes(job.state);

export async function open({ parts: [, id] }, signal) {
  const job = await get(["jobs", id], {}, signal);
  const parts = build(job);
  show(parts, job);
  const quiet = (problem) => problem.name === "AbortError" || parts.problem.replaceChildren(problemBox(problem));
  const attempt = (act) => () => act().catch(quiet);
  parts.cancel.addEventListener("click", attempt(() => send(path(["jobs", id, "cancel"]), { method: "POST" })));
  parts.save.addEventListener("click", attempt(async () => saveAs(await (await send(path(["jobs", id, "results"], { wait: false }))).blob(), `${id}.jsonl`)));
  return {
    title: "Job",
    content: parts.root,
    shown() {
      follow(parts, id, signal).catch(quiet);
      listResults(parts, id, signal).catch(quiet);
    },
  };
}

// resume reads until read gives true, and again when the connection breaks off first,
// which lost is told, or when the service has too much to do.
async function resume(signal, lost, read) {
  for (;;) {
    try {
      if (await read()) return;
    } catch (problem) {
      if (signal.aborted || (problem.status >= 400 && problem.status < 500 && problem.status !== 429)) throw problem;
      lost();
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
    signal.throwIfAborted();
  }
}

const follow = (parts, id, signal) => resume(signal, () => { parts.lost.textContent = "The connection is lost. Trying again …"; }, async () => {
  for await (const job of events(["jobs", id, "events"], signal)) {
    parts.lost.textContent = "";
    show(parts, job);
    if (ended(job)) return true;
  }
  return false;
});

function show({ state, progress, counted, cancel, error, times }, job) {
  state.textContent = job.state;
  progress.max = Math.max(1, job.documents);
  progress.value = job.done;
  counted.textContent = `${job.done} of ${count(job.documents, "document", "documents")}${job.failed > 0 ? `, ${job.failed} failed` : ""}`;
  cancel.hidden = ended(job);
  error.textContent = job.error ?? "";
  times.replaceChildren("sent ", time(job.createdAt), ...(job.endedAt ? [", ended ", time(job.endedAt)] : []));
}

async function listResults({ results, rest }, id, signal) {
  let read = 0;
  await resume(signal, () => {}, async () => {
    for await (const result of lines(["jobs", id, "results"], { from: read }, signal)) {
      if (read === most) {
        rest.textContent = `The first ${most} are shown; “Save the results” gives all of them.`;
        return true;
      }
      read++;
      results.append(entry(result));
    }
    return true;
  });
  if (read === 0) rest.textContent = "There are no results.";
}

function entry(result) {
  if (result.error) return make("li", {}, make("span", {}, result.id ?? ""), make("span", { class: "failed" }, result.error.detail));
  const found = `${count(result.mentions.length, "entity", "entities")}, ${count(result.relations?.length ?? 0, "relation", "relations")}`;
  const stored = result.submittedAt !== undefined;
  return make("li", {}, stored ? make("a", { href: documentAt(result.id) }, result.id) : make("span", {}, result.id), make("span", {}, found));
}

function build(job) {
  const parts = {
    state: make("strong", { id: "state" }),
    progress: make("progress", { id: "progress", "aria-labelledby": "counted" }),
    counted: make("span", { id: "counted", role: "status" }),
    times: make("span", { class: "hint" }),
    cancel: make("button", { type: "button", id: "cancel" }, "Cancel"),
    save: make("button", { type: "button", id: "save" }, "Save the results"),
    error: make("p", { class: "failed" }),
    lost: make("p", { class: "nothing", id: "lost", role: "status" }),
    problem: make("div"),
    results: make("ul", { class: "jobs", id: "results" }),
    rest: nothing(""),
  };
  parts.root = make("div", { class: "pile" },
    make("section", { class: "card", "aria-label": "Progress" }, make("p", { class: "facts" }, parts.state, parts.times), parts.progress,
      make("div", { class: "actions" }, parts.counted, parts.cancel, parts.save), parts.error, parts.lost, parts.problem),
    card("job-results", "Results", parts.results, parts.rest));
  return parts;
}

// Files in, and the jobs that came of them.

import { make, card, problemBox, time } from "../dom.js";
import { go, jobAt } from "../place.js";
import { get } from "../service/service.js";
import { pagedList } from "./list.js";
import { upload } from "./upload.js";

export async function open(_, signal) {
  const items = make("ul", { class: "jobs", id: "jobs" });
  const page = async (before) => {
    const { jobs, next } = await get(["jobs"], { limit: 20, before }, signal);
    return { items: jobs, next };
  };
  const { list, loaded } = pagedList(items, page, entry, "Nothing was uploaded yet.");
  await loaded;
  return { title: "Uploads", content: make("div", { class: "pile" }, form(), card("all-jobs", "Jobs", list)) };
}

const entry = (job) => make("li", {}, make("a", { href: jobAt(job.id) }, time(job.createdAt)),
  make("span", {}, `${job.state}, ${job.done} of ${job.documents} done`), job.failed > 0 && make("span", { class: "failed" }, `${job.failed} failed`));

function form() {
  const files = make("input", { type: "file", id: "files", multiple: true, required: true, "aria-describedby": "files-hint" });
  const store = make("input", { type: "checkbox", id: "store", checked: true });
  const submit = make("button", { type: "submit", class: "primary", id: "upload" }, "Upload");
  const problem = make("div");
  const made = make("form", { class: "card drop", "aria-label": "Files to upload" },
    make("label", { class: "title", for: "files" }, "Files"), files,
    make("p", { class: "hint", id: "files-hint" }, "Plain text, JSON or JSON Lines, BioC, PubTator or PubAnnotation, also packed (.gz). Choose them, or drop them here. "
      + "The name of a plain text becomes its id."),
    make("div", { class: "actions" }, submit, make("label", {}, store, "keep them among the documents")), problem);
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (submit.getAttribute("aria-disabled")) return;
    submit.setAttribute("aria-disabled", "true");
    submit.textContent = "Uploading…";
    problem.replaceChildren();
    try {
      const jobs = await upload([...files.files], store.checked);
      go(jobs.length === 1 ? jobAt(jobs[0].id) : "#/jobs");
    } catch (caught) {
      problem.replaceChildren(problemBox(caught));
    }
    submit.removeAttribute("aria-disabled");
    submit.textContent = "Upload";
  });
  takeDrops(made, files);
  return made;
}

// takeDrops lets files be dropped on the form.
function takeDrops(form, files) {
  form.addEventListener("dragover", (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    files.files = event.dataTransfer.files;
  });
}

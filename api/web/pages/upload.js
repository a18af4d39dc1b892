// Files as the service takes them.

import { path, send } from "../service/service.js";

// kindOf is the media type of a file, by its name and how it begins; nothing for a
// plain text.
function kindOf(name, start) {
  const ending = name.toLowerCase().replace(/\.gz$/, "").split(".").at(-1);
  if (ending === "xml") return "application/vnd.bioc+xml";
  if (ending === "jsonl" || ending === "ndjson") return "application/x-ndjson";
  if (ending === "json") {
    if (/"(documents|passages)"\s*:/.test(start)) return "application/vnd.bioc+json";
    return /"denotations"\s*:/.test(start) ? "application/vnd.pubannotation+json" : "application/json";
  }
  return ending === "pubtator" || /^[^\s|]+\|t\|/.test(start) ? "text/x-pubtator" : "";
}

const packed = (file) => file.name.toLowerCase().endsWith(".gz");

// startOf is how a file begins, unpacked.
async function startOf(file) {
  if (!packed(file)) return file.slice(0, 4096).text();
  const reader = file.stream().pipeThrough(new DecompressionStream("gzip")).pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await reader.read();
  reader.cancel();
  return value ?? "";
}

// wholeText gives a plain text; another encoding, or no text at all, would be read as
// nonsense without a word.
async function wholeText(file) {
  const stream = packed(file) ? file.stream().pipeThrough(new DecompressionStream("gzip")) : file.stream();
  const bytes = await new Response(stream).arrayBuffer();
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw { title: "This is no text", detail: `${file.name} is not a text in UTF-8; nothing was uploaded.` };
  }
}

// upload makes jobs of files: one of all plain texts, whose names become their ids,
// and one of each other file. It gives the jobs.
export async function upload(files, store) {
  const texts = [];
  const bodies = [];
  for (const file of files) {
    const kind = kindOf(file.name, await startOf(file));
    if (kind) bodies.push({ kind, body: file, packed: packed(file) });
    else texts.push(JSON.stringify({ id: file.name.replace(/(\.txt)?(\.gz)?$/i, "") || file.name, text: await wholeText(file) }));
  }
  if (texts.length > 0) bodies.push({ kind: "application/x-ndjson", body: texts.join("\n"), packed: false });
  const jobs = [];
  for (const { kind, body, packed } of bodies) {
    const headers = { "Content-Type": kind, ...(packed && { "Content-Encoding": "gzip" }) };
    const answer = await send(path(["batches"], { store: store ? "" : "false" }), { method: "POST", headers, body });
    jobs.push(await answer.json());
  }
  return jobs;
}

// Calls of the service. Answers that tell a problem are thrown as one.

import { token, anotherToken } from "./token.js";

// Problem is what the service, or the way to it, tells: problem details (RFC 9457).
class Problem extends Error {
  constructor({ title, detail, status, field }) {
    super(detail ?? title);
    Object.assign(this, { title, detail, status, field });
  }
}

async function problemOf(answer) {
  try {
    return new Problem(await answer.json());
  } catch {
    return new Problem({ title: "The service failed", detail: `It answered with status ${answer.status}.`, status: answer.status });
  }
}

async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ title: "The service cannot be reached", detail: "Is it still running? Try again." });
  }
}

// send asks the service and gives its answer. Where a token is asked for, the reader
// is, and the call is sent again.
export async function send(path, options = {}) {
  for (;;) {
    const used = token();
    const sent = performance.now();
    const headers = { ...options.headers, ...(used && { Authorization: `Bearer ${used}` }) };
    const answer = await reach(path, { ...options, headers });
    if (answer.ok) return answer;
    const problem = await problemOf(answer);
    if (answer.status !== 401 || !(await anotherToken(used, sent))) throw problem;
  }
}

// path puts together the path of a call. What is empty in query is left out.
export function path(parts, query = {}) {
  const told = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined));
  return `/v1/${parts.map(encodeURIComponent).join("/")}${told.size > 0 ? `?${told}` : ""}`;
}

export const get = async (parts, query, signal) => (await send(path(parts, query), { signal })).json();

// post sends a value as JSON and gives the answer.
export const post = (parts, query, value, signal) =>
  send(path(parts, query), { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value), signal });

// saveAs lets the browser keep content as a file.
export function saveAs(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

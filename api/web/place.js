// Places of the page: what stands behind # in its address. That part of an address
// is never sent to a server, so that a text in it stays with the reader.

// placeOf reads an address: the parts of its path, and the query.
export function placeOf(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  return { parts: path.split("/").filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

// decoded takes a part that somebody wrote by hand, such as "50%", as it is.
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

// addressOf is the address of a place. What is empty in query is left out.
export function addressOf(parts, query = {}) {
  const told = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  return `#/${parts.map(encodeURIComponent).join("/")}${told.size > 0 ? `?${told}` : ""}`;
}

// The places that others link to.
export const documentAt = (id, query) => addressOf(["documents", id], query);
export const conceptAt = (cui) => addressOf(["concepts", cui]);
export const relationAt = (id) => addressOf(["relations", id]);
export const jobAt = (id) => addressOf(["jobs", id]);

// go opens a place, anew when it is open already.
export function go(address) {
  if (new URL(address, location).href === location.href) dispatchEvent(new Event("hashchange"));
  else location.hash = address;
}

// remember changes the query of the present address without leaving the place, so
// that it can be kept or sent to someone.
export function remember(changes) {
  const { parts, query } = placeOf(location.hash);
  history.replaceState(history.state, "", addressOf(parts, { ...Object.fromEntries(query), ...changes }));
}

// keep keeps with the present place, for when the reader comes back to it or reloads
// the page, what its address has no room for; kept gives it.
export const keep = (values) => history.replaceState({ ...history.state, ...values }, "");
export const kept = () => history.state ?? {};

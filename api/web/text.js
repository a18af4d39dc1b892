// The text with its entities in colour.

// tone is the colour of an entity type: the same hash as in package picture.
export function tone(type) {
  if (!type) return 0;
  let hash = 4442;
  for (const byte of new TextEncoder().encode(type.toLowerCase())) hash = Math.imul(hash ^ byte, 16777619) >>> 0;
  return 1 + ((hash >>> 8) % 12);
}

export const percent = (score) => `${Math.round(100 * score)} %`;

// renderText writes the text into container and gives the means to select a
// mention there. Mentions are one stop of the Tab key; arrow keys go from one
// to the next. select is called for a mention that was clicked or focused,
// enter when Enter is pressed on one.
export function renderText(container, doc, select, enter) {
  container.replaceChildren(fragment(doc.text, nest(doc.mentions), 0, doc.text.length, null));
  const order = doc.mentions.map((m) => m.id);
  const stop = (id) => container.querySelector(`[role=button][data-mention="${CSS.escape(id)}"]`);
  let current = order[0];

  // The first part of a mention that is its own stands for it; one that lies
  // under others entirely gets a handle.
  for (const mention of doc.mentions) {
    const own = container.querySelector(`.part[data-mention="${CSS.escape(mention.id)}"]`) ?? addHandle(container, mention.id);
    own.setAttribute("role", "button");
    own.setAttribute("tabindex", mention.id === current ? 0 : -1);
    own.setAttribute("aria-label", describe(mention));
  }

  container.onclick = (event) => {
    const id = event.target.closest("[data-mention]")?.dataset.mention;
    if (id) select(id, true);
  };
  container.onfocusin = (event) => {
    const id = event.target.dataset.mention;
    if (id && id !== current) select(id, false);
  };
  container.onkeydown = (event) => {
    const at = order.indexOf(current);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: order.length - 1 }[event.key];
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      select(current, false);
      enter();
    } else if (to !== undefined) {
      event.preventDefault();
      if (order[to] !== undefined) select(order[to], true);
    }
  };
  return {
    select(id, focus) {
      stop(current)?.setAttribute("tabindex", -1);
      current = id;
      for (const part of container.querySelectorAll(".mention")) part.classList.toggle("selected", part.dataset.mention === id);
      for (const part of container.querySelectorAll("[role=button]")) part.removeAttribute("aria-current");
      stop(id).setAttribute("tabindex", 0);
      stop(id).setAttribute("aria-current", "true");
      if (focus) stop(id).focus();
    },
    focus() {
      stop(current)?.focus();
    },
  };
}

function describe(mention) {
  const kind = mention.type ? `, ${mention.type} ${percent(mention.score ?? 0)}` : "";
  return `${mention.text}${kind}${mention.negated ? ", negated" : ""}`;
}

function addHandle(container, id) {
  const handle = document.createElement("span");
  handle.className = "handle";
  handle.dataset.mention = id;
  const whole = container.querySelectorAll(`.mention[data-mention="${CSS.escape(id)}"]`);
  whole[whole.length - 1].append(handle);
  return handle;
}

// nest turns mentions into a tree of ranges, each inside its parent. A mention
// that crosses the end of another is cut there into two ranges.
function nest(mentions) {
  const byPlace = (a, b) => a.start - b.start || b.end - a.end;
  const waiting = mentions.map((mention) => ({ mention, start: mention.start, end: mention.end, inner: [] })).sort(byPlace);
  const roots = [];
  const open = [];
  while (waiting.length > 0) {
    const range = waiting.shift();
    while (open.length > 0 && open.at(-1).end <= range.start) open.pop();
    const outer = open.at(-1);
    if (outer && range.end > outer.end) {
      waiting.push({ ...range, start: outer.end, inner: [] });
      waiting.sort(byPlace);
      range.end = outer.end;
    }
    (outer ? outer.inner : roots).push(range);
    open.push(range);
  }
  return roots;
}

// fragment is the text from start to end with the ranges in it; owner is the
// mention that it belongs to, if any.
function fragment(text, ranges, start, end, owner) {
  const whole = document.createDocumentFragment();
  const addPlain = (from, to) => {
    if (from >= to) return;
    const plain = document.createTextNode(text.slice(from, to));
    if (!owner) return whole.append(plain);
    const part = document.createElement("span");
    part.className = "part";
    part.dataset.mention = owner.id;
    part.append(plain);
    whole.append(part);
  };
  let at = start;
  for (const range of ranges) {
    addPlain(at, range.start);
    const mark = document.createElement("span");
    mark.className = `mention tone-${tone(range.mention.type)}`;
    mark.classList.toggle("negated", range.mention.negated);
    mark.dataset.mention = range.mention.id;
    mark.append(fragment(text, range.inner, range.start, range.end, range.mention));
    whole.append(mark);
    at = range.end;
  }
  addPlain(at, end);
  return whole;
}

// renderLegend tells which colour is which type.
export function renderLegend(container, doc) {
  const types = [...new Set(doc.mentions.map((m) => m.type).filter(Boolean))].sort();
  container.replaceChildren(
    ...types.map((type) => {
      const item = document.createElement("li");
      item.className = `pill tone-${tone(type)}`;
      item.textContent = type;
      return item;
    }),
  );
}

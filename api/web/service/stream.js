// Answers that come bit by bit. They are read with fetch, since the browser's own
// reader of server-sent events cannot send a token.

import { path, send } from "./service.js";

async function* pieces(parts, query, signal, end) {
  const answer = await send(path(parts, query), { signal });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const whole = (rest + value).split(end);
      rest = whole.pop();
      yield* whole;
    }
  } finally {
    reader.cancel().catch(() => {}); // the connection may be gone
  }
}

// lines gives the values of an answer of JSON lines.
export async function* lines(parts, query, signal) {
  for await (const line of pieces(parts, query, signal, "\n")) if (line) yield JSON.parse(line);
}

// events gives the data of server-sent events.
export async function* events(parts, signal) {
  for await (const event of pieces(parts, {}, signal, "\n\n")) {
    const data = event.split("\n").find((line) => line.startsWith("data: "));
    if (data) yield JSON.parse(data.slice("data: ".length));
  }
}

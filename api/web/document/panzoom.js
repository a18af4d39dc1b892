// Moving about in a picture: by dragging, pinching, the wheel with Ctrl, and calls.

const most = 4; // pixels of the screen for a unit of the picture
const step = 1.25;

// panZoom lets a picture be moved and enlarged in its frame by changing its viewBox.
// bounds gives what there is to see: x, y, width and height in units of the picture.
export function panZoom(svg, bounds) {
  let box; // what is seen
  const frame = () => svg.getBoundingClientRect();

  function look(next) {
    const all = bounds();
    // What is looked at keeps something of the picture in its midst.
    next.x = Math.min(Math.max(next.x, all.x - next.width / 2), all.x + all.width - next.width / 2);
    next.y = Math.min(Math.max(next.y, all.y - next.height / 2), all.y + all.height - next.height / 2);
    box = next;
    svg.setAttribute("viewBox", `${box.x} ${box.y} ${box.width} ${box.height}`);
  }

  // fit shows everything, small pictures not larger than text is.
  function fit() {
    const all = bounds();
    const { width, height } = frame();
    if (width === 0 || height === 0) return;
    const scale = Math.min(width / all.width, height / all.height, 4 / 3);
    look({ x: all.x + all.width / 2 - width / scale / 2, y: all.y + all.height / 2 - height / scale / 2, width: width / scale, height: height / scale });
  }

  // zoom enlarges by a factor around a place of the screen, the midst if none is given.
  function zoom(factor, x, y) {
    const { left, top, width, height } = frame();
    const all = bounds();
    const least = Math.min(width / all.width, height / all.height, 1) / 2;
    const scale = Math.min(Math.max((width / box.width) * factor, least), most);
    const [across, down] = [((x ?? left + width / 2) - left) / width, ((y ?? top + height / 2) - top) / height];
    const next = { width: width / scale, height: height / scale };
    look({ ...next, x: box.x + across * (box.width - next.width), y: box.y + down * (box.height - next.height) });
  }

  // pan moves the picture by pixels of the screen.
  function pan(dx, dy) {
    const scale = frame().width / box.width;
    look({ ...box, x: box.x - dx / scale, y: box.y - dy / scale });
  }

  // reveal moves a shape into what is seen.
  function reveal(shape) {
    const at = shape.getBoundingClientRect();
    const seen = frame();
    if (at.left >= seen.left && at.right <= seen.right && at.top >= seen.top && at.bottom <= seen.bottom) return;
    pan(seen.left + seen.width / 2 - (at.left + at.width / 2), seen.top + seen.height / 2 - (at.top + at.height / 2));
  }

  svg.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the wheel alone scrolls the page
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300), event.clientX, event.clientY);
  }, { passive: false });
  followPointers(svg, pan, zoom);
  new ResizeObserver(fit).observe(svg);
  return { fit, pan, reveal, zoomIn: () => zoom(step), zoomOut: () => zoom(1 / step) };
}

// followPointers pans with one pointer and pinches with two.
function followPointers(svg, pan, zoom) {
  const down = new Map();
  let dragged = false;
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const spread = () => {
    const [a, b] = [...down.values()];
    return b ? Math.hypot(a.x - b.x, a.y - b.y) : 0;
  };
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (down.size === 0) dragged = false;
    down.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  svg.addEventListener("pointermove", (event) => {
    if (event.buttons === 0) down.delete(event.pointerId); // it was let go beside the picture
    const before = down.get(event.pointerId);
    if (!before) return;
    const [dx, dy] = [event.clientX - before.x, event.clientY - before.y];
    if (!dragged && Math.hypot(dx, dy) < 4) return; // still a click
    dragged = true;
    svg.setPointerCapture(event.pointerId);
    const apart = spread();
    down.set(event.pointerId, { x: event.clientX, y: event.clientY });
    pan(dx / down.size, dy / down.size);
    if (down.size === 2 && apart > 0) zoom(spread() / apart, mean([...down.values()].map((p) => p.x)), mean([...down.values()].map((p) => p.y)));
  });
  for (const end of ["pointerup", "pointercancel"]) svg.addEventListener(end, (event) => down.delete(event.pointerId));
  svg.addEventListener("click", (event) => {
    if (dragged) event.stopPropagation(); // the end of a drag is no choice
    dragged = false;
  }, { capture: true });
}

// The colours of entity types.

// tone is the number of a colour: the same hash as in package picture.
export function tone(type) {
  if (!type) return 0;
  let hash = 4442;
  for (const byte of new TextEncoder().encode(type.toLowerCase())) hash = Math.imul(hash ^ byte, 16777619) >>> 0;
  return 1 + ((hash >>> 8) % 12);
}

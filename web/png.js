// A picture's parameters in its PNG file: a text chunk that this API's pictures
// carry, so that a saved picture can be made again. engine/recipe is the same in
// Go, and reads it; a test holds the two to each other.

const keyword = "undertone";

/**
 * Puts parameters into a PNG, behind its header.
 * @param {Blob} png
 * @returns {Blob}
 */
export function withParameters(png, parameters) {
  // What makes the picture again, and what it was made with.
  const { prompt, seed, steps, size, cfg, guidance, model, revision, precision, backend, plan } = parameters;
  const text = JSON.stringify({ prompt, seed, steps, size, cfg, guidance, model, revision, precision, backend, plan });
  const data = new TextEncoder().encode(`iTXt${keyword}\0\0\0\0\0${text}`);
  const frame = new DataView(new ArrayBuffer(8));
  frame.setUint32(0, data.length - 4);
  frame.setUint32(4, crc32(data));
  const header = 8 + 25; // the signature, and the chunk IHDR with its frame
  return new Blob([png.slice(0, header), frame.buffer.slice(0, 4), data, frame.buffer.slice(4), png.slice(header)], { type: png.type });
}

/** The checksum of PNG chunks: CRC-32 as in ISO 3309, bit by bit; a chunk is a few hundred bytes. */
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

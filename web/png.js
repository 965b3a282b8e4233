// PNG files without a canvas: what browsers give back from a canvas may be noise on
// purpose (Quirk: blurred-canvas), so pictures are written from their
// own bytes and read into bytes. Compression is the browser's. PNG specification,
// third edition; the parameters lie in a text chunk, which engine/recipe reads.

const keyword = "undertone";
const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Writes a picture as a PNG with the parameters that make it again.
 * @param {ImageData} image
 * @returns {Promise<Blob>}
 */
export async function encode(image, parameters) {
  const { data, channels } = filtered(image);
  return new Blob(parts(image, channels, await deflate(data), text(parameters)), { type: "image/png" });
}

/**
 * Writes pictures of one size as an animated PNG, which goes on from the beginning. The
 * frames are what compressed gave of each picture, one after the other; each is seen for
 * so many milliseconds.
 * @returns {Blob}
 */
export function animated({ width, height }, frames, milliseconds, parameters) {
  const list = [Uint8Array.from(signature), ...chunk("IHDR", header(width, height, 4)), ...chunk("acTL", joined([uint32(frames.length), uint32(0)])), ...chunk("iTXt", text(parameters))];
  let number = 0; // of the chunks of frames
  const place = [width, height, 0, 0].map(uint32);
  const time = Uint8Array.of(milliseconds >> 8, milliseconds, 1000 >> 8, 1000 & 255, 0, 0);
  frames.forEach((data, i) => {
    list.push(...chunk("fcTL", joined([uint32(number++), ...place, time])));
    list.push(...(i === 0 ? chunk("IDAT", data) : chunk("fdAT", joined([uint32(number++), data]))));
  });
  return new Blob([...list, ...chunk("IEND", new Uint8Array(0))], { type: "image/png" });
}

/**
 * The pixels of a picture as the frames of an animated PNG hold them, with alpha.
 * @param {ImageData} image
 * @returns {Promise<Uint8Array>}
 */
export const compressed = (image) => deflate(filtered(image, 5, 4).data);

/** Puts bytes behind each other. */
export { joined };

/** What makes a picture again, and what it was made with, as files hold it. */
export function json({ prompt, seed, steps, size, cfg, guidance, guidanceRows, ablate, reference, model, revision, precision, backend, plan, film, compared }) {
  return JSON.stringify({ prompt, seed, steps, size, cfg, guidance, guidanceRows, ablate, reference, model, revision, precision, backend, plan, film, compared });
}

/**
 * Writes a picture as a PNG at once, for a page that is about to be gone. It is not
 * compressed, and holds no parameters.
 * @param {ImageData} image
 * @returns {Uint8Array}
 */
export function encodeNow(image) {
  const { data, channels } = filtered(image, 1);
  return joined(parts(image, channels, stored(data)));
}

/**
 * Reads the pixels of a PNG of any kind. Samples of 16 bits lose their lower half.
 * Rejects where the file is damaged; who calls looks at the size in its header first.
 * @param {Uint8Array} file
 * @returns {Promise<{ width: number, height: number, data: Uint8ClampedArray }>} RGBA
 */
export async function decode(file) {
  const { width, height, depth, colour, interlaced, palette, transparent, data } = chunks(file);
  const channels = [1, 0, 3, 1, 2, 0, 4][colour];
  const passes = interlaced ? adam7 : [[0, 0, 1, 1]];
  const rows = passes.map(([x, y, dx, dy]) => {
    const columns = Math.ceil((width - x) / dx);
    return { columns, stride: Math.ceil((columns * channels * depth) / 8), count: columns > 0 ? Math.max(Math.ceil((height - y) / dy), 0) : 0 };
  });
  const length = rows.reduce((sum, { stride, count }) => sum + count * (1 + stride), 0);
  // Deflate makes data at most 1032 times smaller: what claims to be larger is not there,
  // and no room is made for it.
  if (length > 1032 * data.length) throw new Error("the PNG holds less than its header says");
  const raw = await inflate(data, length);
  if (raw.length < length) throw new Error("the PNG holds less than its header says");
  const out = new Uint8ClampedArray(4 * width * height);
  const put = pixel(out, depth, colour, palette, transparent);
  let at = 0;
  passes.forEach(([x, y, dx, dy], i) => {
    const { columns, stride, count } = rows[i];
    unfilter(raw.subarray(at, at + count * (1 + stride)), stride, Math.max((channels * depth) >> 3, 1));
    for (let row = 0; row < count; row++, at += 1 + stride) {
      const line = raw.subarray(at + 1, at + 1 + stride);
      for (let column = 0; column < columns; column++) put(line, column, 4 * ((y + row * dy) * width + x + column * dx));
    }
  });
  return { width, height, data: out };
}

/**
 * Returns what data in the zlib format holds; rejects where that is over most bytes.
 * @param {Uint8Array} data
 * @returns {Promise<Uint8Array>}
 */
export async function inflate(data, most) {
  const reader = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const out = new Uint8Array(most);
  let at = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return out.subarray(0, at);
    if (at + value.length > most) {
      reader.cancel().catch(() => {}); // the error below is the one that counts
      throw new Error(`the data holds more than ${most} bytes`);
    }
    out.set(value, at);
    at += value.length;
  }
}

/** The text chunk's data. */
const text = (parameters) => new TextEncoder().encode(`${keyword}\0\0\0\0\0${json(parameters)}`);

/** The header's data: 8 bits of a sample, RGB or RGBA. */
const header = (width, height, channels) => joined([uint32(width), uint32(height), Uint8Array.of(8, channels === 3 ? 2 : 6, 0, 0, 0)]);

/** The bytes of a PNG, in pieces. */
function parts({ width, height }, channels, data, parameters) {
  return [
    Uint8Array.from(signature),
    ...chunk("IHDR", header(width, height, channels)),
    ...(parameters ? chunk("iTXt", parameters) : []),
    ...chunk("IDAT", data),
    ...chunk("IEND", new Uint8Array(0)),
  ];
}

function chunk(type, data) {
  const name = new TextEncoder().encode(type);
  return [uint32(data.length), name, data, uint32(crc32(data, crc32(name)))];
}

function uint32(n) {
  return Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n);
}

function joined(list) {
  const out = new Uint8Array(list.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const bytes of list) {
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}

/**
 * The rows of a picture as PNG compresses them: each behind the number of the filter,
 * of the first so many, whose differences are the smallest in sum. A picture that
 * covers everything is written without alpha.
 */
function filtered({ width, height, data }, filters = 5, channels = 3) {
  for (let i = 3; i < data.length; i += 4) if (data[i] !== 255) channels = 4;
  const stride = width * channels;
  const out = new Uint8Array(height * (1 + stride));
  let before = new Uint8Array(stride);
  let row = new Uint8Array(stride);
  let best = new Uint8Array(stride);
  let tried = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    for (let x = 0, from = 4 * y * width, to = 0; x < width; x++, from += 4) {
      for (let c = 0; c < channels; c++) row[to++] = data[from + c];
    }
    let least = Infinity;
    for (let filter = 0; filter < filters; filter++) {
      let sum = 0;
      for (let i = 0; i < stride; i++) {
        const left = i < channels ? 0 : row[i - channels];
        const corner = i < channels ? 0 : before[i - channels];
        const difference = (row[i] - predicted(filter, left, before[i], corner)) & 255;
        tried[i] = difference;
        sum += difference < 128 ? difference : 256 - difference;
      }
      if (sum >= least) continue;
      least = sum;
      out[y * (1 + stride)] = filter;
      [best, tried] = [tried, best];
    }
    out.set(best, y * (1 + stride) + 1);
    [before, row] = [row, before];
  }
  return { data: out, channels };
}

/** What a filter expects of a byte from those left of it, above it, and left of that. */
function predicted(filter, left, above, corner) {
  switch (filter) {
    case 0:
      return 0;
    case 1:
      return left;
    case 2:
      return above;
    case 3:
      return (left + above) >> 1;
    case 4: {
      const toLeft = Math.abs(above - corner);
      const toAbove = Math.abs(left - corner);
      const toCorner = Math.abs(left + above - 2 * corner);
      return toLeft <= toAbove && toLeft <= toCorner ? left : toAbove <= toCorner ? above : corner;
    }
  }
  throw new Error(`the PNG has a row with the filter ${filter}`);
}

/** Takes the filters of rows back, in place; a pixel is of so many bytes, at least one. */
function unfilter(rows, stride, pixel) {
  for (let start = 1; start < rows.length; start += 1 + stride) {
    const filter = rows[start - 1];
    const above = start > 1 ? start - 1 - stride : -1;
    for (let i = 0; i < stride; i++) {
      const left = i < pixel ? 0 : rows[start + i - pixel];
      const corner = i < pixel || above < 0 ? 0 : rows[above + i - pixel];
      rows[start + i] += predicted(filter, left, above < 0 ? 0 : rows[above + i], corner);
    }
  }
}

/** The passes of an interlaced PNG: the first column and row, and the steps. */
const adam7 = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];

/** Returns a function that puts the pixel of a row's column to a place in out. */
function pixel(out, depth, colour, palette, transparent) {
  const highest = 2 ** depth - 1;
  const sample = (line, i) => {
    if (depth === 8) return line[i];
    if (depth === 16) return (line[2 * i] << 8) | line[2 * i + 1];
    return (line[(i * depth) >> 3] >> (8 - depth - ((i * depth) & 7))) & highest;
  };
  const byte = (value) => (depth === 16 ? value >> 8 : (value * 255) / highest);
  const key = (i) => transparent && (transparent[2 * i] << 8) | transparent[2 * i + 1]; // the colour that is not seen
  const channels = colour & 2 ? 3 : 1;
  const step = channels + (colour >> 2); // with alpha
  return (line, column, to) => {
    if (colour === 3) {
      const i = sample(line, column);
      if (3 * i + 2 >= palette.length) throw new Error(`the PNG has a pixel of the colour ${i}, which its palette lacks`);
      for (let c = 0; c < 3; c++) out[to + c] = palette[3 * i + c];
      out[to + 3] = transparent?.[i] ?? 255;
      return;
    }
    let unseen = transparent !== undefined;
    for (let c = 0; c < 3; c++) {
      const value = sample(line, column * step + (channels === 3 ? c : 0));
      unseen &&= value === key(channels === 3 ? c : 0);
      out[to + c] = byte(value);
    }
    out[to + 3] = step > channels ? byte(sample(line, column * step + channels)) : unseen ? 0 : 255;
  };
}

/** What the chunks of a PNG hold of its picture. Those that are used are checked. */
function chunks(file) {
  if (!signature.every((byte, i) => file[i] === byte)) throw new Error("the file is not a PNG");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const found = {};
  const data = [];
  for (let at = signature.length; at + 12 <= file.length; ) {
    const length = view.getUint32(at);
    if (length > file.length - at - 12) break;
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    const body = file.subarray(at + 8, at + 8 + length);
    if (type === "IEND") break;
    if (type === "IHDR" || type === "PLTE" || type === "tRNS" || type === "IDAT") {
      if (crc32(file.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length)) throw new Error(`the PNG is damaged: the checksum of ${type} is wrong`);
      if (type === "IDAT") data.push(body);
      else found[type] ??= body;
    }
    at += 12 + length;
  }
  const { IHDR: header, PLTE: palette, tRNS: transparent } = found;
  if (header?.length !== 13) throw new Error("the PNG has no header");
  const [depth, colour, compression, filters, interlaced] = header.subarray(8);
  const depths = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] };
  if (!depths[colour]?.includes(depth) || compression || filters || interlaced > 1) throw new Error("the PNG is of a kind that does not exist");
  if (colour === 3 && !palette) throw new Error("the PNG has no palette");
  const size = new DataView(header.buffer, header.byteOffset);
  return { width: size.getUint32(0), height: size.getUint32(4), depth, colour, interlaced, palette, transparent: colour & 4 ? undefined : transparent, data: joined(data) };
}

/** Data in the zlib format. A browser that cannot compress gets larger files. */
async function deflate(data) {
  if (typeof CompressionStream === "undefined") return stored(data);
  const stream = new Blob([data]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Data in the zlib format, in blocks that are not compressed. RFC 1950, RFC 1951, 3.2.4. */
function stored(data) {
  const list = [Uint8Array.of(0x78, 0x01)];
  const most = 0xffff;
  for (let at = 0; at < data.length; at += most) {
    const block = data.subarray(at, at + most);
    const n = block.length;
    list.push(Uint8Array.of(at + most >= data.length ? 1 : 0, n, n >> 8, ~n, ~n >> 8), block);
  }
  let a = 1; // the checksum Adler-32
  let b = 0;
  for (const byte of data) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  list.push(uint32(((b << 16) | a) >>> 0));
  return joined(list);
}

const table = Int32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

/** The checksum of PNG chunks, CRC-32 as in ISO 3309; of goes on with one. */
function crc32(bytes, of = 0) {
  let crc = ~of;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]) & 255];
  return ~crc >>> 0;
}

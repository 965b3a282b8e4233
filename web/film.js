// A sweep as a short film, from the first picture to the last and back: WebM through the
// browser's encoder (WebCodecs), or an animated PNG where it has none. Every frame is a
// key frame, so the way back is the same frames in reverse order: no pixels are kept, and
// a film that is interrupted goes on where it was. WebM is Matroska (RFC 9559) in EBML
// (RFC 8794), with what made the pictures in a tag.
import { animated, compressed, joined, json } from "./png.js";

/** Begins a film of pictures of this size. */
export async function open(width, height) {
  const config = await encoding(width, height);
  return config ? new Film(width, height, new Video(config), webm) : new Film(width, height, { encode: compressed, rest() {} }, animated);
}

class Film {
  #size;
  #encoder;
  #write;
  #frames = [];
  #last = Promise.resolve(); // what is done to the encoder, one after the other

  constructor(width, height, encoder, write) {
    this.#size = { width, height, codec: encoder.config?.codec };
    this.#encoder = encoder;
    this.#write = write;
  }

  /** Adds the next picture. What goes wrong is said by file. */
  add(image) {
    this.#then(async () => this.#frames.push(await this.#encoder.encode(image)));
  }

  /** Gives the encoder back, until another picture is added. */
  rest() {
    this.#then(() => this.#encoder.rest());
  }

  /** The file; each way, there and back, takes so many seconds. */
  async file(seconds, parameters) {
    this.rest();
    await this.#last;
    const there = this.#frames;
    const frames = [...there, ...there.slice(1, -1).reverse()];
    return this.#write({ ...this.#size, colour: this.#encoder.colour }, frames, Math.round((1000 * seconds) / (there.length - 1)), parameters);
  }

  #then(what) {
    this.#last = this.#last.then(what);
    this.#last.catch(() => {}); // file says it
  }
}

/** The largest pictures, in pixels, of VP9's levels (VP9 codec mapping, annex A). */
const levels = [[10, 36864], [11, 73728], [20, 122880], [21, 245760], [30, 552960], [31, 983040], [40, 2228224], [50, 8912896], [60, 35651584]];

/** The first way of encoding that the browser has, and that gives a frame. */
async function encoding(width, height) {
  if (typeof VideoEncoder === "undefined") return undefined;
  const level = levels.find(([, most]) => width * height <= most)?.[0] ?? 62;
  const bitrate = Math.max(500_000, 48 * width * height); // 2 bits a pixel, 24 frames a second
  const vp9 = { codec: `vp09.00.${level}.08`, width, height, latencyMode: "quality" };
  for (const config of [{ ...vp9, bitrateMode: "quantizer" }, { ...vp9, bitrate }, { codec: "vp8", width, height, bitrate }]) {
    try {
      if (!(await VideoEncoder.isConfigSupported(config)).supported) continue;
      const trial = new Video(config);
      await trial.encode(new ImageData(width, height)).finally(() => trial.rest());
      return config;
    } catch {
      // The browser knows the codec and cannot use it, or does not know the setting.
    }
  }
  return undefined;
}

/** How coarse VP9's numbers are, 0 to 63, where that can be said: without visible loss. */
const quantizer = 14;

class Video {
  config;
  colour; // of the frames, as the encoder made them
  #encoder;
  #chunk;
  #failed;

  constructor(config) {
    this.config = config;
  }

  async encode({ data, width, height }) {
    this.#encoder ??= this.#open();
    const frame = new VideoFrame(data, { format: "RGBX", codedWidth: width, codedHeight: height, timestamp: 0 });
    this.#chunk = undefined;
    this.#encoder.encode(frame, { keyFrame: true, ...(this.config.bitrateMode && { vp9: { quantizer } }) });
    frame.close();
    await this.#encoder.flush().catch((error) => { throw this.#failed ?? error; });
    if (!this.#chunk) throw this.#failed ?? new Error("The browser's encoder gave no frame.");
    return this.#chunk;
  }

  rest() {
    if (this.#encoder?.state === "configured") this.#encoder.close();
    this.#encoder = undefined;
  }

  #open() {
    const encoder = new VideoEncoder({
      output: (chunk, { decoderConfig } = {}) => {
        this.#chunk = new Uint8Array(chunk.byteLength);
        chunk.copyTo(this.#chunk);
        this.colour = decoderConfig?.colorSpace ?? this.colour;
      },
      error: (error) => { this.#failed = error; },
    });
    encoder.configure(this.config);
    return encoder;
  }
}

/** Writes frames as WebM. */
function webm({ width, height, codec, colour }, frames, milliseconds, parameters) {
  const time = (i) => i * milliseconds;
  const info = element(0x1549a966, // Info
    element(0x2ad7b1, uint(1e6)), // TimestampScale: a millisecond in nanoseconds
    element(0x4489, float(time(frames.length))), // Duration
    element(0x4d80, "Undertone"), element(0x5741, "Undertone")); // MuxingApp, WritingApp
  const track = element(0x1654ae6b, element(0xae, // Tracks, TrackEntry
    element(0xd7, uint(1)), element(0x73c5, uint(1)), element(0x83, uint(1)), element(0x9c, uint(0)), // TrackNumber, TrackUID, TrackType: video, FlagLacing
    element(0x86, codec === "vp8" ? "V_VP8" : "V_VP9"), // CodecID
    element(0x23e383, uint(milliseconds * 1e6)), // DefaultDuration
    element(0xe0, element(0xb0, uint(width)), element(0xba, uint(height)), colours(colour)))); // Video, PixelWidth, PixelHeight
  const tags = element(0x1254c367, element(0x7373, element(0x63c0), // Tags, Tag, Targets: everything
    tag("TITLE", parameters.prompt), tag("UNDERTONE", json(parameters))));
  // Of a cue the place in the file is known once the size of all cues is.
  const cues = (at) => element(0x1c53bb6b, ...frames.map((_, i) => element(0xbb, // Cues, CuePoint
    element(0xb3, uint(time(i))), element(0xb7, element(0xf7, uint(1)), element(0xf1, uint(at, 4)))))); // CueTime, CueTrackPositions: CueTrack, CueClusterPosition
  const cluster = element(0x1f43b675, element(0xe7, uint(0)), // Cluster, Timestamp
    ...frames.map((data, i) => element(0xa3, Uint8Array.of(0x81, time(i) >> 8, time(i), 0x80), data))); // SimpleBlock of track 1: a key frame
  const before = joined([info, track, tags]);
  return new Blob([
    element(0x1a45dfa3, element(0x4286, uint(1)), element(0x42f7, uint(1)), element(0x42f2, uint(4)), element(0x42f3, uint(8)), // EBML: versions, longest names and sizes
      element(0x4282, "webm"), element(0x4287, uint(4)), element(0x4285, uint(2))), // DocType and its versions
    element(0x18538067, before, cues(before.length + cues(0).length), cluster), // Segment
  ], { type: "video/webm" });
}

const tag = (name, text) => element(0x67c8, element(0x45a3, name), element(0x4487, text)); // SimpleTag, TagName, TagString

/** How the numbers of the frames are colours, by the codes of ITU-T H.273. */
function colours(space) {
  const codes = [
    [0x55b1, { rgb: 0, bt709: 1, bt470bg: 5, smpte170m: 6 }[space?.matrix]],
    [0x55b9, { true: 2, false: 1 }[space?.fullRange]],
    [0x55ba, { bt709: 1, smpte170m: 6, "iec61966-2-1": 13 }[space?.transfer]],
    [0x55bb, { bt709: 1, bt470bg: 5, smpte170m: 6 }[space?.primaries]],
  ].filter(([, code]) => code !== undefined);
  return element(0x55b0, ...codes.map(([id, code]) => element(id, uint(code))));
}

/** An element of EBML: its id, the number of its bytes, and those. */
function element(id, ...content) {
  const data = joined(content.map((part) => (typeof part === "string" ? new TextEncoder().encode(part) : part)));
  return joined([uint(id), uint(data.length + 2 ** 28, 4), data]); // the size in four bytes, of which the first says that
}

/** A number in big-endian order, in as many bytes as it needs. */
function uint(n, bytes = 1) {
  while (n >= 2 ** (8 * bytes)) bytes++;
  return Uint8Array.from({ length: bytes }, (_, i) => Math.floor(n / 2 ** (8 * (bytes - 1 - i))));
}

function float(x) {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  return new Uint8Array(view.buffer);
}

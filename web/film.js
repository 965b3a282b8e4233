// A sweep as a short film, from the first picture to the last and back, through the
// browser's encoder (WebCodecs): MP4, which every browser, telephone and messenger shows,
// else WebM, or an animated PNG where there is no encoder. Every frame is a key frame, so
// the way back is the same frames in reverse order: no pixels are kept, and a film that is
// interrupted goes on where it was.
import { mp4 } from "./mp4.js";
import { animated, compressed } from "./png.js";
import { webm } from "./webm.js";

/** Begins a film of pictures of this size. */
export async function open(width, height) {
  const config = await encoding(width, height);
  return config ? new Film(width, height, new Video(config), config.avc ? mp4 : webm) : new Film(width, height, { encode: compressed, rest() {} }, animated);
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
    const { colour, description } = this.#encoder;
    return this.#write({ ...this.#size, colour: codes(colour), description }, frames, Math.round((1000 * seconds) / (there.length - 1)), parameters);
  }

  #then(what) {
    this.#last = this.#last.then(what);
    this.#last.catch(() => {}); // file says it
  }
}

/** The largest pictures, in pixels, of VP9's levels (VP9 codec mapping, annex A). */
const vp9Levels = [[10, 36864], [11, 73728], [20, 122880], [21, 245760], [30, 552960], [31, 983040], [40, 2228224], [50, 8912896], [60, 35651584]];

/**
 * The highest bit rates, in bits a second, of levels of H.264's Baseline profile that hold
 * the pictures which are that large (ITU-T H.264, table A-1).
 */
const avcLevels = [[0x1e, 10e6], [0x1f, 14e6], [0x28, 20e6], [0x29, 50e6], [0x32, 135e6]];

const level = (levels, most, beyond) => levels.find(([, limit]) => most <= limit)?.[0] ?? beyond;

/** The first way of encoding that the browser has, and that gives a frame. */
async function encoding(width, height) {
  if (typeof VideoEncoder === "undefined") return undefined;
  const size = { width, height }, pixels = width * height;
  const bitrate = Math.max(500_000, 48 * pixels); // 2 bits a pixel, 24 frames a second
  // Constrained Baseline, whose frames come in the order in which they are shown.
  const avc = { ...size, codec: `avc1.42e0${level(avcLevels, bitrate, 0x33).toString(16)}`, avc: { format: "avc" }, latencyMode: "quality" };
  const vp9 = { ...size, codec: `vp09.00.${level(vp9Levels, pixels, 62)}.08`, latencyMode: "quality" };
  for (const config of [{ ...avc, bitrateMode: "quantizer" }, { ...avc, bitrate }, { ...vp9, bitrateMode: "quantizer" }, { ...vp9, bitrate }, { ...size, codec: "vp8", bitrate }]) {
    try {
      if (!(await VideoEncoder.isConfigSupported(config)).supported) continue;
      const trial = new Video(config);
      await trial.encode(new ImageData(width, height)).finally(() => trial.rest());
      if (config.avc && !trial.description) continue; // an MP4 file cannot do without
      return config;
    } catch {
      // The browser knows the codec and cannot use it, or does not know the setting.
    }
  }
  return undefined;
}

/** How coarse the numbers of a frame are, H.264's of 0 to 51 and VP9's of 0 to 63, where that can be said: without visible loss. */
const quantizers = { avc: { quantizer: 18 }, vp9: { quantizer: 14 } };

class Video {
  config;
  colour; // of the frames, as the encoder made them
  description; // of H.264's: its parameter sets, as an MP4 file has them
  #encoder;
  #chunk;
  #failed;
  #count = 0;

  constructor(config) {
    this.config = config;
  }

  async encode({ data, width, height }) {
    this.#encoder ??= this.#open();
    const timestamp = Math.round((this.#count++ * 1e6) / 24); // which a bit rate is kept by
    const frame = new VideoFrame(data, { format: "RGBX", codedWidth: width, codedHeight: height, timestamp });
    this.#chunk = undefined;
    this.#encoder.encode(frame, { keyFrame: true, ...(this.config.bitrateMode && quantizers) });
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
        if (decoderConfig?.description) this.description = bytes(decoderConfig.description);
      },
      error: (error) => { this.#failed = error; },
    });
    encoder.configure(this.config);
    return encoder;
  }
}

const bytes = (data) => (ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data));

/** How a film's numbers are colours, by the codes of ITU-T H.273; full: whether they use their whole range. */
function codes(space) {
  return {
    matrix: { rgb: 0, bt709: 1, bt470bg: 5, smpte170m: 6 }[space?.matrix],
    full: space?.fullRange ?? undefined,
    transfer: { bt709: 1, smpte170m: 6, "iec61966-2-1": 13 }[space?.transfer],
    primaries: { bt709: 1, bt470bg: 5, smpte170m: 6 }[space?.primaries],
  };
}

// MP4 is ISO's base media file format (ISO/IEC 14496-12), with H.264 in it as ISO/IEC
// 14496-15 says. What made the pictures is in a list of tags of iTunes' kind, which
// players and tools read.
import { joined, json } from "./png.js";

/**
 * Writes a film. The frames are H.264's, each of them a key frame, and seen for so many
 * milliseconds; description is the record of their parameter sets
 * (AVCDecoderConfigurationRecord), and colour the codes of how their numbers are colours.
 * @returns {Blob}
 */
export function mp4({ width, height, colour, description }, frames, milliseconds, parameters) {
  const duration = frames.length * milliseconds;
  const entry = box("avc1", zeros(6), u16(1), zeros(16), u16(width, height), u32(72 << 16, 72 << 16), zeros(4), u16(1), zeros(32), u16(24, 0xffff), // data reference; dots an inch; frames a sample; bits a pixel
    box("avcC", description), box("colr", "nclx", u16(colour.primaries ?? 2, colour.transfer ?? 2, colour.matrix ?? 2), Uint8Array.of(colour.full << 7)));
  // No table says which samples are key frames: all of them are.
  const samples = (at) => box("stbl", full("stsd", 0, u32(1), entry),
    full("stts", 0, u32(1, frames.length, milliseconds)), // how long each is seen
    full("stsc", 0, u32(1, 1, frames.length, 1)), // one chunk has them all
    full("stsz", 0, u32(0, frames.length, ...frames.map((f) => f.length))),
    full("stco", 0, u32(1, at))); // where it is in the file
  const track = (at) => box("trak",
    full("tkhd", 3, u32(0, 0, 1, 0, duration), zeros(16), matrix, u32(width << 16, height << 16)), // enabled, in the presentation; times, number
    box("mdia",
      full("mdhd", 0, u32(0, 0, 1000, duration), u16(0x55c4, 0)), // ticks a second; no language
      handler("vide"),
      box("minf", full("vmhd", 1, zeros(8)), box("dinf", full("dref", 0, u32(1), full("url ", 1))), samples(at)))); // the data is in this file
  const movie = (at) => box("moov",
    full("mvhd", 0, u32(0, 0, 1000, duration, 1 << 16), u16(0x100), zeros(10), matrix, zeros(24), u32(2)), // speed, volume; the next track's number
    track(at),
    box("udta", full("meta", 0, handler("mdir", "appl"), box("ilst",
      box("\xa9nam", text(parameters.prompt)),
      box("----", full("mean", 0, "undertone"), full("name", 0, "UNDERTONE"), text(json(parameters)))))));
  const type = box("ftyp", "isom", u32(512), "isom", "iso2", "avc1", "mp41");
  // What lies before the frames is as long wherever they lie.
  return new Blob([type, movie(type.length + movie(0).length + 8), box("mdat", ...frames)], { type: "video/mp4" });
}

/** Leaves the picture where it is: a transformation's matrix, in fixed-point numbers. */
const matrix = u32(1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30);

const handler = (kind, maker = zeros(4)) => full("hdlr", 0, zeros(4), kind, maker, zeros(9)); // without a name

const text = (value) => box("data", u32(1, 0), new TextEncoder().encode(value)); // UTF-8, of no country

/** A box with a version, 0, and flags. */
function full(name, flags, ...content) {
  return box(name, u32(flags), ...content);
}

/** A box: the number of its bytes, its name, and those. Names are of Latin-1's letters. */
function box(name, ...content) {
  const data = joined([name, ...content].map((part) => (typeof part === "string" ? Uint8Array.from(part, (c) => c.charCodeAt(0)) : part)));
  return joined([u32(data.length + 4), data]);
}

function u32(...values) {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((v, i) => view.setUint32(4 * i, v));
  return new Uint8Array(view.buffer);
}

function u16(...values) {
  return Uint8Array.from(values.flatMap((v) => [v >> 8, v]));
}

function zeros(n) {
  return new Uint8Array(n);
}

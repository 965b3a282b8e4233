// WebM is Matroska (RFC 9559) in EBML (RFC 8794). What made the pictures is in a tag.
import { json, joined } from "./png.js";

/**
 * Writes a film. The frames are VP9's or VP8's, each of them a key frame, and seen for so
 * many milliseconds; colour has the codes of how their numbers are colours.
 * @returns {Blob}
 */
export function webm({ width, height, codec, colour }, frames, milliseconds, parameters) {
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

/** How the numbers of the frames are colours: the codes that are known. */
function colours({ matrix, full, transfer, primaries }) {
  const codes = [[0x55b1, matrix], [0x55b9, full && 1 + full], [0x55ba, transfer], [0x55bb, primaries]];
  return element(0x55b0, ...codes.filter(([, code]) => code !== undefined).map(([id, code]) => element(id, uint(code))));
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

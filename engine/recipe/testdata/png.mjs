// Runs web/png.js on the jobs in the standard input, a JSON list, and answers with a
// list of what it gave. Bytes are in base64.
import { text } from "node:stream/consumers";
import { decode, encode, encodeNow, inflate } from "../../../web/png.js";

const bytes = (s = "") => new Uint8Array(Buffer.from(s, "base64"));
const base64 = (b) => Buffer.from(b).toString("base64");
const work = {
  async encode({ width, height, data, parameters }) {
    const image = { width, height, data: new Uint8ClampedArray(bytes(data)) };
    const blob = await encode(image, parameters);
    return { type: blob.type, file: base64(await blob.arrayBuffer()), now: base64(encodeNow(image)) };
  },
  async decode({ file }) {
    const { width, height, data } = await decode(bytes(file));
    return { width, height, data: base64(data) };
  },
  async inflate({ data, most }) {
    return { data: base64(await inflate(bytes(data), most)) };
  },
};

const answers = [];
for (const job of JSON.parse(await text(process.stdin))) {
  answers.push(await work[job.work](job).catch((error) => ({ error: error.message })));
}
process.stdout.write(JSON.stringify(answers));

// Two pictures side by side as one file. The pixels of the pictures are copied from their
// own bytes; only the captions pass through a canvas, which some browsers blur.
import { encode } from "./png.js";

const gap = 8; // pixels between the pictures, and around each caption

/**
 * Writes two pictures with a caption under each as a PNG. The parameters in it are those
 * of the right picture, and beside them those of the left.
 * @param {[ImageData, ImageData]} pictures
 * @returns {Promise<Blob>}
 */
export function comparison(pictures, captions, parameters, compared) {
  const size = Math.max(13, Math.round(Math.max(...pictures.map((p) => p.width)) / 28)); // of the text
  const width = pictures[0].width + gap + pictures[1].width;
  const height = Math.max(...pictures.map((p) => p.height));
  const all = new ImageData(width, height + size + 2 * gap);
  all.data.fill(255);
  let x = 0;
  pictures.forEach(({ width: w, height: h, data }, i) => {
    for (let y = 0; y < h; y++) all.data.set(data.subarray(4 * y * w, 4 * (y + 1) * w), 4 * (y * width + x));
    const text = caption(captions[i], w, size);
    for (let y = 0; y < text.height; y++) all.data.set(text.data.subarray(4 * y * w, 4 * (y + 1) * w), 4 * ((height + y) * width + x));
    x += w + gap;
  });
  return encode(all, { ...parameters, compared });
}

/** A line of text as pixels. */
function caption(text, width, size) {
  const height = size + 2 * gap;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.fillStyle = "#1e1a24";
  context.font = `${size}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, width / 2, height / 2, width - gap);
  return context.getImageData(0, 0, width, height);
}

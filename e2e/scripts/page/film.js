// What a sweep's film holds.
{
  const made = []; // what the page has given addresses to
  const revoked = [];
  const { createObjectURL, revokeObjectURL } = URL;

  const go = () => document.querySelector("#film-go");

  test.film = {
    revoked,
    // Keeps what the page gives addresses to.
    watch() {
      URL.createObjectURL = (blob) => {
        made.push(blob);
        return createObjectURL.call(URL, blob);
      };
      URL.revokeObjectURL = (address) => {
        revoked.push(address);
        revokeObjectURL.call(URL, address);
      };
    },
    file: () => made.at(-1),
    // Plays a film of what two canvases show, 24 frames each, as a browser without H.264 writes it.
    async write(first, last, parameters) {
      const { isConfigSupported } = VideoEncoder;
      VideoEncoder.isConfigSupported = async (config) => (config.codec.startsWith("avc1") ? { supported: false, config } : isConfigSupported.call(VideoEncoder, config));
      const canvases = [first, last].map((selector) => document.querySelector(selector));
      const [{ width, height }] = canvases;
      const writer = await (await undertone.film()).open(width, height);
      for (let i = 0; i < 48; i++) writer.add(new ImageData(test.pixels(canvases[i < 24 ? 0 : 1]), width, height));
      made.push(await writer.file(2, parameters));
      VideoEncoder.isConfigSupported = isConfigSupported;
      document.querySelector("#film video").src = createObjectURL.call(URL, made.at(-1));
    },
    // Begins a film, and stops it after so many pictures or a few more.
    stopAfter: (count) => new Promise((done) => {
      const observer = new MutationObserver(() => {
        const [, n] = go().textContent.match(/^Stop · (\d+)/) ?? [];
        if (Number(n) < count || n === undefined) return;
        observer.disconnect();
        go().click();
        done();
      });
      observer.observe(go(), { subtree: true, childList: true, characterData: true });
      go().click();
    }),
    // How far, on average, a frame of the playing film is from what a canvas shows, in
    // brightness.
    async distance(seconds, selector) {
      const video = document.querySelector("#film video");
      video.pause();
      const there = new Promise((done) => video.addEventListener("seeked", done, { once: true }));
      video.currentTime = seconds;
      await there;
      const canvas = document.querySelector(selector);
      const { width, height } = canvas;
      const context = new OffscreenCanvas(width, height).getContext("2d");
      context.drawImage(video, 0, 0);
      const a = context.getImageData(0, 0, width, height).data;
      const b = test.pixels(canvas);
      let sum = 0;
      for (let i = 0; i < a.length; i += 4) {
        sum += Math.abs(0.3 * (a[i] - b[i]) + 0.59 * (a[i + 1] - b[i + 1]) + 0.11 * (a[i + 2] - b[i + 2]));
      }
      return sum / (a.length / 4);
    },
    playing: () => {
      const { duration, videoWidth, videoHeight, error } = document.querySelector("#film video");
      return { duration, width: videoWidth, height: videoHeight, error: error?.message ?? "" };
    },
    // The hashes of some frames of an animated picture, and how many it has.
    async frames(indexes) {
      const decoder = new ImageDecoder({ data: await made.at(-1).arrayBuffer(), type: "image/png" });
      await decoder.completed;
      const hashes = [];
      for (const frameIndex of indexes) {
        const { image } = await decoder.decode({ frameIndex });
        const pixels = new Uint8Array(image.allocationSize({ format: "RGBA" }));
        await image.copyTo(pixels, { format: "RGBA" });
        hashes.push(await test.digest(pixels));
      }
      return { count: decoder.tracks.selectedTrack.frameCount, hashes };
    },
  };
}

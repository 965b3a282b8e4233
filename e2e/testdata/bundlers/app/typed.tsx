// What an app in TypeScript writes, for its compiler to take, and what it must refuse.
import "undertone/element.js";
import "undertone/react";
import "undertone/value.js";
import { importUndertone, type Result } from "undertone";
import type { DemoSettings, UndertoneDemo } from "undertone/element.js";

export const figure = (
  <>
    <undertone-demo src="/undertone/" prompt="a red frog" seed={7} steps="4" preset="night" weight={2} compare theme="dark" lang="zh" autoload="visible" className="wide">
      <img src="frog.png" alt="a red frog" />
    </undertone-demo>
    <undertone-value for="frog" sets="weight" min={0} max={3} step={0.5}>1</undertone-value>
  </>
);
// @ts-expect-error there is no such theme
export const theme = <undertone-demo theme="blue" />;
// @ts-expect-error nor such an attribute
export const attribute = <undertone-demo strength={2} />;

const demo: UndertoneDemo = document.createElement("undertone-demo");
demo.prompt = "a red frog";
demo.compare = true;
demo.addEventListener("undertone-image", ({ detail }) => keep(detail.settings, detail.milliseconds));
demo.addEventListener("undertone-progress", ({ detail: { stage, done, total } }) => console.log(stage, done / total));
// @ts-expect-error an image has no steps
demo.addEventListener("undertone-image", ({ detail }) => detail.step);
// @ts-expect-error attributes are texts
demo.seed = 7;

function keep({ prompt, seed, guidance, ablate }: DemoSettings, milliseconds: number) {
  console.log(prompt, seed + milliseconds, ablate?.pooled, guidance.map(({ positive, weight }) => positive + weight));
}

export async function use(): Promise<[Blob, Result]> {
  const { presets } = await demo.load();
  demo.preset = presets[0].id;
  const { width } = await demo.generate();
  demo.stop();
  demo.weight = String(width / 256);
  const { Undertone } = await importUndertone("/undertone/");
  const u = await Undertone.load("models/sprites/model.json", { device: "auto", store: true });
  // @ts-expect-error a prompt is a text
  await u.generate({ prompt: 7 });
  return [await demo.toBlob(), await u.generate({ prompt: "a red frog", seed: 7 })];
}

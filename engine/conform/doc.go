// Package conform compares the engine with reference files: what another
// implementation computes from small random weights under published names, at other
// widths, depths and sizes than a published model's. Nothing here knows a machine; the
// caller lends one.
//
//	report, err := conform.Run(ctx, cpu.New(cpu.Options{}), "goldens/flux_dev", conform.Options{})
//
// # Files
//
// A prefix names up to four files. PREFIX.json says what they are; its "family" and
// "config" are in the words of the library that published the network.
// PREFIX.safetensors holds the weights under the names of the published file,
// PREFIX.diffusers.safetensors the same under those of diffusers (or PREFIX.diffusers.json
// tells these, see package twin), and
// PREFIX.cases.safetensors what went in and came out, as F32 without a batch axis:
//
//	CASE.in.latent        [C, H, W]    CASE.out.velocity        [C, H, W], noise − data
//	CASE.in.tokens        [T, C]       CASE.out.blocks          [B], RMS of the stream after each block
//	CASE.in.pooled        [P]          CASE.out.rows            [B, D], last row of that stream
//	CASE.in.sigma         [1]          CASE.out.delta           [D], ψ(positive) − ψ(negative)
//	CASE.in.pooled_…      [P]          CASE.out.NAME.w          [L+1], the head's last
//	                                   CASE.out.NAME.velocity   with w(l)·delta added to block l's vector
//
// Text encoders have in.ids and out.last, decoders in.latent and out.image, pipelines
// (a JSON with "pipeline") in.sigmas and out.latents after every step; schedules and
// tokenizers are a JSON alone. Cosmos and its samplers, and the training of its adapter,
// have one case, whose outputs stand under their own names.
//
// # What counts
//
// Every out tensor of every case is compared. A case, an input or an output that is
// not understood is a failure, as is one that is missing: nothing is left out without
// being told.
package conform

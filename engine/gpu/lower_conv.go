package gpu

// Layout of a weight of op.UseConv3x3 on the GPU (written by the repack kernel,
// read by conv3x3*.wgsl): one F32 buffer
//
//	[9][CinP][CoutP]   CinP = op.Pad(Cin), CoutP = op.Pad(Cout)
//
// where tap = 3·ky + kx comes first, then the input channel, then the output
// channel, so that one vec4 holds four output channels of one input channel.
// Element (co, ci, ky, kx) of the OIHW file lies at ((3·ky + kx)·CinP + ci)·CoutP + co;
// everything in the padding is zero.

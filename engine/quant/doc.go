// Package quant is the only place that knows how weights are stored as bytes: IEEE
// binary16, bfloat16 and ggml's blocks of elements along a row, all little-endian.
// A block format is one file and one row of the table.
//
// Every product is rounded by an explicit float32 conversion, so that no platform
// fuses it with an addition and all decode to the same bits.
package quant

package words

import "testing"

func TestTextOfNumbers(t *testing.T) {
	for got, want := range map[string]string{
		Bytes(999):           "999 bytes",
		Bytes(3_303):         "3 kB",
		Bytes(999_600):       "1.0 MB",
		Bytes(12_845_319):    "12.8 MB",
		Bytes(150_000_000):   "150 MB",
		Bytes(1_260_000_000): "1.26 GB",
		Duration(0.042):      "42 ms",
		Duration(3.14159):    "3.1 s",
		Duration(57.4):       "57 s",
		Duration(600):        "10 min",
		Duration(7200):       "2.0 h",
		Milliseconds(0.123):  "0.12 ms",
		Milliseconds(12.34):  "12.3 ms",
		Milliseconds(999.6):  "1.00 s",
		Number(1.5):          "1.5",
		Number(-4):           "-4",
		Number(2.00000004):   "2",
	} {
		if got != want {
			t.Errorf("got %q, wanted %q", got, want)
		}
	}
}

func TestSentence(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "the file is not a PNG": "The file is not a PNG", "vae.gguf: the server answered 404": "vae.gguf: the server answered 404",
		"GPU": "GPU", "步数": "步数", " x": " x",
	} {
		if got := Sentence(text); got != want {
			t.Errorf("%q became %q, wanted %q", text, got, want)
		}
	}
}

func TestSignText(t *testing.T) {
	for want, x := range map[string]float64{"−1.25": -1.25, "0": 0, "3": 3} {
		if got := Signed(x); got != want {
			t.Errorf("%v is %q, wanted %q", x, got, want)
		}
	}
}

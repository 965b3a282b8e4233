"""What Hugging Face's tokenizers makes of hostile strings: engine/text/testdata/{tokenizer,hostile,clip,llama}.json.

`make golden` installs tokenizers in build/golden and runs this.
"""
import json
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

OUT = Path(__file__).resolve().parents[1] / "engine" / "text" / "testdata"
SPECIAL = ["[PAD]", "[BOS]", "[EOS]", "[UNK]"]

STRINGS = [
    "", " ", "   \t\n  ", "a frog in a meadow", "A Red CAR", "ultra-detailed, photorealistic, cinematic",
    "frog\r\ncat\rhouse\ncar", "cafe\u0301 nai\u0308ve", "café naïve", "a    b  \u00a0 c\u3000d", "tab\tand\vvertical\fform",
    "😀 frog 😀😀", "👩‍👩‍👧‍👦 family", "flag 🇩🇪🇫🇷", "thumb 👍🏽 up", "zero\u200bwidth\u200dnon\u200cjoin\ufeffbom",
    "שלום עולם", "مرحبا بالعالم ١٢٣", "\u202eright to left\u202c", "日本語の猫", "中文，标点。你好", "한국어 고양이", "ｆｕｌｌ ｗｉｄｔｈ　１２３",
    "ISTANBUL İstanbul ıstanbul", "STRASSE Straße ẞ", "ﬁne ﬂower oﬃce", "ΣΊΣΥΦΟΣ ΟΔΟΣ", "ǅ ǈ ǋ Ǆ", "K Å Ω ℌ ℃ № ™ ½ ²",
    "!!! ... ?!?! --- ,,,.,.", "don't won't 'quoted'", "snake_case __init__ _", "3 cats 42dogs cats7 1,000.5 ²3", "a-b_c.d/e\\f|g",
    "<script>alert(1)</script>", "\u0000nul\u0001one\u001funit\u007fdel\u0085nel", "e\u0301\u0301\u0301\u0327 z\u0351\u036b\u0343\u036a",
    "नमस्ते दुनिया", "ภาษาไทย แมว", "Ⅷ ⅷ ① ❷ ㊷", "‘curly’ “quotes” – dashes — …", "𝔣𝔯𝔞𝔨𝔱𝔲𝔯 𝟘𝟙𝟚", "𐐀𐐁 Ꭰ ᏸ", "ĳ Ŀ ŉ ſ", "\u1e9b\u0323 \u212b \ufb2c",
    "a\u00adsoft hyphen", "x\u2028line\u2029paragraph", "tag\U000e0041\U000e0042", "\ud7a3\ue000\uf8ff private", "\ufffd replacement \ufdd0",
    "[EOS] frog [UNK][PAD] [bos] [ EOS ]", "frog[BOS]cat", "[[EOS]]", "ᴹᵒᵈ ₁₂ ᶠ", "مُحَمَّد ﷺ", "\u0301leading mark", "‿ undertie ⁀ ﹏",
    "a" * 3000, "é" * 500, "frog " * 10000, "!?" * 1500, "Ÿ ẅ Ǘ Ṩ Ḗ", "ᾈ ᾳ ΐ ῶ", "ͅ ypogegrammeni ᾼΒ",
]


def spec(vocab):
    added = [{"id": i, "content": w, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
              "special": True} for i, w in enumerate(SPECIAL)]
    return json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}]},
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "[UNK]"}}, ensure_ascii=True, indent=1)


def clip():
    """A small tokenizer like CLIP's: merges learned from the strings, and the ids of those that are not too long."""
    tokenizer = Tokenizer(models.BPE(unk_token=None, end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    pattern = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), behavior="removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    strings = [s for s in STRINGS if len(s) < 200] + [
        "<|startoftext|>a<|endoftext|>!!", "<|STARTOFTEXT|>!!", "<|EndOfText|>frogs", "it's 'SS we'll I'D ''s", "meadow " * 3, "aaaaaaaaaaaaaa"]
    if (OUT / "clip.json").exists():  # training breaks ties between merges anew each time
        merges = [tuple(m.split(" ")) for m in json.loads((OUT / "clip.json").read_text())["merges"][1:]]
    else:
        tokenizer.train_from_iterator(strings * 3, trainers.BpeTrainer(
            vocab_size=1000, min_frequency=4, end_of_word_suffix="</w>", initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
        merges = [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in json.loads(tokenizer.to_str())["model"]["merges"]]
    # The order of CLIP's vocabulary: bytes, visible ones first; these at the end of a word; what the merges make.
    visible = [chr(c) for c in range(256) if chr(c) in pre_tokenizers.ByteLevel.alphabet()]
    names = visible + [chr(256 + i) for i in range(256 - len(visible))]
    names += [n + "</w>" for n in names]
    names += ["".join(m) for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
    tokenizer.model = models.BPE({n: i for i, n in enumerate(names)}, merges, end_of_word_suffix="</w>", unk_token="<|endoftext|>")
    tokenizer.add_special_tokens(["<|startoftext|>", "<|endoftext|>"])
    cases = [{"text": s, "ids": tokenizer.encode(s).ids} for s in strings]
    lines = ["#version: 0.2"] + [" ".join(m) for m in merges]
    (OUT / "clip.json").write_text(json.dumps({"merges": lines, "bos": len(names) - 2, "cases": cases}, ensure_ascii=True, indent=0) + "\n")
    print(len(cases), "strings,", len(merges), "merges")


# How Llama 3 splits (tokenizer.json of the published models).
LLAMA = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
         r"|\s*[\r\n]+|\s+(?!\S)|\s+")


def llama():
    """A small tokenizer like Llama 3's: the whole tokenizer.json, and the ids of the strings."""
    file = OUT / "llama.json"
    strings = [s for s in STRINGS if len(s) < 200] + [
        "it's 'SS we'll I'D ''s 'LLama 'Re'vE 'ſ x'ſy", "  two  spaces   three", "line \n\n  next\r\n\tindent \n ", "12345 1234567,8 ٣٤٥٦ ²³½¼",
        "(frog)!\n\n\"cat\"\r\n", "x\u00a0y \u00a0 z\u00a0", "a<|eot_id|> b<|begin_of_text|>", "trailing   ", "\n", " \n ", "\u2028\n x", "_under #tag @at"]
    if file.exists():  # training breaks ties between merges anew each time
        tokenizer = Tokenizer.from_str(json.dumps(json.loads(file.read_text())["tokenizer"]))
    else:
        tokenizer = Tokenizer(models.BPE(ignore_merges=True))
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(LLAMA), behavior="isolated", invert=False), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
        tokenizer.train_from_iterator(strings * 3, trainers.BpeTrainer(
            vocab_size=700, min_frequency=4, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
        made = json.loads(tokenizer.to_str())
        # A word that is a token although no merges lead to it: what ignore_merges is for.
        made["model"]["vocab"][" zebra".replace(" ", "Ġ")] = len(made["model"]["vocab"])
        tokenizer = Tokenizer.from_str(json.dumps(made))
        tokenizer.add_special_tokens(["<|begin_of_text|>", "<|eot_id|>"])
        begin = tokenizer.token_to_id("<|begin_of_text|>")
        tokenizer.post_processor = processors.Sequence([
            processors.ByteLevel(trim_offsets=True),
            processors.TemplateProcessing(single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", begin)])])
    strings += ["a zebra", "zebra"]
    cases = [{"text": s, "ids": tokenizer.encode(s).ids} for s in strings]
    file.write_text(json.dumps({"tokenizer": json.loads(tokenizer.to_str()), "cases": cases}, ensure_ascii=True, indent=None, separators=(",", ":")) + "\n")
    print(len(cases), "strings like Llama's,", tokenizer.get_vocab_size(), "tokens")


def main():
    # Every second word that occurs is in the vocabulary, so that ids tell splits apart and [UNK] is met too.
    vocab = {w: i for i, w in enumerate(SPECIAL)}
    probe = Tokenizer.from_str(spec(vocab))
    words = []
    for s in STRINGS:
        for w, _ in probe.pre_tokenizer.pre_tokenize_str(probe.normalizer.normalize_str(s)):
            if w not in words and len(w) < 40:
                words.append(w)
    for w in ["frog"] + words[::2]:
        vocab.setdefault(w, len(vocab))
    text = spec(vocab)
    tokenizer = Tokenizer.from_str(text)
    # Long repetitions are written as a unit and a count.
    cases = []
    for s in STRINGS:
        unit, count = s, 1
        for n in range(1, 6):
            if len(s) > 200 and s == s[:n] * (len(s) // n):
                unit, count = s[:n], len(s) // n
                break
        ids = tokenizer.encode(s).ids
        if len(set(ids)) == 1 and len(ids) > 100:
            cases.append({"text": unit, "repeat": count, "ids": ids[:1], "idsRepeat": len(ids)})
        else:
            cases.append({"text": unit, "repeat": count, "ids": ids, "idsRepeat": 1})
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "tokenizer.json").write_text(text + "\n")
    (OUT / "hostile.json").write_text(json.dumps(cases, ensure_ascii=True, indent=0) + "\n")
    print(len(cases), "strings,", len(vocab), "words")


if __name__ == "__main__":
    main()
    clip()
    llama()
